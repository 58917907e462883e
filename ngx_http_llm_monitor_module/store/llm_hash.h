
/*
 * Copyright (C) llm_monitor contributors
 *
 * A seeded hash for tables in memory: clients choose what is hashed, so the
 * seed is random and nobody can aim at one chain.
 */


#ifndef _LLM_HASH_H_INCLUDED_
#define _LLM_HASH_H_INCLUDED_


#include "../record/llm.h"


uint64_t llm_hash(uint64_t seed, const void *p, size_t n);

uint64_t llm_hash_seed(void);


#endif /* _LLM_HASH_H_INCLUDED_ */
