
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdlib.h>
#include <string.h>
#include "llm_scope.h"
#include "../ring/llm_control.h"


#define LLM_SCOPE_SQL   16384


static int llm_scope_find(llm_scope_t *scope, llm_reader_t *reader,
    const llm_str_t *value);
static int llm_scope_day(llm_scope_t *scope, llm_reader_t *reader,
    sqlite3_stmt *st, int64_t since, int64_t until, llm_scope_span_pt span,
    void *data);
static int llm_scope_look(llm_scope_t *scope, sqlite3_stmt *st, int64_t day);
static int llm_scope_quarter(llm_scope_t *scope, sqlite3_stmt *st, int64_t t,
    int64_t *requests);
static int llm_scope_cell(sqlite3_stmt *st, int64_t span, int64_t t,
    int64_t value, int64_t *requests);
static void llm_scope_rows_range(llm_scope_rows_t *rows, int64_t from,
    int64_t to);


int
llm_scope_create(llm_scope_t **out, llm_scope_e what, const llm_str_t *value,
    int64_t now_ms, llm_query_error_t *err)
{
    llm_scope_t  *scope;

    static const llm_str_t  none = llm_str("");

    *out = NULL;

    scope = calloc(1, sizeof(llm_scope_t));
    if (scope == NULL) {
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    scope->dim = what == LLM_SCOPE_USER ? LLM_SERIES_USER
                                        : LLM_SERIES_ACCOUNT;

    if (llm_filter_parse(&scope->filter, &none, LLM_FOR_NOTHING, now_ms, err)
        != LLM_OK)
    {
        llm_scope_free(scope);
        return LLM_ERROR;
    }

    if (llm_filter_scope(&scope->filter, what, value) != LLM_OK) {
        llm_scope_free(scope);
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    *out = scope;

    return LLM_OK;
}


void
llm_scope_free(llm_scope_t *scope)
{
    if (scope == NULL) {
        return;
    }

    llm_scope_end(scope);
    llm_filter_free(scope->filter);
    free(scope);
}


int
llm_scope_begin(llm_scope_t *scope, llm_reader_t *reader)
{
    int        rc;
    llm_str_t  value;

    value = llm_filter_str(scope->filter, LLM_F_SCOPE_VALUE);

    scope->nobody = (value.data == NULL || reader->db == NULL);
    scope->deadline = reader->deadline;
    scope->day = -1;

    if (scope->nobody) {
        return LLM_OK;
    }

    rc = llm_where_create(&scope->where, reader->db, scope->filter);

    return rc == LLM_OK ? llm_scope_find(scope, reader, &value) : rc;
}


void
llm_scope_end(llm_scope_t *scope)
{
    llm_where_free(scope->where);
    scope->where = NULL;
}


/* A user that a request's body named is of another kind. */

static int
llm_scope_find(llm_scope_t *scope, llm_reader_t *reader,
    const llm_str_t *value)
{
    int            rc;
    sqlite3_stmt  *st;

    if (sqlite3_prepare_v2(reader->db, "SELECT id FROM dict WHERE kind = ?1"
                           " AND value = ?2", -1, &st, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int(st, 1, scope->dim == LLM_SERIES_USER
                                       ? LLM_DICT_USER : LLM_DICT_ACCOUNT);
    (void) sqlite3_bind_text(st, 2, (const char *) value->data,
                             (int) value->len, SQLITE_STATIC);

    rc = sqlite3_step(st);

    if (rc == SQLITE_ROW) {
        scope->id = sqlite3_column_int64(st, 0);
    }

    sqlite3_finalize(st);

    return rc == SQLITE_ROW || rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


int
llm_scope_walk(llm_scope_t *scope, llm_reader_t *reader, int64_t since,
    int64_t until, llm_scope_span_pt span, void *data)
{
    int            rc;
    int64_t        t, end;
    sqlite3_stmt  *st;

    if (scope->nobody) {
        return LLM_OK;
    }

    if (sqlite3_prepare_v2(reader->db, "SELECT requests FROM series"
                           " WHERE span = ?1 AND t = ?2 AND dim = ?3"
                           " AND value = ?4", -1, &st, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int(st, 3, scope->dim);

    reader->deadline = scope->deadline;
    rc = LLM_OK;

    for (t = since; t < until && rc == LLM_OK; t = end) {
        end = t - t % LLM_DAY_MS + LLM_DAY_MS;
        end = end < until ? end : until;

        rc = llm_scope_look(scope, st, t - t % LLM_DAY_MS);

        if (rc == LLM_OK) {
            rc = llm_scope_day(scope, reader, st, t, end, span, data);
        }

        rc = rc == LLM_DECLINED ? LLM_OK : rc;
    }

    sqlite3_finalize(st);

    if (rc == LLM_AGAIN || (rc == LLM_ERROR && llm_reader_timeout(reader))) {
        scope->partial = 1;
        rc = LLM_OK;
    }

    /* what is left is to be said, which is short */

    reader->deadline = 0;

    return rc;
}


/*
 * What the ledger has of a day; LLM_DECLINED: there is nothing of the scope.
 * If the quarter-hours have all that the day has, none is in the rest of one.
 */

static int
llm_scope_look(llm_scope_t *scope, sqlite3_stmt *st, int64_t day)
{
    int      i, rc;
    int64_t  all, sum, rest;

    all = 0;
    sum = 0;
    rest = 0;
    rc = LLM_OK;

    if (scope->day == day) {
        return LLM_OK;
    }

    if (scope->id != 0) {
        rc = llm_scope_cell(st, LLM_DAY_MS, day, scope->id, &all);
    }

    if (rc == LLM_OK && all == 0) {
        rc = llm_scope_cell(st, LLM_DAY_MS, day, LLM_LEDGER_OTHER, &rest);

        if (rc == LLM_OK && rest == 0) {
            return LLM_DECLINED;
        }
    }

    for (i = 0; i < (int) LLM_SCOPE_QUARTERS && rc == LLM_OK; i++) {
        scope->own[i] = 0;

        if (scope->id != 0) {
            rc = llm_scope_cell(st, LLM_QUARTER_MS, day + i * LLM_QUARTER_MS,
                                scope->id, &scope->own[i]);
        }

        sum += scope->own[i];
    }

    scope->whole = (all != 0 && sum == all);
    scope->day = rc == LLM_OK ? day : -1;

    return rc;
}


/* LLM_AGAIN: the time is over. */

static int
llm_scope_day(llm_scope_t *scope, llm_reader_t *reader, sqlite3_stmt *st,
    int64_t since, int64_t until, llm_scope_span_pt span, void *data)
{
    int      rc;
    int64_t  t, end, requests;

    rc = LLM_OK;

    for (t = since; t < until && rc == LLM_OK; t = end) {
        end = t - t % LLM_QUARTER_MS + LLM_QUARTER_MS;
        end = end < until ? end : until;

        if (reader->deadline != 0 && llm_control_now() >= reader->deadline) {
            return LLM_AGAIN;
        }

        rc = llm_scope_quarter(scope, st, t - t % LLM_QUARTER_MS, &requests);

        if (rc == LLM_OK && requests != 0) {
            rc = span(data, t, end, requests);
        }
    }

    return rc;
}


/* 0: there is nothing of the scope then; -1: there may be, in the rest. */

static int
llm_scope_quarter(llm_scope_t *scope, sqlite3_stmt *st, int64_t t,
    int64_t *requests)
{
    int  rc;

    *requests = scope->own[t % LLM_DAY_MS / LLM_QUARTER_MS];

    if (*requests != 0 || scope->whole) {
        return LLM_OK;
    }

    rc = llm_scope_cell(st, LLM_QUARTER_MS, t, LLM_LEDGER_OTHER, requests);
    *requests = *requests != 0 ? -1 : 0;

    return rc;
}


static int
llm_scope_cell(sqlite3_stmt *st, int64_t span, int64_t t, int64_t value,
    int64_t *requests)
{
    int  rc;

    (void) sqlite3_bind_int64(st, 1, span);
    (void) sqlite3_bind_int64(st, 2, t);
    (void) sqlite3_bind_int64(st, 4, value);

    rc = sqlite3_step(st);

    if (rc == SQLITE_ROW) {
        *requests = sqlite3_column_int64(st, 0);
    }

    (void) sqlite3_reset(st);

    return rc == SQLITE_ROW || rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


int
llm_scope_rows_open(llm_scope_rows_t *rows, llm_scope_t *scope,
    llm_reader_t *reader, const char *columns)
{
    int        rc;
    llm_buf_t  sql;

    memset(rows, 0, sizeof(llm_scope_rows_t));

    rows->scope = scope;

    /* accounts have an index */

    if (scope->dim == LLM_SERIES_USER
        && llm_sieve_open(&rows->sieve, reader, llm_where_sift(scope->where),
                          LLM_SIEVE_PAGE, 1)
           == LLM_ERROR)
    {
        return LLM_ERROR;
    }

    llm_buf_init(&sql, LLM_SCOPE_SQL);

    llm_buf_text(&sql, "SELECT ");
    llm_buf_text(&sql, columns);
    llm_buf_text(&sql, " FROM log AS l WHERE 1");
    llm_buf_text(&sql, llm_where_text(scope->where));
    llm_buf_text(&sql, " AND l.id >= ? AND l.id < ?");

    rc = LLM_ERROR;

    if (sql.failed == LLM_OK
        && sqlite3_prepare_v2(reader->db, (const char *) sql.data,
                              (int) sql.len, &rows->st, NULL)
           == SQLITE_OK)
    {
        rc = llm_where_bind(scope->where, rows->st);
    }

    llm_buf_free(&sql);

    if (rc != LLM_OK) {
        llm_scope_rows_close(rows);
    }

    return rc;
}


void
llm_scope_rows_close(llm_scope_rows_t *rows)
{
    sqlite3_finalize(rows->st);
    llm_sieve_close(rows->sieve);

    rows->st = NULL;
    rows->sieve = NULL;
}


void
llm_scope_rows_start(llm_scope_rows_t *rows, int64_t since, int64_t until)
{
    since <<= LLM_ID_SHIFT;
    until <<= LLM_ID_SHIFT;

    rows->hit = 0;
    rows->hits = 0;

    if (rows->sieve != NULL) {
        (void) sqlite3_reset(rows->st);
        rows->running = 0;
        llm_sieve_range(rows->sieve, since, until);

    } else {
        llm_scope_rows_range(rows, since, until);
    }
}


static void
llm_scope_rows_range(llm_scope_rows_t *rows, int64_t from, int64_t to)
{
    int  n;

    n = llm_where_params(rows->scope->where);

    (void) sqlite3_reset(rows->st);
    (void) sqlite3_bind_int64(rows->st, n + 1, from);
    (void) sqlite3_bind_int64(rows->st, n + 2, to);

    rows->running = 1;
}


int
llm_scope_rows_next(llm_scope_rows_t *rows)
{
    int      rc;
    int64_t  from, to;

    from = 0;
    to = 0;

    for ( ;; ) {

        if (rows->running) {
            rc = sqlite3_step(rows->st);

            if (rc != SQLITE_DONE) {
                return rc == SQLITE_ROW ? LLM_OK : LLM_ERROR;
            }

            rows->running = 0;
        }

        if (rows->hit < rows->hits) {
            from = rows->sieve->ids[rows->hit++];
            llm_scope_rows_range(rows, from, from + 1);
            continue;
        }

        rc = rows->sieve != NULL ? llm_sieve_next(rows->sieve, &from, &to)
                                 : LLM_DECLINED;

        if (rc != LLM_OK) {
            return rc;
        }

        rows->hit = 0;
        rows->hits = rows->sieve->block ? rows->sieve->hits : 0;

        if (!rows->sieve->block) {
            llm_scope_rows_range(rows, from, to);
        }
    }
}
