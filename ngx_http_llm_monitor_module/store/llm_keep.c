
/*
 * Copyright (C) llm_monitor contributors
 */


#include "llm_backup.h"
#include "llm_ballast.h"
#include "llm_keep.h"
#include "llm_marks.h"
#include "llm_pack.h"
#include "llm_purge.h"


#define LLM_KEEP_MS        60000       /* between two passes */
#define LLM_KEEP_FULL_MS   1000        /* while the disk is full */
#define LLM_KEEP_SIZE_MS   100
#define LLM_KEEP_ROOM      (4 * 1024 * 1024)  /* more than the ballast */
#define LLM_KEEP_CLOCK_MS  600000      /* the clock is stored that often */

/* past max_size by this, records wait; before, they come and others go */
#define LLM_KEEP_OVER      16          /* one part in 16 of it */
#define LLM_KEEP_OVER_MIN  (16 * 1024 * 1024)

typedef enum {
    LLM_KEEP_IDLE = 0, LLM_KEEP_BODIES, LLM_KEEP_ROWS, LLM_KEEP_SIZE,
    LLM_KEEP_LEDGER, LLM_KEEP_PACK, LLM_KEEP_BLOCKS, LLM_KEEP_UNUSED,
    LLM_KEEP_PAGES, LLM_KEEP_FILES, LLM_KEEP_END
} llm_keep_stage_e;


static void llm_keep_begin(llm_keep_t *k, llm_writer_t *w);
static int llm_keep_stage(llm_keep_t *k, llm_writer_t *w);
static int llm_keep_rows(llm_keep_t *k, llm_writer_t *w);
static int llm_keep_size(llm_keep_t *k, llm_writer_t *w);
static int llm_keep_ledger(llm_keep_t *k, llm_writer_t *w);
static int llm_keep_blocks(llm_keep_t *k, llm_writer_t *w);
static int llm_keep_unused(llm_keep_t *k, llm_writer_t *w);
static int llm_keep_files(llm_keep_t *k, llm_writer_t *w);
static int llm_keep_end(llm_keep_t *k, llm_writer_t *w);
static int llm_keep_room(llm_keep_t *k, llm_writer_t *w);
static int llm_keep_clock(llm_keep_t *k, llm_writer_t *w);
static int64_t llm_keep_ballast(const llm_keep_t *k);


/* A new process knows no more than what the database was told. */

int
llm_keep_open(llm_keep_t *k, llm_writer_t *w)
{
    int64_t  ms, wall;

    k->stage = LLM_KEEP_IDLE;
    k->next_ms = 0;
    k->dict_from = 0;
    k->stored = 0;

    if (k->known) {
        return LLM_OK;
    }

    if (llm_writer_get_meta(w, "clock", &ms) != LLM_OK) {
        return LLM_ERROR;
    }

    wall = llm_wall_ms();

    if (ms == LLM_NULL
        && llm_db_int(&w->db, "SELECT coalesce(max(id), 0) FROM log", &ms)
           == LLM_OK)
    {
        ms = ms == 0 ? wall : ms >> LLM_ID_SHIFT;
    }

    llm_clock_init(&k->clock, ms < wall ? ms : wall, llm_boot_ms());
    k->known = 1;

    return LLM_OK;
}


int
llm_keep_slice(llm_keep_t *k, llm_writer_t *w)
{
    int  rc;

    if (k->stage == LLM_KEEP_IDLE && llm_control_now() >= k->next_ms) {
        llm_keep_begin(k, w);
    }

    if (llm_keep_look(k, w) != LLM_OK) {
        return LLM_ERROR;
    }

    if (k->stage == LLM_KEEP_IDLE) {
        return LLM_AGAIN;
    }

    rc = llm_keep_stage(k, w);

    if (rc == LLM_DECLINED) {
        return LLM_AGAIN;
    }

    if (rc == LLM_AGAIN) {
        k->last = 0;
        k->stage = k->stage == LLM_KEEP_END ? LLM_KEEP_IDLE : k->stage + 1;
        rc = k->stage == LLM_KEEP_IDLE ? LLM_AGAIN : LLM_OK;
    }

    return rc;
}


static void
llm_keep_begin(llm_keep_t *k, llm_writer_t *w)
{
    int  behind;

    behind = k->clock.behind;

    k->now = llm_clock_now(&k->clock, llm_wall_ms(), llm_boot_ms());
    k->stage = LLM_KEEP_BODIES;
    k->last = 0;

    if (k->clock.behind && !behind) {
        llm_db_say(&w->db, 1, "the system's time leapt ahead, or nothing was "
                   "written for long: ages follow it by a day an hour");
    }
}


