
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "llm_schema.h"
#include "llm_search.h"
#include "llm_where.h"
#include "llm_where_ids.h"


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
    int                   times;         /* the first of them are of time */
    size_t                times_len;     /* and so are so many bytes */
    int                   over;          /* some rows have texts of their own */
    llm_sift_t            sift;
    llm_search_t          search;
    char                  key_min[LLM_WHERE_KEY];
    char                  key_max[LLM_WHERE_KEY];
};


static int llm_where_bind_from(llm_where_t *w, sqlite3_stmt *stmt, int first);
static int llm_where_all(llm_where_t *w);
static int llm_where_over(llm_where_t *w);
static void llm_where_times(llm_where_t *w);
static void llm_where_status(llm_where_t *w);
static void llm_where_numbers(llm_where_t *w);
static void llm_where_quick(llm_where_t *w);
static void llm_where_flag(llm_where_t *w, llm_sift_flag_e flag);
static int llm_where_scope(llm_where_t *w);
static int llm_where_user(llm_where_t *w);
static int llm_where_texts(llm_where_t *w);
static void llm_where_session(llm_where_t *w);
static int llm_where_key(llm_where_t *w);
static int llm_where_search(llm_where_t *w);
static void llm_where_found(llm_where_t *w);
static void llm_where_none(llm_where_t *w);
static void llm_where_add(llm_where_t *w, const char *sql);
static void llm_where_int(llm_where_t *w, int64_t v);
static void llm_where_str(llm_where_t *w, const llm_str_t *s);
static void llm_where_cstr(llm_where_t *w, const char *s);


/* conditions that compare one number of the filter */

static const struct {
    int          n;
    int          column;
    int          least;
    const char  *sql;
} llm_where_compare[] = {
    { LLM_F_OUTCOME, LLM_SIFT_OUTCOME, 0, " AND l.outcome = ?" },
    { LLM_F_PROTOCOL, LLM_SIFT_PROTOCOL, 0,
      " AND coalesce(l.protocol, 0) = ?" },
    { LLM_F_OPERATION, LLM_SIFT_OPERATION, 0,
      " AND coalesce(l.operation, 0) = ?" },
    { LLM_F_STREAM, LLM_SIFT_STREAM, 0, " AND coalesce(l.stream, 0) = ?" },
    { LLM_F_MIN_DURATION, LLM_SIFT_DURATION, 1, " AND l.duration_us >= ?" },
    { LLM_F_MIN_TOKENS, LLM_SIFT_TOKENS, 1, " AND l.total_tokens >= ?" },
    { LLM_F_MIN_COST, LLM_SIFT_COST, 1, " AND l.cost_nano >= ?" }
};


/* conditions that compare one text: by its id, or in rows of their own */

