
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_price_usage.h"
#include "llm_pull.h"


#define LLM_PRICE_MODALITIES                                                  \
    (llm_price_bit(CACHE_AUDIO_READ) | llm_price_bit(CACHE_IMAGE_READ)        \
     | llm_price_bit(INPUT_AUDIO) | llm_price_bit(INPUT_IMAGE)                \
     | llm_price_bit(INPUT_VIDEO) | llm_price_bit(OUTPUT_AUDIO)               \
     | llm_price_bit(OUTPUT_IMAGE) | llm_price_bit(OUTPUT_VIDEO))

/* what OpenAI and Gemini tell of modalities in their usage objects */

typedef struct {
    const char   *name;
    int           audio;       /* units; LLM_P_COUNT: none */
    int           image;
    int           video;
} llm_price_detail_t;


static int llm_price_modal(const llm_str_t *usage);
static void llm_price_gemini(const llm_str_t *usage, llm_price_usage_t *u);
static void llm_price_gemini_list(const llm_str_t *list,
    const llm_price_detail_t *detail, llm_price_usage_t *u);
static void llm_price_openai(const llm_str_t *usage, llm_price_usage_t *u);
static void llm_price_get(const llm_str_t *usage, const char *path, int unit,
    llm_price_usage_t *u);
static int64_t llm_price_count(int64_t v);


static const llm_price_detail_t  llm_price_details[] = {
    { "promptTokensDetails", LLM_P_INPUT_AUDIO, LLM_P_INPUT_IMAGE,
      LLM_P_INPUT_VIDEO },
    { "toolUsePromptTokensDetails", LLM_P_INPUT_AUDIO, LLM_P_INPUT_IMAGE,
      LLM_P_INPUT_VIDEO },
    { "cacheTokensDetails", LLM_P_CACHE_AUDIO_READ, LLM_P_CACHE_IMAGE_READ,
      LLM_P_COUNT },
    { "candidatesTokensDetails", LLM_P_OUTPUT_AUDIO, LLM_P_OUTPUT_IMAGE,
      LLM_P_OUTPUT_VIDEO },
    { NULL, 0, 0, 0 }
};


void
llm_price_usage(const llm_record_t *r, uint32_t units, llm_price_usage_t *u)
{
    int64_t           *v;
    const int64_t     *num;
    const llm_str_t   *usage;

    v = u->v;
    num = r->num;

    memset(u, 0, sizeof(llm_price_usage_t));

    v[LLM_P_CACHE_WRITE_5M] = llm_price_count(num[LLM_N_CACHE_CREATION_5M]);
    v[LLM_P_CACHE_WRITE_1H] = llm_price_count(num[LLM_N_CACHE_CREATION_1H]);
    v[LLM_P_CACHE_READ] = llm_price_count(num[LLM_N_CACHE_READ_TOKENS]);
    v[LLM_P_CACHE_WRITE] = llm_price_count(num[LLM_N_CACHE_CREATION_TOKENS]);
    v[LLM_P_INPUT_AUDIO] = llm_price_count(num[LLM_N_AUDIO_INPUT_TOKENS]);
    v[LLM_P_INPUT] = llm_price_count(num[LLM_N_INPUT_TOKENS]);
    v[LLM_P_OUTPUT_AUDIO] = llm_price_count(num[LLM_N_AUDIO_OUTPUT_TOKENS]);
    v[LLM_P_OUTPUT_REASONING] = llm_price_count(num[LLM_N_REASONING_TOKENS]);
    v[LLM_P_OUTPUT] = llm_price_count(num[LLM_N_OUTPUT_TOKENS]);
    v[LLM_P_WEB_SEARCHES] = llm_price_count(num[LLM_N_WEB_SEARCHES]);
    v[LLM_P_REQUESTS] = 1;

    usage = &r->str[LLM_S_USAGE];

    if (usage->len == 0) {
        return;
    }

    if (units & LLM_PRICE_MODALITIES) {

        if (num[LLM_N_PROTOCOL] != LLM_PROTOCOL_GEMINI) {
            llm_price_openai(usage, u);

        } else if (llm_price_modal(usage)) {
            llm_price_gemini(usage, u);
        }
    }

    if (units & llm_price_bit(OUTPUT_CITATION)) {
        llm_price_get(usage, "citation_tokens", LLM_P_OUTPUT_CITATION, u);
    }

    /* a row of the database does not have this count */

    if ((units & llm_price_bit(WEB_SEARCHES))
        && num[LLM_N_WEB_SEARCHES] == LLM_NULL)
    {
        llm_price_get(usage, "server_tool_use.web_search_requests",
                      LLM_P_WEB_SEARCHES, u);
        llm_price_get(usage, "num_search_queries", LLM_P_WEB_SEARCHES, u);
    }
}


