
/*
 * Copyright (C) llm_monitor contributors
 *
 * A service that nobody knows.  The first object whose name is one of the
 * usual ones is taken for its usage, also inside of "response", "message" and
 * "data".
 */


#include "../record/llm_record.h"
#include "llm_error.h"
#include "llm_facts.h"


static const llm_key_t  llm_unknown_details[] = {
    llm_key("cached_tokens", LLM_F_U(CACHE_READ)),
    llm_key("cache_write_tokens", LLM_F_U(CACHE_WRITE)),
    llm_key("reasoning_tokens", LLM_F_U(REASONING)),
    llm_key("thinking_tokens", LLM_F_U(REASONING)),
    llm_key_end
};

static const llm_key_t  llm_unknown_usage[] = {
    llm_key("prompt_tokens", LLM_F_U(INPUT)),
    llm_key("completion_tokens", LLM_F_U(OUTPUT)),
    llm_key("total_tokens", LLM_F_U(TOTAL)),
    llm_key("input_tokens", LLM_F_U(INPUT)),
    llm_key("output_tokens", LLM_F_U(OUTPUT)),
    llm_key("inputTokens", LLM_F_U(INPUT)),
    llm_key("outputTokens", LLM_F_U(OUTPUT)),
    llm_key("totalTokens", LLM_F_U(TOTAL)),
    llm_key("promptTokenCount", LLM_F_U(INPUT)),
    llm_key("candidatesTokenCount", LLM_F_U(OUTPUT)),
    llm_key("totalTokenCount", LLM_F_U(TOTAL)),
    llm_key("cachedContentTokenCount", LLM_F_U(CACHE_READ)),
    llm_key("thoughtsTokenCount", LLM_F_U(REASONING)),
    llm_key("cache_read_input_tokens", LLM_F_U(CACHE_READ)),
    llm_key("cache_creation_input_tokens", LLM_F_U(CACHE_WRITE)),
    llm_key("cached_tokens", LLM_F_U(CACHE_READ)),
    llm_key("reasoning_tokens", LLM_F_U(REASONING)),
    llm_key_in("prompt_tokens_details", 0, llm_unknown_details),
    llm_key_in("input_tokens_details", 0, llm_unknown_details),
    llm_key_in("completion_tokens_details", 0, llm_unknown_details),
    llm_key_in("output_tokens_details", 0, llm_unknown_details),
    llm_key_end
};

static const llm_key_t  llm_unknown_billed[] = {
    llm_key_keep("billed_units", LLM_F_USAGE, llm_unknown_usage),
    llm_key_end
};

static const llm_key_t  llm_unknown_parts[] = {
    llm_key_text("text", LLM_F_TEXT, NULL),
    llm_key_end
};

static const llm_key_t  llm_unknown_content[] = {
    llm_key_text("content", LLM_F_TEXT, llm_unknown_parts),
    llm_key_text("text", LLM_F_TEXT, NULL),
    llm_key_end
};

static const llm_key_t  llm_unknown_choice[] = {
    llm_key("index", LLM_F_INDEX),
    llm_key("finish_reason", LLM_F_FINISH),
    llm_key_text("text", LLM_F_TEXT, NULL),
    llm_key_in("delta", 0, llm_unknown_content),
    llm_key_in("message", 0, llm_unknown_content),
    llm_key_end
};

static const llm_key_t  llm_unknown_keys[] = {
    llm_key_keep("usage", LLM_F_USAGE, llm_unknown_usage),
    llm_key_keep("usageMetadata", LLM_F_USAGE, llm_unknown_usage),
    llm_key_keep("usage_metadata", LLM_F_USAGE, llm_unknown_usage),
    llm_key_keep("token_usage", LLM_F_USAGE, llm_unknown_usage),
    llm_key_in("meta", 0, llm_unknown_billed),
    llm_key_in("response", 0, llm_unknown_keys),
    llm_key_in("message", LLM_F_MESSAGE, llm_unknown_keys),
    llm_key_in("data", 0, llm_unknown_keys),
    llm_key_in("choices", LLM_F_CHOICE, llm_unknown_choice),
    llm_key("type", LLM_F_TYPE),
    llm_key("id", LLM_F_ID),
    llm_key("model", LLM_F_MODEL),
    llm_key("stop_reason", LLM_F_FINISH),
    llm_key_text("content", LLM_F_TEXT, llm_unknown_parts),
    llm_key_in("delta", 0, llm_unknown_content),
    llm_key_keep("error", LLM_F_ERROR, llm_error_inside),
    llm_key_end
};

static const llm_key_t  llm_unknown_root =
    llm_key_in("", LLM_F_ROOT, llm_unknown_keys);


const llm_provider_t  llm_unknown = {
    LLM_PROTOCOL_UNKNOWN, &llm_unknown_root, llm_usage_merge,
    llm_usage_inside
};
