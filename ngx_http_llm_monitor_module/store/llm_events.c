
/*
 * Copyright (C) llm_monitor contributors
 *
 * A record without a row is put into a database in memory, which is asked with
 * the same condition and written in the same words as the one on disk.
 */


#include <stdlib.h>
#include <string.h>
#include "llm_events.h"
#include "llm_insert.h"
#include "llm_walk.h"
#include "llm_where.h"


#define LLM_EVENTS_MS       50         /* of one slice */
#define LLM_EVENTS_RETRY    "retry: 2000\n"


struct llm_events_s {
    const llm_filter_t   *filter;
    const llm_feed_t     *feed;
    llm_walk_t            walk;
    uint64_t              pos;         /* in the feed */
    int64_t               known;       /* seq up to which all was read */
    int                   begun;
    int                   skip;
    int                   rows;        /* they have a seq */

    /* of the slice that is being made */
    llm_buf_t            *out;
};


static int llm_events_begin(llm_events_t *ev, llm_reader_t *reader,
    llm_query_error_t *err);
static void llm_events_gap(llm_events_t *ev, int64_t after);
static int llm_events_row(void *data, const llm_row_t *row);
static int llm_events_feed(llm_events_t *ev, llm_query_error_t *err);
static int llm_events_memory(llm_reader_t *memory, llm_db_t *db,
    sqlite3_stmt **st);
static int llm_events_fill(llm_events_t *ev, llm_db_t *db, sqlite3_stmt **st,
    int64_t *n);
static int llm_events_insert(const llm_record_t *r, llm_db_t *db,
    sqlite3_stmt **st, int64_t seq);
static void llm_events_quiet(void *data, int level, const char *text);


static const char *const  llm_events_sql[] = {
    LLM_INSERT_LOG_SQL,
    LLM_INSERT_DETAIL_SQL
};