static const struct {
    int          n;
    int          kind;
    int          column;
    const char  *sql;
    const char  *over;
} llm_where_equal[] = {
    { LLM_F_METHOD, LLM_DICT_METHOD, LLM_SIFT_METHOD, " AND (l.method = ?",
      " OR l.over ->> '$.method' = ?" },
    { LLM_F_PROVIDER, LLM_DICT_PROVIDER, LLM_SIFT_PROVIDER,
      " AND (l.provider = ?", " OR l.over ->> '$.provider' = ?" },
    { LLM_F_MODEL, LLM_DICT_MODEL, LLM_SIFT_MODEL, " AND (l.model = ?",
      " OR l.over ->> '$.model' = ?" },
    { LLM_F_ENDPOINT, LLM_DICT_ENDPOINT, LLM_SIFT_ENDPOINT,
      " AND (l.endpoint = ?", " OR l.over ->> '$.endpoint' = ?" },
    { LLM_F_ACCOUNT, LLM_DICT_ACCOUNT, LLM_SIFT_ACCOUNT,
      " AND (l.account = ?", " OR l.over ->> '$.account_email' = ?" },
    { LLM_F_IP, LLM_DICT_IP, LLM_SIFT_IP, " AND (l.client_ip = ?",
      " OR l.over ->> '$.client_ip' = ?" }
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
    w->sift.to = INT64_MAX;
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


const llm_sift_t *
llm_where_sift(const llm_where_t *w)
{
    return &w->sift;
}


const char *
llm_where_text_untimed(const llm_where_t *w)
{
    return (const char *) w->sql.data + w->times_len;
}


int
llm_where_params_untimed(const llm_where_t *w)
{
    return w->nparams - w->times;
}


int
llm_where_bind(llm_where_t *w, sqlite3_stmt *stmt)
{
    return llm_where_bind_from(w, stmt, 0);
}


int
llm_where_bind_untimed(llm_where_t *w, sqlite3_stmt *stmt)
{
    return llm_where_bind_from(w, stmt, w->times);
}


static int
llm_where_bind_from(llm_where_t *w, sqlite3_stmt *stmt, int first)
{
    int                 i, n, rc;
    llm_where_param_t  *p;

    for (i = first; i < w->nparams; i++) {
        p = &w->param[i];
        n = i - first + 1;

        switch (p->type) {

        case SQLITE_INTEGER:
            rc = sqlite3_bind_int64(stmt, n, p->num);
            break;

        case SQLITE_TEXT:
            rc = sqlite3_bind_text(stmt, n, (const char *) p->str.data,
                                   (int) p->str.len, SQLITE_STATIC);
            break;

        default:
            rc = sqlite3_bind_pointer(stmt, n, &w->search, LLM_SEARCH_TYPE,
                                      NULL);
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

    llm_where_times(w);

    rc = llm_where_over(w);

    if (rc != LLM_OK) {
        return rc;
    }

    rc = llm_where_scope(w);

    if (rc != LLM_OK) {
        return rc;
    }

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

    rc = llm_where_key(w);

    return rc == LLM_OK ? llm_where_search(w) : rc;
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
        llm_where_none(w);
        return LLM_OK;
    }

    rc = llm_where_id(w->db, kind, &value, &id);

    if (rc != LLM_OK) {
        return rc;
    }

    /* the id of a user that is trusted says that it is */

    llm_sift_term(&w->sift, kind == LLM_DICT_USER ? LLM_SIFT_USER
                                                  : LLM_SIFT_ACCOUNT);
    llm_sift_id(&w->sift, id);

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

    rc = llm_where_id(w->db, LLM_DICT_USER, &s, &id);

    if (rc != LLM_OK) {
        return rc;
    }

    rc = llm_where_id(w->db, LLM_DICT_CLAIMED_USER, &s, &claimed);

    if (rc != LLM_OK) {
        return rc;
    }

    if (id == 0 && claimed == 0 && !w->over) {
        llm_where_none(w);
        return LLM_OK;
    }

    llm_sift_term(&w->sift, LLM_SIFT_USER);
    llm_sift_id(&w->sift, id);
    llm_sift_id(&w->sift, claimed);

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
        w->sift.from = ms > LLM_WHERE_MAX_MS ? INT64_MAX : ms << LLM_ID_SHIFT;

        llm_where_add(w, " AND l.id >= ?");
        llm_where_int(w, w->sift.from);
    }

    ms = w->filter->num[LLM_F_UNTIL];

    if (ms != LLM_NULL) {
        w->sift.to = ms > LLM_WHERE_MAX_MS ? INT64_MAX : ms << LLM_ID_SHIFT;

        llm_where_add(w, " AND l.id < ?");
        llm_where_int(w, w->sift.to);
    }

    w->times = w->nparams;
    w->times_len = w->sql.len;
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
        llm_where_flag(w, LLM_SIFT_FAILED);
    }

    if (min != LLM_NULL) {
        llm_sift_term(&w->sift, LLM_SIFT_STATUS);
        llm_sift_range(&w->sift, min, max);
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
            llm_sift_term(&w->sift, llm_where_compare[i].column);
            llm_sift_range(&w->sift, num[llm_where_compare[i].n],
                           llm_where_compare[i].least
                           ? INT64_MAX : num[llm_where_compare[i].n]);
        }
    }

    if (num[LLM_F_UNPRICED] == 1) {
        llm_where_flag(w, LLM_SIFT_UNPRICED);
    }

    if (num[LLM_F_USAGE_MISSING] == 1) {
        llm_where_flag(w, LLM_SIFT_USAGE_MISSING);
    }
}


