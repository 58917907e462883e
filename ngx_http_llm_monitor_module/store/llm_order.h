
/*
 * Copyright (C) llm_monitor contributors
 *
 * A page by another order than that of time, of blocks: those come first whose
 * heads say that they may have the first rows, and the last ones not at all.
 */


#ifndef _LLM_ORDER_H_INCLUDED_
#define _LLM_ORDER_H_INCLUDED_


#include "llm_reader.h"
#include "llm_sift.h"
#include "llm_top.h"


typedef struct llm_order_s  llm_order_t;


/*
 * sort is of llm_sort_e, but for the time.  LLM_DECLINED: blocks do not know
 * what the filter asks for, or there are none.  LLM_ERROR: the error is the
 * reader's.  sift and top must outlive it.
 */
int llm_order_open(llm_order_t **o, llm_reader_t *reader,
    const llm_sift_t *sift, int sort, llm_top_t *top);
void llm_order_close(llm_order_t *o);

/*
 * Puts rows of blocks into top until it comes to a range of ids, from included,
 * to excluded, whose rows the caller must look at and put there.
 * LLM_DECLINED: that was all; LLM_NOMEM; LLM_ERROR: the error is the reader's.
 */
int llm_order_next(llm_order_t *o, int64_t *from, int64_t *to);


#endif /* _LLM_ORDER_H_INCLUDED_ */
