
/*
 * Copyright (C) llm_monitor contributors
 *
 * Gives rows that were written before the costs of the prices that are in force
 * now, and corrects the ledger by the difference, in slices.
 */


#ifndef _LLM_REPRICE_H_INCLUDED_
#define _LLM_REPRICE_H_INCLUDED_


#include "../extract/llm_price.h"
#include "llm_purge.h"


/*
 * One slice of the rows of p, whose count of deleted rows is that of rows that
 * changed.  LLM_OK: there may be more; LLM_AGAIN: all were looked at;
 * LLM_ERROR: rolled back, the same slice may be tried again.
 */
int llm_reprice_rows(llm_writer_t *w, llm_purge_t *p, llm_price_finder_t *f);


#endif /* _LLM_REPRICE_H_INCLUDED_ */
