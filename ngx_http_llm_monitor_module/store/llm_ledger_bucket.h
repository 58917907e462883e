
/*
 * Copyright (C) llm_monitor contributors
 *
 * Which values of a bucket have rows of their own; for the ledger alone.
 */


#ifndef _LLM_LEDGER_BUCKET_H_INCLUDED_
#define _LLM_LEDGER_BUCKET_H_INCLUDED_


#include "llm_ledger.h"


/*
 * A key that has no cell in memory: LLM_OK: it has a row of its own;
 * LLM_DECLINED: it has none yet; LLM_FULL: it is one too many.
 */
int llm_ledger_admit(llm_ledger_t *l, int table, const int64_t *key);

/* LLM_OK: the key has a row of its own; LLM_DECLINED: it has none. */
int llm_ledger_known(llm_ledger_t *l, int table, const int64_t *key);

void llm_ledger_forget(llm_ledger_t *l);


#endif /* _LLM_LEDGER_BUCKET_H_INCLUDED_ */
