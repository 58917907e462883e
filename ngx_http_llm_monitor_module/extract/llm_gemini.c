
/*
 * Copyright (C) llm_monitor contributors
 *
 * Gemini and Vertex: generateContent in its three forms, embeddings,
 * predictions, interactions; also wrapped in "response".
 */


#include "../record/llm_record.h"
#include "llm_error.h"
#include "llm_facts.h"


static const llm_key_t  llm_gemini_usage[] = {
    llm_key("promptTokenCount", LLM_F_U(INPUT)),
    llm_key("candidatesTokenCount", LLM_F_U(OUTPUT)),
    llm_key("totalTokenCount", LLM_F_U(TOTAL)),
    llm_key("thoughtsTokenCount", LLM_F_U(REASONING)),
    llm_key("cachedContentTokenCount", LLM_F_U(CACHE_READ)),
    llm_key("toolUsePromptTokenCount", LLM_F_U(TOOL_INPUT)),
    llm_key_end
};

static const llm_key_t  llm_gemini_interaction_usage[] = {
    llm_key("total_input_tokens", LLM_F_U(INPUT)),
    llm_key("total_output_tokens", LLM_F_U(OUTPUT)),
    llm_key("total_tokens", LLM_F_U(TOTAL)),
    llm_key("total_thought_tokens", LLM_F_U(REASONING)),
    llm_key("total_reasoning_tokens", LLM_F_U(REASONING)),
    llm_key("total_cached_tokens", LLM_F_U(CACHE_READ)),
    llm_key("total_tool_use_tokens", LLM_F_U(TOOL_INPUT)),
    llm_key_end
};

static const llm_key_t  llm_gemini_data[] = {
    llm_key_text("data", LLM_F_TEXT, NULL),
    llm_key_end
};

static const llm_key_t  llm_gemini_call[] = {
    llm_key_end
};

static const llm_key_t  llm_gemini_part[] = {
    llm_key_text("text", LLM_F_TEXT, NULL),
    llm_key_in("functionCall", LLM_F_TOOL, llm_gemini_call),
    llm_key_in("inlineData", 0, llm_gemini_data),
    llm_key_end
};

static const llm_key_t  llm_gemini_content[] = {
    llm_key_in("parts", 0, llm_gemini_part),
    llm_key_end
};

static const llm_key_t  llm_gemini_candidate[] = {
    llm_key_in("content", 0, llm_gemini_content),
    llm_key("finishReason", LLM_F_FINISH),
    llm_key("index", LLM_F_INDEX),
    llm_key_end
};

static const llm_key_t  llm_gemini_feedback[] = {
    llm_key("blockReason", LLM_F_FINISH),
    llm_key_end
};

static const llm_key_t  llm_gemini_output[] = {
    llm_key("type", LLM_F_OUTPUT),
    llm_key_in("content", 0, llm_gemini_part),
    llm_key_text("text", LLM_F_TEXT, NULL),
    llm_key_end
};

static const llm_key_t  llm_gemini_interaction[] = {
    llm_key("id", LLM_F_ID),
    llm_key("model", LLM_F_MODEL),
    llm_key("object", LLM_F_OBJECT),
    llm_key("status", LLM_F_STATUS),
    llm_key_keep("usage", LLM_F_USAGE, llm_gemini_interaction_usage),
    llm_key_end
};

static const llm_key_t  llm_gemini_keys[] = {
    llm_key_in("candidates", LLM_F_CHOICE, llm_gemini_candidate),
    llm_key_keep("usageMetadata", LLM_F_USAGE, llm_gemini_usage),
    llm_key("modelVersion", LLM_F_MODEL),
    llm_key("responseId", LLM_F_ID),
    llm_key_in("promptFeedback", 0, llm_gemini_feedback),
    llm_key_keep("error", LLM_F_ERROR, llm_error_inside),
    llm_key_in("response", 0, llm_gemini_keys),

    /* interactions */
    llm_key("id", LLM_F_ID),
    llm_key("model", LLM_F_MODEL),
    llm_key("object", LLM_F_OBJECT),
    llm_key("status", LLM_F_STATUS),
    llm_key("event_type", LLM_F_TYPE),
    llm_key_in("interaction", 0, llm_gemini_interaction),
    llm_key_in("delta", 0, llm_gemini_part),
    llm_key_in("outputs", 0, llm_gemini_output),
    llm_key_in("steps", 0, llm_gemini_output),
    llm_key_keep("usage", LLM_F_USAGE, llm_gemini_interaction_usage),
    llm_key_end
};

static const llm_key_t  llm_gemini_root =
    llm_key_in("", LLM_F_ROOT, llm_gemini_keys);


const llm_provider_t  llm_gemini = {
    LLM_PROTOCOL_GEMINI, &llm_gemini_root, llm_usage_replace,
    llm_usage_gemini
};
