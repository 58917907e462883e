
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_command.h"


typedef enum {
    LLM_CLEAR_MARK = 0,          /* rows and sums are apart from now on */
    LLM_CLEAR_RING,              /* what was finished before comes first */
    LLM_CLEAR_ROWS,
    LLM_CLEAR_LEDGER,
    LLM_CLEAR_FORGET,            /* no text of it stays in the file */
    LLM_CLEAR_PAGES
} llm_clear_stage_e;


static int llm_command_start(llm_commander_t *c);
static int llm_command_recording(llm_commander_t *c);
static int llm_command_clear_start(llm_commander_t *c);
static int llm_command_clear(llm_commander_t *c);
static int llm_command_mark(llm_commander_t *c);
static int llm_command_forget(llm_commander_t *c);
static int llm_command_ring(llm_commander_t *c);
static int llm_command_reprice_start(llm_commander_t *c);
static int llm_command_reprice(llm_commander_t *c);
static int llm_command_filter(llm_commander_t *c);
static int llm_command_backup(llm_commander_t *c);
static int llm_command_never(void *data);
static void llm_command_end(llm_commander_t *c, int state, int64_t result,
    const char *error);


int
llm_command_slice(llm_commander_t *c)
{
    if (c->cmd == NULL) {
        c->cmd = llm_control_next(c->w->control);

        if (c->cmd == NULL) {
            return LLM_AGAIN;
        }

        return llm_command_start(c);
    }

    switch (c->cmd->op) {

    case LLM_COMMAND_RECORDING:
        return llm_command_recording(c);

    case LLM_COMMAND_REPRICE:
        return llm_command_reprice(c);

    case LLM_COMMAND_BACKUP:
        return llm_command_backup(c);

    default: /* LLM_COMMAND_CLEAR */
        return llm_command_clear(c);
    }
}


static int
llm_command_start(llm_commander_t *c)
{
    switch (c->cmd->op) {

    case LLM_COMMAND_RECORDING:

        if (c->cmd->len == 1) {
            return llm_command_recording(c);
        }

        break;

    case LLM_COMMAND_CLEAR:
        return llm_command_clear_start(c);

    case LLM_COMMAND_REPRICE:
        return llm_command_reprice_start(c);

    case LLM_COMMAND_BACKUP:

        if (llm_backup_start(&c->backup, &c->w->db, c->cmd->args,
                             c->cmd->len)
            != LLM_OK)
        {
            llm_command_end(c, LLM_COMMAND_FAILED, 0, c->backup.error);
        }

        return LLM_OK;
    }

    llm_command_end(c, LLM_COMMAND_FAILED, 0, "the writer knows no such "
                    "command");

    return LLM_OK;
}


static int
llm_command_recording(llm_commander_t *c)
{
    int      on;
    int64_t  ms;

    on = c->cmd->args[0] != 0;

    __atomic_store_n(&c->w->control->recording, on, __ATOMIC_RELEASE);

    if (llm_writer_begin(c->w) != LLM_OK) {
        return LLM_ERROR;
    }

    ms = on == c->w->recording ? c->w->changed_ms : llm_wall_ms();

    if (llm_writer_set_meta(c->w, "recording", on) != LLM_OK
        || (ms != LLM_NULL
            && llm_writer_set_meta(c->w, "recording_ms", ms) != LLM_OK)
        || llm_writer_commit(c->w) != LLM_OK)
    {
        llm_writer_rollback(c->w);
        return LLM_ERROR;
    }

    c->w->recording = on;
    c->w->changed_ms = ms;

    __atomic_store_n(&c->w->control->recorded, on, __ATOMIC_RELEASE);

    llm_command_end(c, LLM_COMMAND_DONE, on, NULL);

    return LLM_OK;
}


/*
 * Records that were finished before are a part of what is cleared: if all is,
 * they never become rows; else they are written first and then looked at.
 */

static int
llm_command_clear_start(llm_commander_t *c)
{
    c->stage = LLM_CLEAR_MARK;
    c->stats = 0;
    c->newest = llm_source_newest(c->source);
    c->source->cleared = 0;

    c->from = 0;

    llm_purge_init(&c->purge);

    if (llm_command_filter(c) != LLM_OK) {
        return LLM_OK;
    }

    c->stats = c->filter != NULL && c->filter->num[LLM_F_STATS] == 1;

    if (c->purge.where == NULL) {
        c->source->clear_seq = c->newest;
        c->source->clear_spool = 1;
    }

    return LLM_OK;
}


static int
llm_command_clear(llm_commander_t *c)
{
    int  rc;

    switch (c->stage) {

    case LLM_CLEAR_MARK:
        return llm_command_mark(c);

    case LLM_CLEAR_RING:
        return llm_command_ring(c);

    case LLM_CLEAR_ROWS:

        rc = llm_purge_rows(c->w, &c->purge);

        __atomic_store_n(&c->cmd->progress,
                         c->purge.deleted + c->source->cleared,
                         __ATOMIC_RELAXED);

        if (rc == LLM_AGAIN) {
            c->stage = LLM_CLEAR_LEDGER;
            return LLM_OK;
        }

        return rc;

    default: /* LLM_CLEAR_LEDGER */

        if (c->stats) {
            rc = llm_command_forget(c);

            if (rc != LLM_AGAIN) {
                return rc;
            }
        }

        llm_command_end(c, LLM_COMMAND_DONE,
                        c->purge.deleted + c->source->cleared, NULL);
        return LLM_OK;
    }
}


/* See llm_facets.c. */

