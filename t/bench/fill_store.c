
/*
 * Copyright (C) llm_monitor contributors
 */


#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../ngx_http_llm_monitor_module/store/llm_pack.h"
#include "../../ngx_http_llm_monitor_module/store/llm_purge.h"
#include "fill_store.h"


#define FILL_BATCH        20000
#define FILL_BATCH_BYTES  (64 * 1024 * 1024)
#define FILL_BLOCKS_MS    1000         /* of one transaction */
#define FILL_SUMS         "sums"       /* directory, until the end */
#define FILL_SAY_STEPS    10000        /* of SQLite's machine */


static int fill_store_lock(const char *dir);
static int fill_store_database(llm_writer_t *w, llm_control_t *control,
    const char *dir);
static int fill_store_slot(fill_store_t *s);
static int fill_store_hand(fill_store_t *s);
static int fill_store_commit(fill_store_t *s);
static void *fill_store_thread(void *data);
static fill_slot_t *fill_store_next(fill_store_t *s);
static void fill_store_free(fill_store_t *s, int rc);
static int fill_store_rows(fill_store_t *s, fill_slot_t *slot);
static int fill_store_blocks(llm_writer_t *w, int64_t now);
static int fill_store_join(fill_store_t *s);
static int fill_store_move(fill_store_t *s);
static double fill_store_cpu(void);
static void fill_store_log(void *data, int level, const char *text);


/* what the half that counts has written, into tables that are empty */

static const char  fill_store_moves[] =

"BEGIN;"
"INSERT INTO main.dict SELECT * FROM sums.dict;"
"INSERT INTO main.session SELECT * FROM sums.session;"
"INSERT INTO main.service_minute SELECT * FROM sums.service_minute;"
"INSERT INTO main.service SELECT * FROM sums.service;"
"INSERT INTO main.who SELECT * FROM sums.who;"
"INSERT INTO main.series SELECT * FROM sums.series;"
"INSERT INTO main.health SELECT * FROM sums.health;"
"INSERT INTO main.packed SELECT * FROM sums.packed;"
"INSERT INTO main.meta SELECT * FROM sums.meta WHERE key != 'seq';"
"COMMIT;"
"DETACH sums;";


int
fill_store_open(fill_store_t *s, const char *dir)
{
    int   rc;
    char  path[4200];

    if (fill_store_lock(dir) != LLM_OK) {
        return LLM_ERROR;
    }

    snprintf(path, sizeof(path), "%s/" FILL_SUMS, dir);

    if (mkdir(path, 0700) == -1) {
        fprintf(stderr, "fill: %s: %s\n", path, strerror(errno));
        return LLM_ERROR;
    }

    if (fill_store_database(&s->rows, &s->rows_control, dir) != LLM_OK
        || fill_store_database(&s->sums, &s->sums_control, path) != LLM_OK)
    {
        return LLM_ERROR;
    }

    /* minutes that are not kept so long need not be counted */

    s->sums.ledger.fine = llm_wall_ms() - LLM_FINE_MS;

    s->most = FILL_BATCH;
    s->slots = calloc(FILL_SLOTS, sizeof(fill_slot_t));

    if (s->slots == NULL) {
        return LLM_ERROR;
    }

    (void) pthread_mutex_init(&s->lock, NULL);
    (void) pthread_cond_init(&s->wake, NULL);

    rc = pthread_create(&s->thread, NULL, fill_store_thread, s);

    if (rc != 0) {
        fprintf(stderr, "fill: pthread_create() failed: %s\n", strerror(rc));
        return LLM_ERROR;
    }

    return fill_store_slot(s);
}


/* The directory is made, has no database, and is nobody else's. */

static int
fill_store_lock(const char *dir)
{
    int   fd;
    char  path[4200];

    snprintf(path, sizeof(path), "%s/" LLM_SCHEMA_FILE, dir);

    if (mkdir(dir, 0700) == -1 && errno != EEXIST) {
        fprintf(stderr, "fill: %s: %s\n", dir, strerror(errno));
        return LLM_ERROR;
    }

    if (access(path, F_OK) == 0) {
        fprintf(stderr, "fill: %s is already there\n", path);
        return LLM_ERROR;
    }

    snprintf(path, sizeof(path), "%s/writer.lock", dir);

    fd = open(path, O_RDWR|O_CREAT|O_CLOEXEC, 0600);

    if (fd == -1 || flock(fd, LOCK_EX|LOCK_NB) == -1) {
        fprintf(stderr, "fill: %s: %s\n", path, strerror(errno));
        return LLM_ERROR;
    }

    return LLM_OK;
}


