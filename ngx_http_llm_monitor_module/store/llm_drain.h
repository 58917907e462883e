
/*
 * Copyright (C) llm_monitor contributors
 *
 * The writer: takes records out of every ring and spool segment of a data
 * directory and puts them into the database, in threads of its own.  Exactly
 * one process in the system holds the writer lock, and within it exactly one
 * connection writes and checkpoints.
 */


#ifndef _LLM_DRAIN_H_INCLUDED_
#define _LLM_DRAIN_H_INCLUDED_


#include "../extract/llm_price.h"
#include "../record/llm.h"
#include "../ring/llm_ring.h"
#include "../ring/llm_control.h"
#include "../ring/llm_feed.h"


/*
 * What keeps a process from becoming the writer; all zero at first.  It is
 * tried again every few seconds, but logged when it changes and once an hour.
 */

typedef struct {
    int             code;            /* errno, 0: nothing */
    int64_t         said_ms;
} llm_drain_trouble_t;

typedef struct {
    const char     *dir;             /* data directory */
    const char     *ring_dir;        /* ring.* files are there or in dir */
    llm_ring_t     *ring;            /* this instance's own ring */
    llm_control_t  *control;
    llm_feed_t     *feed;            /* or NULL */
    int64_t         flush_ms;
    int64_t         retention_s;     /* rows; 0: for ever */
    int64_t         bodies_s;        /* bodies */
    int64_t         stats_s;         /* ledger */
    int64_t         max_size;        /* bytes of the database */
    int             synchronous;     /* 2 FULL, 1 NORMAL */

    llm_drain_trouble_t  *trouble;   /* outlives the tries */
    const llm_price_table_t  *prices;    /* for rows that are priced anew */

    /* called from any thread; level 0 error, 1 warning, 2 notice */
    void          (*log)(void *data, int level, const char *text);
    void           *log_data;
} llm_drain_conf_t;

typedef struct llm_drain_s  llm_drain_t;


/*
 * Tries to become the writer: opens `writer.lock` in dir (never inherited over
 * a fork) and flocks it.  LLM_AGAIN: another process has it; LLM_ERROR: there
 * is trouble, which was logged if it is new.  On LLM_OK the threads run;
 * *drain is theirs until llm_drain_stop().  conf is copied, what it points to
 * must live.
 */
int llm_drain_start(llm_drain_t **drain, const llm_drain_conf_t *conf);

/*
 * A writer whose lock file was deleted or replaced finishes its batch and
 * leaves by itself: llm_drain_left() is 1 then, and llm_drain_stop() due.
 */

/* Wakes the threads before their timer, e.g. when a command was asked. */
void llm_drain_wake(llm_drain_t *drain);

/*
 * For a worker that is exiting gracefully: asks the threads to finish their
 * batch, close the connection and give the lock back, and returns at once.
 * llm_drain_left() is 1 when that is done; llm_drain_stop() is still needed.
 */
void llm_drain_leave(llm_drain_t *drain);
int llm_drain_left(llm_drain_t *drain);

/*
 * Ends it: finishes the batch, drains on for at most budget_ms, closes the
 * connection, joins the threads, gives the lock back.  LLM_AGAIN: it hangs in
 * a system call, and its threads run on.
 */
int llm_drain_stop(llm_drain_t *drain, int64_t budget_ms);

/*
 * For a process that ends around a writer that hangs, after LLM_AGAIN of
 * llm_drain_stop(): its threads never go on, whatever is taken from under
 * them (the ring's map, the configuration), but for this code, in which they
 * stand still.  The kernel frees the lock with the process, and what was not
 * committed is still in the ring.
 */
void llm_drain_halt(llm_drain_t *drain);


#endif /* _LLM_DRAIN_H_INCLUDED_ */
