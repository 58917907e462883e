
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "llm_idset.h"
#include "llm_schema.h"
#include "llm_where.h"


#define LLM_WHERE_SQL        8192        /* all conditions at once */
#define LLM_WHERE_PARAMS     64
#define LLM_WHERE_STATUSES   1000
#define LLM_WHERE_NEEDLE     (4 * LLM_FILTER_TEXT_MAX)
#define LLM_WHERE_KEY        32
#define LLM_WHERE_TYPE       "llm_search"

/* the last instant that an id can carry */
#define LLM_WHERE_MAX_MS     (INT64_MAX >> LLM_ID_SHIFT)


typedef struct {
    int             type;                /* SQLITE_INTEGER, _TEXT, or _NULL
                                            for the search itself */
    int64_t         num;
    llm_str_t       str;
} llm_where_param_t;


/* what filter= found before the log is read */

typedef struct {
    llm_idset_t     dict;
    llm_idset_t     session;
    uint8_t         status[LLM_WHERE_STATUSES];
    int             statuses;
    int             status_min;
    int             status_max;
} llm_search_t;


struct llm_where_s {
    sqlite3              *db;
    const llm_filter_t   *filter;
    llm_buf_t             sql;
    llm_where_param_t     param[LLM_WHERE_PARAMS];
    int                   nparams;
    int                   over;          /* some rows have texts of their own */
    llm_search_t          search;
    char                  like[2 * LLM_WHERE_NEEDLE + 3];
    char                  key_min[LLM_WHERE_KEY];
    char                  key_max[LLM_WHERE_KEY];
};


static int llm_where_all(llm_where_t *w);
static int llm_where_over(llm_where_t *w);
static void llm_where_times(llm_where_t *w);
static void llm_where_status(llm_where_t *w);
static void llm_where_numbers(llm_where_t *w);
static void llm_where_quick(llm_where_t *w);
static void llm_where_word(llm_where_t *w, int64_t protocol,
    const char *like);
static int llm_where_texts(llm_where_t *w);
static int llm_where_lookup(llm_where_t *w, int kind, const llm_str_t *value,
    int64_t *id);
static void llm_where_session(llm_where_t *w);
static void llm_where_key(llm_where_t *w);
static int llm_where_search(llm_where_t *w);
static int llm_where_like(llm_where_t *w, const llm_str_t *needle);
static int llm_where_ids(llm_where_t *w, const char *sql, llm_idset_t *set);
static void llm_where_statuses(llm_search_t *s, const llm_str_t *needle);
static void llm_where_func(sqlite3_context *ctx, int argc,
    sqlite3_value **argv);
static void llm_where_add(llm_where_t *w, const char *sql);
static void llm_where_int(llm_where_t *w, int64_t v);
static void llm_where_str(llm_where_t *w, const llm_str_t *s);
static void llm_where_cstr(llm_where_t *w, const char *s);


/* conditions that compare one number of the filter */

static const struct {
    int          n;
    const char  *sql;
} llm_where_compare[] = {
    { LLM_F_OUTCOME, " AND l.outcome = ?" },
    { LLM_F_PROTOCOL, " AND coalesce(l.protocol, 0) = ?" },
    { LLM_F_OPERATION, " AND coalesce(l.operation, 0) = ?" },
    { LLM_F_STREAM, " AND coalesce(l.stream, 0) = ?" },
    { LLM_F_MIN_DURATION, " AND l.duration_us >= ?" },
    { LLM_F_MIN_TOKENS, " AND l.total_tokens >= ?" },
    { LLM_F_MIN_COST, " AND l.cost_nano >= ?" }
};


/* conditions that compare one text: by its id, or in rows of their own */

