
/*
 * Copyright (C) llm_monitor contributors
 *
 * Both tables in memory are direct-mapped: a new entry takes the place of an
 * old one, which costs a look-up in the database for a session, and for an
 * answer that old the chain.  Entries are told apart by 64 bits of a seeded
 * hash alone.
 */


#include <stdlib.h>
#include <string.h>

#include "llm_hash.h"
#include "llm_sessions.h"


static const char *const  llm_session_sql[LLM_SESSION_STATEMENTS] = {
    "SELECT id, last_ms FROM session WHERE sid = ?1 AND key_hash = ?2",
    "INSERT INTO session (sid, key_hash, source, first_ms, last_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5)",
    "UPDATE session SET last_ms = max(last_ms, ?2),"
        " first_ms = min(first_ms, ?3) WHERE id = ?1",
    "DELETE FROM session WHERE id IN (SELECT id FROM session"
        " WHERE last_ms < ?1 LIMIT ?2) RETURNING id",
    "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE id NOT IN"
        " (SELECT session FROM log WHERE session IS NOT NULL) LIMIT ?2)"
        " RETURNING id"
};


static int llm_session_warm(llm_sessions_t *s);
static uint64_t llm_session_hash(llm_sessions_t *s, const llm_str_t *text,
    int64_t key);
static int llm_session_find(llm_sessions_t *s, const llm_record_t *r,
    const llm_str_t *sid, int64_t *id, int64_t *last);
static int llm_session_touch(llm_sessions_t *s, llm_session_slot_t *slot,
    const llm_record_t *r);
static int llm_session_delete(llm_sessions_t *s, sqlite3_stmt *st,
    int64_t *n);
static void llm_session_drop(llm_session_slot_t *slots, size_t size,
    const int64_t *ids, size_t n);
static int llm_session_compare(const void *a, const void *b);
static int llm_session_add(llm_sessions_t *s, const llm_record_t *r,
    const llm_str_t *sid, int64_t key);
static int64_t llm_session_end(const llm_record_t *r);


int
llm_sessions_open(llm_sessions_t *s, llm_db_t *db)
{
    memset(s, 0, sizeof(llm_sessions_t));

    s->db = db;
    s->seed = llm_hash_seed();
    s->slots = calloc(LLM_SESSION_CACHED, sizeof(llm_session_slot_t));
    s->chain = calloc(LLM_SESSION_CHAIN, sizeof(llm_session_slot_t));

    if (s->slots == NULL || s->chain == NULL) {
        return LLM_NOMEM;
    }

    if (llm_db_prepare(db, llm_session_sql, s->st, LLM_SESSION_STATEMENTS)
        != LLM_OK
        || llm_db_int(db, "SELECT count(*) FROM session", &s->total)
           != LLM_OK)
    {
        return LLM_ERROR;
    }

    return llm_session_warm(s);
}


void
llm_sessions_close(llm_sessions_t *s)
{
    free(s->slots);
    free(s->chain);

    s->slots = NULL;
    s->chain = NULL;

    llm_db_finalize(s->st, LLM_SESSION_STATEMENTS);
}


void
llm_sessions_reset(llm_sessions_t *s)
{
    /* ids of sessions that are gone are given out again */

    memset(s->slots, 0, LLM_SESSION_CACHED * sizeof(llm_session_slot_t));
    memset(s->chain, 0, LLM_SESSION_CHAIN * sizeof(llm_session_slot_t));

    (void) llm_db_int(s->db, "SELECT count(*) FROM session", &s->total);
    (void) llm_session_warm(s);
}


static int
llm_session_warm(llm_sessions_t *s)
{
    int                  rc;
    llm_str_t            text;
    sqlite3_stmt        *st;
    llm_session_slot_t  *slot;

    /* by id, so that the cost is bounded whatever the rows are; 3: responses */

    static const char *const  sql =
        "SELECT t.response_id, s.id, s.key_hash"
        "  FROM (SELECT id, session FROM (SELECT id, session, operation"
        "          FROM log ORDER BY id DESC LIMIT 50000)"
        "        WHERE operation = 3 AND session IS NOT NULL) AS l"
        "  JOIN detail AS t ON t.id = l.id"
        "  JOIN session AS s ON s.id = l.session"
        " WHERE t.response_id IS NOT NULL";

    if (llm_db_prepare(s->db, &sql, &st, 1) != LLM_OK) {
        return LLM_ERROR;
    }

    while ((rc = llm_db_row(s->db, st)) == LLM_OK) {
        text.data = sqlite3_column_text(st, 0);
        text.len = sqlite3_column_bytes(st, 0);

        slot = &s->chain[llm_session_hash(s, &text,
                                          sqlite3_column_int64(st, 2))
                         % LLM_SESSION_CHAIN];

        if (slot->hash == 0) {
            slot->hash = llm_session_hash(s, &text,
                                          sqlite3_column_int64(st, 2));
            slot->id = sqlite3_column_int64(st, 1);
        }
    }

    llm_db_finalize(&st, 1);

    return rc == LLM_DECLINED ? LLM_OK : LLM_ERROR;
}


