
/*
 * Copyright (C) llm_monitor contributors
 *
 * Where records come from: the own ring, rings of other instances, living and
 * dead, and spool segments.  Each call writes one batch or goes through one
 * directory; ring space is released only after the commit.
 */


#ifndef _LLM_SOURCE_H_INCLUDED_
#define _LLM_SOURCE_H_INCLUDED_


#include "llm_writer.h"


typedef struct {
    llm_writer_t  *w;
    llm_ring_t    *own;
    const char    *dir;          /* rings are in either of them */
    const char    *ring_dir;
    uint64_t       batches;
    uint64_t       spooled;           /* records read from segments */
    uint64_t       last_seq;          /* of the own ring, committed */

    /* records up to here become no rows: they were cleared */
    uint64_t       clear_seq;
    int            clear_spool;
    int64_t        cleared;

    /* a record that the database refuses for ever: where it is from */
    uint64_t       bad_identity;
    uint64_t       bad_at;
    uint64_t       limit;        /* the batch that ends with it, or 0 */

    /* whether somebody waits for the end of the batch; NULL: nobody does */
    int          (*awaited)(void *data);
    void          *awaited_data;
} llm_source_t;


/*
 * When a database was opened: tells the own ring of a batch of a segment that
 * another writer committed there and died before it could.
 */
int llm_source_recover(llm_source_t *s);

/* LLM_OK: wrote a batch; LLM_AGAIN: the ring is empty; LLM_ERROR. */
int llm_source_own(llm_source_t *s);

/* Every other ring until it is empty; unlinks those of the dead. */
int llm_source_rings(llm_source_t *s, int (*stop)(void *data), void *data);

/* Every spool segment to its end; unlinks those that do not grow any more. */
int llm_source_segments(llm_source_t *s, int (*stop)(void *data), void *data);

/* The last sequence that is committed in the own ring now. */
uint64_t llm_source_newest(llm_source_t *s);


#endif /* _LLM_SOURCE_H_INCLUDED_ */