static const struct {
    int          n;
    int          kind;
    const char  *sql;
    const char  *over;
} llm_where_equal[] = {
    { LLM_F_METHOD, LLM_DICT_METHOD, " AND (l.method = ?",
      " OR l.over ->> '$.method' = ?" },
    { LLM_F_PROVIDER, LLM_DICT_PROVIDER, " AND (l.provider = ?",
      " OR l.over ->> '$.provider' = ?" },
    { LLM_F_MODEL, LLM_DICT_MODEL, " AND (l.model = ?",
      " OR l.over ->> '$.model' = ?" },
    { LLM_F_ENDPOINT, LLM_DICT_ENDPOINT, " AND (l.endpoint = ?",
      " OR l.over ->> '$.endpoint' = ?" },
    { LLM_F_ACCOUNT, LLM_DICT_ACCOUNT, " AND (l.account = ?",
      " OR l.over ->> '$.account_email' = ?" },
    { LLM_F_USER, LLM_DICT_USER, " AND (l.user = ?",
      " OR l.over ->> '$.user' = ?" },
    { LLM_F_IP, LLM_DICT_IP, " AND (l.client_ip = ?",
      " OR l.over ->> '$.client_ip' = ?" }
};


int
llm_where_setup(sqlite3 *db)
{
    int  rc;

    rc = sqlite3_create_function_v2(db, "llm_search", 10,
                                    SQLITE_UTF8|SQLITE_DETERMINISTIC
                                    |SQLITE_DIRECTONLY,
                                    NULL, llm_where_func, NULL, NULL, NULL);

    return rc == SQLITE_OK ? LLM_OK : LLM_ERROR;
}


int
llm_where_create(llm_where_t **out, sqlite3 *db, const llm_filter_t *f)
{
    int           rc;
    llm_where_t  *w;

    *out = NULL;

    w = calloc(1, sizeof(llm_where_t));
    if (w == NULL) {
        return LLM_NOMEM;
    }

    w->db = db;
    w->filter = f;
    llm_buf_init(&w->sql, LLM_WHERE_SQL);

    rc = llm_where_all(w);

    if (rc == LLM_OK) {
        llm_buf_add(&w->sql, "", 1);
        rc = w->sql.failed;
    }

    if (rc != LLM_OK) {
        llm_where_free(w);
        return rc;
    }

    *out = w;

    return LLM_OK;
}


void
llm_where_free(llm_where_t *w)
{
    if (w == NULL) {
        return;
    }

    llm_idset_free(&w->search.dict);
    llm_idset_free(&w->search.session);
    llm_buf_free(&w->sql);
    free(w);
}


const char *
llm_where_text(const llm_where_t *w)
{
    return (const char *) w->sql.data;
}


int
llm_where_params(const llm_where_t *w)
{
    return w->nparams;
}


int
llm_where_bind(llm_where_t *w, sqlite3_stmt *stmt)
{
    int                 i, rc;
    llm_where_param_t  *p;

    for (i = 0; i < w->nparams; i++) {
        p = &w->param[i];

        switch (p->type) {

        case SQLITE_INTEGER:
            rc = sqlite3_bind_int64(stmt, i + 1, p->num);
            break;

        case SQLITE_TEXT:
            rc = sqlite3_bind_text(stmt, i + 1, (const char *) p->str.data,
                                   (int) p->str.len, SQLITE_STATIC);
            break;

        default:
            rc = sqlite3_bind_pointer(stmt, i + 1, &w->search,
                                      LLM_WHERE_TYPE, NULL);
        }

        if (rc != SQLITE_OK) {
            return LLM_ERROR;
        }
    }

    return LLM_OK;
}


static int
llm_where_all(llm_where_t *w)
{
    int  rc;

    if (llm_filter_empty(w->filter)) {
        return LLM_OK;
    }

    rc = llm_where_over(w);

    if (rc != LLM_OK) {
        return rc;
    }

    llm_where_times(w);
    llm_where_status(w);
    llm_where_numbers(w);
    llm_where_quick(w);

    rc = llm_where_texts(w);

    if (rc != LLM_OK) {
        return rc;
    }

    llm_where_session(w);
    llm_where_key(w);

    return llm_where_search(w);
}