int
llm_sessions_id(llm_sessions_t *s, llm_record_t *r, int64_t *id)
{
    int                  rc;
    int64_t              last;
    uint64_t             hash;
    const llm_str_t     *sid, *before, *response;
    llm_session_slot_t  *slot;

    rc = LLM_OK;
    last = 0;
    *id = LLM_NULL;

    sid = &r->str[LLM_S_SESSION];
    before = &r->str[LLM_S_PREVIOUS_RESPONSE_ID];
    response = &r->str[LLM_S_RESPONSE_ID];

    /* rule 6, a hash of the first words, is worse than the chain */

    if (before->data != NULL
        && (sid->data == NULL
            || r->num[LLM_N_SESSION_SOURCE] > LLM_SESSION_BY_CHAIN))
    {
        hash = llm_session_hash(s, before, llm_sessions_key(r));
        slot = &s->chain[hash % LLM_SESSION_CHAIN];

        if (slot->hash == hash) {
            *id = slot->id;
            r->num[LLM_N_SESSION_SOURCE] = LLM_SESSION_BY_CHAIN;
            rc = llm_session_touch(s, slot, r);
            last = slot->last_ms;
        }
    }

    if (*id == LLM_NULL && sid->data != NULL) {
        rc = llm_session_find(s, r, sid, id, &last);
    }

    if (rc == LLM_OK && *id != LLM_NULL && response->data != NULL
        && r->num[LLM_N_OPERATION] == LLM_OPERATION_RESPONSES)
    {
        hash = llm_session_hash(s, response, llm_sessions_key(r));
        slot = &s->chain[hash % LLM_SESSION_CHAIN];
        slot->hash = hash;
        slot->id = *id;
        slot->last_ms = last;
    }

    return rc;
}


static uint64_t
llm_session_hash(llm_sessions_t *s, const llm_str_t *text, int64_t key)
{
    uint64_t  hash;

    hash = llm_hash(s->seed ^ (uint64_t) key, text->data, text->len);

    return hash != 0 ? hash : 1;
}


static int
llm_session_find(llm_sessions_t *s, const llm_record_t *r,
    const llm_str_t *sid, int64_t *id, int64_t *last)
{
    int                  rc;
    int64_t              key;
    uint64_t             hash;
    sqlite3_stmt        *st;
    llm_session_slot_t  *slot;

    key = llm_sessions_key(r);
    hash = llm_session_hash(s, sid, key);
    slot = &s->slots[hash % LLM_SESSION_CACHED];

    if (slot->hash != hash) {
        st = s->st[LLM_SESSION_FIND];

        (void) sqlite3_bind_text(st, 1, (const char *) sid->data,
                                 (int) sid->len, SQLITE_STATIC);
        (void) sqlite3_bind_int64(st, 2, key);

        rc = llm_db_row(s->db, st);

        if (rc == LLM_OK) {
            slot->id = sqlite3_column_int64(st, 0);
            slot->last_ms = sqlite3_column_int64(st, 1);
            (void) sqlite3_reset(st);

        } else if (rc == LLM_DECLINED) {
            rc = llm_session_add(s, r, sid, key);

            if (rc != LLM_OK) {
                return rc;
            }

            slot->id = sqlite3_last_insert_rowid(s->db->handle);
            slot->last_ms = llm_session_end(r);

        } else {
            return rc;
        }

        slot->hash = hash;
    }

    *id = slot->id;

    rc = llm_session_touch(s, slot, r);
    *last = slot->last_ms;

    return rc;
}


/* What the table says may lag. */

