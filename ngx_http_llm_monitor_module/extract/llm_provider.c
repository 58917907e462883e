
/*
 * Copyright (C) llm_monitor contributors
 */


#include "../record/llm_record.h"
#include "llm_facts.h"


const llm_provider_t *
llm_provider(int protocol)
{
    switch (protocol) {

    case LLM_PROTOCOL_OPENAI:
        return &llm_openai;

    case LLM_PROTOCOL_ANTHROPIC:
        return &llm_anthropic;

    case LLM_PROTOCOL_GEMINI:
        return &llm_gemini;

    case LLM_PROTOCOL_OLLAMA:
        return &llm_ollama;

    case LLM_PROTOCOL_COHERE:
        return &llm_cohere;

    case LLM_PROTOCOL_BEDROCK:
        return &llm_bedrock;
    }

    return &llm_unknown;
}