/* rows that found the dictionary full are few, mostly there are none */

static int
llm_where_over(llm_where_t *w)
{
    int            rc;
    sqlite3_stmt  *stmt;

    rc = sqlite3_prepare_v2(w->db, "SELECT 1 FROM log "
                                   "WHERE over IS NOT NULL LIMIT 1", -1,
                            &stmt, NULL);

    if (rc != SQLITE_OK) {
        return LLM_ERROR;
    }

    rc = sqlite3_step(stmt);
    w->over = (rc == SQLITE_ROW);

    sqlite3_finalize(stmt);

    return (rc == SQLITE_ROW || rc == SQLITE_DONE) ? LLM_OK : LLM_ERROR;
}


/* the time is in the id, so that a range of time is one of the primary key */

static void
llm_where_times(llm_where_t *w)
{
    int64_t  ms;

    ms = w->filter->num[LLM_F_SINCE];

    if (ms != LLM_NULL) {
        llm_where_add(w, " AND l.id >= ?");
        llm_where_int(w, ms > LLM_WHERE_MAX_MS ? INT64_MAX
                                               : ms << LLM_ID_SHIFT);
    }

    ms = w->filter->num[LLM_F_UNTIL];

    if (ms != LLM_NULL) {
        llm_where_add(w, " AND l.id < ?");
        llm_where_int(w, ms > LLM_WHERE_MAX_MS ? INT64_MAX
                                               : ms << LLM_ID_SHIFT);
    }
}


static void
llm_where_status(llm_where_t *w)
{
    int64_t         min, max;
    const int64_t  *num;

    num = w->filter->num;
    min = num[LLM_F_STATUS_MIN];
    max = num[LLM_F_STATUS_MAX];

    if (num[LLM_F_ERRORS_ONLY] == 1 || num[LLM_F_QUICK] == LLM_QUICK_ERRORS
        || (min != LLM_NULL && (min >= 400 || max < 200)))
    {
        /* in these words the partial index is found */

        llm_where_add(w, " AND l.failed = 1");
    }

    if (min != LLM_NULL && min == max) {
        llm_where_add(w, " AND l.status = ?");
        llm_where_int(w, min);

    } else if (min != LLM_NULL) {
        llm_where_add(w, " AND l.status BETWEEN ? AND ?");
        llm_where_int(w, min);
        llm_where_int(w, max);
    }
}


static void
llm_where_numbers(llm_where_t *w)
{
    size_t          i;
    const int64_t  *num;

    num = w->filter->num;

    for (i = 0;
         i < sizeof(llm_where_compare) / sizeof(llm_where_compare[0]);
         i++)
    {
        if (num[llm_where_compare[i].n] != LLM_NULL) {
            llm_where_add(w, llm_where_compare[i].sql);
            llm_where_int(w, num[llm_where_compare[i].n]);
        }
    }

    if (num[LLM_F_UNPRICED] == 1) {
        llm_where_add(w, " AND l.cost_nano IS NULL"
                         " AND (l.input_tokens IS NOT NULL"
                         " OR l.output_tokens IS NOT NULL)");
    }

    if (num[LLM_F_USAGE_MISSING] == 1) {

        /* a good answer to a call that providers report usage for */

        llm_where_add(w, " AND l.input_tokens IS NULL"
                         " AND l.output_tokens IS NULL"
                         " AND l.status BETWEEN 200 AND 299"
                         " AND l.operation IN (?, ?, ?, ?)");
        llm_where_int(w, LLM_OPERATION_CHAT);
        llm_where_int(w, LLM_OPERATION_COMPLETION);
        llm_where_int(w, LLM_OPERATION_RESPONSES);
        llm_where_int(w, LLM_OPERATION_EMBEDDINGS);
    }
}


