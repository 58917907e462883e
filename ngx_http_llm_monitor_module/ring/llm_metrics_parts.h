
/*
 * Copyright (C) llm_monitor contributors
 *
 * What the files that count an exchange share.
 */


#ifndef _LLM_METRICS_PARTS_H_INCLUDED_
#define _LLM_METRICS_PARTS_H_INCLUDED_


#include "llm_metrics_count.h"


/* Where an exchange counts; it may be in room. */
const llm_metrics_memo_t *llm_metrics_memo(llm_metrics_own_t *own,
    const llm_record_t *r, const llm_metrics_facts_t *facts,
    llm_metrics_memo_t *room);

/* Four words: input without caches, cache read, cache creation, output. */
void llm_metrics_tokens(uint64_t *words, const llm_record_t *r);

/* us for each output token after the first; LLM_NULL: there is none */
int64_t llm_metrics_tpot(const llm_record_t *r);

/* Whether it is one of errors_only. */
int llm_metrics_failed(const llm_record_t *r);

/* A session or a user; 1: it was not there. */
int llm_metrics_see(llm_metrics_seen_t *seen, const llm_str_t *name,
    uint32_t second);

/* Counts an exchange in the minute of its upstream. */
void llm_metrics_minute(uint64_t *minutes, const llm_record_t *r,
    uint32_t second);

/* The sets that a directive adds. */
void llm_metrics_openai(llm_metrics_own_t *own, const llm_record_t *r,
    const llm_metrics_ids_t *ids);
void llm_metrics_otel(llm_metrics_own_t *own, const llm_record_t *r,
    const llm_metrics_ids_t *ids);
void llm_metrics_account(llm_metrics_own_t *own, const llm_record_t *r,
    const llm_metrics_facts_t *facts);


#endif /* _LLM_METRICS_PARTS_H_INCLUDED_ */
