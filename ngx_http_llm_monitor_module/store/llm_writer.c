
/*
 * Copyright (C) llm_monitor contributors
 */


#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "llm_where.h"
#include "llm_writer.h"


static const char *const  llm_writer_sql[LLM_WRITER_STATEMENTS] = {
    LLM_INSERT_LOG_SQL,
    LLM_INSERT_DETAIL_SQL,
    "INSERT INTO request_body (id, size, type, coding, data)"
        " VALUES (?1, ?2, ?3, ?4, ?5)",
    "INSERT INTO response_body (id, size, type, coding, data)"
        " VALUES (?1, ?2, ?3, ?4, ?5)",
    "INSERT INTO frame (id, side, n, data) VALUES (?1, ?2, ?3, ?4)",
    "INSERT INTO storing (id, side, state, file, offset)"
        " VALUES (?1, ?2, ?3, ?4, 0)",
    "INSERT INTO meta (key, value) VALUES (?1, ?2)"
        " ON CONFLICT DO UPDATE SET value = excluded.value",
    "INSERT INTO drained (ring, seq, ms, written, ledger_only, cleared, torn,"
        " db_error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        " ON CONFLICT DO UPDATE SET seq = excluded.seq, ms = excluded.ms,"
        " written = excluded.written, ledger_only = excluded.ledger_only,"
        " cleared = excluded.cleared, torn = excluded.torn,"
        " db_error = excluded.db_error",
    "SELECT seq, written, ledger_only, cleared, torn, db_error FROM drained"
        " WHERE ring = ?1",
    "REPLACE INTO drained_segment (segment, offset, ms, written, ledger_only,"
        " cleared, torn, db_error, ring, batch, taken)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    "SELECT offset FROM drained_segment WHERE segment = ?1"
};


static void llm_writer_release(llm_writer_t *w);
static int64_t llm_writer_us(clockid_t clock);
static int llm_writer_wal_full(llm_writer_t *w);
static void llm_writer_feed(llm_writer_t *w, const llm_record_t *r);
static void llm_writer_times(llm_record_t *r);
static int llm_writer_ids(llm_writer_t *w, llm_record_t *r, int what,
    llm_insert_t *row, llm_ledger_ids_t *ids);
static int llm_writer_session(llm_writer_t *w, llm_record_t *r,
    llm_insert_t *row);
static int llm_writer_bodies(llm_writer_t *w, llm_record_t *r);
static int llm_writer_body(llm_writer_t *w, llm_record_t *r, int side);
static int llm_writer_spooled(llm_writer_t *w, llm_record_t *r, int side,
    const char *name);
static int llm_writer_inline(llm_writer_t *w, llm_record_t *r, int side,
    const uint8_t *p, size_t n);
static int llm_writer_frames(llm_writer_t *w, int64_t id, int side,
    const uint8_t *p, size_t n);
static int llm_writer_body_row(llm_writer_t *w, llm_record_t *r, int side,
    int64_t size, int coding, const uint8_t *p, size_t n);
static int llm_writer_name(const llm_str_t *s, char *name);
static void llm_writer_remove(llm_writer_t *w, const llm_str_t *s);


