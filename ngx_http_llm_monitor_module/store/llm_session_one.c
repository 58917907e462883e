
/*
 * Copyright (C) llm_monitor contributors
 *
 * One session.  That there is one whose rows the asker may not see is not
 * told, not even where a name would be that of two.
 */


#include <stdlib.h>
#include <string.h>
#include "llm_session_sum.h"


#define LLM_SESSION_SQL        16384
#define LLM_SESSION_SAME       10000      /* sessions of one name */


typedef struct {
    llm_session_reader_t   sr;
    sqlite3_stmt          *named;
    sqlite3_stmt          *requests;
    const llm_filter_t    *filter;
    const llm_flights_t   *flights;
    llm_str_t              name;
    uint64_t               key;          /* its first bits */
    int                    bits;         /* how many of them are given */
    int64_t                now_ms;
    int                    found;
    llm_session_t          session;
    llm_session_sum_t      sum;
    llm_session_t          other;
    llm_session_sum_t      other_sum;
} llm_session_one_t;


static int llm_session_one(llm_session_one_t *o, const llm_str_t *id);
static int llm_session_named(llm_session_one_t *o);
static int llm_session_named_stored(llm_session_one_t *o);
static void llm_session_named_flying(llm_session_one_t *o);
static int llm_session_is(const llm_session_one_t *o, int64_t key);
static int llm_session_take(llm_session_one_t *o);
static int llm_session_one_json(llm_session_one_t *o, llm_json_t *j);
static int llm_session_requests(llm_session_one_t *o, llm_json_t *j);
static int llm_session_requests_prepare(llm_session_one_t *o);