/* Whatever else is done, the size comes first. */

int
llm_keep_look(llm_keep_t *k, llm_writer_t *w)
{
    int64_t  now, used, over;

    now = llm_control_now();

    if (k->max_size == 0 || now < k->size_ms) {
        return LLM_OK;
    }

    if (llm_purge_used(w, &used) != LLM_OK) {
        return LLM_ERROR;
    }

    over = k->max_size / LLM_KEEP_OVER;
    over = over > LLM_KEEP_OVER_MIN ? over : LLM_KEEP_OVER_MIN;

    k->size_ms = now + LLM_KEEP_SIZE_MS;
    k->large = used - over > k->max_size;

    /* behind it, the pass goes on, unless records wait */

    if (k->stage < LLM_KEEP_SIZE ? used > k->max_size
                                 : k->large && k->stage > LLM_KEEP_SIZE)
    {
        k->stage = LLM_KEEP_SIZE;
        k->last = 0;
    }

    return LLM_OK;
}


/* LLM_AGAIN: it is done; LLM_DECLINED: it has to wait. */

static int
llm_keep_stage(llm_keep_t *k, llm_writer_t *w)
{
    switch (k->stage) {

    case LLM_KEEP_BODIES:

        if (k->bodies_s == 0) {
            return LLM_AGAIN;
        }

        return llm_purge_bodies(w, (k->now - k->bodies_s * 1000)
                                   << LLM_ID_SHIFT, 0);

    case LLM_KEEP_ROWS:
        return llm_keep_rows(k, w);

    case LLM_KEEP_SIZE:
        return llm_keep_size(k, w);

    case LLM_KEEP_LEDGER:
        return llm_keep_ledger(k, w);

    case LLM_KEEP_PACK:
        return k->full ? LLM_AGAIN : llm_pack_slice(w, k->now);

    case LLM_KEEP_BLOCKS:
        return k->full ? LLM_AGAIN : llm_keep_blocks(k, w);

    case LLM_KEEP_UNUSED:
        return llm_keep_unused(k, w);

    case LLM_KEEP_PAGES:
        return llm_purge_pages(w, k->full);

    case LLM_KEEP_FILES:
        return llm_keep_files(k, w);

    default: /* LLM_KEEP_END */
        return llm_keep_end(k, w);
    }
}


static int
llm_keep_rows(llm_keep_t *k, llm_writer_t *w)
{
    int          rc;
    llm_purge_t  rows;

    if (k->retention_s == 0) {
        return LLM_AGAIN;
    }

    llm_purge_init(&rows);
    rows.seq = w->seq;
    rows.last = k->last;
    rows.reason = LLM_DELETED_AGE;
    rows.below = (k->now - k->retention_s * 1000) << LLM_ID_SHIFT;

    rc = llm_purge_rows(w, &rows);

    k->last = rows.last;

    return rc;
}


/* Bodies first, and of both the oldest. */

static int
llm_keep_size(llm_keep_t *k, llm_writer_t *w)
{
    int          rc;
    int64_t      used, enough;
    llm_purge_t  rows;

    if (k->max_size == 0) {
        return LLM_AGAIN;
    }

    if (llm_purge_used(w, &used) != LLM_OK) {
        return LLM_ERROR;
    }

    if (used <= k->max_size) {
        k->large = 0;
        return LLM_AGAIN;
    }

    enough = used - k->max_size;

    rc = llm_purge_bodies(w, INT64_MAX, enough);

    if (rc != LLM_AGAIN) {
        return rc;
    }

    llm_purge_init(&rows);
    rows.seq = w->seq;
    rows.last = k->last;
    rows.enough = enough;
    rows.reason = LLM_DELETED_SIZE;

    rc = llm_purge_rows(w, &rows);

    k->last = rows.last;

    if (rc == LLM_AGAIN) {

        /* what is left goes by its own age only */

        llm_db_say(&w->db, 1, "max_size is too small for the sums alone");
        k->large = 0;
        k->size_ms = llm_control_now() + LLM_KEEP_MS;
    }

    return rc;
}