static void
llm_where_quick(llm_where_t *w)
{
    switch (w->filter->num[LLM_F_QUICK]) {

    case LLM_QUICK_CHAT:
        llm_where_add(w, " AND l.operation IN (?, ?, ?)");
        llm_where_int(w, LLM_OPERATION_CHAT);
        llm_where_int(w, LLM_OPERATION_COMPLETION);
        llm_where_int(w, LLM_OPERATION_RESPONSES);
        break;

    case LLM_QUICK_IMAGE:
        llm_where_add(w, " AND l.operation = ?");
        llm_where_int(w, LLM_OPERATION_IMAGE);
        break;

    case LLM_QUICK_GEMINI:
        llm_where_word(w, LLM_PROTOCOL_GEMINI, "%gemini%");
        break;

    case LLM_QUICK_CLAUDE:
        llm_where_word(w, LLM_PROTOCOL_ANTHROPIC, "%claude%");
        break;

    default:
        /* none, or errors, which is a condition on the status */
        break;
    }
}


static void
llm_where_word(llm_where_t *w, int64_t protocol, const char *like)
{
    llm_where_add(w, " AND (l.protocol = ? OR l.model IN"
                     " (SELECT id FROM dict WHERE kind = ?"
                     " AND value LIKE ?)");
    llm_where_int(w, protocol);
    llm_where_int(w, LLM_DICT_MODEL);
    llm_where_cstr(w, like);

    if (w->over) {
        llm_where_add(w, " OR l.over ->> '$.model' LIKE ?");
        llm_where_cstr(w, like);
    }

    llm_where_add(w, ")");
}


static int
llm_where_texts(llm_where_t *w)
{
    int        rc;
    size_t     i;
    int64_t    id;
    llm_str_t  s;

    for (i = 0; i < sizeof(llm_where_equal) / sizeof(llm_where_equal[0]); i++)
    {
        s = llm_filter_str(w->filter, llm_where_equal[i].n);

        if (s.data == NULL) {
            continue;
        }

        rc = llm_where_lookup(w, llm_where_equal[i].kind, &s, &id);

        if (rc != LLM_OK) {
            return rc;
        }

        if (id == 0 && !w->over) {
            llm_where_add(w, " AND 0");
            continue;
        }

        llm_where_add(w, llm_where_equal[i].sql);
        llm_where_int(w, id);

        if (w->over) {
            llm_where_add(w, llm_where_equal[i].over);
            llm_where_str(w, &s);
        }

        llm_where_add(w, ")");
    }

    return LLM_OK;
}


/* 0: the text is nowhere */

static int
llm_where_lookup(llm_where_t *w, int kind, const llm_str_t *value,
    int64_t *id)
{
    int            rc;
    sqlite3_stmt  *stmt;

    *id = 0;

    rc = sqlite3_prepare_v2(w->db, "SELECT id FROM dict "
                                   "WHERE kind = ? AND value = ?", -1,
                            &stmt, NULL);

    if (rc != SQLITE_OK) {
        return LLM_ERROR;
    }

    sqlite3_bind_int(stmt, 1, kind);
    sqlite3_bind_text(stmt, 2, (const char *) value->data, (int) value->len,
                      SQLITE_STATIC);

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        *id = sqlite3_column_int64(stmt, 0);
    }

    sqlite3_finalize(stmt);

    return (rc == SQLITE_ROW || rc == SQLITE_DONE) ? LLM_OK : LLM_ERROR;
}


/* several keys may have used the same session id */

static void
llm_where_session(llm_where_t *w)
{
    llm_str_t  s;

    s = llm_filter_str(w->filter, LLM_F_SESSION);

    if (s.data == NULL) {
        return;
    }

    llm_where_add(w, " AND (l.session IN"
                     " (SELECT id FROM session WHERE sid = ?)");
    llm_where_str(w, &s);

    if (w->over) {
        llm_where_add(w, " OR l.over ->> '$.session_id' = ?");
        llm_where_str(w, &s);
    }

    llm_where_add(w, ")");
}


/* the dictionary has a key as 16 hex digits and the tail */

