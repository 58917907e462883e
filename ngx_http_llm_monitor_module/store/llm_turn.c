
/*
 * Copyright (C) llm_monitor contributors
 */


#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "llm_frames.h"
#include "llm_turn.h"


#define LLM_TURN_BACKOFF_MS     100        /* doubles up to */
#define LLM_TURN_BACKOFF_MAX    2000
#define LLM_TURN_SCAN_MS        1000
#define LLM_TURN_CHECKPOINT_MS  10000
#define LLM_TURN_URGENT_MS      1000       /* then all else has a turn */

/* SQLite before it loses commits if two connections race a WAL reset */
#define LLM_TURN_WAL_RESET      3051003


static int llm_turn_awaited(void *data);
static void llm_turn_high(llm_turn_t *t);
static void llm_turn_idle(llm_turn_t *t);
static int llm_turn_ready(llm_turn_t *t);
static int llm_turn_wal(llm_turn_t *t);
static int llm_turn_open(llm_turn_t *t);
static int llm_turn_recording(llm_turn_t *t);
static void llm_turn_close(llm_turn_t *t);
static void llm_turn_failed(llm_turn_t *t);
static void llm_turn_tell(llm_turn_t *t);
static int llm_turn_records(llm_turn_t *t);
static int llm_turn_others(llm_turn_t *t);
static int llm_turn_checkpoint(llm_turn_t *t);
static int llm_turn_never(void *data);


int
llm_turn_init(llm_turn_t *t, const llm_drain_conf_t *conf,
    int (*stop)(void *data), void *stop_data)
{
    llm_db_t  *db;

    memset(t, 0, sizeof(llm_turn_t));

    db = &t->writer.db;
    t->writer.spool_fd = -1;

    t->dir = strdup(conf->dir);
    t->ring_dir = strdup(conf->ring_dir);

    if (t->dir == NULL || t->ring_dir == NULL
        || strlen(conf->dir) >= sizeof(db->dir))
    {
        return LLM_ERROR;
    }

    (void) snprintf(db->dir, sizeof(db->dir), "%s", conf->dir);
    db->synchronous = conf->synchronous == 1 ? 1 : 2;
    db->log = conf->log;
    db->log_data = conf->log_data;

    t->writer.control = conf->control;
    t->writer.feed = conf->feed;
    t->ring = conf->ring;
    t->keep.retention_s = conf->retention_s;
    t->keep.bodies_s = conf->bodies_s;
    t->keep.stats_s = conf->stats_s;
    t->keep.max_size = conf->max_size;
    t->keep.ring = llm_ring_identity(conf->ring);
    t->stop = stop;
    t->stop_data = stop_data;

    t->source.w = &t->writer;
    t->source.own = conf->ring;
    t->source.dir = t->dir;
    t->source.ring_dir = t->ring_dir;
    t->source.awaited = llm_turn_awaited;
    t->source.awaited_data = t;

    t->commander.w = &t->writer;
    t->commander.source = &t->source;
    t->commander.prices = conf->prices;

    llm_control_recover(conf->control);
    llm_ring_set_in_hand(conf->ring, 0);

    __atomic_store_n(&conf->control->writer_pid, getpid(), __ATOMIC_RELEASE);

    if (sqlite3_libversion_number() < LLM_TURN_WAL_RESET) {
        llm_db_say(db, 2, "SQLite %s may lose commits if two connections "
                   "write or checkpoint: let nothing else write to \"%s\"",
                   sqlite3_libversion(), LLM_SCHEMA_FILE);
    }

    return LLM_OK;
}


/* Who asked the writer for something, or to go, waits for its batch. */

static int
llm_turn_awaited(void *data)
{
    llm_turn_t  *t = data;

    return t->ending
           || t->commander.cmd != NULL
           || llm_control_waiting(t->writer.control)
           || t->stop(t->stop_data);
}


void
llm_turn_done(llm_turn_t *t)
{
    if (t->writer.spool_fd != -1) {
        (void) close(t->writer.spool_fd);
    }

    free(t->dir);
    free(t->ring_dir);
}