static int
llm_session_touch(llm_sessions_t *s, llm_session_slot_t *slot,
    const llm_record_t *r)
{
    int64_t        ms;
    sqlite3_stmt  *st;

    ms = llm_session_end(r);

    if (ms < slot->last_ms + LLM_SESSION_LAG_MS) {
        return LLM_OK;
    }

    slot->last_ms = ms;

    st = s->st[LLM_SESSION_TOUCH];

    (void) sqlite3_bind_int64(st, 1, slot->id);
    (void) sqlite3_bind_int64(st, 2, ms);
    (void) sqlite3_bind_int64(st, 3, r->num[LLM_N_TIMESTAMP]);

    return llm_db_run(s->db, st);
}


static int
llm_session_add(llm_sessions_t *s, const llm_record_t *r,
    const llm_str_t *sid, int64_t key)
{
    sqlite3_stmt  *st;

    if (s->total >= LLM_SESSION_MAX || sid->len > LLM_DICT_VALUE_MAX) {
        return LLM_FULL;
    }

    st = s->st[LLM_SESSION_INSERT];

    (void) sqlite3_bind_text(st, 1, (const char *) sid->data, (int) sid->len,
                             SQLITE_STATIC);
    (void) sqlite3_bind_int64(st, 2, key);
    (void) sqlite3_bind_int64(st, 3,
                              r->num[LLM_N_SESSION_SOURCE] != LLM_NULL
                              ? r->num[LLM_N_SESSION_SOURCE] : 0);
    (void) sqlite3_bind_int64(st, 4, r->num[LLM_N_TIMESTAMP]);
    (void) sqlite3_bind_int64(st, 5, llm_session_end(r));

    if (llm_db_run(s->db, st) != LLM_OK) {
        return LLM_ERROR;
    }

    s->total++;

    return LLM_OK;
}


/* Whose the name is: tenants choose the same ones. */

int64_t
llm_sessions_key(const llm_record_t *r)
{
    int64_t  key;

    key = r->num[LLM_N_API_KEY_HASH];

    if (key == LLM_NULL || key == 0) {
        key = r->num[LLM_N_SESSION_OWNER];
    }

    return key != LLM_NULL ? key : 0;
}


/* Of its answer, which may be long after its beginning. */

static int64_t
llm_session_end(const llm_record_t *r)
{
    int64_t  us;

    us = r->num[LLM_N_DURATION_US];

    return r->num[LLM_N_TIMESTAMP] + (us != LLM_NULL ? us / 1000 : 0);
}


int
llm_sessions_sweep(llm_sessions_t *s, int64_t ms, int64_t *n)
{
    sqlite3_stmt  *st;

    st = s->st[LLM_SESSION_DELETE];

    /* a row may be newer than the table says of its session */

    (void) sqlite3_bind_int64(st, 1, ms - LLM_SESSION_LAG_MS);

    return llm_session_delete(s, st, n);
}


int
llm_sessions_forget(llm_sessions_t *s, int64_t *n)
{
    return llm_session_delete(s, s->st[LLM_SESSION_FORGET], n);
}


/* What is in memory of them goes too, for ids may be given out again. */

static int
llm_session_delete(llm_sessions_t *s, sqlite3_stmt *st, int64_t *n)
{
    int      rc;
    size_t   count;
    int64_t  ids[LLM_SESSION_SWEPT];

    count = 0;

    (void) sqlite3_bind_int(st, 2, LLM_SESSION_SWEPT);

    while ((rc = llm_db_row(s->db, st)) == LLM_OK) {

        if (count < LLM_SESSION_SWEPT) {
            ids[count++] = sqlite3_column_int64(st, 0);
        }
    }

    *n = (int64_t) count;
    s->total -= *n;

    if (count > 0) {
        qsort(ids, count, sizeof(int64_t), llm_session_compare);
        llm_session_drop(s->slots, LLM_SESSION_CACHED, ids, count);
        llm_session_drop(s->chain, LLM_SESSION_CHAIN, ids, count);
    }

    return rc == LLM_DECLINED ? LLM_OK : LLM_ERROR;
}


static void
llm_session_drop(llm_session_slot_t *slots, size_t size, const int64_t *ids,
    size_t n)
{
    size_t  i;

    for (i = 0; i < size; i++) {

        if (slots[i].hash != 0
            && bsearch(&slots[i].id, ids, n, sizeof(int64_t),
                       llm_session_compare)
               != NULL)
        {
            memset(&slots[i], 0, sizeof(llm_session_slot_t));
        }
    }
}


static int
llm_session_compare(const void *a, const void *b)
{
    int64_t  x, y;

    x = *(const int64_t *) a;
    y = *(const int64_t *) b;

    return x < y ? -1 : x > y;
}
