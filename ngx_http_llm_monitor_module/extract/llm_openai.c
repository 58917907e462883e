
/*
 * Copyright (C) llm_monitor contributors
 *
 * OpenAI and the many services that speak its dialect: chat and text
 * completions, responses, embeddings, images, audio; with what Azure, Groq,
 * Mistral, DeepSeek, xAI, OpenRouter, Perplexity, llama.cpp and vLLM add.
 */


#include "../record/llm_record.h"
#include "llm_error.h"
#include "llm_facts.h"


static const llm_key_t  llm_openai_input_details[] = {
    llm_key("cached_tokens", LLM_F_U(CACHE_READ)),
    llm_key("cache_write_tokens", LLM_F_U(CACHE_WRITE)),
    llm_key("cache_creation_tokens", LLM_F_U(CACHE_WRITE)),
    llm_key("audio_tokens", LLM_F_U(AUDIO_INPUT)),
    llm_key_end
};

static const llm_key_t  llm_openai_output_details[] = {
    llm_key("reasoning_tokens", LLM_F_U(REASONING)),
    llm_key("audio_tokens", LLM_F_U(AUDIO_OUTPUT)),
    llm_key_end
};

static const llm_key_t  llm_openai_usage[] = {
    llm_key("prompt_tokens", LLM_F_U(INPUT)),
    llm_key("completion_tokens", LLM_F_U(OUTPUT)),
    llm_key("total_tokens", LLM_F_U(TOTAL)),
    llm_key("input_tokens", LLM_F_U(INPUT)),
    llm_key("output_tokens", LLM_F_U(OUTPUT)),
    llm_key_in("prompt_tokens_details", 0, llm_openai_input_details),
    llm_key_in("prompt_token_details", 0, llm_openai_input_details),
    llm_key_in("input_tokens_details", 0, llm_openai_input_details),
    llm_key_in("input_token_details", 0, llm_openai_input_details),
    llm_key_in("completion_tokens_details", 0, llm_openai_output_details),
    llm_key_in("completion_token_details", 0, llm_openai_output_details),
    llm_key_in("output_tokens_details", 0, llm_openai_output_details),
    llm_key_in("output_token_details", 0, llm_openai_output_details),

    /* DeepSeek; Moonshot; Mistral; xAI's native form; Perplexity */
    llm_key("prompt_cache_hit_tokens", LLM_F_U(CACHE_READ)),
    llm_key("cached_tokens", LLM_F_U(CACHE_READ)),
    llm_key("num_cached_tokens", LLM_F_U(CACHE_READ)),
    llm_key("cached_prompt_text_tokens", LLM_F_U(CACHE_READ)),
    llm_key("reasoning_tokens", LLM_F_U(REASONING)),
    llm_key("citation_tokens", LLM_F_U(CITATION)),
    llm_key("num_search_queries", LLM_F_U(WEB_SEARCHES)),

    /* relays in front of Anthropic */
    llm_key("cache_read_input_tokens", LLM_F_U(CACHE_READ)),
    llm_key("cache_creation_input_tokens", LLM_F_U(CACHE_WRITE)),

    /* OpenRouter */
    llm_key("cost", LLM_F_U(COST)),
    llm_key_end
};

static const llm_key_t  llm_openai_timings[] = {
    llm_key("cache_n", LLM_F_U(SERVER_CACHED)),
    llm_key("prompt_n", LLM_F_U(SERVER_INPUT)),
    llm_key("predicted_n", LLM_F_U(SERVER_OUTPUT)),
    llm_key_end
};

static const llm_key_t  llm_openai_function[] = {
    llm_key("name", LLM_F_TOOL),
    llm_key_text("arguments", LLM_F_TEXT, NULL),
    llm_key_text("input", LLM_F_TEXT, NULL),
    llm_key_end
};

static const llm_key_t  llm_openai_tool[] = {
    llm_key_in("function", 0, llm_openai_function),
    llm_key_in("custom", 0, llm_openai_function),
    llm_key_end
};

static const llm_key_t  llm_openai_parts[] = {
    llm_key_text("text", LLM_F_TEXT, NULL),
    llm_key_text("refusal", LLM_F_TEXT, NULL),
    llm_key_text("data", LLM_F_TEXT, NULL),
    llm_key_text("transcript", LLM_F_TEXT, NULL),
    llm_key_end
};

static const llm_key_t  llm_openai_message[] = {
    llm_key_none("role"),
    llm_key_text("content", LLM_F_TEXT, llm_openai_parts),
    llm_key_text("reasoning_content", LLM_F_TEXT, NULL),
    llm_key_text("reasoning", LLM_F_TEXT, NULL),
    llm_key_text("refusal", LLM_F_TEXT, NULL),
    llm_key_in("tool_calls", 0, llm_openai_tool),
    llm_key_in("function_call", 0, llm_openai_function),
    llm_key_in("audio", 0, llm_openai_parts),
    llm_key_end
};

