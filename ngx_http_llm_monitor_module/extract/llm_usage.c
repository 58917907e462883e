
/*
 * Copyright (C) llm_monitor contributors
 */


#include "../record/llm_text.h"
#include "llm_usage.h"


static void llm_usage_fallback(llm_usage_t *u);
static int64_t llm_usage_zero(int64_t v);
static void llm_usage_add(int64_t *to, int64_t v);


void
llm_usage_init(llm_usage_t *u)
{
    static const llm_usage_t  none = {
        { [0 ... LLM_U_COUNT - 1] = LLM_NULL }
    };

    *u = none;
}


int
llm_usage_known(const llm_usage_t *u)
{
    int  i;

    for (i = 0; i < LLM_U_COUNT; i++) {
        if (u->v[i] != LLM_NULL) {
            return 1;
        }
    }

    return 0;
}


/* the last object wins as a whole, unless it says nothing of tokens */

void
llm_usage_replace(llm_usage_t *to, const llm_usage_t *from, int start)
{
    int  i;

    for (i = 0; i < LLM_U_SERVER_CACHED; i++) {
        if (from->v[i] != LLM_NULL) {
            *to = *from;
            return;
        }
    }

    for ( /* void */ ; i < LLM_U_COUNT; i++) {
        if (from->v[i] != LLM_NULL) {
            to->v[i] = from->v[i];
        }
    }
}


/*
 * Anthropic: message_start has the input, the caches and a placeholder for the
 * output; message_delta is cumulative and may have any of them.  Relays put
 * zeros where they do not know, so a zero never replaces a number.
 */

void
llm_usage_merge(llm_usage_t *to, const llm_usage_t *from, int start)
{
    int  i;

    for (i = 0; i < LLM_U_COUNT; i++) {

        if (from->v[i] == LLM_NULL || (i == LLM_U_OUTPUT && start)) {
            continue;
        }

        if (from->v[i] > 0 || to->v[i] == LLM_NULL || i == LLM_U_OUTPUT) {
            to->v[i] = from->v[i];
        }
    }
}


void
llm_usage_inside(llm_usage_t *u)
{
    int64_t  sum, reasoning, citation;

    llm_usage_fallback(u);

    if (u->v[LLM_U_INPUT] == LLM_NULL || u->v[LLM_U_TOTAL] == LLM_NULL) {
        return;
    }

    /* xAI and Perplexity: the total tells what was counted beside the output */

    sum = u->v[LLM_U_INPUT] + llm_usage_zero(u->v[LLM_U_OUTPUT]);
    reasoning = llm_usage_zero(u->v[LLM_U_REASONING]);
    citation = llm_usage_zero(u->v[LLM_U_CITATION]);

    if (reasoning > 0 && u->v[LLM_U_TOTAL] == sum + reasoning) {
        llm_usage_add(&u->v[LLM_U_OUTPUT], reasoning);

    } else if (citation > 0
               && u->v[LLM_U_TOTAL] == sum + reasoning + citation)
    {
        llm_usage_add(&u->v[LLM_U_OUTPUT], reasoning + citation);
    }
}


void
llm_usage_beside(llm_usage_t *u)
{
    llm_usage_fallback(u);

    if (u->v[LLM_U_INPUT] != LLM_NULL) {
        u->v[LLM_U_INPUT] += llm_usage_zero(u->v[LLM_U_CACHE_READ])
                             + llm_usage_zero(u->v[LLM_U_CACHE_WRITE]);
    }
}


void
llm_usage_gemini(llm_usage_t *u)
{
    int64_t  sum;

    llm_usage_fallback(u);

    sum = llm_usage_zero(u->v[LLM_U_INPUT])
          + llm_usage_zero(u->v[LLM_U_OUTPUT]);

    if (u->v[LLM_U_REASONING] != LLM_NULL
        && (u->v[LLM_U_REASONING] == 0 || u->v[LLM_U_TOTAL] != sum))
    {
        llm_usage_add(&u->v[LLM_U_OUTPUT], u->v[LLM_U_REASONING]);
    }

    if (u->v[LLM_U_INPUT] != LLM_NULL) {
        u->v[LLM_U_INPUT] += llm_usage_zero(u->v[LLM_U_TOOL_INPUT]);
    }
}


static void
llm_usage_fallback(llm_usage_t *u)
{
    int64_t  *v;

    v = u->v;

    if (v[LLM_U_INPUT] == LLM_NULL && v[LLM_U_OUTPUT] == LLM_NULL) {
        v[LLM_U_INPUT] = v[LLM_U_BILLED_INPUT];
        v[LLM_U_OUTPUT] = v[LLM_U_BILLED_OUTPUT];
    }

    if (v[LLM_U_INPUT] == LLM_NULL && v[LLM_U_OUTPUT] == LLM_NULL) {
        v[LLM_U_OUTPUT] = v[LLM_U_SERVER_OUTPUT];
        v[LLM_U_CACHE_READ] = v[LLM_U_SERVER_CACHED];

        if (v[LLM_U_SERVER_INPUT] != LLM_NULL) {
            v[LLM_U_INPUT] = v[LLM_U_SERVER_INPUT]
                             + llm_usage_zero(v[LLM_U_SERVER_CACHED]);
        }
    }

    if (v[LLM_U_CACHE_WRITE] == LLM_NULL
        && (v[LLM_U_CACHE_5M] != LLM_NULL || v[LLM_U_CACHE_1H] != LLM_NULL))
    {
        v[LLM_U_CACHE_WRITE] = llm_usage_zero(v[LLM_U_CACHE_5M])
                               + llm_usage_zero(v[LLM_U_CACHE_1H]);
    }
}


static int64_t
llm_usage_zero(int64_t v)
{
    return v == LLM_NULL ? 0 : v;
}


static void
llm_usage_add(int64_t *to, int64_t v)
{
    *to = llm_usage_zero(*to) + v;
}


int
llm_usage_header(const llm_str_t *name)
{
    int  i;

    static const struct {
        const char  *name;
        int          field;
    } counts[] = {
        { "x-amzn-bedrock-input-token-count", LLM_U_INPUT },
        { "x-amzn-bedrock-output-token-count", LLM_U_OUTPUT },
        { "x-amzn-bedrock-cache-read-input-token-count", LLM_U_CACHE_READ },
        { "x-amzn-bedrock-cache-write-input-token-count",
          LLM_U_CACHE_WRITE },
        { NULL, 0 }
    };

    for (i = 0; counts[i].name != NULL; i++) {

        if (llm_text_equal(name, counts[i].name)) {
            return counts[i].field;
        }
    }

    return -1;
}
