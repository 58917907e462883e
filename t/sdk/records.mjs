// Copyright (C) llm_monitor contributors
//
// What the record of each case has to say; ttft: whether there is one.

const base = {
    status: 200, outcome: 'success', aborted_by: null, error: null,
    error_type: null, reasoning_tokens: null, cache_read_tokens: null,
    cache_creation_tokens: null, tool_calls_count: 0, ttft: false,
};

const openai = {
    ...base, protocol: 'openai', operation: 'chat', model: 'gpt-4o-mini',
    endpoint: '/v1/chat/completions', messages_count: 1,
};

const answered = {
    ...openai, response_model: 'gpt-4o-mini-2024-07-18', input_tokens: 25,
    output_tokens: 9, total_tokens: 34, cache_read_tokens: 5,
    reasoning_tokens: 3, stream: false, finish_reason: 'stop',
    usage_source: 'body', response_id: 'chatcmpl-1',
};

const streamed = {
    ...answered, stream: true, stream_complete: true, usage_source: 'stream',
    response_id: 'chatcmpl-2', account_email: 'lab@example.org', ttft: true,
};

// an answer without a message has no tool calls to count

const other = { tool_calls_count: null };

const none = { input_tokens: null, output_tokens: null, total_tokens: null,
               cache_read_tokens: null, reasoning_tokens: null,
               usage_source: 'none' };

const responses = {
    ...base, protocol: 'openai', operation: 'responses', model: 'gpt-4.1',
    endpoint: '/v1/responses', response_model: 'gpt-4.1-2025-04-14',
    input_tokens: 30, output_tokens: 12, total_tokens: 42,
    cache_read_tokens: 10, reasoning_tokens: 4, response_id: 'resp_1',
    finish_reason: 'completed',
};

// Anthropic counts cached input apart; the record's input is all of it

const anthropic = {
    ...base, protocol: 'anthropic', operation: 'chat',
    endpoint: '/v1/messages', model: 'claude-sonnet-4-5', messages_count: 1,
    response_model: 'claude-sonnet-4-5-20250929', input_tokens: 1210,
    output_tokens: 7, total_tokens: 1217, cache_read_tokens: 1000,
    cache_creation_tokens: 200, stream: false, finish_reason: 'end_turn',
    usage_source: 'body', response_id: 'msg_2',
};

const events = { stream: true, stream_complete: true, usage_source: 'stream',
                 account_email: 'lab@example.org', ttft: true };

// Gemini counts thoughts apart; the record's output has them

const gemini = {
    ...base, protocol: 'gemini', operation: 'chat', model: 'gemini-2.5-flash',
    endpoint: '/v1beta/models/{model}:generateContent', messages_count: 1,
    response_model: 'gemini-2.5-flash', input_tokens: 12, output_tokens: 26,
    total_tokens: 38, reasoning_tokens: 20, stream: false,
    finish_reason: 'STOP', response_id: 'gem-1', usage_source: 'body',
};

const ollama = {
    ...base, protocol: 'ollama', operation: 'chat', endpoint: '/api/chat',
    model: 'llama3.2', response_model: 'llama3.2', messages_count: 1,
    input_tokens: 26, output_tokens: 11, total_tokens: 37, stream: false,
    finish_reason: 'stop', usage_source: 'body',
};


export const expected = {
    'openai-plain': { ...answered, request_id: 'req_1' },

    'openai-stream': streamed,

    'openai-tool': { ...answered, tools_count: 1, tool_calls_count: 1,
                     finish_reason: 'tool_calls' },

    'openai-tool-stream': { ...streamed, tools_count: 1, tool_calls_count: 1,
                            finish_reason: 'tool_calls' },

    'openai-error': { ...openai, ...none, ...other,
                      status: 401, outcome: 'http_error',
                      error: 'Incorrect API key provided.',
                      error_type: 'invalid_request_error',
                      account_email: 'lab@example.org' },

    'openai-limit': { ...openai, ...none, ...other,
                      status: 429, outcome: 'http_error',
                      error: 'Rate limit reached.', error_type: 'requests' },

    'openai-stream-error': { ...openai, ...none, outcome: 'stream_error',
                             stream: true, error_type: 'server_error',
                             error: 'The server had an error.', ttft: true },

    'openai-left': { ...openai, ...none, outcome: 'client_abort',
                     aborted_by: 'client', stream: true,
                     stream_complete: false, ttft: true,
                     error: 'client prematurely closed connection',
                     error_type: 'client_abort' },

    'responses-plain': { ...responses, stream: false, usage_source: 'body' },

    'responses-stream': { ...responses, ...events },

    'embeddings': { ...base, ...other, protocol: 'openai',
                    operation: 'embeddings', endpoint: '/v1/embeddings',
                    stream: false, model: 'text-embedding-3-small',
                    input_tokens: 6,
                    output_tokens: null, usage_source: 'body' },

    'anthropic-plain': { ...anthropic, request_id: 'req_2' },

    'anthropic-stream': { ...anthropic, ...events },

    'anthropic-tool': { ...anthropic, tools_count: 1, tool_calls_count: 1,
                        finish_reason: 'tool_use' },

    'anthropic-tool-stream': { ...anthropic, ...events, tools_count: 1,
                               tool_calls_count: 1, output_tokens: 31,
                               total_tokens: 1241,
                               finish_reason: 'tool_use' },

    'anthropic-error': { ...base, ...none, ...other, protocol: 'anthropic',
                         operation: 'chat', model: 'claude-sonnet-4-5',
                         status: 529, outcome: 'http_error',
                         error: 'Overloaded',
                         error_type: 'overloaded_error' },

    'anthropic-stream-error': { ...anthropic, ...events, output_tokens: null,
                                total_tokens: null, finish_reason: null,
                                stream_complete: false, usage_partial: true,
                                outcome: 'stream_error',
                                error: 'Overloaded',
                                error_type: 'overloaded_error' },

    'anthropic-count': { ...base, ...none, ...other, protocol: 'anthropic',
                         operation: 'count_tokens', stream: false,
                         usage_source: 'body',
                         endpoint: '/v1/messages/count_tokens',
                         model: 'claude-sonnet-4-5' },

    'gemini-plain': gemini,

    'gemini-stream': { ...gemini, ...events,
                       endpoint:
                           '/v1beta/models/{model}:streamGenerateContent' },

    'gemini-tool': { ...gemini, tools_count: 1, tool_calls_count: 1,
                     output_tokens: 35, total_tokens: 47 },

    'gemini-error': { ...base, ...none, ...other, protocol: 'gemini',
                      operation: 'chat', model: 'gemini-2.5-flash', status: 400,
                      outcome: 'http_error', error: 'API key not valid.',
                      error_type: 'INVALID_ARGUMENT' },

    'ollama-plain': ollama,

    'ollama-stream': { ...ollama, stream: true, stream_complete: true,
                       usage_source: 'stream', ttft: true },

    'ollama-tool': { ...ollama, tools_count: 1, tool_calls_count: 1 },

    'ollama-error': { ...base, ...none, ...other, protocol: 'ollama',
                      operation: 'chat', model: 'llama3.2', status: 404,
                      outcome: 'http_error',
                      error: "model 'nope' not found" },
};