int
llm_writer_open(llm_writer_t *w)
{
    int64_t  seq, newest;

    w->in_batch = 0;
    w->nfiles = 0;
    w->storing = 1;
    w->wal_failed = 0;
    memset(w->st, 0, sizeof(w->st));
    memset(&w->dict, 0, sizeof(w->dict));
    memset(&w->sessions, 0, sizeof(w->sessions));
    memset(&w->ledger, 0, sizeof(w->ledger));
    memset(&w->gone, 0, sizeof(w->gone));
    memset(&w->blocks, 0, sizeof(w->blocks));

    if (llm_db_open(&w->db) != LLM_OK) {
        return LLM_ERROR;
    }

    if (w->room == NULL) {
        w->room = malloc(LLM_FRAME_RAW);

        if (w->room == NULL) {
            goto failed;
        }
    }

    if (w->coder.ctx == NULL && llm_body_coder_init(&w->coder) != LLM_OK) {
        goto failed;
    }

    if (llm_where_setup(w->db.handle) != LLM_OK
        || llm_db_prepare(&w->db, llm_writer_sql, w->st,
                          LLM_WRITER_STATEMENTS)
           != LLM_OK
        || llm_dict_open(&w->dict, &w->db) != LLM_OK
        || llm_sessions_open(&w->sessions, &w->db) != LLM_OK
        || llm_ledger_open(&w->ledger, &w->db) != LLM_OK
        || llm_gone_open(&w->gone, &w->db) != LLM_OK
        || llm_blocks_open(&w->blocks, &w->db) != LLM_OK
        || llm_writer_get_meta(w, "seq", &seq) != LLM_OK)
    {
        goto failed;
    }

    newest = 0;

    if (llm_db_int(&w->db, "SELECT max(seq) FROM log", &newest) == LLM_ERROR
        || llm_db_int(&w->db, "SELECT count(*) FROM log", &w->rows) != LLM_OK)
    {
        goto failed;
    }

    /* a database that came later does not make it go back */

    w->seq = seq > w->seq ? seq : w->seq;
    w->seq = newest > w->seq ? newest : w->seq;

    __atomic_store_n(&w->control->seq, w->seq, __ATOMIC_RELEASE);
    __atomic_store_n(&w->control->db_rows, w->rows, __ATOMIC_RELAXED);

    return LLM_OK;

failed:

    llm_writer_close(w);

    return LLM_ERROR;
}


void
llm_writer_close(llm_writer_t *w)
{
    llm_writer_release(w);
    llm_db_close(&w->db);
}


void
llm_writer_abandon(llm_writer_t *w)
{
    llm_writer_release(w);
    llm_db_abandon(&w->db);
}


static void
llm_writer_release(llm_writer_t *w)
{
    if (w->in_batch) {
        llm_writer_rollback(w);
    }

    llm_blocks_close(&w->blocks);
    llm_gone_close(&w->gone);
    llm_ledger_close(&w->ledger);
    llm_sessions_close(&w->sessions);
    llm_dict_close(&w->dict);
    llm_db_finalize(w->st, LLM_WRITER_STATEMENTS);

    if (w->coder.ctx != NULL) {
        llm_body_coder_free(&w->coder);
    }

    free(w->room);
    w->room = NULL;
}


int
llm_writer_begin(llm_writer_t *w)
{
    w->bytes = 0;
    w->nfiles = 0;
    w->seq_before = w->seq;
    w->rows_before = w->rows;

    if (w->feed != NULL) {
        w->feed_pos = llm_feed_begin(w->feed);
    }

    if (llm_writer_wal_full(w) && llm_writer_checkpoint(w) != LLM_OK) {
        return LLM_ERROR;
    }

    if (llm_writer_wal_full(w)) {
        w->db.code = SQLITE_BUSY;
        w->db.errors++;

        llm_db_say(&w->db, 1, "a reader keeps the write-ahead log from being "
                   "emptied, it has %d MB: records wait until it has ended",
                   LLM_DB_WAL_MAX / (1024 * 1024));

        return LLM_ERROR;
    }

    if (llm_db_exec(&w->db, "BEGIN IMMEDIATE") != LLM_OK) {
        return LLM_ERROR;
    }

    w->in_batch = 1;
    w->began_us = llm_writer_us(CLOCK_MONOTONIC);

    return LLM_OK;
}


