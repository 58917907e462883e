
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "llm_schema.h"
#include "llm_search.h"
#include "llm_where.h"


#define LLM_WHERE_SQL        8192        /* all conditions at once */
#define LLM_WHERE_PARAMS     80
#define LLM_WHERE_KEY        32

/* no row; with a constant SQLite has no use for INDEXED BY, and refuses it */
#define LLM_WHERE_NONE       "l.id < 0"

/* the last instant that an id can carry */
#define LLM_WHERE_MAX_MS     (INT64_MAX >> LLM_ID_SHIFT)


typedef struct {
    int             type;                /* SQLITE_INTEGER, _TEXT, or _NULL
                                            for the search itself */
    int64_t         num;
    llm_str_t       str;
} llm_where_param_t;


struct llm_where_s {
    sqlite3              *db;
    const llm_filter_t   *filter;
    llm_buf_t             sql;
    llm_where_param_t     param[LLM_WHERE_PARAMS];
    int                   nparams;
    int                   over;          /* some rows have texts of their own */
    llm_where_dim_t       dim;
    llm_search_t          search;
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
static int llm_where_scope(llm_where_t *w);
static int llm_where_user(llm_where_t *w);
static int llm_where_texts(llm_where_t *w);
static int llm_where_lookup(llm_where_t *w, int kind, const llm_str_t *value,
    int64_t *id);
static void llm_where_session(llm_where_t *w);
static void llm_where_key(llm_where_t *w);
static int llm_where_search(llm_where_t *w);
static void llm_where_found(llm_where_t *w);
static void llm_where_narrow(llm_where_t *w, int dim, int64_t value);
static void llm_where_add(llm_where_t *w, const char *sql);
static void llm_where_int(llm_where_t *w, int64_t v);
static void llm_where_str(llm_where_t *w, const llm_str_t *s);
static void llm_where_cstr(llm_where_t *w, const char *s);


/* conditions that compare one number of the filter */

static const struct {
    int          n;
    int          dim;
    const char  *sql;
} llm_where_compare[] = {
    { LLM_F_OUTCOME, LLM_SERIES_OUTCOME, " AND l.outcome = ?" },
    { LLM_F_PROTOCOL, LLM_SERIES_PROTOCOL,
      " AND coalesce(l.protocol, 0) = ?" },
    { LLM_F_OPERATION, LLM_SERIES_OPERATION,
      " AND coalesce(l.operation, 0) = ?" },
    { LLM_F_STREAM, LLM_SERIES_TOTAL, " AND coalesce(l.stream, 0) = ?" },
    { LLM_F_MIN_DURATION, LLM_SERIES_TOTAL, " AND l.duration_us >= ?" },
    { LLM_F_MIN_TOKENS, LLM_SERIES_TOTAL, " AND l.total_tokens >= ?" },
    { LLM_F_MIN_COST, LLM_SERIES_TOTAL, " AND l.cost_nano >= ?" }
};


/* conditions that compare one text: by its id, or in rows of their own */

static const struct {
    int          n;
    int          kind;
    int          dim;
    const char  *sql;
    const char  *over;
} llm_where_equal[] = {
    { LLM_F_METHOD, LLM_DICT_METHOD, LLM_SERIES_TOTAL, " AND (l.method = ?",
      " OR l.over ->> '$.method' = ?" },
    { LLM_F_PROVIDER, LLM_DICT_PROVIDER, LLM_SERIES_PROVIDER,
      " AND (l.provider = ?", " OR l.over ->> '$.provider' = ?" },
    { LLM_F_MODEL, LLM_DICT_MODEL, LLM_SERIES_MODEL, " AND (l.model = ?",
      " OR l.over ->> '$.model' = ?" },
    { LLM_F_ENDPOINT, LLM_DICT_ENDPOINT, LLM_SERIES_ENDPOINT,
      " AND (l.endpoint = ?", " OR l.over ->> '$.endpoint' = ?" },
    { LLM_F_ACCOUNT, LLM_DICT_ACCOUNT, LLM_SERIES_TOTAL,
      " AND (l.account = ?", " OR l.over ->> '$.account_email' = ?" },
    { LLM_F_IP, LLM_DICT_IP, LLM_SERIES_IP, " AND (l.client_ip = ?",
      " OR l.over ->> '$.client_ip' = ?" }
};


/* the more values a dimension has, the fewer rows have one */

static const int  llm_where_rank[LLM_SERIES_COUNT] = {
    0, 0, 5, 0, 2, 4, 3, 6, 0, 1, 1, 1
};


int
llm_where_setup(sqlite3 *db)
{
    return llm_search_setup(db);
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

    llm_search_free(&w->search);
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


const llm_where_dim_t *
llm_where_dim(const llm_where_t *w)
{
    return &w->dim;
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
                                      LLM_SEARCH_TYPE, NULL);
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

    rc = llm_where_scope(w);

    if (rc != LLM_OK) {
        return rc;
    }

    llm_where_times(w);
    llm_where_status(w);
    llm_where_numbers(w);
    llm_where_quick(w);

    rc = llm_where_user(w);

    if (rc == LLM_OK) {
        rc = llm_where_texts(w);
    }

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


/* what the configuration lets the asker see; nothing widens it */

static int
llm_where_scope(llm_where_t *w)
{
    int          rc, kind;
    int64_t      id;
    llm_str_t    value;
    const char  *sql, *over;

    switch (w->filter->num[LLM_F_SCOPE]) {

    case LLM_SCOPE_USER:
        kind = LLM_DICT_USER;
        sql = " AND l.user_trusted = 1 AND (l.user = ?";
        over = " OR l.over ->> '$.user' = ?";
        break;

    case LLM_SCOPE_ACCOUNT:
        kind = LLM_DICT_ACCOUNT;
        sql = " AND (l.account = ?";
        over = " OR l.over ->> '$.account_email' = ?";
        break;

    default:
        return LLM_OK;
    }

    value = llm_filter_str(w->filter, LLM_F_SCOPE_VALUE);

    if (value.data == NULL) {
        llm_where_add(w, " AND " LLM_WHERE_NONE);
        return LLM_OK;
    }

    rc = llm_where_lookup(w, kind, &value, &id);

    if (rc != LLM_OK) {
        return rc;
    }

    if (kind == LLM_DICT_USER) {
        llm_where_narrow(w, LLM_SERIES_USER, id);
    }

    llm_where_add(w, sql);
    llm_where_int(w, id);

    if (w->over) {
        llm_where_add(w, over);
        llm_where_str(w, &value);
    }

    llm_where_add(w, ")");

    return LLM_OK;
}


/* the same text may be in the dictionary as a claimed user, too */

static int
llm_where_user(llm_where_t *w)
{
    int        rc;
    int64_t    id, claimed;
    llm_str_t  s;

    s = llm_filter_str(w->filter, LLM_F_USER);

    if (s.data == NULL) {
        return LLM_OK;
    }

    rc = llm_where_lookup(w, LLM_DICT_USER, &s, &id);

    if (rc != LLM_OK) {
        return rc;
    }

    rc = llm_where_lookup(w, LLM_DICT_CLAIMED_USER, &s, &claimed);

    if (rc != LLM_OK) {
        return rc;
    }

    if (id == 0 && claimed == 0 && !w->over) {
        llm_where_add(w, " AND " LLM_WHERE_NONE);
        return LLM_OK;
    }

    llm_where_narrow(w, LLM_SERIES_USER, id);
    llm_where_narrow(w, LLM_SERIES_USER, claimed);

    llm_where_add(w, " AND (l.user IN (?, ?)");
    llm_where_int(w, id);
    llm_where_int(w, claimed);

    if (w->over) {
        llm_where_add(w, " OR l.over ->> '$.user' = ?");
        llm_where_str(w, &s);
    }

    llm_where_add(w, ")");

    return LLM_OK;
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

    /* in these words the two partial indexes are found: see the schema */

    if (min != LLM_NULL && (min >= 400 || max < 200)) {
        llm_where_add(w, " AND l.failed = 1");

    } else if (num[LLM_F_ERRORS_ONLY] == 1
               || num[LLM_F_QUICK] == LLM_QUICK_ERRORS)
    {
        llm_where_add(w, " AND l.failed > 0");
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
            llm_where_narrow(w, llm_where_compare[i].dim,
                             num[llm_where_compare[i].n]);
        }
    }

    if (num[LLM_F_UNPRICED] == 1) {
        /* what is in no sum, such as an answer that is read again, is free */

        llm_where_add(w, " AND l.cost_nano IS NULL"
                         " AND (l.input_tokens IS NOT NULL"
                         " OR l.output_tokens IS NOT NULL)"
                         " AND coalesce(l.flags, 0) & ? = 0");
        llm_where_int(w, LLM_RECORD_NO_SUMS);
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
            llm_where_add(w, " AND " LLM_WHERE_NONE);
            continue;
        }

        llm_where_add(w, llm_where_equal[i].sql);
        llm_where_int(w, id);
        llm_where_narrow(w, llm_where_equal[i].dim, id);

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


/* several keys may have used the same name, an id says which one is meant */

static void
llm_where_session(llm_where_t *w)
{
    int        whole;
    uint64_t   key;
    llm_str_t  s, name, digits;

    s = llm_filter_str(w->filter, LLM_F_SESSION);

    if (s.data == NULL) {
        return;
    }

    whole = llm_filter_session(&s, &name, &key) == 64;

    llm_where_add(w, " AND (l.session IN"
                     " (SELECT id FROM session WHERE sid = ?");
    llm_where_str(w, &s);

    if (whole) {
        llm_where_add(w, " OR (sid = ? AND key_hash = ?)");
        llm_where_str(w, &name);
        llm_where_int(w, (int64_t) key);
    }

    llm_where_add(w, ")");

    if (w->over) {
        llm_where_add(w, " OR l.over ->> '$.session_id' = ?");
        llm_where_str(w, &s);
    }

    if (w->over && whole) {
        digits.data = s.data + name.len + 1;
        digits.len = s.len - name.len - 1;

        llm_where_add(w, " OR (l.over ->> '$.session_id' = ?"
                         " AND l.over ->> '$.session_key' = ?)");
        llm_where_str(w, &name);
        llm_where_str(w, &digits);
    }

    llm_where_add(w, ")");
}


/* the dictionary has a key as 16 hex digits and the tail */

static void
llm_where_key(llm_where_t *w)
{
    llm_str_t  tail;

    if (w->filter->num[LLM_F_KEY_MAX] == LLM_NULL) {
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

    rc = llm_search_find(s, w->db, &needle);

    if (rc != LLM_OK) {
        return rc;
    }

    llm_where_add(w, " AND (");

    if (s->kinds == 0 && s->session.n == 0 && s->statuses == 0) {
        llm_where_add(w, LLM_WHERE_NONE);

    } else if (s->kinds == 0 && s->session.n == 0 && s->status_min >= 400) {
        llm_where_add(w, "(l.failed = 1 AND l.status BETWEEN ? AND ? AND ");
        llm_where_int(w, s->status_min);
        llm_where_int(w, s->status_max);
        llm_where_found(w);
        llm_where_add(w, ")");

    } else {
        llm_where_found(w);
    }

    if (w->over) {
        llm_where_add(w, " OR (l.over IS NOT NULL AND EXISTS"
                         " (SELECT 1 FROM json_each(l.over)"
                         " WHERE key IN ('method', 'url', 'model',"
                         " 'mapped_model', 'account_email', 'user',"
                         " 'client_ip', 'session_id')"
                         " AND value LIKE ? ESCAPE '\\'))");
        llm_where_cstr(w, s->like);
    }

    llm_where_add(w, ")");

    return LLM_OK;
}


/* a column is read only where the search found something of its kind */

static void
llm_where_found(llm_where_t *w)
{
    size_t         i;
    llm_search_t  *s;

    static const struct {
        int          kinds;
        const char  *sql;
    } columns[] = {
        { 1 << LLM_DICT_METHOD, ", l.method" },
        { 1 << LLM_DICT_URL, ", l.url" },
        { 1 << LLM_DICT_MODEL, ", l.model, l.mapped_model" },
        { 1 << LLM_DICT_ACCOUNT, ", l.account" },
        { 1 << LLM_DICT_USER|1 << LLM_DICT_CLAIMED_USER, ", l.user" },
        { 1 << LLM_DICT_IP, ", l.client_ip" }
    };

    s = &w->search;

    llm_where_add(w, "llm_search(?");
    w->param[w->nparams++].type = SQLITE_NULL;

    llm_where_add(w, s->statuses != 0 ? ", l.status" : ", 0");
    llm_where_add(w, s->session.n != 0 ? ", l.session" : ", 0");

    for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        if (s->kinds & columns[i].kinds) {
            llm_where_add(w, columns[i].sql);
        }
    }

    llm_where_add(w, ")");
}


/* 0 is a text that is not in the dictionary, so it is in the rest. */

static void
llm_where_narrow(llm_where_t *w, int dim, int64_t value)
{
    if (llm_where_rank[dim] > llm_where_rank[w->dim.dim]) {
        w->dim.dim = dim;
        w->dim.n = 0;
    }

    if (dim == w->dim.dim && w->dim.n < LLM_WHERE_VALUES
        && (value != 0 || dim > LLM_SERIES_STATUS))
    {
        w->dim.value[w->dim.n++] = value;
    }
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
