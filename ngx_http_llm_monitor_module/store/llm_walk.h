
/*
 * Copyright (C) llm_monitor contributors
 *
 * Rows in the order of their commit, which misses none: a long stream is
 * committed late, under a time that a reader by time has passed.
 */


#ifndef _LLM_WALK_H_INCLUDED_
#define _LLM_WALK_H_INCLUDED_


#include "llm_row.h"


typedef struct {
    int64_t      seq;            /* rows up to here are done */
    int64_t      upto;           /* the last one to be looked at */

    /*
     * LLM_OK: goes on; LLM_AGAIN: this row is done, the next one has to wait;
     * LLM_ERROR, with the err that was given to llm_walk() set.
     */
    int        (*row)(void *data, const llm_row_t *row);
    void        *data;
} llm_walk_t;


/* The newest seq of the state that the reader sees; 0: there is none. */
int llm_walk_newest(llm_reader_t *reader, int64_t *seq,
    llm_query_error_t *err);

/*
 * Gives rows that pass f, between llm_reader_begin() and llm_reader_end(), for
 * about budget_ms.  LLM_OK: up to w->upto they are done; LLM_AGAIN: more of
 * them another time; LLM_ERROR with err.
 */
int llm_walk(llm_reader_t *reader, const llm_filter_t *f, llm_walk_t *w,
    int64_t budget_ms, llm_query_error_t *err);


#endif /* _LLM_WALK_H_INCLUDED_ */
