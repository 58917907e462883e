
/*
 * Copyright (C) llm_monitor contributors
 *
 * Anthropic's messages, and the relays that speak like it.
 */


#include "../record/llm_record.h"
#include "llm_error.h"
#include "llm_facts.h"


static const llm_key_t  llm_anthropic_creation[] = {
    llm_key("ephemeral_5m_input_tokens", LLM_F_U(CACHE_5M)),
    llm_key("ephemeral_1h_input_tokens", LLM_F_U(CACHE_1H)),
    llm_key_end
};

static const llm_key_t  llm_anthropic_details[] = {
    llm_key("thinking_tokens", LLM_F_U(REASONING)),
    llm_key_end
};

static const llm_key_t  llm_anthropic_tools[] = {
    llm_key("web_search_requests", LLM_F_U(WEB_SEARCHES)),
    llm_key_end
};

static const llm_key_t  llm_anthropic_usage[] = {
    llm_key("input_tokens", LLM_F_U(INPUT)),
    llm_key("cache_creation_input_tokens", LLM_F_U(CACHE_WRITE)),
    llm_key("cache_read_input_tokens", LLM_F_U(CACHE_READ)),
    llm_key_in("cache_creation", 0, llm_anthropic_creation),
    llm_key("output_tokens", LLM_F_U(OUTPUT)),
    llm_key_in("output_tokens_details", 0, llm_anthropic_details),
    llm_key_in("server_tool_use", 0, llm_anthropic_tools),
    llm_key("service_tier", LLM_F_TIER),
    llm_key_end
};

static const llm_key_t  llm_anthropic_part[] = {
    llm_key("type", LLM_F_KIND),
    llm_key_text("text", LLM_F_TEXT, NULL),
    llm_key_text("thinking", LLM_F_TEXT, NULL),
    llm_key_text("name", LLM_F_CONTENT, NULL),
    llm_key_end
};

static const llm_key_t  llm_anthropic_message[] = {
    llm_key("id", LLM_F_ID),
    llm_key_none("type"),
    llm_key_none("role"),
    llm_key("model", LLM_F_MODEL),
    llm_key("stop_reason", LLM_F_FINISH),
    llm_key_keep("usage", LLM_F_USAGE_START, llm_anthropic_usage),
    llm_key_end
};

static const llm_key_t  llm_anthropic_delta[] = {
    llm_key_none("type"),
    llm_key_text("text", LLM_F_TEXT, NULL),
    llm_key_text("thinking", LLM_F_TEXT, NULL),
    llm_key_text("partial_json", LLM_F_TEXT, NULL),
    llm_key("stop_reason", LLM_F_FINISH),
    llm_key_keep("usage", LLM_F_USAGE, llm_anthropic_usage),
    llm_key_end
};

static const llm_key_t  llm_anthropic_keys[] = {
    llm_key("type", LLM_F_TYPE),
    llm_key_none("index"),
    llm_key_in("delta", 0, llm_anthropic_delta),
    llm_key_in("message", 0, llm_anthropic_message),
    llm_key_in("content_block", 0, llm_anthropic_part),
    llm_key("id", LLM_F_ID),
    llm_key("model", LLM_F_MODEL),
    llm_key_in("content", 0, llm_anthropic_part),
    llm_key("stop_reason", LLM_F_FINISH),
    llm_key_keep("usage", LLM_F_USAGE, llm_anthropic_usage),
    llm_key_keep("error", LLM_F_ERROR, llm_error_inside),
    llm_key_text("completion", LLM_F_TEXT, NULL),
    llm_key_end
};

static const llm_key_t  llm_anthropic_root =
    llm_key_in("", LLM_F_ROOT, llm_anthropic_keys);


const llm_provider_t  llm_anthropic = {
    LLM_PROTOCOL_ANTHROPIC, &llm_anthropic_root, llm_usage_merge,
    llm_usage_beside
};
