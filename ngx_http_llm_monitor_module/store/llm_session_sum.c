
/*
 * Copyright (C) llm_monitor contributors
 *
 * Only the columns that are summed are read, and texts by their ids: a page of
 * sessions is some thousand rows.
 */


#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "llm_schema.h"
#include "llm_session_sum.h"
#include "../record/llm_text.h"


#define LLM_SESSION_SQL   16384

/* columns of the statement, then sums, then words */
#define LLM_SESSION_COL_SUMS   4
#define LLM_SESSION_COL_WORDS  (LLM_SESSION_COL_SUMS + LLM_SESSION_SUMS)


static int llm_session_prepare(llm_session_reader_t *sr);
static void llm_session_row(sqlite3_stmt *stmt, llm_session_sum_t *sum);
static void llm_session_plus(int64_t *sum, int64_t v);
static void llm_session_word(llm_session_sum_t *sum, int kind,
    sqlite3_stmt *stmt, int col);
static int llm_session_word_json(llm_session_reader_t *sr,
    const llm_session_word_t *w, int key, llm_json_t *j);
static const char *llm_session_status(const llm_session_sum_t *sum);


int
llm_session_open(llm_session_reader_t *sr, llm_reader_t *reader,
    const llm_filter_t *filter)
{
    int  rc;

    memset(sr, 0, sizeof(llm_session_reader_t));
    sr->reader = reader;

    rc = llm_where_create(&sr->where, reader->db, filter);

    return rc == LLM_OK ? llm_session_prepare(sr) : rc;
}


void
llm_session_close(llm_session_reader_t *sr)
{
    sqlite3_finalize(sr->rows);
    sqlite3_finalize(sr->edge);
    sqlite3_finalize(sr->word);
    llm_where_free(sr->where);
}


static int
llm_session_prepare(llm_session_reader_t *sr)
{
    int        rc;
    sqlite3   *db;
    llm_buf_t  sql;

    db = sr->reader->db;
    llm_buf_init(&sql, LLM_SESSION_SQL);

    llm_buf_text(&sql,
        "SELECT l.id, l.failed, l.flags, coalesce(l.duration_us, 0),"
        " l.input_tokens, l.cache_read_tokens, l.cache_creation_tokens,"
        " l.output_tokens, l.reasoning_tokens, l.total_tokens, l.cost_nano,"
        " l.duration_us,"
        " coalesce(l.model, l.over ->> '$.model'),"
        " coalesce(l.provider, l.over ->> '$.provider'),"
        " coalesce(l.user, l.over ->> '$.user'),"
        " coalesce(l.account, l.over ->> '$.account_email'),"
        " coalesce(l.api_key, l.over ->> '$.api_key')"
        " FROM log AS l INDEXED BY log_session WHERE 1");
    llm_buf_text(&sql, llm_where_text(sr->where));
    llm_buf_text(&sql, " AND l.session = ? AND l.id >= ? ORDER BY l.id DESC");

    rc = SQLITE_NOMEM;

    if (sql.failed == LLM_OK) {
        rc = sqlite3_prepare_v2(db, (const char *) sql.data, (int) sql.len,
                                &sr->rows, NULL);
    }

    llm_buf_free(&sql);

    if (rc == SQLITE_OK) {
        rc = sqlite3_prepare_v2(db, "SELECT id FROM log INDEXED BY log_session"
                                    " WHERE session = ?1 ORDER BY id DESC"
                                    " LIMIT 1 OFFSET ?2", -1, &sr->edge, NULL);
    }

    if (rc == SQLITE_OK) {
        rc = sqlite3_prepare_v2(db, "SELECT value FROM dict WHERE id = ?", -1,
                                &sr->word, NULL);
    }

    if (rc != SQLITE_OK) {
        return rc == SQLITE_NOMEM ? LLM_NOMEM : LLM_ERROR;
    }

    return llm_where_bind(sr->where, sr->rows);
}


