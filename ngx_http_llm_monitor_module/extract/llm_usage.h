
/*
 * Copyright (C) llm_monitor contributors
 *
 * The counts of one usage object, as the provider sent them and as the record
 * shows them.
 */


#ifndef _LLM_USAGE_H_INCLUDED_
#define _LLM_USAGE_H_INCLUDED_


#include "../record/llm.h"


enum {
    LLM_U_INPUT = 0,
    LLM_U_OUTPUT,
    LLM_U_TOTAL,
    LLM_U_CACHE_READ,
    LLM_U_CACHE_WRITE,
    LLM_U_CACHE_5M,
    LLM_U_CACHE_1H,
    LLM_U_REASONING,
    LLM_U_TOOL_INPUT,      /* beside the input: Gemini's tool use */
    LLM_U_CITATION,        /* beside the output: Perplexity */
    LLM_U_AUDIO_INPUT,
    LLM_U_AUDIO_OUTPUT,
    LLM_U_COST,            /* 1e-9 of the provider's unit */
    LLM_U_WEB_SEARCHES,    /* that the provider made; paid for apart */
    LLM_U_BILLED_INPUT,    /* Cohere: what counts when no tokens are given */
    LLM_U_BILLED_OUTPUT,
    LLM_U_SERVER_CACHED,   /* llama.cpp's timings, likewise */
    LLM_U_SERVER_INPUT,
    LLM_U_SERVER_OUTPUT,
    LLM_U_COUNT
};

typedef struct {
    int64_t    v[LLM_U_COUNT];     /* LLM_NULL: not said */
} llm_usage_t;


void llm_usage_init(llm_usage_t *u);

/* The number that a header of Bedrock gives, LLM_U_*; -1: it is none. */
int llm_usage_header(const llm_str_t *name);

/* 1 if any number is known */
int llm_usage_known(const llm_usage_t *u);

/*
 * How a later usage object of the same exchange changes what is known.  start
 * says that it stood in an event that opens the answer.  Numbers of two
 * objects are never added.
 */
void llm_usage_replace(llm_usage_t *to, const llm_usage_t *from, int start);
void llm_usage_merge(llm_usage_t *to, const llm_usage_t *from, int start);

/*
 * From the provider's way of counting to the record's, where the input holds
 * the cached tokens and the output the reasoning: for providers whose parts
 * are inside the whole, for those that count caches beside the input, and for
 * Gemini, which counts thoughts beside the output.
 */
void llm_usage_inside(llm_usage_t *u);
void llm_usage_beside(llm_usage_t *u);
void llm_usage_gemini(llm_usage_t *u);


#endif /* _LLM_USAGE_H_INCLUDED_ */
