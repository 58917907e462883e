
/*
 * Copyright (C) llm_monitor contributors
 *
 * Ollama's own API.  Its counts stand in the last line, beside everything
 * else.
 */


#include "../record/llm_record.h"
#include "llm_error.h"
#include "llm_facts.h"


static const llm_key_t  llm_ollama_function[] = {
    llm_key("name", LLM_F_TOOL),
    llm_key_end
};

static const llm_key_t  llm_ollama_tool[] = {
    llm_key_in("function", 0, llm_ollama_function),
    llm_key_end
};

static const llm_key_t  llm_ollama_message[] = {
    llm_key_text("content", LLM_F_TEXT, NULL),
    llm_key_text("thinking", LLM_F_TEXT, NULL),
    llm_key_in("tool_calls", 0, llm_ollama_tool),
    llm_key_end
};

static const llm_key_t  llm_ollama_keys[] = {
    llm_key("model", LLM_F_MODEL),
    llm_key_in("message", 0, llm_ollama_message),
    llm_key_text("response", LLM_F_TEXT, NULL),
    llm_key_text("thinking", LLM_F_TEXT, NULL),
    llm_key("done", LLM_F_DONE),
    llm_key("done_reason", LLM_F_FINISH),
    llm_key("prompt_eval_count", LLM_F_U(INPUT)),
    llm_key("eval_count", LLM_F_U(OUTPUT)),
    llm_key_keep("error", LLM_F_ERROR, llm_error_inside),
    llm_key_end
};

static const llm_key_t  llm_ollama_root =
    llm_key_in("", LLM_F_ROOT, llm_ollama_keys);


const llm_provider_t  llm_ollama = {
    LLM_PROTOCOL_OLLAMA, &llm_ollama_root, llm_usage_replace,
    llm_usage_inside
};