int
llm_session_collect(llm_session_reader_t *sr, const llm_session_t *s,
    llm_session_sum_t *sum)
{
    int      rc, i, n;
    int64_t  edge;

    sum->requests = 0;
    sum->errors = 0;
    sum->newest = 0;
    sum->running = 0;
    sum->failed = 0;
    sum->more = 0;
    sum->first_ms = LLM_NULL;
    sum->last_ms = LLM_NULL;

    for (i = 0; i < LLM_SESSION_SUMS; i++) {
        sum->sum[i] = LLM_NULL;
    }

    for (i = 0; i < LLM_SESSION_KINDS; i++) {
        sum->nwords[i] = 0;
    }

    if (s->id == 0) {
        return LLM_OK;
    }

    /* however many rows there are, and whatever the filter leaves of them */

    if (llm_session_edge(sr, s->id, LLM_SESSION_ROWS, &edge) != LLM_OK) {
        return LLM_ERROR;
    }

    sum->more = edge != 0;

    n = llm_where_params(sr->where);

    (void) sqlite3_bind_int64(sr->rows, n + 1, s->id);
    (void) sqlite3_bind_int64(sr->rows, n + 2, edge);

    while ((rc = sqlite3_step(sr->rows)) == SQLITE_ROW) {
        llm_session_row(sr->rows, sum);
    }

    (void) sqlite3_reset(sr->rows);

    return rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


int
llm_session_edge(llm_session_reader_t *sr, int64_t id, int n, int64_t *edge)
{
    int  rc;

    *edge = 0;

    (void) sqlite3_bind_int64(sr->edge, 1, id);
    (void) sqlite3_bind_int(sr->edge, 2, n);

    rc = sqlite3_step(sr->edge);

    if (rc == SQLITE_ROW) {
        *edge = sqlite3_column_int64(sr->edge, 0) + 1;
    }

    (void) sqlite3_reset(sr->edge);

    return rc == SQLITE_ROW || rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


/* The newest one comes first. */

static void
llm_session_row(sqlite3_stmt *stmt, llm_session_sum_t *sum)
{
    int      i, failed, col;
    int64_t  ms, end;

    ms = sqlite3_column_int64(stmt, 0) >> LLM_ID_SHIFT;
    failed = sqlite3_column_int(stmt, 1) > 0;
    end = ms + sqlite3_column_int64(stmt, 3) / 1000;

    if (sum->requests++ == 0) {
        sum->newest = sqlite3_column_int64(stmt, 0);
        sum->failed = failed;
        sum->last_ms = end;
    }

    sum->errors += failed;
    sum->first_ms = ms;

    if (end > sum->last_ms) {
        sum->last_ms = end;
    }

    for (i = 0; i < LLM_SESSION_SUMS; i++) {
        col = LLM_SESSION_COL_SUMS + i;

        if (sqlite3_column_type(stmt, col) == SQLITE_NULL
            || (i <= LLM_SESSION_COST
                && (sqlite3_column_int64(stmt, 2) & LLM_RECORD_NO_SUMS)))
        {
            continue;
        }

        llm_session_plus(&sum->sum[i], sqlite3_column_int64(stmt, col));
    }

    for (i = 0; i < LLM_SESSION_KINDS; i++) {
        llm_session_word(sum, i, stmt, LLM_SESSION_COL_WORDS + i);
    }
}


static void
llm_session_plus(int64_t *sum, int64_t v)
{
    if (*sum == LLM_NULL) {
        *sum = 0;
    }

    if (__builtin_add_overflow(*sum, v, sum)) {
        *sum = INT64_MAX;
    }
}


static void
llm_session_word(llm_session_sum_t *sum, int kind, sqlite3_stmt *stmt,
    int col)
{
    int                  type;
    size_t               i, n, len;
    int64_t              id;
    const uint8_t       *text;
    llm_session_word_t  *w;

    type = sqlite3_column_type(stmt, col);
    n = sum->nwords[kind];
    w = sum->words[kind];

    if (type == SQLITE_NULL) {
        return;
    }

    id = LLM_NULL;
    len = 0;
    text = NULL;

    if (type == SQLITE_INTEGER) {
        id = sqlite3_column_int64(stmt, col);

    } else {
        text = sqlite3_column_text(stmt, col);

        if (text == NULL) {
            return;
        }

        len = llm_utf8_cut(text, (size_t) sqlite3_column_bytes(stmt, col),
                           LLM_SESSION_WORD);
    }

    for (i = 0; i < n; i++) {

        if (w[i].id == id
            && (id != LLM_NULL
                || (w[i].len == len && memcmp(w[i].text, text, len) == 0)))
        {
            return;
        }
    }

    if (n == LLM_SESSION_WORDS) {
        return;
    }

    w[n].id = id;
    w[n].len = len;

    if (len > 0) {
        memcpy(w[n].text, text, len);
    }

    sum->nwords[kind]++;
}


int
llm_session_active(const llm_session_sum_t *sum, int64_t now_ms)
{
    return sum->running > 0
           || (sum->requests > 0
               && sum->last_ms > now_ms - LLM_SESSION_ACTIVE_MS);
}


static const char *
llm_session_status(const llm_session_sum_t *sum)
{
    if (sum->running > 0) {
        return sum->requests > 0 ? "BUSY" : "INIT";
    }

    return sum->failed ? "FAIL" : "IDLE";
}


int
llm_session_json(llm_session_reader_t *sr, const llm_session_t *s,
    const llm_session_sum_t *sum, int64_t now_ms, llm_json_t *j)
{
    int     i;
    char    id[LLM_SESSION_SHOWN];
    size_t  k;

    static const char *const  sums[LLM_SESSION_COST] = {
        "input_tokens", "cache_read_tokens", "cache_creation_tokens",
        "output_tokens", "reasoning_tokens", "total_tokens"
    };

    static const char *const  words[LLM_SESSION_KEYS] = {
        "models", "providers", "users", "accounts"
    };

    llm_session_id(s, id);

    llm_json_key(j, "id");
    llm_json_text(j, id);
    llm_json_key(j, "session_id");
    llm_json_str(j, &s->name);
    llm_json_key(j, "api_key");

    if (sum->nwords[LLM_SESSION_KEYS] == 0) {
        llm_json_null(j);

    } else if (llm_session_word_json(sr, sum->words[LLM_SESSION_KEYS], 1, j)
               != LLM_OK)
    {
        return LLM_ERROR;
    }

    llm_json_key(j, "state");
    llm_json_text(j, llm_session_active(sum, now_ms) ? "active" : "idle");
    llm_json_key(j, "status");
    llm_json_text(j, llm_session_status(sum));
    llm_json_key(j, "running");
    llm_json_int(j, sum->running);
    llm_json_key(j, "first");
    llm_json_int(j, sum->first_ms);
    llm_json_key(j, "last");
    llm_json_int(j, sum->last_ms);
    llm_json_key(j, "requests");
    llm_json_int(j, sum->requests);
    llm_json_key(j, "errors");
    llm_json_int(j, sum->errors);

    for (i = 0; i < LLM_SESSION_COST; i++) {
        llm_json_key(j, sums[i]);
        llm_json_int(j, sum->sum[i]);
    }

    llm_json_key(j, "cost_usd");
    llm_json_decimal(j, sum->sum[LLM_SESSION_COST], 9);
    llm_json_key(j, "duration_ms");
    llm_json_decimal(j, sum->sum[LLM_SESSION_DURATION], 3);

    for (i = 0; i < LLM_SESSION_KEYS; i++) {
        llm_json_key(j, words[i]);
        llm_json_open_array(j);

        for (k = 0; k < sum->nwords[i]; k++) {

            if (llm_session_word_json(sr, &sum->words[i][k], 0, j) != LLM_OK) {
                return LLM_ERROR;
            }
        }

        llm_json_close_array(j);
    }

    llm_json_key(j, "more");
    llm_json_bool(j, sum->more);

    return LLM_OK;
}


static int
llm_session_word_json(llm_session_reader_t *sr, const llm_session_word_t *w,
    int key, llm_json_t *j)
{
    int        rc;
    char       shown[LLM_ROW_KEY_ROOM];
    llm_str_t  s;

    s.data = w->text;
    s.len = w->len;

    if (w->id != LLM_NULL) {
        (void) sqlite3_bind_int64(sr->word, 1, w->id);

        rc = sqlite3_step(sr->word);

        if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
            (void) sqlite3_reset(sr->word);
            return LLM_ERROR;
        }

        s.data = rc == SQLITE_ROW ? sqlite3_column_text(sr->word, 0) : NULL;
        s.len = s.data != NULL ? (size_t) sqlite3_column_bytes(sr->word, 0)
                               : 0;
    }

    if (key) {
        llm_json_text(j, llm_row_key(&s, shown));

    } else {
        llm_json_str(j, &s);
    }

    (void) sqlite3_reset(sr->word);

    return LLM_OK;
}


void
llm_session_id(const llm_session_t *s, char *id)
{
    (void) snprintf(id, LLM_SESSION_SHOWN, "%.*s~%016" PRIx64,
                    (int) s->name.len, (const char *) s->name.data,
                    (uint64_t) s->key);
}


void
llm_session_load(sqlite3_stmt *stmt, llm_session_t *s)
{
    const uint8_t  *text;

    s->id = sqlite3_column_int64(stmt, 0);
    s->key = sqlite3_column_int64(stmt, 2);
    s->last_ms = sqlite3_column_int64(stmt, 3);

    text = sqlite3_column_text(stmt, 1);

    s->name.len = text != NULL ? (size_t) sqlite3_column_bytes(stmt, 1) : 0;
    s->name.data = s->room;

    if (s->name.len > LLM_SESSION_NAME) {
        s->name.len = LLM_SESSION_NAME;
    }

    if (s->name.len > 0) {
        memcpy(s->room, text, s->name.len);
    }
}


int
llm_session_flight(const llm_live_facts_t *facts, llm_str_t *name)
{
    name->data = (const uint8_t *) facts->text[LLM_LIVE_SESSION];
    name->len = facts->len[LLM_LIVE_SESSION];

    if (facts->key == 0
        && (facts->len[LLM_LIVE_USER] == LLM_LIVE_TEXT
            || facts->len[LLM_LIVE_ACCOUNT] == LLM_LIVE_TEXT))
    {
        return LLM_DECLINED;
    }

    return name->len > 0 && name->len < LLM_LIVE_TEXT ? LLM_OK : LLM_DECLINED;
}


int64_t
llm_session_running(const llm_session_t *s, const llm_flights_t *flights)
{
    size_t     i;
    int64_t    n;
    llm_str_t  name;

    n = 0;

    for (i = 0; i < flights->n; i++) {
        n += flights->facts[i].key == s->key
             && llm_session_flight(&flights->facts[i], &name) == LLM_OK
             && name.len == s->name.len
             && memcmp(name.data, s->name.data, name.len) == 0;
    }

    return n;
}