void
llm_turn(llm_turn_t *t)
{
    int  rc;

    __atomic_store_n(&t->writer.control->writer_beat_ms, llm_control_now(),
                     __ATOMIC_RELAXED);

    if (llm_turn_ready(t) != LLM_OK) {
        return;
    }

    llm_turn_high(t);

    rc = llm_turn_records(t);

    if (rc == LLM_AGAIN) {
        return;
    }

    if (rc != LLM_OK
        || llm_turn_checkpoint(t) != LLM_OK)
    {
        llm_turn_failed(t);
        return;
    }

    llm_turn_tell(t);
    llm_turn_idle(t);
}


static void
llm_turn_high(llm_turn_t *t)
{
    uint64_t  used, room;

    llm_ring_usage(t->ring, &used, &room);

    if (used > t->writer.control->ring_high) {
        __atomic_store_n(&t->writer.control->ring_high, used,
                         __ATOMIC_RELAXED);
    }
}


/* A turn that was not stopped has written all that there was at its begin. */

static void
llm_turn_idle(llm_turn_t *t)
{
    if (!t->stop(t->stop_data)) {
        __atomic_store_n(&t->writer.control->idle_ms,
                         t->writer.control->writer_beat_ms, __ATOMIC_RELAXED);
    }
}


/* The file that is open must be the one that people see. */

static int
llm_turn_ready(llm_turn_t *t)
{
    if (llm_control_now() < t->retry_ms) {
        return LLM_AGAIN;
    }

    if (t->open && llm_db_check(&t->writer.db) != LLM_OK) {
        llm_db_say(&t->writer.db, 0, "database \"%s\" was deleted or replaced,"
                   " opening it again", t->writer.db.path);

        llm_turn_close(t);
    }

    if ((t->open && llm_turn_wal(t) != LLM_OK)
        || (!t->open && llm_turn_open(t) != LLM_OK))
    {
        llm_turn_failed(t);
        return LLM_ERROR;
    }

    return LLM_OK;
}


/*
 * A -wal that was deleted is good for this process alone.  What is in it goes
 * to the database, and only when none of it is needed, nor anybody can take it
 * for the new one's, that one is begun.
 */

static int
llm_turn_wal(llm_turn_t *t)
{
    int        left;
    llm_db_t  *db;

    db = &t->writer.db;

    if (!llm_db_wal_lost(db)) {
        return LLM_OK;
    }

    llm_db_say(db, 0, "write-ahead log of \"%s\" was deleted or replaced, "
               "opening it again", db->path);

    if (llm_db_checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE, &left) != LLM_OK) {
        return LLM_ERROR;
    }

    if (left == 0) {
        llm_turn_close(t);
    }

    return LLM_OK;
}


