
/*
 * Copyright (C) llm_monitor contributors
 *
 * How many rows pass a filter: from the sums of whole days, from blocks, and
 * from the rows of which neither knows.
 */


#ifndef _LLM_TOTAL_H_INCLUDED_
#define _LLM_TOTAL_H_INCLUDED_


#include "llm_reader.h"
#include "llm_where.h"


/* *total stays as it is if the time was over: LLM_OK, too.  LLM_ERROR: err. */
int llm_total(llm_reader_t *reader, llm_where_t *w, const llm_filter_t *f,
    int64_t *total, llm_query_error_t *err);


#endif /* _LLM_TOTAL_H_INCLUDED_ */
