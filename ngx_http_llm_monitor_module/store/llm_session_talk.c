
/*
 * Copyright (C) llm_monitor contributors
 *
 * What was said in a session.  A request has all of it that came before,
 * unless it only names the answer that it goes on from: then that one is
 * looked for, and so on.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "llm_session_sum.h"
#include "../extract/llm_conversation.h"
#include "../extract/llm_pull.h"


#define LLM_SESSION_SQL    16384
#define LLM_SESSION_TURNS  32              /* requests that are read */
#define LLM_SESSION_LOOK   200             /* of the newest ones, for a body */
#define LLM_SESSION_PREV   512             /* bytes of an answer's id */


typedef struct {
    int64_t                id;
    llm_row_t              row;
    llm_buf_t              body;
} llm_session_turn_t;


typedef struct {
    llm_session_reader_t  *sr;
    int64_t                session;
    sqlite3_stmt          *newest;
    sqlite3_stmt          *named;
    size_t                 n;
    size_t                 bytes;
    llm_session_turn_t     turn[LLM_SESSION_TURNS];
    llm_query_error_t      err;
} llm_session_talk_t;


static int llm_session_talk_find(llm_session_talk_t *t);
static int llm_session_talk_prepare(llm_session_talk_t *t, const char *more,
    sqlite3_stmt **stmt);
static int llm_session_talk_newest(llm_session_talk_t *t, int64_t *id);
static int llm_session_talk_before(llm_session_talk_t *t, int64_t *id);
static int llm_session_talk_step(sqlite3_stmt *stmt, int64_t *id);
static int llm_session_talk_add(llm_session_talk_t *t, int64_t id);
static int llm_session_talk_json(llm_session_talk_t *t, llm_json_t *j);
static int llm_session_talk_turn(llm_session_talk_t *t,
    llm_session_turn_t *turn, size_t *skip, llm_json_t *j);


int
llm_session_talk(llm_session_reader_t *sr, const llm_session_t *s,
    llm_json_t *j)
{
    int                  rc;
    size_t               i;
    llm_session_talk_t  *t;

    llm_json_key(j, "conversation");

    t = calloc(1, sizeof(llm_session_talk_t));
    if (t == NULL) {
        return LLM_NOMEM;
    }

    t->sr = sr;
    t->session = s->id;

    rc = s->id == 0 ? LLM_OK : llm_session_talk_find(t);

    if (rc == LLM_OK && t->n == 0) {
        llm_json_null(j);

    } else if (rc == LLM_OK) {
        rc = llm_session_talk_json(t, j);
    }

    for (i = 0; i < t->n; i++) {
        llm_buf_free(&t->turn[i].body);
    }

    sqlite3_finalize(t->newest);
    sqlite3_finalize(t->named);
    free(t);

    return rc;
}


/* The newest request first. */

static int
llm_session_talk_find(llm_session_talk_t *t)
{
    int      rc;
    int64_t  id;

    rc = llm_session_talk_newest(t, &id);

    while (rc == LLM_OK && id != 0) {
        rc = llm_session_talk_add(t, id);

        id = 0;

        if (rc == LLM_OK && t->n < LLM_SESSION_TURNS
            && t->bytes < LLM_QUERY_MESSAGE)
        {
            rc = llm_session_talk_before(t, &id);
        }
    }

    return rc;
}