static void
llm_where_key(llm_where_t *w)
{
    llm_str_t  tail;

    if (w->filter->num[LLM_F_KEY_MIN] == LLM_NULL) {
        return;
    }

    tail = llm_filter_str(w->filter, LLM_F_KEY_TAIL);

    snprintf(w->key_min, LLM_WHERE_KEY, "%016llx",
             (unsigned long long) w->filter->num[LLM_F_KEY_MIN]);
    snprintf(w->key_max, LLM_WHERE_KEY, "%016llx",
             (unsigned long long) w->filter->num[LLM_F_KEY_MAX]);

    llm_where_add(w, " AND (l.api_key IN (SELECT id FROM dict"
                     " WHERE kind = ? AND value >= ?"
                     " AND substr(value, 1, 16) <= ?");
    llm_where_int(w, LLM_DICT_KEY);
    llm_where_cstr(w, w->key_min);
    llm_where_cstr(w, w->key_max);

    if (tail.data != NULL) {
        llm_where_add(w, " AND substr(value, 17) = ?");
        llm_where_str(w, &tail);
    }

    llm_where_add(w, ")");

    if (w->over) {
        llm_where_add(w, " OR (substr(l.over ->> '$.api_key', 1, 16)"
                         " BETWEEN ? AND ?");
        llm_where_cstr(w, w->key_min);
        llm_where_cstr(w, w->key_max);

        if (tail.data != NULL) {
            llm_where_add(w, " AND substr(l.over ->> '$.api_key', 17) = ?");
            llm_where_str(w, &tail);
        }

        llm_where_add(w, ")");
    }

    llm_where_add(w, ")");
}


static int
llm_where_search(llm_where_t *w)
{
    int            rc;
    llm_str_t      needle;
    llm_search_t  *s;

    needle = llm_filter_str(w->filter, LLM_F_SEARCH);
    s = &w->search;

    if (needle.data == NULL) {
        return LLM_OK;
    }

    llm_where_statuses(s, &needle);

    rc = llm_where_like(w, &needle);

    if (rc == LLM_OK) {
        rc = llm_where_ids(w, "SELECT id FROM dict WHERE kind IN"
                              " (?2, ?3, ?4, ?5, ?6, ?7)"
                              " AND value LIKE ?1 ESCAPE '\\'", &s->dict);
    }

    if (rc == LLM_OK) {
        rc = llm_where_ids(w, "SELECT id FROM session"
                              " WHERE sid LIKE ?1 ESCAPE '\\'", &s->session);
    }

    if (rc != LLM_OK) {
        return rc;
    }

    llm_where_add(w, " AND (");

    if (s->dict.n == 0 && s->session.n == 0 && s->statuses == 0) {
        llm_where_add(w, "0");

    } else if (s->dict.n == 0 && s->session.n == 0 && s->status_min >= 400) {
        llm_where_add(w, "(l.failed = 1 AND l.status BETWEEN ? AND ? AND ");
        llm_where_int(w, s->status_min);
        llm_where_int(w, s->status_max);

        llm_where_add(w, "llm_search(?, 0, 0, 0, 0, 0, 0, 0, 0, l.status))");
        w->param[w->nparams++].type = SQLITE_NULL;

    } else {
        llm_where_add(w, "llm_search(?, l.method, l.url, l.model,"
                         " l.mapped_model, l.account, l.user, l.client_ip,"
                         " l.session, l.status)");
        w->param[w->nparams++].type = SQLITE_NULL;
    }

    if (w->over) {
        llm_where_add(w, " OR (l.over IS NOT NULL AND EXISTS"
                         " (SELECT 1 FROM json_each(l.over)"
                         " WHERE key IN ('method', 'url', 'model',"
                         " 'mapped_model', 'account_email', 'user',"
                         " 'client_ip', 'session_id')"
                         " AND value LIKE ? ESCAPE '\\'))");
        llm_where_cstr(w, w->like);
    }

    llm_where_add(w, ")");

    return LLM_OK;
}


