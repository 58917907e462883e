
/*
 * Copyright (C) llm_monitor contributors
 *
 * Bedrock: converse, and invoke, whose bodies are those of the models' makers:
 * Anthropic, Titan, Nova, Llama, Mistral, and imported ones.
 */


#include "../record/llm_record.h"
#include "llm_error.h"
#include "llm_facts.h"


static const llm_key_t  llm_bedrock_details[] = {
    llm_key("thinking_tokens", LLM_F_U(REASONING)),
    llm_key("reasoning_tokens", LLM_F_U(REASONING)),
    llm_key("ephemeral_5m_input_tokens", LLM_F_U(CACHE_5M)),
    llm_key("ephemeral_1h_input_tokens", LLM_F_U(CACHE_1H)),
    llm_key_end
};

static const llm_key_t  llm_bedrock_usage[] = {
    llm_key("inputTokens", LLM_F_U(INPUT)),
    llm_key("outputTokens", LLM_F_U(OUTPUT)),
    llm_key("totalTokens", LLM_F_U(TOTAL)),
    llm_key("cacheReadInputTokens", LLM_F_U(CACHE_READ)),
    llm_key("cacheWriteInputTokens", LLM_F_U(CACHE_WRITE)),
    llm_key("cacheReadInputTokenCount", LLM_F_U(CACHE_READ)),
    llm_key("cacheWriteInputTokenCount", LLM_F_U(CACHE_WRITE)),
    llm_key("input_tokens", LLM_F_U(INPUT)),
    llm_key("output_tokens", LLM_F_U(OUTPUT)),
    llm_key("cache_read_input_tokens", LLM_F_U(CACHE_READ)),
    llm_key("cache_creation_input_tokens", LLM_F_U(CACHE_WRITE)),
    llm_key_in("cache_creation", 0, llm_bedrock_details),
    llm_key_in("output_tokens_details", 0, llm_bedrock_details),
    llm_key("prompt_tokens", LLM_F_U(INPUT)),
    llm_key("completion_tokens", LLM_F_U(OUTPUT)),
    llm_key("total_tokens", LLM_F_U(TOTAL)),
    llm_key_end
};

/* these count otherwise than the usage of the model's maker, which wins */

static const llm_key_t  llm_bedrock_metrics[] = {
    llm_key("inputTokenCount", LLM_F_U(BILLED_INPUT)),
    llm_key("outputTokenCount", LLM_F_U(BILLED_OUTPUT)),
    llm_key("cacheReadInputTokenCount", LLM_F_U(CACHE_READ)),
    llm_key("cacheWriteInputTokenCount", LLM_F_U(CACHE_WRITE)),
    llm_key_end
};

static const llm_key_t  llm_bedrock_call[] = {
    llm_key("name", LLM_F_TOOL),
    llm_key_text("input", LLM_F_TEXT, NULL),
    llm_key_end
};

static const llm_key_t  llm_bedrock_reasoning[] = {
    llm_key_text("text", LLM_F_TEXT, NULL),
    llm_key_in("reasoningText", 0, llm_bedrock_reasoning),
    llm_key_end
};

static const llm_key_t  llm_bedrock_part[] = {
    llm_key("type", LLM_F_KIND),
    llm_key_text("text", LLM_F_TEXT, NULL),
    llm_key_text("thinking", LLM_F_TEXT, NULL),
    llm_key_text("partial_json", LLM_F_TEXT, NULL),
    llm_key_in("toolUse", 0, llm_bedrock_call),
    llm_key_in("reasoningContent", 0, llm_bedrock_reasoning),
    llm_key("stop_reason", LLM_F_FINISH),
    llm_key_keep("usage", LLM_F_USAGE, llm_bedrock_usage),
    llm_key_end
};

/* invoke: Anthropic's message_start; converse: output.message */

static const llm_key_t  llm_bedrock_message[] = {
    llm_key("id", LLM_F_ID),
    llm_key("model", LLM_F_MODEL),
    llm_key("stop_reason", LLM_F_FINISH),
    llm_key_text("content", LLM_F_TEXT, llm_bedrock_part),
    llm_key_keep("usage", LLM_F_USAGE_START, llm_bedrock_usage),
    llm_key_end
};

static const llm_key_t  llm_bedrock_output[] = {
    llm_key_in("message", 0, llm_bedrock_message),
    llm_key_end
};

static const llm_key_t  llm_bedrock_result[] = {
    llm_key("tokenCount", LLM_F_U(OUTPUT)),
    llm_key_text("outputText", LLM_F_TEXT, NULL),
    llm_key_text("text", LLM_F_TEXT, NULL),
    llm_key("completionReason", LLM_F_FINISH),
    llm_key("stop_reason", LLM_F_FINISH),
    llm_key("finish_reason", LLM_F_FINISH),
    llm_key_in("message", 0, llm_bedrock_message),
    llm_key_in("delta", 0, llm_bedrock_message),
    llm_key_end
};

static const llm_key_t  llm_bedrock_start[] = {
    llm_key_in("toolUse", 0, llm_bedrock_call),
    llm_key_end
};

static const llm_key_t  llm_bedrock_keys[] = {
    llm_key_in("delta", 0, llm_bedrock_part),
    llm_key_in("start", 0, llm_bedrock_start),
    llm_key("stopReason", LLM_F_FINISH),
    llm_key_keep("usage", LLM_F_USAGE, llm_bedrock_usage),
    llm_key_in("output", 0, llm_bedrock_output),

    llm_key("type", LLM_F_TYPE),
    llm_key("id", LLM_F_ID),
    llm_key("model", LLM_F_MODEL),
    llm_key("stop_reason", LLM_F_FINISH),
    llm_key_in("content", 0, llm_bedrock_part),
    llm_key_in("content_block", 0, llm_bedrock_part),
    llm_key_text("completion", LLM_F_TEXT, NULL),
    llm_key_keep("error", LLM_F_ERROR, llm_error_inside),

    /* a string is an exception's, an object Anthropic's */
    llm_key_in("message", LLM_F_MESSAGE, llm_bedrock_message),

    llm_key("inputTextTokenCount", LLM_F_U(INPUT)),
    llm_key("totalOutputTextTokenCount", LLM_F_U(OUTPUT)),
    llm_key_text("outputText", LLM_F_TEXT, NULL),
    llm_key("completionReason", LLM_F_FINISH),
    llm_key_in("results", LLM_F_CHOICE, llm_bedrock_result),
    llm_key_in("outputs", LLM_F_CHOICE, llm_bedrock_result),
    llm_key_in("choices", LLM_F_CHOICE, llm_bedrock_result),
    llm_key_text("generation", LLM_F_TEXT, NULL),
    llm_key("prompt_token_count", LLM_F_U(INPUT)),
    llm_key("generation_token_count", LLM_F_U(OUTPUT)),
    llm_key_in("amazon-bedrock-invocationMetrics", LLM_F_TIMINGS,
               llm_bedrock_metrics),
    llm_key_end
};

static const llm_key_t  llm_bedrock_root =
    llm_key_in("", LLM_F_ROOT, llm_bedrock_keys);


const llm_provider_t  llm_bedrock = {
    LLM_PROTOCOL_BEDROCK, &llm_bedrock_root, llm_usage_merge,
    llm_usage_beside
};