int
llm_events_create(llm_events_t **out, const llm_filter_t *f, int64_t after,
    const llm_feed_t *feed, llm_query_error_t *err)
{
    llm_events_t  *ev;

    *out = NULL;

    ev = calloc(1, sizeof(llm_events_t));
    if (ev == NULL) {
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    ev->filter = f;
    ev->feed = feed;
    ev->pos = llm_feed_head(feed);
    ev->known = LLM_NULL;

    ev->walk.seq = after;
    ev->walk.row = llm_events_row;
    ev->walk.data = ev;

    *out = ev;

    return LLM_OK;
}


void
llm_events_free(llm_events_t *ev)
{
    free(ev);
}


void
llm_events_skip(llm_events_t *ev)
{
    ev->skip = 1;
}


int
llm_events_due(const llm_events_t *ev, int64_t seq)
{
    /* of rows that were deleted since there is nothing to read */

    return seq != ev->known || llm_feed_head(ev->feed) != ev->pos;
}


void
llm_events_beat(const llm_events_t *ev, llm_buf_t *out)
{
    llm_buf_text(out, ": \nid: ");
    llm_buf_int(out, ev->walk.seq);
    llm_buf_text(out, "\n\n");
}


int
llm_events_slice(llm_events_t *ev, llm_reader_t *reader, int64_t seq,
    llm_buf_t *out, llm_query_error_t *err)
{
    int  rc;

    ev->out = out;

    if (llm_reader_begin(reader, 0, err) != LLM_OK) {
        return LLM_ERROR;
    }

    rc = llm_events_begin(ev, reader, err);

    if (rc == LLM_OK) {
        ev->rows = 1;
        rc = llm_walk(reader, ev->filter, &ev->walk, LLM_EVENTS_MS, err);
    }

    llm_reader_end(reader);

    if (rc == LLM_OK && llm_feed_head(ev->feed) != ev->pos) {
        rc = llm_events_feed(ev, err);
    }

    if (rc != LLM_ERROR && out->failed != LLM_OK) {
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    if (rc == LLM_OK) {
        ev->known = seq;
    }

    return rc;
}


static int
llm_events_begin(llm_events_t *ev, llm_reader_t *reader,
    llm_query_error_t *err)
{
    int64_t  newest, after;

    if (llm_walk_newest(reader, &newest, err) != LLM_OK) {
        return LLM_ERROR;
    }

    after = ev->walk.seq;

    if (!ev->begun && after == LLM_NULL) {
        after = newest;
    }

    /* newer than all there is: of a database that is gone */

    if (ev->skip || (!ev->begun && after > newest)) {
        ev->pos = llm_feed_head(ev->feed);
        ev->walk.seq = newest;

    } else if (!ev->begun) {
        ev->walk.seq = after;
    }

    /* a log that was cleared is no way back */

    ev->walk.upto = newest > ev->walk.seq ? newest : ev->walk.seq;

    if (!ev->begun) {
        llm_buf_text(ev->out, LLM_EVENTS_RETRY);
        llm_events_beat(ev, ev->out);
    }

    if (after != ev->walk.seq || ev->skip) {
        llm_events_gap(ev, after);
    }

    ev->begun = 1;
    ev->skip = 0;

    return LLM_OK;
}


/* what lies between the two is left out */

static void
llm_events_gap(llm_events_t *ev, int64_t after)
{
    llm_buf_text(ev->out, "id: ");
    llm_buf_int(ev->out, ev->walk.seq);
    llm_buf_text(ev->out, "\nevent: gap\ndata: {\"since_seq\":");
    llm_buf_int(ev->out, after);
    llm_buf_text(ev->out, ",\"next_seq\":");
    llm_buf_int(ev->out, ev->walk.seq);
    llm_buf_text(ev->out, "}\n\n");
}


static int
llm_events_row(void *data, const llm_row_t *row)
{
    llm_events_t *ev = data;

    llm_row_t   shown;
    llm_json_t  j;

    shown = *row;

    if (ev->rows) {
        llm_buf_text(ev->out, "id: ");
        llm_buf_int(ev->out, row->seq);
        llm_buf_text(ev->out, "\n");

    } else {
        shown.seq = LLM_NULL;
    }

    llm_buf_text(ev->out, "data: ");

    llm_json_init(&j, ev->out);
    llm_json_open_object(&j);
    llm_row_json(&shown, &j);
    llm_json_close_object(&j);

    llm_buf_text(ev->out, "\n\n");

    return ev->rows && ev->out->len >= LLM_EVENTS_SLICE ? LLM_AGAIN : LLM_OK;
}


static int
llm_events_feed(llm_events_t *ev, llm_query_error_t *err)
{
    int             rc;
    int64_t         n;
    llm_db_t       *db;
    llm_walk_t      walk;
    llm_reader_t   *memory;
    sqlite3_stmt   *st[2];

    db = calloc(1, sizeof(llm_db_t));
    memory = calloc(1, sizeof(llm_reader_t));
    st[0] = NULL;
    st[1] = NULL;

    rc = LLM_NOMEM;
    n = 0;

    if (db != NULL && memory != NULL) {
        rc = llm_events_memory(memory, db, st);
    }

    if (rc == LLM_OK) {
        rc = llm_events_fill(ev, db, st, &n);
    }

    if (rc == LLM_OK || rc == LLM_AGAIN) {
        walk = ev->walk;
        walk.seq = 0;
        walk.upto = n;
        ev->rows = 0;

        if (llm_walk(memory, ev->filter, &walk, LLM_EVENTS_MS * 1000, err)
            == LLM_ERROR)
        {
            rc = LLM_ERROR;
        }

    } else {
        rc = llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    llm_db_finalize(st, 2);

    if (memory != NULL) {
        sqlite3_finalize(memory->row);
        sqlite3_close(memory->db);
    }

    free(memory);
    free(db);

    return rc;
}


static int
llm_events_memory(llm_reader_t *memory, llm_db_t *db, sqlite3_stmt **st)
{
    int  version;

    if (sqlite3_open_v2(":memory:", &memory->db,
                        SQLITE_OPEN_READWRITE|SQLITE_OPEN_MEMORY
                        |SQLITE_OPEN_NOMUTEX|SQLITE_OPEN_PRIVATECACHE, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    db->handle = memory->db;
    db->log = llm_events_quiet;

    for (version = 0; version < LLM_SCHEMA_VERSION; version++) {
        if (llm_db_exec(db, llm_schema_step(version)) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    if (llm_where_setup(memory->db) != LLM_OK
        || llm_db_prepare(db, llm_events_sql, st, 2) != LLM_OK
        || llm_db_exec(db, "BEGIN") != LLM_OK)
    {
        return LLM_ERROR;
    }

    return LLM_OK;
}


/* LLM_AGAIN: there are more in the feed */

static int
llm_events_fill(llm_events_t *ev, llm_db_t *db, sqlite3_stmt **st, int64_t *n)
{
    int            rc;
    size_t         len, bytes;
    uint8_t       *p;
    llm_record_t   r;

    *n = 0;
    bytes = 0;

    p = malloc(LLM_FEED_RECORD);
    if (p == NULL) {
        return LLM_NOMEM;
    }

    do {
        rc = llm_feed_read(ev->feed, &ev->pos, p, &len);

        if (rc == LLM_DECLINED) {

            /* nobody knows how many they were */

            llm_buf_text(ev->out, "event: gap\ndata: {\"since_seq\":null,"
                                  "\"next_seq\":null}\n\n");
            continue;
        }

        if (rc != LLM_OK) {
            break;
        }

        bytes += len;

        if (llm_record_unpack(&r, p, len) == LLM_OK
            && llm_events_insert(&r, db, st, *n + 1) == LLM_OK)
        {
            (*n)++;
        }

    } while (bytes < LLM_EVENTS_SLICE);

    free(p);

    return rc == LLM_AGAIN ? LLM_OK : LLM_AGAIN;
}


static int
llm_events_insert(const llm_record_t *record, llm_db_t *db,
    sqlite3_stmt **st, int64_t seq)
{
    int            rc;
    uint64_t       duplicates;
    llm_insert_t   row;
    llm_record_t   r;

    r = *record;

    llm_insert_init(&row);
    llm_insert_all(&row, &r);

    rc = llm_insert_log(&row, &r, db, st[0], seq, &duplicates);

    if (rc == LLM_OK) {
        rc = llm_insert_detail(&r, db, st[1]);
    }

    llm_insert_done(&row);

    return rc;
}


static void
llm_events_quiet(void *data, int level, const char *text)
{
    /* void */
}