static int
llm_where_like(llm_where_t *w, const llm_str_t *needle)
{
    char    *p;
    size_t   i;

    if (needle->len > LLM_WHERE_NEEDLE) {
        return LLM_FULL;
    }

    p = w->like;
    *p++ = '%';

    for (i = 0; i < needle->len; i++) {

        switch (needle->data[i]) {

        case '%':
        case '_':
        case '\\':
            *p++ = '\\';
        }

        *p++ = (char) needle->data[i];
    }

    *p++ = '%';
    *p = '\0';

    return LLM_OK;
}


static int
llm_where_ids(llm_where_t *w, const char *sql, llm_idset_t *set)
{
    int            i, rc;
    sqlite3_stmt  *stmt;

    static const int  kinds[] = {
        LLM_DICT_METHOD, LLM_DICT_URL, LLM_DICT_MODEL, LLM_DICT_ACCOUNT,
        LLM_DICT_USER, LLM_DICT_IP
    };

    if (sqlite3_prepare_v2(w->db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        return LLM_ERROR;
    }

    sqlite3_bind_text(stmt, 1, w->like, -1, SQLITE_STATIC);

    for (i = 2; i <= sqlite3_bind_parameter_count(stmt); i++) {
        sqlite3_bind_int(stmt, i, kinds[i - 2]);
    }

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        rc = llm_idset_add(set, sqlite3_column_int64(stmt, 0));

        if (rc != LLM_OK) {
            break;
        }
    }

    sqlite3_finalize(stmt);

    if (rc == LLM_NOMEM || rc == LLM_FULL) {
        return LLM_NOMEM;
    }

    return rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


/* the statuses whose digits hold the text */

static void
llm_where_statuses(llm_search_t *s, const llm_str_t *needle)
{
    int   i;
    char  text[16], word[4];

    if (needle->len > 3) {
        return;
    }

    memcpy(word, needle->data, needle->len);
    word[needle->len] = '\0';

    for (i = 0; i < LLM_WHERE_STATUSES; i++) {
        snprintf(text, sizeof(text), "%d", i);

        if (strstr(text, word) == NULL) {
            continue;
        }

        s->status[i] = 1;

        if (s->statuses++ == 0) {
            s->status_min = i;
        }

        s->status_max = i;
    }
}


static void
llm_where_func(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    int            i;
    int64_t        v;
    llm_search_t  *s;

    s = sqlite3_value_pointer(argv[0], LLM_WHERE_TYPE);

    if (s == NULL) {
        sqlite3_result_int(ctx, 0);
        return;
    }

    v = sqlite3_value_int64(argv[9]);

    if (v > 0 && v < LLM_WHERE_STATUSES && s->status[v]) {
        sqlite3_result_int(ctx, 1);
        return;
    }

    for (i = 1; i < 8 && s->dict.n != 0; i++) {

        if (llm_idset_has(&s->dict, sqlite3_value_int64(argv[i]))) {
            sqlite3_result_int(ctx, 1);
            return;
        }
    }

    sqlite3_result_int(ctx, s->session.n != 0
                            && llm_idset_has(&s->session,
                                             sqlite3_value_int64(argv[8])));
}


static void
llm_where_add(llm_where_t *w, const char *sql)
{
    llm_buf_text(&w->sql, sql);
}


static void
llm_where_int(llm_where_t *w, int64_t v)
{
    llm_where_param_t  *p;

    p = &w->param[w->nparams++];
    p->type = SQLITE_INTEGER;
    p->num = v;
}


static void
llm_where_str(llm_where_t *w, const llm_str_t *s)
{
    llm_where_param_t  *p;

    p = &w->param[w->nparams++];
    p->type = SQLITE_TEXT;
    p->str = *s;
}


static void
llm_where_cstr(llm_where_t *w, const char *s)
{
    llm_str_t  str;

    str.data = (const uint8_t *) s;
    str.len = strlen(s);

    llm_where_str(w, &str);
}
