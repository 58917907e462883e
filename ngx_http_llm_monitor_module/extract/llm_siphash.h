
/*
 * Copyright (C) llm_monitor contributors
 *
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a short keyed hash that nobody
 * can guess or invert without the key.
 */


#ifndef _LLM_SIPHASH_H_INCLUDED_
#define _LLM_SIPHASH_H_INCLUDED_


#include "../record/llm.h"


#define LLM_SIPHASH_KEY   16    /* bytes */

uint64_t llm_siphash(const uint8_t *key, const uint8_t *p, size_t n);


#endif /* _LLM_SIPHASH_H_INCLUDED_ */