static int
llm_session_talk_prepare(llm_session_talk_t *t, const char *more,
    sqlite3_stmt **stmt)
{
    int        rc;
    llm_buf_t  sql;

    llm_buf_init(&sql, LLM_SESSION_SQL);

    llm_buf_text(&sql, "SELECT l.id FROM log AS l INDEXED BY log_session"
                       " JOIN detail AS t ON t.id = l.id WHERE 1");
    llm_buf_text(&sql, llm_where_text(t->sr->where));
    llm_buf_text(&sql, " AND l.session = ?");
    llm_buf_text(&sql, more);
    llm_buf_text(&sql, " ORDER BY l.id DESC LIMIT 1");

    rc = SQLITE_NOMEM;

    if (sql.failed == LLM_OK) {
        rc = sqlite3_prepare_v2(t->sr->reader->db, (const char *) sql.data,
                                (int) sql.len, stmt, NULL);
    }

    llm_buf_free(&sql);

    if (rc != SQLITE_OK) {
        return rc == SQLITE_NOMEM ? LLM_NOMEM : LLM_ERROR;
    }

    if (llm_where_bind(t->sr->where, *stmt) != LLM_OK) {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int64(*stmt, llm_where_params(t->sr->where) + 1,
                              t->session);

    return LLM_OK;
}


static int
llm_session_talk_newest(llm_session_talk_t *t, int64_t *id)
{
    int      rc;
    char     more[256];
    int64_t  edge;

    *id = 0;

    if (llm_session_edge(t->sr, t->session, LLM_SESSION_LOOK, &edge)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    snprintf(more, sizeof(more), " AND l.id >= ?"
             " AND l.request_body_state IN (%d, %d)"
             " AND l.operation IN (%d, %d, %d)",
             LLM_BODY_STORED, LLM_BODY_REDACTED, LLM_OPERATION_CHAT,
             LLM_OPERATION_COMPLETION, LLM_OPERATION_RESPONSES);

    rc = llm_session_talk_prepare(t, more, &t->newest);

    if (rc != LLM_OK) {
        return rc;
    }

    (void) sqlite3_bind_int64(t->newest, llm_where_params(t->sr->where) + 2,
                              edge);

    return llm_session_talk_step(t->newest, id);
}


/* The one whose answer the last one names, 0: there is none. */

static int
llm_session_talk_before(llm_session_talk_t *t, int64_t *id)
{
    int                  rc, n;
    llm_buf_t            name;
    llm_str_t            body, value;
    llm_session_turn_t  *turn;

    *id = 0;
    turn = &t->turn[t->n - 1];

    body.data = turn->body.data;
    body.len = turn->body.len;

    if (body.len == 0
        || !llm_pull_get(&body, "previous_response_id", &value)
        || value.len > LLM_SESSION_PREV)
    {
        return LLM_OK;
    }

    if (t->named == NULL) {
        rc = llm_session_talk_prepare(t, " AND l.id < ? AND t.response_id = ?",
                                      &t->named);
        if (rc != LLM_OK) {
            return rc;
        }
    }

    llm_buf_init(&name, LLM_SESSION_PREV);
    llm_pull_text(&value, &name);

    n = llm_where_params(t->sr->where);

    (void) sqlite3_bind_int64(t->named, n + 2, turn->id);
    (void) sqlite3_bind_text(t->named, n + 3, (const char *) name.data,
                             (int) name.len, SQLITE_STATIC);

    rc = name.len == 0 ? LLM_OK : llm_session_talk_step(t->named, id);

    llm_buf_free(&name);

    return rc;
}


static int
llm_session_talk_step(sqlite3_stmt *stmt, int64_t *id)
{
    int  rc;

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        *id = sqlite3_column_int64(stmt, 0);
    }

    (void) sqlite3_reset(stmt);

    return rc == SQLITE_ROW || rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


/* A body that is no more, or not yet, is empty. */

static int
llm_session_talk_add(llm_session_talk_t *t, int64_t id)
{
    int                  rc;
    int64_t              state;
    llm_body_info_t      info;
    llm_session_turn_t  *turn;

    turn = &t->turn[t->n];
    turn->id = id;

    rc = llm_row_read(t->sr->reader, id, &turn->row);

    if (rc != LLM_OK) {
        return rc == LLM_DECLINED ? LLM_OK : LLM_ERROR;
    }

    t->n++;
    llm_buf_init(&turn->body, 2 * LLM_QUERY_MESSAGE);

    state = turn->row.record.num[LLM_N_REQUEST_BODY_STATE];

    if (state == LLM_BODY_STORED || state == LLM_BODY_REDACTED) {
        rc = llm_query_body_head(t->sr->reader, id, 0, &info, &turn->body,
                                 &t->err);
    }

    t->bytes += turn->body.len;

    return rc == LLM_OK ? turn->body.failed : rc;
}


static int
llm_session_talk_json(llm_session_talk_t *t, llm_json_t *j)
{
    int        rc;
    size_t     i, total, skip;
    llm_str_t  body;

    total = 0;

    for (i = 0; i < t->n; i++) {
        body.data = t->turn[i].body.data;
        body.len = t->turn[i].body.len;
        total += llm_conversation_count(&body);
    }

    skip = total > LLM_CONVERSATION_MAX ? total - LLM_CONVERSATION_MAX : 0;

    llm_json_open_object(j);
    llm_json_key(j, "omitted");
    llm_json_int(j, (int64_t) skip);
    llm_json_key(j, "messages");
    llm_json_open_array(j);

    rc = LLM_OK;

    for (i = t->n; i > 0 && rc == LLM_OK; i--) {
        rc = llm_session_talk_turn(t, &t->turn[i - 1], &skip, j);
    }

    llm_json_close_array(j);
    llm_json_close_object(j);

    return rc;
}


static int
llm_session_talk_turn(llm_session_talk_t *t, llm_session_turn_t *turn,
    size_t *skip, llm_json_t *j)
{
    int        rc;
    char       id[24];
    size_t     n;
    llm_buf_t  buf;
    llm_str_t  body, message;

    snprintf(id, sizeof(id), "%lld", (long long) turn->id);

    body.data = turn->body.data;
    body.len = turn->body.len;

    n = llm_conversation_count(&body);
    rc = llm_conversation_request(&body, *skip, id, j);

    if (*skip > n) {
        *skip -= n;
        return rc;
    }

    *skip = 0;

    if (rc != LLM_OK) {
        return rc;
    }

    llm_buf_init(&buf, 2 * LLM_QUERY_MESSAGE);

    rc = llm_query_message(t->sr->reader, turn->id, &turn->row, &buf, &t->err);

    message.data = buf.data;
    message.len = buf.len;

    if (rc == LLM_OK && buf.failed == LLM_OK && llm_pull_is(&message, '{')) {
        rc = llm_conversation_answer(&message, id, j);
    }

    llm_buf_free(&buf);

    return rc;
}