/*
 * Most is text.  AUDIO, DOCUMENT, IMAGE and VIDEO have letters that none of
 * the usual keys has, so that one look tells that there is nothing else.
 */

static int
llm_price_modal(const llm_str_t *usage)
{
    return memchr(usage->data, 'U', usage->len) != NULL
           || memchr(usage->data, 'G', usage->len) != NULL
           || memchr(usage->data, 'V', usage->len) != NULL;
}


/* "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 7}, ...] */

static void
llm_price_gemini(const llm_str_t *usage, llm_price_usage_t *u)
{
    llm_str_t                  key, value;
    llm_pull_t                 it;
    const llm_price_detail_t  *detail;

    llm_pull_open(&it, usage);

    while (llm_pull_next(&it, &key, &value)) {

        if (!llm_pull_is(&value, '[')) {
            continue;
        }

        for (detail = llm_price_details; detail->name != NULL; detail++) {
            if (key.len == strlen(detail->name)
                && memcmp(key.data, detail->name, key.len) == 0)
            {
                llm_price_gemini_list(&value, detail, u);
            }
        }
    }
}


/* a document is shown to the model as images */

static void
llm_price_gemini_list(const llm_str_t *list,
    const llm_price_detail_t *detail, llm_price_usage_t *u)
{
    int          unit;
    llm_str_t    item, modality, count;
    llm_pull_t   it;

    llm_pull_open(&it, list);

    while (llm_pull_next(&it, NULL, &item)) {

        if (!llm_pull_get(&item, "modality", &modality)
            || !llm_pull_get(&item, "tokenCount", &count))
        {
            continue;
        }

        if (llm_pull_equal(&modality, "AUDIO")) {
            unit = detail->audio;

        } else if (llm_pull_equal(&modality, "IMAGE")
                   || llm_pull_equal(&modality, "DOCUMENT"))
        {
            unit = detail->image;

        } else if (llm_pull_equal(&modality, "VIDEO")) {
            unit = detail->video;

        } else {
            continue;
        }

        if (unit != LLM_P_COUNT) {
            u->v[unit] += llm_pull_number(&count, 0);
        }
    }
}


static void
llm_price_openai(const llm_str_t *usage, llm_price_usage_t *u)
{
    llm_price_get(usage, "input_tokens_details.image_tokens",
                  LLM_P_INPUT_IMAGE, u);
    llm_price_get(usage, "output_tokens_details.image_tokens",
                  LLM_P_OUTPUT_IMAGE, u);
    llm_price_get(usage, "input_token_details.image_tokens",
                  LLM_P_INPUT_IMAGE, u);
    llm_price_get(usage,
                  "input_token_details.cached_tokens_details.audio_tokens",
                  LLM_P_CACHE_AUDIO_READ, u);
    llm_price_get(usage,
                  "input_token_details.cached_tokens_details.image_tokens",
                  LLM_P_CACHE_IMAGE_READ, u);
}


static void
llm_price_get(const llm_str_t *usage, const char *path, int unit,
    llm_price_usage_t *u)
{
    llm_str_t  value;

    if (llm_pull_get(usage, path, &value)) {
        u->v[unit] = llm_pull_number(&value, u->v[unit]);
    }
}


static int64_t
llm_price_count(int64_t v)
{
    return v > 0 ? v : 0;
}