static void
llm_where_quick(llm_where_t *w)
{
    int  i;

    static const int  chat[] = { LLM_OPERATION_CHAT, LLM_OPERATION_COMPLETION,
                                 LLM_OPERATION_RESPONSES };

    switch (w->filter->num[LLM_F_QUICK]) {

    case LLM_QUICK_CHAT:
        llm_where_add(w, " AND l.operation IN (?, ?, ?)");
        llm_sift_term(&w->sift, LLM_SIFT_OPERATION);

        for (i = 0; i < 3; i++) {
            llm_where_int(w, chat[i]);
            llm_sift_range(&w->sift, chat[i], chat[i]);
        }

        break;

    case LLM_QUICK_IMAGE:
        llm_where_add(w, " AND l.operation = ?");
        llm_where_int(w, LLM_OPERATION_IMAGE);
        llm_sift_term(&w->sift, LLM_SIFT_OPERATION);
        llm_sift_range(&w->sift, LLM_OPERATION_IMAGE, LLM_OPERATION_IMAGE);
        break;

    case LLM_QUICK_GEMINI:
        llm_where_flag(w, LLM_SIFT_GEMINI);
        break;

    case LLM_QUICK_CLAUDE:
        llm_where_flag(w, LLM_SIFT_CLAUDE);
        break;

    default:
        /* none, or errors, which is a condition on the status */
        break;
    }
}


static void
llm_where_flag(llm_where_t *w, llm_sift_flag_e flag)
{
    llm_where_add(w, " AND ");
    llm_where_add(w, llm_sift_flag_sql(flag));

    llm_sift_flag(&w->sift, flag);
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

        rc = llm_where_id(w->db, llm_where_equal[i].kind, &s, &id);

        if (rc != LLM_OK) {
            return rc;
        }

        if (id == 0 && !w->over) {
            llm_where_none(w);
            continue;
        }

        llm_where_add(w, llm_where_equal[i].sql);
        llm_where_int(w, id);
        llm_sift_term(&w->sift, llm_where_equal[i].column);
        llm_sift_id(&w->sift, id);

        if (w->over) {
            llm_where_add(w, llm_where_equal[i].over);
            llm_where_str(w, &s);
        }

        llm_where_add(w, ")");
    }

    return LLM_OK;
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

    w->sift.partial = 1;
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

static int
llm_where_key(llm_where_t *w)
{
    llm_str_t  tail;

    if (w->filter->num[LLM_F_KEY_MAX] == LLM_NULL) {
        return LLM_OK;
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

    llm_sift_term(&w->sift, LLM_SIFT_KEY);

    return llm_where_keys(w->db, w->key_min, w->key_max, &tail, &w->sift);
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

    w->sift.partial = 1;

    rc = llm_search_find(s, w->db, &needle);

    if (rc != LLM_OK) {
        return rc;
    }

    llm_where_add(w, " AND (");

    if (s->kinds == 0 && !llm_search_sessions(s) && s->statuses == 0) {
        llm_where_add(w, LLM_WHERE_NONE);

    } else if (s->kinds == 0 && !llm_search_sessions(s)
               && s->status_min >= 400)
    {
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
    llm_where_add(w, llm_search_sessions(s) ? ", l.session" : ", 0");

    for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        if (s->kinds & columns[i].kinds) {
            llm_where_add(w, columns[i].sql);
        }
    }

    llm_where_add(w, ")");
}


static void
llm_where_none(llm_where_t *w)
{
    llm_where_add(w, " AND " LLM_WHERE_NONE);
    llm_sift_term(&w->sift, LLM_SIFT_FLAGS);
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
