
/*
 * Copyright (C) llm_monitor contributors
 *
 * A set of row ids, asked once for every row of a scan.
 */


#ifndef _LLM_IDSET_H_INCLUDED_
#define _LLM_IDSET_H_INCLUDED_


#include "../record/llm.h"


#define LLM_IDSET_MAX    4194304         /* ids */


typedef struct {
    int64_t     *slot;                   /* 0: free; ids are never 0 */
    size_t       mask;
    size_t       n;
} llm_idset_t;


/* A set that is all zero is empty.  LLM_NOMEM, or LLM_FULL at the bound. */
int llm_idset_add(llm_idset_t *set, int64_t id);
int llm_idset_has(const llm_idset_t *set, int64_t id);
void llm_idset_free(llm_idset_t *set);


#endif /* _LLM_IDSET_H_INCLUDED_ */