/*
 * Nothing is synced and nothing is logged ahead: what is half filled is worth
 * nothing.
 */

static int
fill_store_database(llm_writer_t *w, llm_control_t *control, const char *dir)
{
    llm_control_init(control);

    w->control = control;
    w->spool_fd = -1;
    w->db.synchronous = 2;
    w->db.log = fill_store_log;

    snprintf(w->db.dir, sizeof(w->db.dir), "%s", dir);

    if (llm_writer_open(w) != LLM_OK) {
        return LLM_ERROR;
    }

    (void) sqlite3_db_config(w->db.handle, SQLITE_DBCONFIG_DEFENSIVE, 0,
                             NULL);

    if (llm_db_exec(&w->db, "PRAGMA locking_mode = EXCLUSIVE;"
                    "PRAGMA journal_mode = OFF;"
                    "PRAGMA synchronous = OFF;"
                    "PRAGMA cache_size = -200000;")
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    return llm_writer_begin(w);
}


int
fill_store_add(fill_store_t *s, const fill_exchange_t *x)
{
    fill_row_t   *row;
    fill_slot_t  *slot;

    slot = s->slot;

    if (slot->n == FILL_SLOT_ROWS
        || slot->room.end - slot->room.pos < FILL_ROOM_MAX)
    {
        if (fill_store_hand(s) != LLM_OK) {
            return LLM_ERROR;
        }

        slot = s->slot;
    }

    row = &slot->rows[slot->n++];

    fill_record(x, &row->record, &slot->room);

    if (llm_writer_count(&s->sums, &row->record, LLM_WRITE_ROW, &row->row)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    s->now = x->ms;
    s->bytes += row->record.str[LLM_S_REQUEST_BODY].len
                + row->record.str[LLM_S_RESPONSE_BODY].len;

    if (++s->batch < s->most && s->bytes < FILL_BATCH_BYTES) {
        return LLM_OK;
    }

    if (fill_store_commit(s) != LLM_OK) {
        return LLM_ERROR;
    }

    return llm_writer_begin(&s->sums);
}


/* Waits for a slot that is free. */

static int
fill_store_slot(fill_store_t *s)
{
    int           failed;
    fill_slot_t  *slot;

    (void) pthread_mutex_lock(&s->lock);

    while (s->filled - s->stored == FILL_SLOTS && !s->failed) {
        (void) pthread_cond_wait(&s->wake, &s->lock);
    }

    failed = s->failed;
    slot = &s->slots[s->filled % FILL_SLOTS];

    (void) pthread_mutex_unlock(&s->lock);

    slot->n = 0;
    slot->commit = 0;
    slot->blocks_ms = 0;
    slot->room.pos = slot->texts;
    slot->room.end = slot->texts + FILL_SLOT_ROOM;

    s->slot = slot;

    return failed ? LLM_ERROR : LLM_OK;
}


static int
fill_store_hand(fill_store_t *s)
{
    (void) pthread_mutex_lock(&s->lock);

    s->filled++;

    (void) pthread_cond_signal(&s->wake);
    (void) pthread_mutex_unlock(&s->lock);

    return fill_store_slot(s);
}


/*
 * Of both halves.  The ledger's minutes are as short-lived as under nginx,
 * copies and blocks are made.
 */

static int
fill_store_commit(fill_store_t *s)
{
    int  over;

    over = s->now / fill_day_ms != s->day;

    s->day = s->now / fill_day_ms;
    s->batch = 0;
    s->bytes = 0;
    s->slot->commit = 1;
    s->slot->blocks_ms = over ? s->now : 0;

    if (fill_store_hand(s) != LLM_OK
        || llm_writer_commit(&s->sums) != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (!over) {
        return LLM_OK;
    }

    while (llm_purge_ledger(&s->sums, 0, llm_wall_ms() - LLM_FINE_MS)
           == LLM_OK)
    {
        /* void */
    }

    while (llm_pack_slice(&s->sums, s->now) == LLM_OK) {
        /* void */
    }

    return s->sums.in_batch ? LLM_ERROR : LLM_OK;
}


static void *
fill_store_thread(void *data)
{
    int            rc;
    fill_slot_t   *slot;
    fill_store_t  *s = data;

    rc = LLM_OK;

    while (rc == LLM_OK && (slot = fill_store_next(s)) != NULL) {
        rc = fill_store_rows(s, slot);
        fill_store_free(s, rc);
    }

    s->storing_s = fill_store_cpu();

    return NULL;
}


/* Waits for a slot with rows; NULL: there are no more. */

static fill_slot_t *
fill_store_next(fill_store_t *s)
{
    fill_slot_t  *slot;

    (void) pthread_mutex_lock(&s->lock);

    while (s->filled == s->stored && !s->done) {
        (void) pthread_cond_wait(&s->wake, &s->lock);
    }

    slot = s->filled != s->stored ? &s->slots[s->stored % FILL_SLOTS] : NULL;

    (void) pthread_mutex_unlock(&s->lock);

    return slot;
}


static void
fill_store_free(fill_store_t *s, int rc)
{
    (void) pthread_mutex_lock(&s->lock);

    s->stored++;
    s->failed = rc != LLM_OK;

    (void) pthread_cond_signal(&s->wake);
    (void) pthread_mutex_unlock(&s->lock);
}


static int
fill_store_rows(fill_store_t *s, fill_slot_t *slot)
{
    int          i;
    fill_row_t  *row;

    for (i = 0; i < slot->n; i++) {
        row = &slot->rows[i];

        if (llm_writer_row(&s->rows, &row->record, &row->row) != LLM_OK) {
            fprintf(stderr, "fill: a row failed\n");
            return LLM_ERROR;
        }

        llm_insert_done(&row->row);
    }

    if (!slot->commit) {
        return LLM_OK;
    }

    if (llm_writer_commit(&s->rows) != LLM_OK
        || (slot->blocks_ms != 0
            && fill_store_blocks(&s->rows, slot->blocks_ms) != LLM_OK))
    {
        return LLM_ERROR;
    }

    return llm_writer_begin(&s->rows);
}


static int
fill_store_blocks(llm_writer_t *w, int64_t now)
{
    int  rc;

    do {
        if (llm_writer_begin(w) != LLM_OK) {
            return LLM_ERROR;
        }

        rc = llm_blocks_make(&w->blocks, now, FILL_BLOCKS_MS);

        if (llm_writer_commit(w) != LLM_OK) {
            return LLM_ERROR;
        }

    } while (rc == LLM_OK);

    return rc == LLM_AGAIN ? LLM_OK : LLM_ERROR;
}


int
fill_store_end(fill_store_t *s, int (*say)(void *data), void *data)
{
    llm_db_t  *db;

    db = &s->rows.db;

    if (fill_store_commit(s) != LLM_OK || fill_store_join(s) != LLM_OK) {
        return LLM_ERROR;
    }

    s->counting_s = fill_store_cpu();

    sqlite3_progress_handler(db->handle, FILL_SAY_STEPS, say, data);

    if (fill_store_move(s) != LLM_OK
        || llm_db_exec(db, "PRAGMA incremental_vacuum;"
                       "PRAGMA locking_mode = NORMAL;"
                       "PRAGMA journal_mode = WAL;")
           != LLM_OK)
    {
        return LLM_ERROR;
    }

    llm_writer_close(&s->rows);

    s->moving_s = fill_store_cpu() - s->counting_s;

    (void) pthread_cond_destroy(&s->wake);
    (void) pthread_mutex_destroy(&s->lock);

    free(s->slots);

    return LLM_OK;
}


static int
fill_store_join(fill_store_t *s)
{
    (void) pthread_mutex_lock(&s->lock);

    s->done = 1;

    (void) pthread_cond_signal(&s->wake);
    (void) pthread_mutex_unlock(&s->lock);

    (void) pthread_join(s->thread, NULL);

    return s->failed ? LLM_ERROR : llm_writer_commit(&s->rows);
}


/*
 * Tables that are the same on both sides are copied row by row as they are,
 * their indexes likewise.
 */

static int
fill_store_move(fill_store_t *s)
{
    char  path[sizeof(s->sums.db.path)], sql[2 * sizeof(path)];

    memcpy(path, s->sums.db.path, sizeof(path));
    llm_writer_close(&s->sums);

    sqlite3_snprintf(sizeof(sql), sql, "ATTACH %Q AS sums", path);

    if (llm_db_exec(&s->rows.db, sql) != LLM_OK
        || llm_db_exec(&s->rows.db, fill_store_moves) != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (unlink(path) == -1 || rmdir(s->sums.db.dir) == -1) {
        fprintf(stderr, "fill: %s: %s\n", path, strerror(errno));
        return LLM_ERROR;
    }

    return LLM_OK;
}


static double
fill_store_cpu(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static void
fill_store_log(void *data, int level, const char *text)
{
    if (level == 0) {
        fprintf(stderr, "%s\n", text);
    }
}
