
/*
 * Copyright (C) llm_monitor contributors
 *
 * The block in shared memory through which the workers and the one writer
 * talk: the recording flag, the command table, what the writer says of
 * itself.  Plain atomics, no lock; it lives in the zone, which outlives
 * workers and reloads but not the master.
 */


#ifndef _LLM_CONTROL_H_INCLUDED_
#define _LLM_CONTROL_H_INCLUDED_


#include "../record/llm.h"
#include "llm_metrics.h"


#define LLM_COMMANDS       16
#define LLM_COMMAND_ARGS   4096
#define LLM_WORKERS        512      /* more may run, see llm_control_join() */

typedef enum {
    LLM_COMMAND_CLEAR = 1,       /* args: packed filter, see store/ */
    LLM_COMMAND_RECORDING,       /* args: one byte, 0 or 1 */
    LLM_COMMAND_BACKUP,          /* args: the digits of its name */
    LLM_COMMAND_REPRICE, LLM_COMMAND_RETENTION
} llm_command_op_e;

typedef enum {
    LLM_COMMAND_FREE = 0, LLM_COMMAND_FILLING, LLM_COMMAND_WAITING,
    LLM_COMMAND_RUNNING, LLM_COMMAND_DONE, LLM_COMMAND_FAILED
} llm_command_state_e;

typedef struct {
    uint64_t     state;          /* llm_command_state_e, atomic; while it is
                                    filling, above it who fills it */
    uint32_t     op;
    uint64_t     ticket;         /* who waits for it */
    int64_t      owner;          /* the asking worker, see llm_owner.h */
    int64_t      deadline;       /* ms of the monotonic clock; then reusable */
    int64_t      progress;
    int64_t      result;         /* e.g. rows deleted */
    uint32_t     len;
    uint8_t      args[LLM_COMMAND_ARGS];
    char         error[128];
} llm_command_t;

/* what a worker took of the common budget, to be given back if it dies */

typedef struct {
    int64_t      owner;          /* 0: free; -1: being cleared */
    int64_t      bytes;
    uint64_t     spooling;       /* see llm_control_spooling() */
} llm_share_t;

/* the zone is new and the writer has not looked into the database yet */

#define LLM_RECORDING_UNKNOWN  2

/* of llm_bounds_ttft: how long commits take, in us */
#define LLM_CONTROL_BUCKETS    LLM_B_TTFT

/* SQLite's busy, full, ioerr, corrupt, readonly, notadb, cantopen; others */
#define LLM_CONTROL_ERRORS     8
#define LLM_CONTROL_FULL       1

/* why rows were deleted */

typedef enum {
    LLM_DELETED_CLEAR = 0, LLM_DELETED_AGE, LLM_DELETED_SIZE,
    LLM_DELETED_REASONS
} llm_deleted_e;

typedef struct {
    uint32_t       version;
    uint32_t       recording;          /* 0: paused, 1, or unknown */
    uint32_t       recorded;           /* the same as the database has it;
                                          written by the writer alone */
    uint64_t       next_ticket;
    uint64_t       id_counter;         /* low bits of record ids */

    /* what the writer says; each written by it alone */
    int64_t        writer_pid;         /* 0: nobody */
    int64_t        writer_beat_ms;     /* last tick, monotonic clock */
    uint32_t       db_up;
    uint32_t       db_error;           /* last SQLite result code */
    uint64_t       batches;
    uint64_t       duplicate_ids;
    uint64_t       db_errors;
    uint64_t       db_reopened;
    uint64_t       db_moved_aside;
    int64_t        seq;                /* of the newest row */
    int64_t        db_bytes;
    int64_t        db_rows;            /* records */
    int64_t        wal_bytes;
    int64_t        spool_bytes;        /* all files in spool/ and segments */
    uint64_t       restarts;           /* workers that died */
    int64_t        idle_ms;            /* nothing was left to write, monotonic
                                          clock */
    int64_t        commit_ms;          /* last commit, since 1970 */
    uint64_t       commits[llm_w_hist(LLM_CONTROL_BUCKETS)];
    uint64_t       errors[LLM_CONTROL_ERRORS];
    uint64_t       ring_high;          /* most bytes in use */
    uint64_t       deleted[LLM_DELETED_REASONS];

    int64_t        backup;             /* who makes one; 0: nobody */

    /* bytes of capture buffers of all workers, and whose they are */
    int64_t        capture_bytes;
    uint64_t       strangers;          /* workers that got no share */
    llm_share_t    shares[LLM_WORKERS];

    llm_command_t  commands[LLM_COMMANDS];
} llm_control_t;