static int64_t
llm_writer_us(clockid_t clock)
{
    struct timespec  ts;

    (void) clock_gettime(clock, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


static int
llm_writer_wal_full(llm_writer_t *w)
{
    return w->db.wal_pages * LLM_SCHEMA_PAGE_SIZE >= LLM_DB_WAL_MAX;
}


int
llm_writer_add(llm_writer_t *w, llm_record_t *r, int what)
{
    int           rc;
    llm_insert_t  row;

    rc = llm_writer_count(w, r, what, &row);

    if (rc == LLM_OK && what == LLM_WRITE_ROW) {
        rc = llm_writer_row(w, r, &row);

    } else if (rc == LLM_OK) {
        llm_writer_remove(w, &r->str[LLM_S_REQUEST_SPOOL]);
        llm_writer_remove(w, &r->str[LLM_S_RESPONSE_SPOOL]);

        rc = llm_gone_record(&w->gone, r, 0);
    }

    if (rc == LLM_OK && what == LLM_WRITE_LEDGER_ONLY && w->feed != NULL) {
        llm_writer_feed(w, r);
    }

    llm_insert_done(&row);

    if (rc == LLM_ERROR) {

        switch (w->db.code & 0xff) {

        case SQLITE_CONSTRAINT:
        case SQLITE_TOOBIG:
        case SQLITE_MISMATCH:
        case SQLITE_RANGE:
            return LLM_DECLINED;
        }
    }

    return rc;
}


/* It makes no row, but who follows the events hears of it, without bodies. */

static void
llm_writer_feed(llm_writer_t *w, const llm_record_t *r)
{
    llm_record_t  bare;

    bare = *r;

    bare.str[LLM_S_REQUEST_BODY].data = NULL;
    bare.str[LLM_S_RESPONSE_BODY].data = NULL;
    bare.str[LLM_S_REQUEST_SPOOL].data = NULL;
    bare.str[LLM_S_RESPONSE_SPOOL].data = NULL;

    bare.num[LLM_N_REQUEST_BODY_STATE] = LLM_BODY_NONE;
    bare.num[LLM_N_RESPONSE_BODY_STATE] = LLM_BODY_NONE;

    llm_feed_add(w->feed, &w->feed_pos, &bare);
}


int
llm_writer_count(llm_writer_t *w, llm_record_t *r, int what,
    llm_insert_t *row)
{
    llm_ledger_ids_t  ids;

    llm_writer_times(r);
    llm_insert_init(row);

    if (llm_writer_ids(w, r, what, row, &ids) != LLM_OK
        || llm_ledger_count(&w->ledger, r, &ids) != LLM_OK)
    {
        return LLM_ERROR;
    }

    return what == LLM_WRITE_ROW ? llm_writer_session(w, r, row) : LLM_OK;
}


/* Id and time say the same; whatever a record claims, both are positive. */

static void
llm_writer_times(llm_record_t *r)
{
    int64_t  *id, *ms;

    id = &r->num[LLM_N_ID];
    ms = &r->num[LLM_N_TIMESTAMP];

    if (*ms < 0) {
        *ms = *id > 0 ? *id >> LLM_ID_SHIFT : llm_wall_ms();
    }

    if (*ms > INT64_MAX >> LLM_ID_SHIFT) {
        *ms = INT64_MAX >> LLM_ID_SHIFT;
    }

    if (*id <= 0 || *id > INT64_MAX - LLM_DAY_MS) {
        *id = *ms << LLM_ID_SHIFT | 1;
    }
}


static int
llm_writer_ids(llm_writer_t *w, llm_record_t *r, int what, llm_insert_t *row,
    llm_ledger_ids_t *ids)
{
    if (llm_insert_dict(row, r, &w->dict, what == LLM_WRITE_ROW) != LLM_OK) {
        return LLM_ERROR;
    }

    ids->account = llm_insert_ledger_id(row, LLM_INSERT_ACCOUNT);
    ids->user = llm_insert_ledger_id(row, LLM_INSERT_USER);
    ids->api_key = llm_insert_ledger_id(row, LLM_INSERT_API_KEY_TAIL);
    ids->provider = llm_insert_ledger_id(row, LLM_INSERT_PROVIDER);
    ids->model = llm_insert_ledger_id(row, LLM_INSERT_MODEL);
    ids->endpoint = llm_insert_ledger_id(row, LLM_INSERT_ENDPOINT);
    ids->ip = llm_insert_ledger_id(row, LLM_INSERT_CLIENT_IP);

    return LLM_OK;
}


static int
llm_writer_session(llm_writer_t *w, llm_record_t *r, llm_insert_t *row)
{
    int  rc;

    rc = llm_sessions_id(&w->sessions, r, &row->session);

    if (rc == LLM_FULL) {
        llm_insert_over(row, "session_id", &r->str[LLM_S_SESSION]);
        rc = LLM_OK;
    }

    return rc;
}


int
llm_writer_row(llm_writer_t *w, llm_record_t *r, llm_insert_t *row)
{
    int  rc;

    rc = llm_insert_log(row, r, &w->db, w->st[LLM_WRITER_LOG], w->seq + 1,
                        &w->control->duplicate_ids);

    if (rc != LLM_OK) {
        return rc;
    }

    w->seq++;
    w->rows++;

    if (llm_blocks_touch(&w->blocks, r->num[LLM_N_ID]) != LLM_OK
        || llm_insert_detail(r, &w->db, w->st[LLM_WRITER_DETAIL]) != LLM_OK
        || llm_writer_bodies(w, r) != LLM_OK)
    {
        return LLM_ERROR;
    }

    return llm_gone_record(&w->gone, r, 1);
}


/*
 * Bodies come after the row, for only then the id is certain; what they change
 * in it is rare (a spool file that is still to be stored, or that is gone).
 */

static int
llm_writer_bodies(llm_writer_t *w, llm_record_t *r)
{
    int            i;
    int64_t        before[2];
    sqlite3_stmt  *st;

    static const int          state[] = { LLM_N_REQUEST_BODY_STATE,
                                          LLM_N_RESPONSE_BODY_STATE };
    static const char *const  sql =
        "UPDATE log SET request_body_state = ?2, response_body_state = ?3"
        " WHERE id = ?1";

    for (i = 0; i < 2; i++) {
        before[i] = r->num[state[i]];

        if (llm_writer_body(w, r, i) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    if (before[0] == r->num[state[0]] && before[1] == r->num[state[1]]) {
        return LLM_OK;
    }

    if (llm_db_prepare(&w->db, &sql, &st, 1) != LLM_OK) {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int64(st, 1, r->num[LLM_N_ID]);
    llm_insert_bind_num(st, 2, r->num[state[0]]);
    llm_insert_bind_num(st, 3, r->num[state[1]]);

    i = llm_db_run(&w->db, st);

    llm_db_finalize(&st, 1);

    return i;
}


static int
llm_writer_body(llm_writer_t *w, llm_record_t *r, int side)
{
    int         state;
    char        name[LLM_SPOOL_NAME_MAX];
    llm_str_t  *body, *spool;

    body = &r->str[side ? LLM_S_RESPONSE_BODY : LLM_S_REQUEST_BODY];
    spool = &r->str[side ? LLM_S_RESPONSE_SPOOL : LLM_S_REQUEST_SPOOL];
    state = side ? LLM_N_RESPONSE_BODY_STATE : LLM_N_REQUEST_BODY_STATE;

    if (!llm_body_kept(r->num[state])) {
        llm_writer_remove(w, spool);
        return LLM_OK;
    }

    if (spool->data != NULL) {

        if (llm_writer_name(spool, name) != LLM_OK) {
            r->num[state] = LLM_BODY_SKIPPED;
            return LLM_OK;
        }

        return llm_writer_spooled(w, r, side, name);
    }

    if (body->data == NULL) {
        r->num[state] = LLM_BODY_SKIPPED;
        return LLM_OK;
    }

    return llm_writer_inline(w, r, side, body->data, body->len);
}


static int
llm_writer_spooled(llm_writer_t *w, llm_record_t *r, int side,
    const char *name)
{
    int            fd, state;
    ssize_t        n;
    int64_t        size;
    llm_str_t      file;
    sqlite3_stmt  *st;

    state = side ? LLM_N_RESPONSE_BODY_STATE : LLM_N_REQUEST_BODY_STATE;

    fd = llm_writer_spool_file(w, name, &size);

    if (fd == -1) {
        llm_db_say(&w->db, 1, "spool file of a body is gone: \"%s\"", name);
        r->num[state] = LLM_BODY_SKIPPED;
        return LLM_OK;
    }

    if (size <= LLM_FRAME_RAW && w->nfiles < LLM_BATCH_FILES) {
        n = pread(fd, w->room, size, 0);

        (void) close(fd);

        if (n != size) {
            r->num[state] = LLM_BODY_SKIPPED;
            return LLM_OK;
        }

        file.data = (const uint8_t *) name;
        file.len = strlen(name);
        llm_writer_remove(w, &file);

        return llm_writer_inline(w, r, side, w->room, n);
    }

    (void) close(fd);

    if (llm_writer_body_row(w, r, side, size, LLM_CODING_FRAMES, NULL, 0)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    st = w->st[LLM_WRITER_STORING];

    (void) sqlite3_bind_int64(st, 1, r->num[LLM_N_ID]);
    (void) sqlite3_bind_int(st, 2, side);
    (void) sqlite3_bind_int64(st, 3, r->num[state]);
    (void) sqlite3_bind_text(st, 4, name, -1, SQLITE_STATIC);

    r->num[state] = LLM_BODY_STORING;
    w->storing = 1;

    return llm_db_run(&w->db, st);
}


static int
llm_writer_inline(llm_writer_t *w, llm_record_t *r, int side,
    const uint8_t *p, size_t n)
{
    int             coding;
    size_t          len;
    const uint8_t  *out;

    if (n > LLM_FRAME_RAW) {
        if (llm_writer_body_row(w, r, side, n, LLM_CODING_FRAMES, NULL, 0)
            != LLM_OK)
        {
            return LLM_ERROR;
        }

        return llm_writer_frames(w, r->num[LLM_N_ID], side, p, n);
    }

    coding = llm_body_encode(&w->coder, 0, p, n, &out, &len);

    return llm_writer_body_row(w, r, side, n, coding, out, len);
}


static int
llm_writer_frames(llm_writer_t *w, int64_t id, int side, const uint8_t *p,
    size_t n)
{
    int             i;
    size_t          raw, len;
    const uint8_t  *out;
    sqlite3_stmt   *st;

    st = w->st[LLM_WRITER_FRAME];

    for (i = 0; n > 0; i++) {
        raw = n < LLM_FRAME_RAW ? n : LLM_FRAME_RAW;

        if (llm_body_encode(&w->coder, 1, p, raw, &out, &len)
            != LLM_CODING_ZSTD)
        {
            w->db.code = SQLITE_NOMEM;
            return LLM_ERROR;
        }

        (void) sqlite3_bind_int64(st, 1, id);
        (void) sqlite3_bind_int(st, 2, side);
        (void) sqlite3_bind_int(st, 3, i);
        (void) sqlite3_bind_blob64(st, 4, out, len, SQLITE_STATIC);

        if (llm_db_run(&w->db, st) != LLM_OK) {
            return LLM_ERROR;
        }

        w->bytes += len;
        p += raw;
        n -= raw;
    }

    return LLM_OK;
}


static int
llm_writer_body_row(llm_writer_t *w, llm_record_t *r, int side, int64_t size,
    int coding, const uint8_t *p, size_t n)
{
    sqlite3_stmt  *st;

    st = w->st[side ? LLM_WRITER_RESPONSE : LLM_WRITER_REQUEST];

    (void) sqlite3_bind_int64(st, 1, r->num[LLM_N_ID]);
    (void) sqlite3_bind_int64(st, 2, size);
    llm_insert_bind_text(st, 3, &r->str[side ? LLM_S_RESPONSE_TYPE
                                          : LLM_S_REQUEST_TYPE]);
    (void) sqlite3_bind_int(st, 4, coding);

    if (coding == LLM_CODING_FRAMES) {
        (void) sqlite3_bind_null(st, 5);

    } else {
        (void) sqlite3_bind_blob64(st, 5, n > 0 ? (const void *) p : "", n,
                                   SQLITE_STATIC);
    }

    w->bytes += n;

    return llm_db_run(&w->db, st);
}


/* A name that a record gave: it must not lead out of the directory. */

static int
llm_writer_name(const llm_str_t *s, char *name)
{
    if (s->len == 0 || s->len >= LLM_SPOOL_NAME_MAX || s->data[0] == '.'
        || memchr(s->data, '/', s->len) != NULL
        || memchr(s->data, '\0', s->len) != NULL)
    {
        return LLM_ERROR;
    }

    memcpy(name, s->data, s->len);
    name[s->len] = '\0';

    return LLM_OK;
}


/* Past the bound the sweep of old files takes it. */

static void
llm_writer_remove(llm_writer_t *w, const llm_str_t *s)
{
    if (s->data != NULL && w->nfiles < LLM_BATCH_FILES
        && llm_writer_name(s, w->files[w->nfiles]) == LLM_OK)
    {
        w->nfiles++;
    }
}


int
llm_writer_commit(llm_writer_t *w)
{
    size_t  i;

    if (llm_ledger_flush(&w->ledger) != LLM_OK
        || llm_writer_set_meta(w, "seq", w->seq) != LLM_OK
        || llm_db_exec(&w->db, "COMMIT") != LLM_OK)
    {
        return LLM_ERROR;
    }

    w->in_batch = 0;

    (void) llm_metrics_observe(w->control->commits, &llm_bounds_ttft,
                               llm_writer_us(CLOCK_MONOTONIC) - w->began_us);

    __atomic_store_n(&w->control->commit_ms,
                     llm_writer_us(CLOCK_REALTIME) / 1000, __ATOMIC_RELAXED);

    /*
     * Into a file that was deleted meanwhile: nobody will see it, so nothing
     * that it was made of is given up.  One that was moved has it for good.
     */

    if (llm_db_check(&w->db) != LLM_OK && llm_db_gone(&w->db)) {
        w->db.code = SQLITE_READONLY_DBMOVED;
        return LLM_ERROR;
    }

    for (i = 0; i < w->nfiles; i++) {
        (void) llm_writer_unlink(w, w->files[i]);
    }

    w->nfiles = 0;

    __atomic_store_n(&w->control->seq, w->seq, __ATOMIC_RELEASE);
    __atomic_store_n(&w->control->db_rows, w->rows, __ATOMIC_RELAXED);

    if (w->feed != NULL) {
        llm_feed_show(w->feed, w->feed_pos);
    }

    if (w->db.wal_pages * LLM_SCHEMA_PAGE_SIZE >= LLM_BATCH_WAL
        && llm_control_now() >= w->wal_ms + LLM_BATCH_WAL_MS)
    {
        (void) llm_writer_checkpoint(w);
    }

    return LLM_OK;
}


int
llm_writer_checkpoint(llm_writer_t *w)
{
    int      left;
    int64_t  file, wal;

    w->wal_failed = llm_db_checkpoint(&w->db, SQLITE_CHECKPOINT_PASSIVE,
                                      &left)
                    != LLM_OK;

    if (w->wal_failed) {
        return LLM_ERROR;
    }

    llm_db_sizes(&w->db, &file, &wal);

    /* all is in the database, but a reader may need what is in the WAL */

    if (left == 0 && wal > LLM_DB_WAL_MAX) {
        w->wal_failed = llm_db_checkpoint(&w->db, SQLITE_CHECKPOINT_TRUNCATE,
                                          &left)
                        != LLM_OK;

        if (w->wal_failed) {
            return LLM_ERROR;
        }
    }

    if (left != 0) {
        w->wal_ms = llm_control_now();
        return LLM_OK;
    }

    w->db.wal_pages = 0;

    return LLM_OK;
}


void
llm_writer_rollback(llm_writer_t *w)
{
    int  code;

    code = w->db.code;

    if (!sqlite3_get_autocommit(w->db.handle)) {
        (void) llm_db_exec(&w->db, "ROLLBACK");
    }

    w->in_batch = 0;
    w->nfiles = 0;
    w->seq = w->seq_before;
    w->rows = w->rows_before;

    llm_dict_reset(&w->dict);
    llm_sessions_reset(&w->sessions);
    llm_ledger_reset(&w->ledger);
    llm_gone_reset(&w->gone);
    llm_blocks_reset(&w->blocks);

    w->db.code = code;
}


int
llm_writer_set_meta(llm_writer_t *w, const char *key, int64_t v)
{
    sqlite3_stmt  *st;

    st = w->st[LLM_WRITER_META];

    (void) sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
    (void) sqlite3_bind_int64(st, 2, v);

    return llm_db_run(&w->db, st);
}


int
llm_writer_get_meta(llm_writer_t *w, const char *key, int64_t *v)
{
    int            rc;
    sqlite3_stmt  *st;

    static const char *const  sql = "SELECT value FROM meta WHERE key = ?1";

    *v = LLM_NULL;

    if (llm_db_prepare(&w->db, &sql, &st, 1) != LLM_OK) {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);

    rc = llm_db_row(&w->db, st);

    if (rc == LLM_OK) {
        *v = sqlite3_column_int64(st, 0);
    }

    llm_db_finalize(&st, 1);

    return rc == LLM_ERROR ? LLM_ERROR : LLM_OK;
}
