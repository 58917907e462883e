
/*
 * Copyright (C) llm_monitor contributors
 *
 * Retention: bodies and rows by age, the database by size, the ledger, what
 * nothing refers to, free pages, files.  Once a minute a pass over all of it,
 * and at once when the database is too large or the disk is full; in slices of
 * some milliseconds, between which records are written.
 */


#ifndef _LLM_KEEP_H_INCLUDED_
#define _LLM_KEEP_H_INCLUDED_


#include "llm_clock.h"
#include "llm_writer.h"


typedef struct {
    int64_t       retention_s;       /* 0 in each: for ever, any size */
    int64_t       bodies_s;
    int64_t       stats_s;
    int64_t       max_size;          /* bytes without free pages */
    uint64_t      ring;              /* identity of the own one */

    llm_clock_t   clock;
    int           known;             /* the clock was set */
    int64_t       stored;            /* what the database has of it */
    int64_t       now;               /* of this pass */
    int64_t       next_ms;           /* the next pass */
    int64_t       size_ms;           /* the next look at the size */
    int64_t       last;              /* ids up to here are done */
    int64_t       dict_from;
    int           stage;
    int           scanned;           /* rings and segments are all empty */
    int           full;              /* the disk */
    int64_t       ballast;           /* that it was given */
    int           large;             /* the database */
} llm_keep_t;


/* The database was opened. */
int llm_keep_open(llm_keep_t *k, llm_writer_t *w);

/*
 * One slice, if one is due.  LLM_OK: there is more; LLM_AGAIN: not now;
 * LLM_ERROR: rolled back, w->db.code says why.
 */
int llm_keep_slice(llm_keep_t *k, llm_writer_t *w);

/*
 * The size of the database, ten times a second at most: between batches that
 * no slice comes between.  LLM_OK or LLM_ERROR.
 */
int llm_keep_look(llm_keep_t *k, llm_writer_t *w);

/*
 * Something failed, w->db.code says what: if there is no room on the disk,
 * gives what was held back for that, and deletes first.
 */
void llm_keep_failed(llm_keep_t *k, llm_writer_t *w);

/* Records must wait until there is room. */
int llm_keep_held(const llm_keep_t *k);


#endif /* _LLM_KEEP_H_INCLUDED_ */
