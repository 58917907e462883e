
/*
 * Copyright (C) llm_monitor contributors
 *
 * How far rings and spool segments are in the database, and what became of the
 * records of the last batch.  A mark is made in the transaction of the rows
 * themselves, so that a writer that dies between its commit and the release is
 * continued by the next one: nothing is written or counted twice.
 */


#ifndef _LLM_MARKS_H_INCLUDED_
#define _LLM_MARKS_H_INCLUDED_


#include "llm_writer.h"


/* Within a batch; seq is the last one in it. */
int llm_marks_set_ring(llm_writer_t *w, uint64_t identity, uint64_t seq,
    const llm_ring_result_t *res);

/* *seq is 0 if there is no mark. */
int llm_marks_get_ring(llm_writer_t *w, uint64_t identity, uint64_t *seq,
    llm_ring_result_t *res);


/*
 * Within a batch of a segment that goes up to offset; ring is the one that
 * will be told of it, batch the number of it there (llm_ring_batches() + 1).
 */
int llm_marks_set_segment(llm_writer_t *w, uint64_t identity, uint64_t offset,
    uint64_t ring, uint64_t batch, const llm_ring_result_t *res);

/* *offset is 0 if there is no mark. */
int llm_marks_get_segment(llm_writer_t *w, uint64_t identity,
    uint64_t *offset);

/* What became of batch of any segment, or LLM_DECLINED: there was none. */
int llm_marks_get_batch(llm_writer_t *w, uint64_t ring, uint64_t batch,
    llm_ring_result_t *res);


/* The file of the ring or segment is gone for good. */
int llm_marks_forget_ring(llm_writer_t *w, uint64_t identity);
int llm_marks_forget_segment(llm_writer_t *w, uint64_t identity);

/*
 * Forgets what a writer that died between the two left behind.  To be called
 * when every ring and segment was found empty; own is this instance's ring.
 */
int llm_marks_sweep(llm_writer_t *w, uint64_t own);


#endif /* _LLM_MARKS_H_INCLUDED_ */
