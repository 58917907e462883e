
/*
 * Copyright (C) llm_monitor contributors
 */


#include "../record/llm_record.h"
#include "llm_route_rules.h"


#define llm_route_rule(path, protocol, operation, stream, flags)              \
    { llm_str(path), LLM_PROTOCOL_ ## protocol,                               \
      LLM_OPERATION_ ## operation, stream, flags }

#define BARE     LLM_ROUTE_BARE
#define CONTROL  LLM_ROUTE_NO_SUMS

/*
 * The first rule that matches wins: the busiest come first, the special before
 * the general.  A path that several providers share has no protocol here.
 */

const llm_route_rule_t  llm_route_rules[] = {

    llm_route_rule("/v1/chat/completions", OPENAI, CHAT, -1, BARE),
    llm_route_rule("/v1/messages", ANTHROPIC, CHAT, -1, 0),
    llm_route_rule("/v1/responses", OPENAI, RESPONSES, -1, BARE),
    llm_route_rule("/api/chat", OLLAMA, CHAT, -1, 0),
    llm_route_rule("/api/generate", OLLAMA, COMPLETION, -1, 0),
    llm_route_rule("/api/embeddings", OLLAMA, EMBEDDINGS, 0, 0),
    llm_route_rule("/api/embed", OLLAMA, EMBEDDINGS, 0, 0),
    llm_route_rule("/v1/embeddings", OPENAI, EMBEDDINGS, 0, BARE),

    /* OpenAI */

    llm_route_rule("/v1/chat/completions/{id}", OPENAI, CHAT, -1,
                   BARE|CONTROL),
    llm_route_rule("/v1/chat/completions/{id}/messages", OPENAI, CHAT, 0,
                   BARE|CONTROL),
    llm_route_rule("/v1/chat/deferred-completion/{id}", OPENAI, CHAT, 0,
                   CONTROL),
    llm_route_rule("/v1/responses/input_tokens", OPENAI, COUNT_TOKENS, 0,
                   BARE|CONTROL),
    llm_route_rule("/v1/responses/compact", OPENAI, RESPONSES, -1, BARE),
    llm_route_rule("/v1/responses/{id}", OPENAI, RESPONSES, -1, BARE|CONTROL),
    llm_route_rule("/v1/responses/{id}/cancel", OPENAI, RESPONSES, 0,
                   BARE|CONTROL),
    llm_route_rule("/v1/responses/{id}/input_items", OPENAI, OTHER, 0,
                   BARE|CONTROL),
    llm_route_rule("/v1/images/generations", OPENAI, IMAGE, -1, BARE),
    llm_route_rule("/v1/images/edits", OPENAI, IMAGE, -1, BARE),
    llm_route_rule("/v1/images/variations", OPENAI, IMAGE, 0, BARE),
    llm_route_rule("/v1/audio/speech", OPENAI, AUDIO, -1, BARE),
    llm_route_rule("/v1/audio/transcriptions", OPENAI, AUDIO, -1, BARE),
    llm_route_rule("/v1/audio/translations", OPENAI, AUDIO, 0, BARE),
    llm_route_rule("/v1/organization/usage/completions", OPENAI, COMPLETION, 0,
                   CONTROL),
    llm_route_rule("/v1/organization/usage/embeddings", OPENAI, EMBEDDINGS, 0,
                   CONTROL),
    llm_route_rule("/v1/organization/usage/moderations", OPENAI, MODERATION, 0,
                   CONTROL),
    llm_route_rule("/v1/organization/usage/{id}", OPENAI, OTHER, 0, CONTROL),
    llm_route_rule("/v1/organization/{id}", OPENAI, OTHER, 0, CONTROL),
    llm_route_rule("/v1/moderations", OPENAI, MODERATION, 0, BARE|CONTROL),
    llm_route_rule("/v1/realtime", OPENAI, OTHER, -1, BARE),
    llm_route_rule("/v1/realtime/{id}", OPENAI, OTHER, 0, CONTROL),
    llm_route_rule("/v1/batches", OPENAI, BATCH, 0, CONTROL),
    llm_route_rule("/v1/assistants", OPENAI, OTHER, 0, BARE|CONTROL),
    llm_route_rule("/v1/assistants/{id}", OPENAI, OTHER, 0, BARE|CONTROL),
    llm_route_rule("/v1/threads", OPENAI, OTHER, 0, CONTROL),
    llm_route_rule("/v1/threads/runs", OPENAI, OTHER, -1, BARE),
    llm_route_rule("/v1/threads/{id}", OPENAI, OTHER, 0, CONTROL),
    llm_route_rule("/v1/threads/{id}/messages", OPENAI, OTHER, 0,
                   BARE|CONTROL),
    llm_route_rule("/v1/threads/{id}/messages/{id}", OPENAI, OTHER, 0,
                   BARE|CONTROL),
    llm_route_rule("/v1/threads/{id}/runs", OPENAI, OTHER, -1, BARE),
    llm_route_rule("/v1/threads/{id}/runs/{id}", OPENAI, OTHER, 0,
                   BARE|CONTROL),
    llm_route_rule("/v1/threads/{id}/runs/{id}/steps", OPENAI, OTHER, 0,
                   BARE|CONTROL),
    llm_route_rule("/v1/threads/{id}/runs/{id}/cancel", OPENAI, OTHER, 0,
                   BARE|CONTROL),
    llm_route_rule("/v1/threads/{id}/runs/{id}/submit_tool_outputs", OPENAI,
                   OTHER, -1, BARE),
    llm_route_rule("/v1/conversations", OPENAI, OTHER, -1, 0),
    llm_route_rule("/v1/conversations/{id}", OPENAI, OTHER, -1, 0),
    llm_route_rule("/v1/conversations/{id}/items", OPENAI, OTHER, 0, CONTROL),
    llm_route_rule("/v1/vector_stores", OPENAI, OTHER, 0, BARE|CONTROL),
    llm_route_rule("/v1/vector_stores/{id}", OPENAI, OTHER, 0, BARE|CONTROL),
    llm_route_rule("/v1/vector_stores/{id}/search", OPENAI, OTHER, 0,
                   BARE|CONTROL),
    llm_route_rule("/v1/vector_stores/{id}/files", OPENAI, OTHER, 0,
                   BARE|CONTROL),
    llm_route_rule("/v1/vector_stores/{id}/files/{id}", OPENAI, OTHER, 0,
                   BARE|CONTROL),
    llm_route_rule("/v1/fine_tuning/jobs", OPENAI, OTHER, 0, BARE|CONTROL),
    llm_route_rule("/v1/fine_tuning/jobs/{id}", OPENAI, OTHER, 0,
                   BARE|CONTROL),
    llm_route_rule("/v1/fine_tuning/jobs/{id}/cancel", OPENAI, OTHER, 0,
                   BARE|CONTROL),
    llm_route_rule("/v1/fine_tuning/jobs/{id}/events", OPENAI, OTHER, 0,
                   BARE|CONTROL),
    llm_route_rule("/v1/uploads", OPENAI, OTHER, 0, CONTROL),
    llm_route_rule("/v1/videos", OPENAI, OTHER, 0, 0),
    llm_route_rule("/v1/videos/{id}", OPENAI, OTHER, 0, CONTROL),

    /* those that speak OpenAI's dialect and have more */

    llm_route_rule("/v1/fim/completions", OPENAI, COMPLETION, -1, BARE),
    llm_route_rule("/v1/agents/completions", OPENAI, CHAT, -1, BARE),
    llm_route_rule("/v1/ocr", OPENAI, OTHER, 0, 0),
    llm_route_rule("/v1/batch/jobs", OPENAI, BATCH, 0, CONTROL),
    llm_route_rule("/v1/batch/jobs/{id}", OPENAI, BATCH, 0, CONTROL),
    llm_route_rule("/v1/batch/jobs/{id}/cancel", OPENAI, BATCH, 0, CONTROL),
    llm_route_rule("/v1/multimodalembeddings", OPENAI, EMBEDDINGS, 0, 0),
    llm_route_rule("/v1/contextualizedembeddings", OPENAI, EMBEDDINGS, 0, 0),
    llm_route_rule("/v1/tokenize-text", OPENAI, COUNT_TOKENS, 0, CONTROL),
    llm_route_rule("/v1/language-models", OPENAI, MODELS, 0, CONTROL),
    llm_route_rule("/v1/embedding-models", OPENAI, MODELS, 0, CONTROL),
    llm_route_rule("/v1/image-generation-models", OPENAI, MODELS, 0, CONTROL),
    llm_route_rule("/completion", OPENAI, COMPLETION, -1, 0),
    llm_route_rule("/infill", OPENAI, COMPLETION, -1, 0),
    llm_route_rule("/embedding", OPENAI, EMBEDDINGS, 0, 0),

    /* Anthropic */

    llm_route_rule("/v1/messages/count_tokens", ANTHROPIC, COUNT_TOKENS, 0,
                   CONTROL),
    llm_route_rule("/v1/messages/batches", ANTHROPIC, BATCH, 0, CONTROL),
    llm_route_rule("/v1/messages/batches/{id}", ANTHROPIC, BATCH, 0, CONTROL),
    llm_route_rule("/v1/messages/batches/{id}/results", ANTHROPIC, BATCH, 0,
                   CONTROL),
    llm_route_rule("/v1/messages/batches/{id}/cancel", ANTHROPIC, BATCH, 0,
                   CONTROL),
    llm_route_rule("/v1/complete", ANTHROPIC, COMPLETION, -1, 0),
    llm_route_rule("/v1/organizations/{id}", ANTHROPIC, OTHER, 0, CONTROL),
    llm_route_rule("/v1/skills", ANTHROPIC, OTHER, 0, CONTROL),
    llm_route_rule("/v1/skills/{id}", ANTHROPIC, OTHER, 0, CONTROL),

    /* Gemini: what has no verb */

    llm_route_rule("/v1beta/models", GEMINI, MODELS, 0, CONTROL),
    llm_route_rule("/v1beta/models/{id}", GEMINI, MODELS, 0, CONTROL),
    llm_route_rule("/v1beta/tunedModels", GEMINI, MODELS, 0, CONTROL),
    llm_route_rule("/v1beta/tunedModels/{id}", GEMINI, MODELS, 0, CONTROL),
    llm_route_rule("/v1beta/batches", GEMINI, BATCH, 0, CONTROL),
    llm_route_rule("/v1beta/batches/{id}", GEMINI, BATCH, 0, CONTROL),
    llm_route_rule("/v1beta/files", GEMINI, OTHER, 0, CONTROL),
    llm_route_rule("/v1beta/files/{id}", GEMINI, OTHER, 0, CONTROL),
    llm_route_rule("/v1beta/cachedContents", GEMINI, OTHER, 0, CONTROL),
    llm_route_rule("/v1beta/cachedContents/{id}", GEMINI, OTHER, 0, CONTROL),
    llm_route_rule("/v1beta/operations/{id}", GEMINI, OTHER, 0, CONTROL),
    llm_route_rule("/v1beta/interactions", GEMINI, CHAT, -1, 0),
    llm_route_rule("/v1beta/interactions/{id}", GEMINI, CHAT, -1, CONTROL),
    llm_route_rule("/v1beta/interactions/{id}/cancel", GEMINI, CHAT, 0,
                   CONTROL),
    llm_route_rule("/publishers/google/models/{id}", GEMINI, MODELS, 0,
                   CONTROL),

    /* Ollama */

    llm_route_rule("/api/tags", OLLAMA, MODELS, 0, CONTROL),
    llm_route_rule("/api/show", OLLAMA, MODELS, 0, CONTROL),
    llm_route_rule("/api/ps", OLLAMA, MODELS, 0, CONTROL),
    llm_route_rule("/api/pull", OLLAMA, OTHER, -1, CONTROL),
    llm_route_rule("/api/push", OLLAMA, OTHER, -1, CONTROL),
    llm_route_rule("/api/create", OLLAMA, OTHER, -1, CONTROL),
    llm_route_rule("/api/copy", OLLAMA, OTHER, 0, CONTROL),
    llm_route_rule("/api/delete", OLLAMA, OTHER, 0, CONTROL),
    llm_route_rule("/api/version", OLLAMA, OTHER, 0, CONTROL),
    llm_route_rule("/api/blobs/{id}", OLLAMA, OTHER, 0, CONTROL),

    /* Cohere */

    llm_route_rule("/v2/chat", COHERE, CHAT, -1, 0),
    llm_route_rule("/v2/embed", COHERE, EMBEDDINGS, 0, 0),
    llm_route_rule("/v2/rerank", COHERE, RERANK, 0, 0),
    llm_route_rule("/v1/embed", COHERE, EMBEDDINGS, 0, 0),
    llm_route_rule("/v1/generate", COHERE, COMPLETION, -1, 0),
    llm_route_rule("/v1/classify", COHERE, OTHER, 0, 0),
    llm_route_rule("/v1/summarize", COHERE, OTHER, 0, 0),
    llm_route_rule("/v1/tokenize", COHERE, COUNT_TOKENS, 0, CONTROL),
    llm_route_rule("/v1/detokenize", COHERE, COUNT_TOKENS, 0, CONTROL),
    llm_route_rule("/v1/embed-jobs", COHERE, BATCH, 0, CONTROL),
    llm_route_rule("/v1/embed-jobs/{id}", COHERE, BATCH, 0, CONTROL),

    /* shared by several */

    llm_route_rule("/v1/rerank", OPENAI, RERANK, 0, BARE),
    llm_route_rule("/v1/reranking", OPENAI, RERANK, 0, BARE),
    llm_route_rule("/v1/chat", UNKNOWN, CHAT, -1, 0),
    llm_route_rule("/v1/files", UNKNOWN, OTHER, 0, CONTROL),
    llm_route_rule("/v1/files/{id}", UNKNOWN, OTHER, 0, CONTROL),
    llm_route_rule("/v1/files/{id}/content", UNKNOWN, OTHER, 0, CONTROL),
    llm_route_rule("/v1/models", UNKNOWN, MODELS, 0, CONTROL),
    llm_route_rule("/v1/models/{id}", UNKNOWN, MODELS, 0, CONTROL),
    llm_route_rule("/v1/models/{id}/{id}", UNKNOWN, MODELS, 0, CONTROL),
    llm_route_rule("/models", UNKNOWN, MODELS, 0, CONTROL),
    llm_route_rule("/v1/batches/{id}", OPENAI, BATCH, 0, CONTROL),
    llm_route_rule("/v1/batches/{id}/cancel", OPENAI, BATCH, 0, CONTROL),
    llm_route_rule("/tokenize", UNKNOWN, COUNT_TOKENS, 0, CONTROL),
    llm_route_rule("/detokenize", UNKNOWN, COUNT_TOKENS, 0, CONTROL),
    llm_route_rule("/v1/completions", OPENAI, COMPLETION, -1, BARE)
};


const llm_route_rule_t  llm_route_verbs[] = {
    llm_route_rule("/v1beta/models/{model}:generateContent", GEMINI, CHAT, 0,
                   0),
    llm_route_rule("/v1beta/models/{model}:streamGenerateContent", GEMINI,
                   CHAT, 1, 0),
    llm_route_rule("/v1beta/models/{model}:countTokens", GEMINI, COUNT_TOKENS,
                   0, CONTROL),
    llm_route_rule("/v1beta/models/{model}:computeTokens", GEMINI,
                   COUNT_TOKENS, 0, CONTROL),
    llm_route_rule("/v1beta/models/{model}:embedContent", GEMINI, EMBEDDINGS,
                   0, 0),
    llm_route_rule("/v1beta/models/{model}:batchEmbedContents", GEMINI,
                   EMBEDDINGS, 0, 0),
    llm_route_rule("/v1beta/models/{model}:asyncBatchEmbedContent", GEMINI,
                   BATCH, 0, CONTROL),
    llm_route_rule("/v1beta/models/{model}:batchGenerateContent", GEMINI,
                   BATCH, 0, CONTROL),
    llm_route_rule("/v1beta/models/{model}:predict", GEMINI, OTHER, 0, 0),
    llm_route_rule("/v1beta/models/{model}:predictLongRunning", GEMINI, OTHER,
                   0, 0),
    llm_route_rule("/v1beta/models/{model}:fetchPredictOperation", GEMINI,
                   OTHER, 0, CONTROL),
    llm_route_rule("/v1beta/models/{model}:serverStreamingPredict", GEMINI,
                   OTHER, 1, 0),
    llm_route_rule("/v1beta/models/{model}:rawPredict", UNKNOWN, CHAT, 0, 0),
    llm_route_rule("/v1beta/models/{model}:streamRawPredict", UNKNOWN, CHAT, 1,
                   0),
    llm_route_rule("/v1beta/models/{model}:generateAnswer", GEMINI, CHAT, 0,
                   0),
    llm_route_rule("/v1beta/models/{model}:generateMessage", GEMINI, CHAT, 0,
                   0),
    llm_route_rule("/v1beta/models/{model}:generateText", GEMINI, COMPLETION,
                   0, 0),
    llm_route_rule("/v1beta/models/{model}:embedText", GEMINI, EMBEDDINGS, 0,
                   0),
    llm_route_rule("/v1beta/models/{model}:batchEmbedText", GEMINI, EMBEDDINGS,
                   0, 0)
};


const llm_route_rule_t  llm_route_bedrocks[] = {
    llm_route_rule("/model/{model}/converse", BEDROCK, CHAT, 0, 0),
    llm_route_rule("/model/{model}/converse-stream", BEDROCK, CHAT, 1, 0),
    llm_route_rule("/model/{model}/invoke", BEDROCK, CHAT, 0, 0),
    llm_route_rule("/model/{model}/invoke-with-response-stream", BEDROCK, CHAT,
                   1, 0),
    llm_route_rule("/model/{model}/count-tokens", BEDROCK, COUNT_TOKENS, 0,
                   CONTROL)
};

#undef BARE
#undef CONTROL


const size_t  llm_route_nrules =
    sizeof(llm_route_rules) / sizeof(llm_route_rules[0]);

const size_t  llm_route_nverbs =
    sizeof(llm_route_verbs) / sizeof(llm_route_verbs[0]);

const size_t  llm_route_nbedrocks =
    sizeof(llm_route_bedrocks) / sizeof(llm_route_bedrocks[0]);