int
llm_query_session(llm_reader_t *reader, const llm_str_t *name,
    const llm_filter_t *f, const llm_flights_t *flights, int64_t now_ms,
    int64_t budget_ms, llm_buf_t *out, llm_query_error_t *err)
{
    int                 rc;
    llm_json_t          j;
    llm_session_one_t  *o;

    if (reader->db == NULL) {
        return llm_query_fail(err, 404, "not_found", NULL,
                              "there is no such session");
    }

    o = calloc(1, sizeof(llm_session_one_t));
    if (o == NULL) {
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    o->filter = f;
    o->flights = flights;
    o->now_ms = now_ms;

    rc = llm_reader_begin(reader, budget_ms, err);

    if (rc != LLM_OK) {
        free(o);
        return rc;
    }

    rc = llm_session_open(&o->sr, reader, f);

    if (rc == LLM_OK) {
        rc = llm_session_one(o, name);
    }

    if (rc == LLM_OK && o->found == 1) {
        llm_json_init(&j, out);
        llm_json_open_object(&j);
        rc = llm_session_one_json(o, &j);
        llm_json_close_object(&j);
    }

    if (rc != LLM_OK) {
        rc = rc == LLM_ERROR ? llm_reader_fail(reader, err)
                             : llm_query_fail(err, 503, "no_memory", NULL,
                                              "no memory");

    } else if (o->found == 0) {
        rc = llm_query_fail(err, 404, "not_found", NULL,
                            "there is no such session");

    } else if (o->found > 1) {
        rc = llm_query_fail(err, 409, "ambiguous", NULL,
                            "sessions of several keys have this name");

    } else {
        rc = llm_query_done(out, err);
    }

    sqlite3_finalize(o->named);
    sqlite3_finalize(o->requests);
    llm_session_close(&o->sr);

    llm_reader_end(reader);
    free(o);

    return rc;
}


/* The digits may be a part of the name. */

static int
llm_session_one(llm_session_one_t *o, const llm_str_t *id)
{
    o->bits = llm_filter_session(id, &o->name, &o->key);

    if (llm_session_named(o) != LLM_OK) {
        return LLM_ERROR;
    }

    if (o->found > 0 || o->bits == 0) {
        return LLM_OK;
    }

    o->name = *id;
    o->bits = 0;

    return llm_session_named(o);
}


static int
llm_session_named(llm_session_one_t *o)
{
    o->found = 0;

    if (o->name.len == 0 || o->name.len > LLM_SESSION_NAME) {
        return LLM_OK;
    }

    if (llm_session_named_stored(o) != LLM_OK) {
        return LLM_ERROR;
    }

    llm_session_named_flying(o);

    return LLM_OK;
}


static int
llm_session_named_stored(llm_session_one_t *o)
{
    int            rc, step;
    sqlite3_stmt  *stmt;

    sqlite3_finalize(o->named);
    o->named = NULL;

    if (sqlite3_prepare_v2(o->sr.reader->db,
                           "SELECT id, sid, key_hash, last_ms FROM session"
                           " WHERE sid = ? LIMIT ?", -1, &o->named, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    stmt = o->named;

    (void) sqlite3_bind_text(stmt, 1, (const char *) o->name.data,
                             (int) o->name.len, SQLITE_STATIC);
    (void) sqlite3_bind_int(stmt, 2, LLM_SESSION_SAME);

    rc = LLM_OK;
    step = SQLITE_DONE;

    while (rc == LLM_OK && o->found < 2
           && (step = sqlite3_step(stmt)) == SQLITE_ROW)
    {
        llm_session_load(stmt, &o->other);

        if (llm_session_is(o, o->other.key)) {
            rc = llm_session_take(o);
        }
    }

    if (step != SQLITE_ROW && step != SQLITE_DONE) {
        rc = LLM_ERROR;
    }

    return rc;
}


/* Of one that is not in the table yet. */

static void
llm_session_named_flying(llm_session_one_t *o)
{
    size_t                   i;
    llm_str_t                name;
    const llm_live_facts_t  *facts;

    for (i = 0; i < o->flights->n; i++) {
        facts = &o->flights->facts[i];

        if (llm_session_flight(facts, &name) != LLM_OK
            || name.len != o->name.len
            || memcmp(name.data, o->name.data, name.len) != 0
            || !llm_session_is(o, facts->key)
            || (o->found > 0 && o->session.key == facts->key))
        {
            continue;
        }

        o->other.id = 0;
        o->other.key = facts->key;
        o->other.name = o->name;

        (void) llm_session_take(o);
    }
}


static int
llm_session_is(const llm_session_one_t *o, int64_t key)
{
    return o->bits == 0
           || ((uint64_t) key ^ o->key) >> (64 - o->bits) == 0;
}


/* The other one is it if there is something of it to be seen. */

static int
llm_session_take(llm_session_one_t *o)
{
    if (llm_session_collect(&o->sr, &o->other, &o->other_sum) != LLM_OK) {
        return LLM_ERROR;
    }

    o->other_sum.running = llm_session_running(&o->other, o->flights);

    if (o->other_sum.requests == 0 && o->other_sum.running == 0) {
        return LLM_OK;
    }

    if (o->found++ == 0) {
        o->session = o->other;
        o->sum = o->other_sum;

        if (o->session.name.data == o->other.room) {
            o->session.name.data = o->session.room;
        }
    }

    return LLM_OK;
}


static int
llm_session_one_json(llm_session_one_t *o, llm_json_t *j)
{
    int  rc;

    if (llm_session_json(&o->sr, &o->session, &o->sum, o->now_ms, j)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    /* once is enough for who turns pages */

    if (o->filter->num[LLM_F_CURSOR_ID] == LLM_NULL
        && o->filter->num[LLM_F_CONVERSATION] != 0)
    {
        rc = llm_session_talk(&o->sr, &o->session, j);

        if (rc != LLM_OK) {
            return rc;
        }

    } else {
        llm_json_key(j, "conversation");
        llm_json_null(j);
    }

    return llm_session_requests(o, j);
}


static int
llm_session_requests(llm_session_one_t *o, llm_json_t *j)
{
    int            rc;
    char           cursor[LLM_FILTER_CURSOR + 1];
    int64_t        n, last, limit;
    llm_row_t      row;
    sqlite3_stmt  *stmt;

    rc = llm_session_requests_prepare(o);

    if (rc != LLM_OK) {
        return rc;
    }

    stmt = o->requests;
    limit = o->filter->num[LLM_F_LIMIT];

    if (limit == LLM_NULL) {
        limit = LLM_FILTER_LIMIT;
    }

    n = 0;
    last = 0;

    llm_json_key(j, "limit");
    llm_json_int(j, limit);
    llm_json_key(j, "logs");
    llm_json_open_array(j);

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && n < limit) {
        llm_row_load(stmt, &row);

        llm_json_open_object(j);
        llm_row_json(&row, j);
        llm_json_close_object(j);

        last = row.record.num[LLM_N_ID];
        n++;
    }

    llm_json_close_array(j);
    llm_json_key(j, "next");

    if (rc == SQLITE_ROW) {
        llm_filter_cursor(o->filter, LLM_FOR_SESSION, 0, last, cursor);
        llm_json_text(j, cursor);

    } else {
        llm_json_null(j);
    }

    return rc == SQLITE_ROW || rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


static int
llm_session_requests_prepare(llm_session_one_t *o)
{
    int        rc, n;
    int64_t    after;
    llm_buf_t  sql;

    after = o->filter->num[LLM_F_CURSOR_ID];

    llm_buf_init(&sql, LLM_SESSION_SQL);

    llm_row_select(&sql, "log AS l INDEXED BY log_session");
    llm_buf_text(&sql, llm_where_text(o->sr.where));
    llm_buf_text(&sql, " AND l.session = ? AND l.id > ? ORDER BY l.id");

    rc = SQLITE_NOMEM;

    if (sql.failed == LLM_OK) {
        rc = sqlite3_prepare_v2(o->sr.reader->db, (const char *) sql.data,
                                (int) sql.len, &o->requests, NULL);
    }

    llm_buf_free(&sql);

    if (rc != SQLITE_OK) {
        return rc == SQLITE_NOMEM ? LLM_NOMEM : LLM_ERROR;
    }

    n = llm_where_params(o->sr.where);

    (void) sqlite3_bind_int64(o->requests, n + 1, o->session.id);
    (void) sqlite3_bind_int64(o->requests, n + 2,
                              after == LLM_NULL ? 0 : after);

    return llm_where_bind(o->sr.where, o->requests);
}