static int
llm_command_mark(llm_commander_t *c)
{
    if (llm_writer_begin(c->w) != LLM_OK) {
        return LLM_ERROR;
    }

    if (llm_writer_set_meta(c->w, "cleared_ms", llm_wall_ms()) != LLM_OK
        || llm_writer_commit(c->w) != LLM_OK)
    {
        llm_writer_rollback(c->w);
        return LLM_ERROR;
    }

    c->stage = LLM_CLEAR_RING;

    return LLM_OK;
}


/* LLM_AGAIN: it is done. */

static int
llm_command_forget(llm_commander_t *c)
{
    int  rc, left;

    switch (c->stage) {

    case LLM_CLEAR_LEDGER:
        rc = llm_purge_ledger(c->w, LLM_NULL, LLM_NULL);
        break;

    case LLM_CLEAR_FORGET:
        rc = llm_purge_forget(c->w, &c->from);

        if (rc == LLM_OK && c->from == 0) {
            rc = LLM_AGAIN;
        }

        break;

    default: /* LLM_CLEAR_PAGES */
        rc = llm_purge_pages(c->w, 1);

        if (rc == LLM_AGAIN
            && llm_db_checkpoint(&c->w->db, SQLITE_CHECKPOINT_TRUNCATE, &left)
               != LLM_OK)
        {
            return LLM_ERROR;
        }

        return rc;
    }

    if (rc != LLM_AGAIN) {
        return rc;
    }

    c->stage++;

    return LLM_OK;
}


/* what was finished before the command came becomes rows, or is cleared */

static int
llm_command_ring(llm_commander_t *c)
{
    int  rc;

    while (c->source->last_seq < c->newest) {

        rc = llm_source_own(c->source);

        if (rc == LLM_ERROR) {
            return LLM_ERROR;
        }

        if (rc == LLM_AGAIN) {
            break;
        }
    }

    if (llm_source_segments(c->source, llm_command_never, NULL) != LLM_OK) {
        return LLM_ERROR;
    }

    c->source->clear_spool = 0;
    c->purge.seq = c->w->seq;
    c->stage = LLM_CLEAR_ROWS;

    return LLM_OK;
}


static int
llm_command_reprice_start(llm_commander_t *c)
{
    c->stage = LLM_CLEAR_RING;
    c->newest = llm_source_newest(c->source);
    c->source->cleared = 0;

    llm_purge_init(&c->purge);

    if (llm_command_filter(c) != LLM_OK) {
        return LLM_OK;
    }

    if (c->prices != NULL) {
        c->finder = llm_price_finder(c->prices);
    }

    if (c->finder == NULL) {
        llm_command_end(c, LLM_COMMAND_FAILED, 0, "no memory");
    }

    return LLM_OK;
}


static int
llm_command_reprice(llm_commander_t *c)
{
    int  rc;

    if (c->stage == LLM_CLEAR_RING) {
        return llm_command_ring(c);
    }

    rc = llm_reprice_rows(c->w, &c->purge, c->finder);

    __atomic_store_n(&c->cmd->progress, c->purge.deleted, __ATOMIC_RELAXED);

    if (rc == LLM_AGAIN) {
        llm_command_end(c, LLM_COMMAND_DONE, c->purge.deleted, NULL);
        return LLM_OK;
    }

    return rc;
}


/* LLM_ERROR: the command has ended */

static int
llm_command_filter(llm_commander_t *c)
{
    if (c->cmd->len == 0) {
        return LLM_OK;
    }

    if (llm_filter_unpack(&c->filter, c->cmd->args, c->cmd->len) != LLM_OK) {
        llm_command_end(c, LLM_COMMAND_FAILED, 0, "broken filter");
        return LLM_ERROR;
    }

    if (!llm_filter_empty(c->filter)
        && llm_where_create(&c->purge.where, c->w->db.handle, c->filter)
           != LLM_OK)
    {
        llm_command_end(c, LLM_COMMAND_FAILED, 0, "no memory");
        return LLM_ERROR;
    }

    return LLM_OK;
}


/* Who waits for it says so again and again, by a later deadline. */

static int
llm_command_backup(llm_commander_t *c)
{
    int64_t  size;

    if (__atomic_load_n(&c->cmd->deadline, __ATOMIC_RELAXED)
        < llm_control_now())
    {
        llm_command_end(c, LLM_COMMAND_FAILED, 0, "nobody waits for it");
        return LLM_OK;
    }

    switch (llm_backup_slice(&c->backup, &size)) {

    case LLM_OK:
        break;

    case LLM_AGAIN:
        c->backup.path[0] = '\0';
        llm_command_end(c, LLM_COMMAND_DONE, size, NULL);
        break;

    default:
        llm_command_end(c, LLM_COMMAND_FAILED, 0, c->backup.error);
    }

    return LLM_OK;
}


static int
llm_command_never(void *data)
{
    return 0;
}


static void
llm_command_end(llm_commander_t *c, int state, int64_t result,
    const char *error)
{
    if (c->purge.where != NULL) {
        llm_where_free(c->purge.where);
        c->purge.where = NULL;
    }

    if (c->filter != NULL) {
        llm_filter_free(c->filter);
        c->filter = NULL;
    }

    llm_price_finder_free(c->finder);
    c->finder = NULL;

    c->source->clear_spool = 0;

    llm_backup_cancel(&c->backup);

    llm_control_end(c->cmd, state, result, error);
    c->cmd = NULL;
}


void
llm_command_abort(llm_commander_t *c, const char *why)
{
    if (c->cmd != NULL) {
        llm_command_end(c, LLM_COMMAND_FAILED, 0, why);
    }
}
