
/*
 * Copyright (C) llm_monitor contributors
 *
 * Puts records into the database.  A batch is one transaction: begin, any
 * number of records, where they came from, commit.  What failed is rolled back
 * as a whole, and every cache with it.
 */


#ifndef _LLM_WRITER_H_INCLUDED_
#define _LLM_WRITER_H_INCLUDED_


#include "../ring/llm_control.h"
#include "../ring/llm_feed.h"
#include "../ring/llm_ring.h"
#include "llm_blocks.h"
#include "llm_body.h"
#include "llm_dict.h"
#include "llm_gone.h"
#include "llm_insert.h"
#include "llm_ledger.h"
#include "llm_sessions.h"


/* bounds of a batch, see llm_source_full() */
#define LLM_BATCH_ROWS      20000
#define LLM_BATCH_RECORDS   (16 * 1024 * 1024) /* bytes of them in the ring */
#define LLM_BATCH_BYTES     (4 * 1024 * 1024)  /* of bodies */

/* bytes of the WAL after which pages are moved to the database */
#define LLM_BATCH_WAL       (16 * 1024 * 1024)
#define LLM_BATCH_WAL_MS    100        /* not sooner if a reader is in */

/* spool files whose bytes are in the batch, removed after its commit */
#define LLM_BATCH_FILES     4000
#define LLM_SPOOL_NAME_MAX  64

enum {
    LLM_WRITER_LOG = 0, LLM_WRITER_DETAIL, LLM_WRITER_REQUEST,
    LLM_WRITER_RESPONSE, LLM_WRITER_FRAME, LLM_WRITER_STORING,
    LLM_WRITER_META, LLM_WRITER_RING, LLM_WRITER_RING_GET,
    LLM_WRITER_SEGMENT, LLM_WRITER_SEGMENT_GET, LLM_WRITER_STATEMENTS
};

typedef struct {
    llm_db_t           db;
    llm_dict_t         dict;
    llm_sessions_t     sessions;
    llm_ledger_t       ledger;
    llm_gone_t         gone;
    llm_blocks_t       blocks;
    llm_body_coder_t   coder;
    sqlite3_stmt      *st[LLM_WRITER_STATEMENTS];
    llm_control_t     *control;
    llm_feed_t        *feed;          /* of records without rows, or NULL */
    uint64_t           feed_pos;      /* behind those of this batch */
    int                spool_fd;      /* directory, -1: there is none */
    int                in_batch;
    int                storing;       /* the table storing may have rows */
    int                recording;     /* as the database has it */
    int64_t            changed_ms;    /* and since when, or LLM_NULL */
    int64_t            seq;           /* last one given */
    int64_t            seq_before;    /* this batch */
    int64_t            rows;          /* of the log */
    int64_t            rows_before;   /* this batch */
    size_t             bytes;         /* of bodies in this batch */
    int64_t            wal_ms;        /* when a reader was in the way */
    int                wal_failed;    /* and it failed */
    int64_t            began_us;      /* this batch, monotonic clock */
    uint8_t           *room;          /* LLM_FRAME_RAW bytes */
    size_t             nfiles;
    char               files[LLM_BATCH_FILES][LLM_SPOOL_NAME_MAX];
} llm_writer_t;


/* what becomes of a record */

typedef enum {
    LLM_WRITE_ROW = 0, LLM_WRITE_LEDGER_ONLY, LLM_WRITE_CLEARED
} llm_write_e;


/* w->db, w->control and w->spool_fd (-1) are set by the caller. */
int llm_writer_open(llm_writer_t *w);
void llm_writer_close(llm_writer_t *w);

/* Closes a database whose path has another file or none. */
void llm_writer_abandon(llm_writer_t *w);

/*
 * LLM_ERROR also while a reader that does not end pins so much of the WAL that
 * it must not grow any more (LLM_DB_WAL_MAX).
 */
int llm_writer_begin(llm_writer_t *w);

/*
 * Adds a record, whose numbers may be changed (state of bodies).  LLM_OK;
 * LLM_DECLINED: it can never be stored (nothing of the batch is lost, but it
 * must be rolled back); LLM_ERROR: the database failed.
 */
int llm_writer_add(llm_writer_t *w, llm_record_t *r, int what);

/*
 * The halves of that, which have no table in common.  The first one counts a
 * record in the ledger and finds the ids of its texts and of its session,
 * which it leaves in row; the second one makes the row of it, with details and
 * bodies.  LLM_OK or LLM_ERROR.  Afterwards llm_insert_done() is called.
 */
int llm_writer_count(llm_writer_t *w, llm_record_t *r, int what,
    llm_insert_t *row);
int llm_writer_row(llm_writer_t *w, llm_record_t *r, llm_insert_t *row);

/*
 * LLM_ERROR also if the database was deleted meanwhile: what was committed
 * went with it, and what it came from must stay.  Whatever is done,
 * the WAL is kept short: it checkpoints if need be.
 */
int llm_writer_commit(llm_writer_t *w);

/* Moves to the database what no reader needs in the WAL. */
int llm_writer_checkpoint(llm_writer_t *w);

void llm_writer_rollback(llm_writer_t *w);

/* Number kept in meta; in a transaction.  LLM_NULL from get: none. */
int llm_writer_set_meta(llm_writer_t *w, const char *key, int64_t v);
int llm_writer_get_meta(llm_writer_t *w, const char *key, int64_t *v);

/* Opens the directory anew, for it may be made or replaced at any time. */
void llm_writer_spool(llm_writer_t *w);

/*
 * Opens a spool file for reading: a plain name of a regular file.  Returns the
 * descriptor and its size, or -1.
 */
int llm_writer_spool_file(llm_writer_t *w, const char *name, int64_t *size);

/*
 * Removes a spool file and gives its bytes back to the spool's budget.
 * LLM_ERROR: it is still there.
 */
int llm_writer_unlink(llm_writer_t *w, const char *name);


#endif /* _LLM_WRITER_H_INCLUDED_ */