static int
llm_turn_open(llm_turn_t *t)
{
    llm_writer_spool(&t->writer);

    if (llm_writer_open(&t->writer) != LLM_OK) {
        return LLM_ERROR;
    }

    t->open = 1;
    t->scan_ms = 0;

    if (llm_turn_recording(t) != LLM_OK
        || llm_source_recover(&t->source) != LLM_OK
        || llm_keep_open(&t->keep, &t->writer) != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (t->opened) {
        t->writer.control->db_reopened++;
    }

    t->opened = 1;

    return LLM_OK;
}


/*
 * The flag of a zone that is new comes from the database; a new database gets
 * the zone's.
 */

static int
llm_turn_recording(llm_turn_t *t)
{
    int64_t         on;
    llm_writer_t   *w;
    llm_control_t  *control;

    w = &t->writer;
    control = w->control;

    if (llm_writer_get_meta(w, "recording", &on) != LLM_OK
        || llm_writer_get_meta(w, "recording_ms", &w->changed_ms) != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (on != LLM_NULL) {
        w->recording = on != 0;
        __atomic_store_n(&control->recorded, w->recording, __ATOMIC_RELEASE);

        if (!t->opened) {
            __atomic_store_n(&control->recording, w->recording,
                             __ATOMIC_RELEASE);
        }

        return LLM_OK;
    }

    on = __atomic_load_n(&control->recording, __ATOMIC_ACQUIRE) != 0;
    __atomic_store_n(&control->recording, on, __ATOMIC_RELEASE);

    if (llm_writer_set_meta(w, "recording", on) != LLM_OK) {
        return LLM_ERROR;
    }

    w->recording = (int) on;
    __atomic_store_n(&control->recorded, on, __ATOMIC_RELEASE);

    return LLM_OK;
}


static void
llm_turn_close(llm_turn_t *t)
{
    if (!t->open) {
        return;
    }

    llm_command_abort(&t->commander, "the database was closed");

    if (llm_db_check(&t->writer.db) == LLM_OK) {
        llm_writer_close(&t->writer);

    } else {
        llm_writer_abandon(&t->writer);
    }

    t->open = 0;
}


/*
 * Nothing was released, so it all comes again.  After an I/O error the pages
 * in memory are not to be trusted, and a new connection starts from the file;
 * a full disk or a lock of another process only needs time.
 */

static void
llm_turn_failed(llm_turn_t *t)
{
    int  code, broken;

    if (t->open && llm_db_check(&t->writer.db) != LLM_OK) {

        /* no failure of its own: the next turn opens what is there */

        return;
    }

    code = t->writer.db.code & 0xff;
    broken = llm_db_broken(&t->writer.db);

    llm_keep_failed(&t->keep, &t->writer);

    __atomic_store_n(&t->writer.control->db_up, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&t->writer.control->db_error, t->writer.db.code,
                     __ATOMIC_RELAXED);

    if (code != SQLITE_FULL && code != SQLITE_BUSY && code != SQLITE_LOCKED) {
        llm_turn_close(t);

        if (broken && t->writer.db.path[0] != '\0') {
            llm_db_aside(&t->writer.db, "corrupt");
        }
    }

    t->backoff_ms = t->backoff_ms == 0 ? LLM_TURN_BACKOFF_MS
                                       : 2 * t->backoff_ms;

    if (t->backoff_ms > LLM_TURN_BACKOFF_MAX) {
        t->backoff_ms = LLM_TURN_BACKOFF_MAX;
    }

    t->retry_ms = llm_control_now() + t->backoff_ms;

    llm_turn_tell(t);
}


static void
llm_turn_tell(llm_turn_t *t)
{
    int64_t         file, wal;
    llm_control_t  *c;

    c = t->writer.control;

    c->db_errors += t->writer.db.errors - t->errors;
    llm_metrics_add(&c->errors[llm_control_error(t->writer.db.code)],
                    t->writer.db.errors - t->errors);
    t->errors = t->writer.db.errors;

    c->db_moved_aside += t->writer.db.moved_aside;
    t->writer.db.moved_aside = 0;

    c->batches += t->source.batches;
    t->source.batches = 0;

    llm_db_sizes(&t->writer.db, &file, &wal);

    __atomic_store_n(&c->db_bytes, file, __ATOMIC_RELAXED);
    __atomic_store_n(&c->wal_bytes, wal, __ATOMIC_RELAXED);

    if (t->open && !t->keep.full && t->retry_ms <= llm_control_now()) {
        t->backoff_ms = 0;
        __atomic_store_n(&c->db_up, 1, __ATOMIC_RELAXED);
    }
}


/*
 * The own ring, and between its batches what was asked, large bodies, what is
 * too old, and other rings.  LLM_AGAIN: the database must be opened again.
 */

static int
llm_turn_records(llm_turn_t *t)
{
    int  rc, held, more;

    do {
        more = 0;

        /* not one batch more into a file that nobody sees */

        if (llm_db_check(&t->writer.db) != LLM_OK) {
            return LLM_AGAIN;
        }

        held = llm_keep_held(&t->keep);
        rc = held ? LLM_AGAIN : llm_source_own(&t->source);

        if (rc == LLM_ERROR) {
            return LLM_ERROR;
        }

        more |= rc == LLM_OK;

        rc = llm_command_slice(&t->commander);

        if (rc == LLM_ERROR) {
            return LLM_ERROR;
        }

        more |= rc == LLM_OK;

        if (t->writer.storing && !held) {
            rc = llm_frames_slice(&t->writer);

            if (rc == LLM_ERROR) {
                return LLM_ERROR;
            }

            more |= rc == LLM_OK;
        }

        if (llm_turn_others(t) != LLM_OK) {
            return LLM_ERROR;
        }

        rc = llm_keep_slice(&t->keep, &t->writer);

        if (rc == LLM_ERROR || llm_turn_checkpoint(t) != LLM_OK) {
            return LLM_ERROR;
        }

        more |= rc == LLM_OK;

    } while (more && !t->stop(t->stop_data)
             && !llm_db_wal_lost(&t->writer.db));

    return LLM_OK;
}


static int
llm_turn_others(llm_turn_t *t)
{
    int64_t  now;

    now = llm_control_now();

    t->keep.scanned = 0;

    if (now < t->scan_ms || llm_keep_held(&t->keep) || t->stop(t->stop_data)) {
        return LLM_OK;
    }

    /* it may be another directory by now */

    llm_writer_spool(&t->writer);

    if (llm_source_rings(&t->source, t->stop, t->stop_data) != LLM_OK
        || llm_source_segments(&t->source, t->stop, t->stop_data) != LLM_OK)
    {
        return LLM_ERROR;
    }

    t->scan_ms = llm_control_now() + LLM_TURN_SCAN_MS;
    t->keep.scanned = !t->stop(t->stop_data);

    return LLM_OK;
}


static int
llm_turn_checkpoint(llm_turn_t *t)
{
    int64_t  now;

    now = llm_control_now();

    if (t->writer.wal_failed) {
        return llm_writer_checkpoint(&t->writer);
    }

    if (now < t->checkpoint_ms || t->writer.db.wal_pages == 0) {
        return LLM_OK;
    }

    t->checkpoint_ms = now + LLM_TURN_CHECKPOINT_MS;

    return llm_writer_checkpoint(&t->writer);
}


/*
 * The ring fills up: its records alone for a while, or the room for them, if
 * they wait for that.
 */

void
llm_turn_urgent(llm_turn_t *t)
{
    int       rc;
    int64_t   end;
    uint64_t  used, room;

    if (llm_turn_ready(t) != LLM_OK || t->keep.full) {
        return;
    }

    end = llm_control_now() + LLM_TURN_URGENT_MS;

    do {
        if (llm_db_check(&t->writer.db) != LLM_OK) {
            return;
        }

        rc = llm_keep_held(&t->keep) ? llm_keep_slice(&t->keep, &t->writer)
                                     : llm_source_own(&t->source);

        if (rc == LLM_ERROR || llm_turn_checkpoint(t) != LLM_OK
            || llm_keep_look(&t->keep, &t->writer) != LLM_OK)
        {
            llm_turn_failed(t);
            return;
        }

        llm_ring_usage(t->ring, &used, &room);

    } while (rc == LLM_OK && used > room / 4 && llm_control_now() < end);

    llm_turn_tell(t);
}


void
llm_turn_end(llm_turn_t *t, int64_t deadline)
{
    int             left;
    int64_t         pid;
    llm_control_t  *c;

    c = t->writer.control;
    pid = getpid();

    t->stop = llm_turn_never;
    t->ending = 1;

    while (llm_control_now() < deadline
           && llm_turn_ready(t) == LLM_OK
           && !llm_keep_held(&t->keep))
    {
        switch (llm_source_own(&t->source)) {

        case LLM_OK:
            continue;

        case LLM_ERROR:
            llm_turn_failed(t);
        }

        break;
    }

    llm_command_abort(&t->commander, "the writer process ends");

    if (t->open && deadline != 0 && llm_db_check(&t->writer.db) == LLM_OK) {
        (void) llm_db_checkpoint(&t->writer.db, SQLITE_CHECKPOINT_PASSIVE,
                                 &left);
    }

    llm_turn_tell(t);
    llm_turn_close(t);

    (void) __atomic_compare_exchange_n(&c->writer_pid, &pid, 0, 0,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}


static int
llm_turn_never(void *data)
{
    return 0;
}