static int
llm_keep_ledger(llm_keep_t *k, llm_writer_t *w)
{
    if (k->stats_s == 0) {
        return LLM_AGAIN;
    }

    return llm_purge_ledger(w, k->now - k->stats_s * 1000,
                            k->now - LLM_FINE_MS);
}


static int
llm_keep_blocks(llm_keep_t *k, llm_writer_t *w)
{
    int  rc;

    if (llm_writer_begin(w) != LLM_OK) {
        return LLM_ERROR;
    }

    rc = llm_blocks_make(&w->blocks, k->now, LLM_PURGE_MS);

    if (rc == LLM_ERROR || llm_writer_commit(w) != LLM_OK) {
        llm_writer_rollback(w);
        return LLM_ERROR;
    }

    return rc;
}


static int
llm_keep_unused(llm_keep_t *k, llm_writer_t *w)
{
    if (llm_purge_unused(w, &k->dict_from) != LLM_OK) {
        return LLM_ERROR;
    }

    return k->dict_from == 0 ? LLM_AGAIN : LLM_OK;
}


static int
llm_keep_files(llm_keep_t *k, llm_writer_t *w)
{
    llm_backup_sweep(w->db.dir);

    if (k->full) {
        return LLM_AGAIN;
    }

    if (!k->scanned) {
        return LLM_DECLINED;
    }

    llm_purge_files(w, k->now);

    return llm_marks_sweep(w, k->ring) == LLM_OK ? LLM_AGAIN : LLM_ERROR;
}


static int
llm_keep_end(llm_keep_t *k, llm_writer_t *w)
{
    k->next_ms = llm_control_now() + LLM_KEEP_MS;

    if (k->full && llm_keep_room(k, w) != LLM_OK) {
        k->next_ms = llm_control_now() + LLM_KEEP_FULL_MS;
        return LLM_AGAIN;
    }

    (void) llm_ballast_make(w->db.dir, llm_keep_ballast(k));

    return llm_keep_clock(k, w);
}


/*
 * What was deleted is room within the database already; here it is about that
 * of the disk.  The ballast must be there again before records are written:
 * a quota is known by its being refused alone.
 */

static int
llm_keep_room(llm_keep_t *k, llm_writer_t *w)
{
    int  left;

    if (llm_db_checkpoint(&w->db, SQLITE_CHECKPOINT_TRUNCATE, &left)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (llm_ballast_room(w->db.dir) < k->ballast + LLM_KEEP_ROOM
        || llm_ballast_make(w->db.dir, llm_keep_ballast(k)) == LLM_FULL)
    {
        return LLM_FULL;
    }

    k->full = 0;
    k->ballast = 0;

    llm_db_say(&w->db, 2, "the disk has room again");

    return LLM_OK;
}


static int
llm_keep_clock(llm_keep_t *k, llm_writer_t *w)
{
    if (k->now >= k->stored && k->now - k->stored < LLM_KEEP_CLOCK_MS) {
        return LLM_AGAIN;
    }

    if (llm_writer_begin(w) != LLM_OK) {
        return LLM_ERROR;
    }

    if (llm_writer_set_meta(w, "clock", k->now) != LLM_OK
        || llm_writer_commit(w) != LLM_OK)
    {
        llm_writer_rollback(w);
        return LLM_ERROR;
    }

    k->stored = k->now;

    return LLM_AGAIN;
}


static int64_t
llm_keep_ballast(const llm_keep_t *k)
{
    int64_t  size;

    size = k->max_size > 0 ? k->max_size / 64 : LLM_BALLAST_MAX;

    if (size < LLM_BALLAST_MIN) {
        return LLM_BALLAST_MIN;
    }

    return size < LLM_BALLAST_MAX ? size : LLM_BALLAST_MAX;
}


/* Without room SQLite fails in more ways than one. */

void
llm_keep_failed(llm_keep_t *k, llm_writer_t *w)
{
    int64_t  room;

    if ((w->db.code & 0xff) != SQLITE_FULL) {
        room = llm_ballast_room(w->db.dir);

        if (room == -1 || room >= LLM_BALLAST_MIN) {
            return;
        }
    }

    if (!k->full) {
        llm_db_say(&w->db, 0, "the disk is full: records wait until there is "
                   "room, what is too old is deleted");
    }

    k->full = 1;
    k->stage = LLM_KEEP_IDLE;
    k->next_ms = 0;
    k->ballast += llm_ballast_drop(w->db.dir);
}


int
llm_keep_held(const llm_keep_t *k)
{
    return k->full || k->large;
}