static const llm_key_t  llm_openai_choice[] = {
    llm_key("index", LLM_F_INDEX),
    llm_key_in("delta", 0, llm_openai_message),
    llm_key_in("message", 0, llm_openai_message),
    llm_key_none("logprobs"),
    llm_key("finish_reason", LLM_F_FINISH),
    llm_key_text("text", LLM_F_TEXT, NULL),
    llm_key_end
};

static const llm_key_t  llm_openai_groq[] = {
    llm_key_keep("usage", LLM_F_USAGE, llm_openai_usage),
    llm_key_keep("error", LLM_F_ERROR, llm_error_inside),
    llm_key_end
};

static const llm_key_t  llm_openai_incomplete[] = {
    llm_key("reason", LLM_F_REASON),
    llm_key_end
};

static const llm_key_t  llm_openai_output[] = {
    llm_key("type", LLM_F_OUTPUT),
    llm_key_text("arguments", LLM_F_CONTENT, NULL),
    llm_key_text("result", LLM_F_CONTENT, NULL),
    llm_key_end
};

static const llm_key_t  llm_openai_output_parts[] = {
    llm_key_text("text", LLM_F_CONTENT, NULL),
    llm_key_text("refusal", LLM_F_CONTENT, NULL),
    llm_key_end
};

static const llm_key_t  llm_openai_output_item[] = {
    llm_key("type", LLM_F_OUTPUT),
    llm_key_in("content", 0, llm_openai_output_parts),
    llm_key_text("arguments", LLM_F_CONTENT, NULL),
    llm_key_text("result", LLM_F_CONTENT, NULL),
    llm_key_end
};

static const llm_key_t  llm_openai_item[] = {
    llm_key_text("name", LLM_F_CONTENT, NULL),
    llm_key_end
};

static const llm_key_t  llm_openai_response[] = {
    llm_key("id", LLM_F_ID),
    llm_key("object", LLM_F_OBJECT),
    llm_key("status", LLM_F_STATUS),
    llm_key_keep("error", LLM_F_ERROR, llm_error_inside),
    llm_key_in("incomplete_details", 0, llm_openai_incomplete),
    llm_key("model", LLM_F_MODEL),
    llm_key_in("output", 0, llm_openai_output),
    llm_key("service_tier", LLM_F_TIER),
    llm_key_keep("usage", LLM_F_USAGE, llm_openai_usage),
    llm_key_end
};

static const llm_key_t  llm_openai_data[] = {
    llm_key_text("b64_json", LLM_F_TEXT, NULL),
    llm_key_text("url", LLM_F_TEXT, NULL),
    llm_key_end
};

static const llm_key_t  llm_openai_keys[] = {
    llm_key("id", LLM_F_ID),
    llm_key("object", LLM_F_OBJECT),
    llm_key_none("created"),
    llm_key("model", LLM_F_MODEL),
    llm_key_in("choices", LLM_F_CHOICE, llm_openai_choice),
    llm_key_keep("usage", LLM_F_USAGE, llm_openai_usage),
    llm_key("service_tier", LLM_F_TIER),
    llm_key_none("system_fingerprint"),
    llm_key("type", LLM_F_TYPE),
    llm_key_text("delta", LLM_F_TEXT, NULL),
    llm_key_in("response", 0, llm_openai_response),
    llm_key_keep("error", LLM_F_ERROR, llm_error_inside),
    llm_key_in("x_groq", 0, llm_openai_groq),
    llm_key_in("timings", LLM_F_TIMINGS, llm_openai_timings),
    llm_key_in("item", 0, llm_openai_item),
    llm_key("status", LLM_F_STATUS),
    llm_key_in("incomplete_details", 0, llm_openai_incomplete),
    llm_key_in("output", 0, llm_openai_output_item),
    llm_key_in("data", 0, llm_openai_data),
    llm_key_text("b64_json", LLM_F_TEXT, NULL),
    llm_key_text("partial_image_b64", LLM_F_TEXT, NULL),
    llm_key_text("text", LLM_F_CONTENT, NULL),
    llm_key_text("content", LLM_F_TEXT, NULL),       /* llama.cpp */
    llm_key("tokens_evaluated", LLM_F_U(SERVER_INPUT)),
    llm_key("tokens_predicted", LLM_F_U(SERVER_OUTPUT)),
    llm_key("stop", LLM_F_DONE),
    llm_key("stop_type", LLM_F_FINISH),
    llm_key("message", LLM_F_MESSAGE),
    llm_key("code", LLM_F_CODE),
    llm_key_end
};

static const llm_key_t  llm_openai_root =
    llm_key_in("", LLM_F_ROOT, llm_openai_keys);


const llm_provider_t  llm_openai = {
    LLM_PROTOCOL_OPENAI, &llm_openai_root, llm_usage_replace,
    llm_usage_inside
};
