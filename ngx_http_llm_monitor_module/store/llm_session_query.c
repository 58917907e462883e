
/*
 * Copyright (C) llm_monitor contributors
 *
 * A page follows the index on the time of the last answer, which may lag, so
 * that each session is looked at before it is shown.  Where a filter leaves
 * rows out, it follows the rows that pass, each session being at the place of
 * the newest one: few sessions may have any.  Those with an exchange in flight
 * come first, whatever the table says of them, or if it does not know them
 * yet.
 */


#include <stdlib.h>
#include <string.h>
#include "llm_idset.h"
#include "llm_session_page.h"
#include "llm_sessions.h"


#define LLM_SESSION_SQL   16384


static int llm_session_page(llm_session_page_t *p, llm_reader_t *reader,
    llm_query_error_t *err);
static int llm_session_page_fill(llm_session_page_t *p);
static int llm_session_page_walk(llm_session_page_t *p);
static int llm_session_walk_prepare(llm_session_page_t *p);
static int llm_session_page_from(llm_session_page_t *p, int64_t *from);
static int llm_session_page_rows(llm_session_page_t *p);
static int llm_session_rows_prepare(llm_session_page_t *p);
static int llm_session_page_row(llm_session_page_t *p, int64_t id,
    int64_t row);


int
llm_query_sessions(llm_reader_t *reader, const llm_filter_t *f,
    const llm_flights_t *flights, int64_t now_ms, int64_t budget_ms,
    llm_buf_t *out, llm_query_error_t *err)
{
    int                  rc;
    char                 cursor[LLM_FILTER_CURSOR + 1];
    llm_json_t           j;
    llm_session_page_t  *p;

    p = calloc(1, sizeof(llm_session_page_t));
    if (p == NULL) {
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    p->filter = f;
    p->flights = flights;
    p->now_ms = now_ms;
    p->limit = f->num[LLM_F_LIMIT] == LLM_NULL ? LLM_FILTER_LIMIT
                                               : f->num[LLM_F_LIMIT];
    p->value = INT64_MAX;
    p->id = INT64_MAX;
    p->j = &j;

    if (f->num[LLM_F_CURSOR_ID] != LLM_NULL) {
        p->value = f->num[LLM_F_CURSOR_VALUE];
        p->id = f->num[LLM_F_CURSOR_ID];
    }

    llm_json_init(&j, out);
    llm_json_open_object(&j);
    llm_json_key(&j, "limit");
    llm_json_int(&j, p->limit);
    llm_json_key(&j, "sessions");
    llm_json_open_array(&j);

    rc = llm_reader_begin(reader, budget_ms, err);

    if (rc == LLM_OK) {
        rc = reader->db == NULL ? LLM_OK : llm_session_page(p, reader, err);

        llm_reader_end(reader);
    }

    llm_json_close_array(&j);
    llm_json_key(&j, "next");

    if (p->more) {
        llm_filter_cursor(f, LLM_FOR_SESSIONS, p->value, p->id, cursor);
        llm_json_text(&j, cursor);

    } else {
        llm_json_null(&j);
    }

    if (p->late) {
        llm_json_key(&j, "partial");
        llm_json_bool(&j, 1);
    }

    llm_json_close_object(&j);

    free(p->flying);
    free(p);

    return rc == LLM_OK ? llm_query_done(out, err) : rc;
}


static int
llm_session_page(llm_session_page_t *p, llm_reader_t *reader,
    llm_query_error_t *err)
{
    int  rc;

    rc = llm_session_open(&p->sr, reader, p->filter);

    if (rc == LLM_OK) {
        rc = llm_session_page_fill(p);
    }

    if (rc == LLM_ERROR && llm_reader_timeout(reader)) {
        p->late = 1;
        p->more = p->moved;
        rc = LLM_OK;
    }

    /* before other statements end, for they would change what went wrong */

    if (rc != LLM_OK) {
        rc = rc == LLM_ERROR ? llm_reader_fail(reader, err)
                             : llm_query_fail(err, 503, "no_memory", NULL,
                                              "no memory");
    }

    sqlite3_finalize(p->find);
    sqlite3_finalize(p->walk);
    llm_session_close(&p->sr);

    return rc;
}


static int
llm_session_page_fill(llm_session_page_t *p)
{
    int  rc;

    rc = llm_session_flying(p);

    if (rc == LLM_OK && p->value == INT64_MAX
        && p->filter->num[LLM_F_STATE] != LLM_STATE_IDLE)
    {
        rc = llm_session_page_flying(p);
    }

    if (rc != LLM_OK || p->more) {
        return rc;
    }

    if (llm_filter_empty(p->filter)
        || p->filter->num[LLM_F_STATE] == LLM_STATE_ACTIVE)
    {
        return llm_session_page_walk(p);
    }

    return llm_session_page_rows(p);
}


static int
llm_session_page_walk(llm_session_page_t *p)
{
    int            rc, step;
    llm_session_t  s;

    if (llm_session_walk_prepare(p) != LLM_OK) {
        return LLM_ERROR;
    }

    rc = LLM_OK;
    step = SQLITE_DONE;

    while (rc == LLM_OK && !p->more
           && (step = sqlite3_step(p->walk)) == SQLITE_ROW)
    {
        llm_session_load(p->walk, &s);

        if (llm_session_running(&s, p->flights) == 0) {
            rc = llm_session_page_add(p, &s, 0);
        }

        if (rc == LLM_OK && !p->more) {
            p->value = s.last_ms;
            p->id = s.id;
            p->moved = 1;
        }
    }

    if (step != SQLITE_ROW && step != SQLITE_DONE) {
        rc = LLM_ERROR;
    }

    return rc;
}


/* What is newer than five minutes in the table is active for certain. */

static int
llm_session_walk_prepare(llm_session_page_t *p)
{
    int64_t  from, to;

    to = INT64_MAX;

    if (llm_session_page_from(p, &from) != LLM_OK) {
        return LLM_ERROR;
    }

    if (p->filter->num[LLM_F_STATE] == LLM_STATE_IDLE) {
        to = p->now_ms - LLM_SESSION_ACTIVE_MS;
    }

    if (sqlite3_prepare_v2(p->sr.reader->db,
                           "SELECT id, sid, key_hash, last_ms FROM session"
                           " WHERE last_ms >= ?1 AND last_ms <= ?2"
                           " AND (last_ms < ?3 OR id < ?4)"
                           " ORDER BY last_ms DESC, id DESC", -1, &p->walk,
                           NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int64(p->walk, 1, from);
    (void) sqlite3_bind_int64(p->walk, 2, p->value < to ? p->value : to);
    (void) sqlite3_bind_int64(p->walk, 3, p->value);
    (void) sqlite3_bind_int64(p->walk, 4, p->id);

    return LLM_OK;
}


/* A session whose last row is too old has none to be looked for. */

static int
llm_session_page_from(llm_session_page_t *p, int64_t *from)
{
    int            rc;
    int64_t        ms;
    sqlite3_stmt  *stmt;

    if (sqlite3_prepare_v2(p->sr.reader->db, "SELECT min(id) FROM log", -1,
                           &stmt, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    ms = LLM_NULL;
    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        ms = sqlite3_column_type(stmt, 0) == SQLITE_NULL
                 ? p->now_ms : sqlite3_column_int64(stmt, 0) >> LLM_ID_SHIFT;
    }

    sqlite3_finalize(stmt);

    if (rc != SQLITE_ROW) {
        return LLM_ERROR;
    }

    if (p->filter->num[LLM_F_SINCE] != LLM_NULL
        && p->filter->num[LLM_F_SINCE] > ms)
    {
        ms = p->filter->num[LLM_F_SINCE];
    }

    if (p->filter->num[LLM_F_STATE] == LLM_STATE_ACTIVE
        && p->now_ms - LLM_SESSION_ACTIVE_MS > ms)
    {
        ms = p->now_ms - LLM_SESSION_ACTIVE_MS;
    }

    *from = ms - LLM_SESSION_LAG_MS;

    return LLM_OK;
}


static int
llm_session_page_rows(llm_session_page_t *p)
{
    int          rc, step;
    int64_t      id, row;
    llm_idset_t  seen;

    rc = llm_session_rows_prepare(p);

    if (rc != LLM_OK) {
        return rc;
    }

    memset(&seen, 0, sizeof(llm_idset_t));

    step = SQLITE_DONE;

    while (rc == LLM_OK && !p->more
           && (step = sqlite3_step(p->walk)) == SQLITE_ROW)
    {
        row = sqlite3_column_int64(p->walk, 0);
        id = sqlite3_column_int64(p->walk, 1);

        if (id != 0 && !llm_idset_has(&seen, id)) {
            rc = llm_idset_add(&seen, id);

            if (rc == LLM_OK) {
                rc = llm_session_page_row(p, id, row);
            }
        }

        if (rc == LLM_OK && !p->more) {
            p->value = 0;
            p->id = row;
            p->moved = 1;
        }
    }

    if (step != SQLITE_ROW && step != SQLITE_DONE) {
        rc = LLM_ERROR;
    }

    llm_idset_free(&seen);

    return rc;
}


static int
llm_session_rows_prepare(llm_session_page_t *p)
{
    int        rc;
    sqlite3   *db;
    llm_buf_t  sql;

    db = p->sr.reader->db;

    sqlite3_finalize(p->find);
    p->find = NULL;

    if (sqlite3_prepare_v2(db, "SELECT id, sid, key_hash, last_ms FROM session"
                               " WHERE id = ?", -1, &p->find, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    llm_buf_init(&sql, LLM_SESSION_SQL);

    llm_buf_text(&sql, "SELECT l.id, l.session FROM log AS l WHERE 1");
    llm_buf_text(&sql, llm_where_text(p->sr.where));
    llm_buf_text(&sql, " AND l.id < ? ORDER BY l.id DESC");

    rc = SQLITE_NOMEM;

    if (sql.failed == LLM_OK) {
        rc = sqlite3_prepare_v2(db, (const char *) sql.data, (int) sql.len,
                                &p->walk, NULL);
    }

    llm_buf_free(&sql);

    if (rc != SQLITE_OK) {
        return rc == SQLITE_NOMEM ? LLM_NOMEM : LLM_ERROR;
    }

    (void) sqlite3_bind_int64(p->walk, llm_where_params(p->sr.where) + 1,
                              p->id);

    return llm_where_bind(p->sr.where, p->walk);
}


static int
llm_session_page_row(llm_session_page_t *p, int64_t id, int64_t row)
{
    int            rc;
    llm_session_t  s;

    (void) sqlite3_bind_int64(p->find, 1, id);

    rc = sqlite3_step(p->find);

    if (rc == SQLITE_ROW) {
        llm_session_load(p->find, &s);
    }

    (void) sqlite3_reset(p->find);

    if (rc != SQLITE_ROW) {
        return rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
    }

    if (llm_session_running(&s, p->flights) > 0) {
        return LLM_OK;
    }

    return llm_session_page_add(p, &s, row);
}


int
llm_session_page_add(llm_session_page_t *p, const llm_session_t *s,
    int64_t row)
{
    int      rc;
    int64_t  state, deadline;

    if (llm_session_collect(&p->sr, s, &p->sum) != LLM_OK) {
        return LLM_ERROR;
    }

    /* it had its place before if it has a row that is newer than this one */

    if (row != 0 && p->sum.newest != row) {
        return LLM_OK;
    }

    p->sum.running = llm_session_running(s, p->flights);

    /* of one in flight only its scope is known */

    if (p->sum.requests == 0
        && (p->sum.running == 0 || llm_filter_narrow(p->filter)))
    {
        return LLM_OK;
    }

    state = llm_session_active(&p->sum, p->now_ms) ? LLM_STATE_ACTIVE
                                                   : LLM_STATE_IDLE;

    if (p->filter->num[LLM_F_STATE] != LLM_NULL
        && p->filter->num[LLM_F_STATE] != state)
    {
        return LLM_OK;
    }

    if (p->n == p->limit) {
        p->more = 1;
        return LLM_OK;
    }

    p->n++;

    /* what was begun is written to its end */

    deadline = p->sr.reader->deadline;
    p->sr.reader->deadline = 0;

    llm_json_open_object(p->j);
    rc = llm_session_json(&p->sr, s, &p->sum, p->now_ms, p->j);
    llm_json_close_object(p->j);

    p->sr.reader->deadline = deadline;

    return rc;
}
