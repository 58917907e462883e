
/*
 * Copyright (C) llm_monitor contributors
 *
 * Cohere, v1 and v2.  It names no model in its answers.  Tokens are what the
 * model read and wrote, billed units are what is paid for; the latter count
 * only where there is nothing else.
 */


#include "../record/llm_record.h"
#include "llm_error.h"
#include "llm_facts.h"


static const llm_key_t  llm_cohere_tokens[] = {
    llm_key("input_tokens", LLM_F_U(INPUT)),
    llm_key("output_tokens", LLM_F_U(OUTPUT)),
    llm_key("reasoning_tokens", LLM_F_U(REASONING)),
    llm_key_end
};

static const llm_key_t  llm_cohere_billed[] = {
    llm_key("input_tokens", LLM_F_U(BILLED_INPUT)),
    llm_key("output_tokens", LLM_F_U(BILLED_OUTPUT)),
    llm_key_end
};

static const llm_key_t  llm_cohere_usage[] = {
    llm_key_in("tokens", 0, llm_cohere_tokens),
    llm_key_in("billed_units", 0, llm_cohere_billed),
    llm_key("cached_tokens", LLM_F_U(CACHE_READ)),
    llm_key_end
};

static const llm_key_t  llm_cohere_function[] = {
    llm_key("name", LLM_F_TOOL),
    llm_key_text("arguments", LLM_F_TEXT, NULL),
    llm_key_end
};

static const llm_key_t  llm_cohere_tool[] = {
    llm_key_in("function", 0, llm_cohere_function),
    llm_key("name", LLM_F_TOOL),
    llm_key_end
};

static const llm_key_t  llm_cohere_part[] = {
    llm_key_text("text", LLM_F_TEXT, NULL),
    llm_key_text("thinking", LLM_F_TEXT, NULL),
    llm_key_end
};

static const llm_key_t  llm_cohere_message[] = {
    llm_key_text("content", LLM_F_TEXT, llm_cohere_part),
    llm_key_text("tool_plan", LLM_F_TEXT, NULL),
    llm_key_in("tool_calls", 0, llm_cohere_tool),
    llm_key_end
};

static const llm_key_t  llm_cohere_delta[] = {
    llm_key_in("message", 0, llm_cohere_message),
    llm_key("finish_reason", LLM_F_FINISH),
    llm_key_keep("usage", LLM_F_USAGE, llm_cohere_usage),
    llm_key_keep("error", LLM_F_ERROR, llm_error_inside),
    llm_key_end
};

static const llm_key_t  llm_cohere_response[] = {
    llm_key_keep("meta", LLM_F_USAGE, llm_cohere_usage),
    llm_key_end
};

static const llm_key_t  llm_cohere_keys[] = {
    llm_key("type", LLM_F_TYPE),
    llm_key_in("delta", 0, llm_cohere_delta),
    llm_key("id", LLM_F_ID),
    llm_key("generation_id", LLM_F_ID),
    llm_key_in("message", 0, llm_cohere_message),
    llm_key("finish_reason", LLM_F_FINISH),
    llm_key_keep("usage", LLM_F_USAGE, llm_cohere_usage),
    llm_key_keep("meta", LLM_F_USAGE, llm_cohere_usage),
    llm_key_keep("error", LLM_F_ERROR, llm_error_inside),

    /* v1, and its last event */
    llm_key_text("text", LLM_F_TEXT, NULL),
    llm_key_in("tool_calls", 0, llm_cohere_tool),
    llm_key_in("response", 0, llm_cohere_response),
    llm_key("is_finished", LLM_F_DONE),
    llm_key_end
};

static const llm_key_t  llm_cohere_root =
    llm_key_in("", LLM_F_ROOT, llm_cohere_keys);


const llm_provider_t  llm_cohere = {
    LLM_PROTOCOL_COHERE, &llm_cohere_root, llm_usage_replace,
    llm_usage_inside
};