void llm_control_init(llm_control_t *c);

/* The place of an SQLite result code in errors. */
int llm_control_error(uint32_t code);

/* The clock of deadlines and of writer_beat_ms, in ms. */
int64_t llm_control_now(void);

/*
 * A worker's beginning: gives back what dead workers had taken of the capture
 * budget.  Returns the index of its share, or -1 if all are in use: what it
 * takes is then not given back if it dies.
 */
int llm_control_join(llm_control_t *c, int64_t owner);

/* Takes bytes of the capture budget: LLM_OK, or LLM_FULL past limit. */
int llm_control_take(llm_control_t *c, int share, size_t bytes, size_t limit);
void llm_control_give(llm_control_t *c, int share, size_t bytes);

/*
 * A worker is about to count a record as spooled and to append it, or is done
 * with both.  spoolers: whether a living one may be between the two.
 */
void llm_control_spooling(llm_control_t *c, int share, int on);
int llm_control_spoolers(const llm_control_t *c);

/* A worker's end, if it has one. */
void llm_control_leave(llm_control_t *c, int share);

/*
 * An asking worker puts a command into the table.  Returns its index, or
 * LLM_FULL if every place is taken (or len is over LLM_COMMAND_ARGS).  *ticket
 * is needed to look at it again.  A command that still waits at its deadline
 * is never run; results nobody fetched until then are forgotten.
 */
int llm_control_ask(llm_control_t *c, int op, const void *args, size_t len,
    int64_t owner, int64_t deadline, uint64_t *ticket);

/*
 * State of the command; when it is done or failed, its result and error are
 * copied and the place is free again.  LLM_COMMAND_FREE: it was lost.
 */
int llm_control_poll(llm_control_t *c, int index, uint64_t ticket,
    int64_t *progress, int64_t *result, char *error, size_t error_len);

/* Who asked still waits for it, and will until another deadline. */
void llm_control_wait(llm_control_t *c, int index, uint64_t ticket,
    int64_t deadline);

/*
 * One process at a time makes a backup: LLM_OK, and it is this one until it
 * gives it back or dies; LLM_DECLINED: there is one.
 */
int llm_control_backup(llm_control_t *c, int64_t owner);
void llm_control_backup_done(llm_control_t *c);

/*
 * Takes a command back that the writer has not begun: LLM_OK, and it is never
 * run.  LLM_DECLINED: it was begun, or is not there any more.
 */
int llm_control_withdraw(llm_control_t *c, int index, uint64_t ticket,
    int64_t owner);

/*
 * After a change of recording that failed: the flag is again what the newest
 * of the other changes that are still asked for says, else what the database
 * has.
 */
void llm_control_restore(llm_control_t *c);

/*
 * A process that has become the writer fails the commands that were running
 * when the one before it died, so that nobody waits for them.
 */
void llm_control_recover(llm_control_t *c);

/* Whether there is a waiting command, also one whose time is over. */
int llm_control_waiting(llm_control_t *c);

/* The writer takes the next waiting command, oldest first; NULL if none. */
llm_command_t *llm_control_next(llm_control_t *c);

/* The writer ends it: LLM_COMMAND_DONE or _FAILED; error may be NULL. */
void llm_control_end(llm_command_t *cmd, int state, int64_t result,
    const char *error);


#endif /* _LLM_CONTROL_H_INCLUDED_ */
