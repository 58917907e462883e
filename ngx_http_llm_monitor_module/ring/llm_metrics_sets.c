
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "../extract/llm_siphash.h"
#include "../record/llm_text.h"
#include "llm_metrics_parts.h"


void
llm_metrics_openai(llm_metrics_own_t *own, const llm_record_t *r,
    const llm_metrics_ids_t *ids)
{
    uint64_t             *w;
    llm_metrics_ids_t     key;
    llm_metrics_series_t  series;

    memset(&key, 0, sizeof(llm_metrics_ids_t));

    key.model = ids->model;
    key.other = ids->other;

    (void) llm_metrics_find(own, LLM_SET_OPENAI, &key, &series);

    w = series.words;

    llm_metrics_add(&w[llm_metrics_failed(r) ? LLM_W_OPENAI_BAD
                                             : LLM_W_OPENAI_GOOD], 1);

    if (r->num[LLM_N_INPUT_TOKENS] > 0) {
        llm_metrics_add(&w[LLM_W_OPENAI_INPUT], r->num[LLM_N_INPUT_TOKENS]);
    }

    if (r->num[LLM_N_OUTPUT_TOKENS] > 0) {
        llm_metrics_add(&w[LLM_W_OPENAI_OUTPUT], r->num[LLM_N_OUTPUT_TOKENS]);
    }

    (void) llm_metrics_observe(&w[LLM_W_OPENAI_US], &llm_bounds_http,
                               r->num[LLM_N_DURATION_US]);
}


/*
 * error.type is a status or, where that was a good one, how it ended: both are
 * small, and the outcome has a bit of its own.
 */

void
llm_metrics_otel(llm_metrics_own_t *own, const llm_record_t *r,
    const llm_metrics_ids_t *ids)
{
    int64_t               us;
    uint64_t             *w;
    llm_metrics_ids_t     key;
    llm_metrics_series_t  series;

    key = *ids;
    key.status = 0;

    if (key.kind == LLM_OPERATION_RESPONSES) {
        key.kind = LLM_OPERATION_CHAT;
    }

    key.other = r->str[LLM_S_RESPONSE_MODEL].len == 0
                ? 0 : llm_metrics_label(own, LLM_LABEL_ANSWERED,
                                        &r->str[LLM_S_RESPONSE_MODEL]);

    if (llm_metrics_failed(r)) {
        key.status = r->num[LLM_N_STATUS] >= 400
                     ? ids->status + LLM_OUTCOME_SHUTDOWN + 1
                     : r->num[LLM_N_OUTCOME];
    }

    (void) llm_metrics_find(own, LLM_SET_OTEL, &key, &series);

    w = series.words;

    (void) llm_metrics_observe(&w[LLM_W_OTEL_US], &llm_bounds_otel,
                               r->num[LLM_N_DURATION_US]);

    if (r->num[LLM_N_INPUT_TOKENS] >= 0) {
        (void) llm_metrics_observe(&w[LLM_W_OTEL_INPUT], &llm_bounds_tokens,
                                   r->num[LLM_N_INPUT_TOKENS]);
    }

    if (r->num[LLM_N_OUTPUT_TOKENS] >= 0) {
        (void) llm_metrics_observe(&w[LLM_W_OTEL_OUTPUT], &llm_bounds_tokens,
                                   r->num[LLM_N_OUTPUT_TOKENS]);
    }

    if (r->num[LLM_N_STREAM] != 1) {
        return;
    }

    if (r->num[LLM_N_TTFB_US] >= 0) {
        (void) llm_metrics_observe(&w[LLM_W_OTEL_CHUNK], &llm_bounds_otel,
                                   r->num[LLM_N_TTFB_US]);
    }

    if (r->num[LLM_N_TTFT_US] < 0) {
        return;
    }

    (void) llm_metrics_observe(&w[LLM_W_OTEL_TTFT], &llm_bounds_otel_ttft,
                               r->num[LLM_N_TTFT_US]);

    us = llm_metrics_tpot(r);

    if (us != LLM_NULL) {
        (void) llm_metrics_observe(&w[LLM_W_OTEL_CHUNKS], &llm_bounds_otel,
                                   us);
        (void) llm_metrics_observe(&w[LLM_W_OTEL_TPOT], &llm_bounds_otel_tpot,
                                   us);
    }
}


void
llm_metrics_account(llm_metrics_own_t *own, const llm_record_t *r,
    const llm_metrics_facts_t *facts)
{
    uint8_t               hex[16];
    uint64_t              hash, *w;
    llm_str_t             name;
    llm_metrics_ids_t     key;
    llm_metrics_series_t  series;

    name = r->str[LLM_S_ACCOUNT];

    if (name.len == 0) {
        return;
    }

    if (facts->sets & LLM_METRICS_ACCOUNT_HASH) {
        hash = llm_siphash(facts->salt, name.data, name.len);
        llm_text_hex(hex, (const uint8_t *) &hash, 8);
        name.data = hex;
        name.len = 16;
    }

    memset(&key, 0, sizeof(llm_metrics_ids_t));

    key.model = llm_metrics_label(own, LLM_LABEL_ACCOUNT, &name);

    if (key.model == 0) {
        llm_metrics_overflow(own);
    }

    (void) llm_metrics_find(own, LLM_SET_ACCOUNT, &key, &series);

    w = series.words;

    llm_metrics_add(&w[llm_metrics_failed(r) ? LLM_W_ACCOUNT_BAD
                                             : LLM_W_ACCOUNT_GOOD], 1);

    llm_metrics_tokens(&w[LLM_W_ACCOUNT_TOKENS], r);

    if (r->num[LLM_N_COST_NANO] > 0) {
        llm_metrics_add(&w[LLM_W_ACCOUNT_COST], r->num[LLM_N_COST_NANO]);
    }
}
