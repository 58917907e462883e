// Copyright (C) llm_monitor contributors
//
// What the services say, by case.  Shapes are those of the providers' own
// documentation.

const json = (data, more) => ({
    headers: { 'content-type': 'application/json', ...more },
    pieces: [JSON.stringify(data)],
});

const error = (status, data, more) => ({ ...json(data, more), status });

const sse = (events) => ({
    headers: { 'content-type': 'text/event-stream',
               'x-account-email': 'lab@example.org' },
    pieces: events.map(([name, data]) =>
        (name ? `event: ${name}\n` : '')
        + `data: ${typeof data === 'string' ? data : JSON.stringify(data)}`
        + '\n\n'),
    pause: 5,
});

const typed = (events) => sse(events.map((e) => [e.type, e]));

const lines = (all) => ({
    headers: { 'content-type': 'application/x-ndjson' },
    pieces: all.map((one) => JSON.stringify(one) + '\n'),
    pause: 5,
});


const openaiUsage = {
    prompt_tokens: 25, completion_tokens: 9, total_tokens: 34,
    prompt_tokens_details: { cached_tokens: 5 },
    completion_tokens_details: { reasoning_tokens: 3 },
};

const completion = (message, finish) => ({
    id: 'chatcmpl-1', object: 'chat.completion', created: 1700000000,
    model: 'gpt-4o-mini-2024-07-18',
    choices: [{ index: 0, message: { role: 'assistant', ...message },
                finish_reason: finish, logprobs: null }],
    usage: openaiUsage,
});

const chunk = (delta, finish = null, more = {}) => ['', {
    id: 'chatcmpl-2', object: 'chat.completion.chunk', created: 1700000000,
    model: 'gpt-4o-mini-2024-07-18',
    choices: [{ index: 0, delta, finish_reason: finish }], ...more,
}];

const called = (args, more) => ({
    tool_calls: [{ index: 0, ...more, function: {
        ...(more && { name: 'weather' }), arguments: args } }],
});

const response = (status, output) => ({
    id: 'resp_1', object: 'response', created_at: 1700000000, status,
    model: 'gpt-4.1-2025-04-14', output, parallel_tool_calls: true,
    tools: [], error: null, incomplete_details: null,
    usage: status === 'completed' ? {
        input_tokens: 30, output_tokens: 12, total_tokens: 42,
        input_tokens_details: { cached_tokens: 10 },
        output_tokens_details: { reasoning_tokens: 4 } } : null,
});

const said = [{ id: 'msg_1', type: 'message', role: 'assistant',
                status: 'completed',
                content: [{ type: 'output_text', text: 'Hello, wörld.',
                            annotations: [] }] }];


const claude = (content, stop, usage) => ({
    id: 'msg_2', type: 'message', role: 'assistant',
    model: 'claude-sonnet-4-5-20250929', content, stop_reason: stop,
    stop_sequence: null, usage,
});

const claudeUsage = { input_tokens: 10, output_tokens: 7,
                      cache_creation_input_tokens: 200,
                      cache_read_input_tokens: 1000 };

const begun = { type: 'message_start', message: claude([], null, {
    ...claudeUsage, output_tokens: 1 }) };

const block = (content, deltas) => [
    { type: 'content_block_start', index: 0, content_block: content },
    { type: 'ping' },
    ...deltas.map((delta) => (
        { type: 'content_block_delta', index: 0, delta })),
    { type: 'content_block_stop', index: 0 },
];

const ended = (stop, output) => [
    { type: 'message_delta',
      delta: { stop_reason: stop, stop_sequence: null },
      usage: { output_tokens: output } },
    { type: 'message_stop' },
];


const gemini = (parts, finish, usage) => ({
    candidates: [{ content: { parts, role: 'model' }, index: 0,
                   ...(finish && { finishReason: finish }) }],
    usageMetadata: usage, modelVersion: 'gemini-2.5-flash',
    responseId: 'gem-1',
});

const geminiUsage = (output) => ({
    promptTokenCount: 12, candidatesTokenCount: output,
    thoughtsTokenCount: 20, totalTokenCount: 32 + output,
});


const llama = (message, more) => ({
    model: 'llama3.2', created_at: '2025-01-01T00:00:00.000000Z',
    message: { role: 'assistant', ...message }, done: false, ...more,
});

const done = { done: true, done_reason: 'stop', total_duration: 400000000,
               load_duration: 1000000, prompt_eval_count: 26,
               prompt_eval_duration: 130000000, eval_count: 11,
               eval_duration: 250000000 };


export const replies = {
    'openai-plain': json(completion({ content: 'Hello, wörld.' }, 'stop'),
                         { 'x-request-id': 'req_1' }),

    'openai-stream': sse([
        chunk({ role: 'assistant', content: '' }),
        chunk({ content: 'Hello' }), chunk({ content: ', wörld.' }),
        chunk({}, 'stop'),
        ['', { ...chunk({})[1], choices: [], usage: openaiUsage }],
        ['', '[DONE]'],
    ]),

    'openai-tool': json(completion({ content: null, tool_calls: [
        { id: 'call_1', type: 'function',
          function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
    ] }, 'tool_calls')),

    'openai-tool-stream': sse([
        chunk({ role: 'assistant', content: null }),
        chunk(called('', { id: 'call_1', type: 'function' })),
        chunk(called('{"city":')), chunk(called('"Oslo"}')),
        chunk({}, 'tool_calls', { usage: openaiUsage }),
        ['', '[DONE]'],
    ]),

    'openai-error': error(401, { error: {
        message: 'Incorrect API key provided.', type: 'invalid_request_error',
        param: null, code: 'invalid_api_key' } },
        { 'x-account-email': 'lab@example.org' }),

    'openai-limit': error(429, { error: {
        message: 'Rate limit reached.', type: 'requests', param: null,
        code: 'rate_limit_exceeded' } }, { 'retry-after': '20' }),

    'openai-stream-error': sse([
        chunk({ role: 'assistant', content: '' }),
        chunk({ content: 'Hello' }),
        ['', { error: { message: 'The server had an error.',
                        type: 'server_error', code: null, param: null } }],
    ]),

    'openai-left': { ...sse([
        chunk({ role: 'assistant', content: '' }),
        ...Array(200).fill(chunk({ content: ' and' })),
        chunk({}, 'stop'), ['', '[DONE]'],
    ]), pause: 20 },

    'responses-plain': json(response('completed', said)),

    'responses-stream': typed([
        { type: 'response.created', sequence_number: 0,
          response: response('in_progress', []) },
        { type: 'response.output_item.added', sequence_number: 1,
          output_index: 0, item: { ...said[0], status: 'in_progress',
                                   content: [] } },
        { type: 'response.content_part.added', sequence_number: 2,
          item_id: 'msg_1', output_index: 0, content_index: 0,
          part: { type: 'output_text', text: '', annotations: [] } },
        { type: 'response.output_text.delta', sequence_number: 3,
          item_id: 'msg_1', output_index: 0, content_index: 0,
          delta: 'Hello, wörld.', logprobs: [] },
        { type: 'response.completed', sequence_number: 4,
          response: response('completed', said) },
    ]),

    'embeddings': json({ object: 'list', model: 'text-embedding-3-small',
        data: [{ object: 'embedding', index: 0,
                 embedding: [0.25, -0.5, 0.125] }],
        usage: { prompt_tokens: 6, total_tokens: 6 } }),

    'anthropic-plain': json(
        claude([{ type: 'text', text: 'Hello, wörld.' }], 'end_turn',
               claudeUsage),
        { 'request-id': 'req_2' }),

    'anthropic-stream': typed([
        begun,
        ...block({ type: 'text', text: '' },
                 [{ type: 'text_delta', text: 'Hello' },
                  { type: 'text_delta', text: ', wörld.' }]),
        ...ended('end_turn', 7),
    ]),

    'anthropic-tool': json(
        claude([{ type: 'tool_use', id: 'toolu_1', name: 'weather',
                  input: { city: 'Oslo' } }], 'tool_use', claudeUsage)),

    'anthropic-tool-stream': typed([
        begun,
        ...block({ type: 'tool_use', id: 'toolu_1', name: 'weather',
                   input: {} },
                 [{ type: 'input_json_delta', partial_json: '{"city":' },
                  { type: 'input_json_delta', partial_json: '"Oslo"}' }]),
        ...ended('tool_use', 31),
    ]),

    'anthropic-error': error(529, { type: 'error', error: {
        type: 'overloaded_error', message: 'Overloaded' },
        request_id: 'req_3' }, { 'x-should-retry': 'false' }),

    'anthropic-stream-error': typed([
        begun,
        { type: 'content_block_start', index: 0,
          content_block: { type: 'text', text: '' } },
        { type: 'content_block_delta', index: 0,
          delta: { type: 'text_delta', text: 'Hel' } },
        { type: 'error', error: { type: 'overloaded_error',
                                  message: 'Overloaded' } },
    ]),

    'anthropic-count': json({ input_tokens: 14 }),

    'gemini-plain': json(gemini([{ text: 'Hello, wörld.' }], 'STOP',
                                geminiUsage(6))),

    'gemini-stream': sse([
        ['', gemini([{ text: 'Hello' }], null, geminiUsage(2))],
        ['', gemini([{ text: ', wörld.' }], 'STOP', geminiUsage(6))],
    ]),

    'gemini-tool': json(gemini([{ functionCall: {
        name: 'weather', args: { city: 'Oslo' } } }], 'STOP',
        geminiUsage(15))),

    'gemini-error': error(400, { error: {
        code: 400, message: 'API key not valid.',
        status: 'INVALID_ARGUMENT' } }),

    'ollama-plain': json(llama({ content: 'Hello, wörld.' }, done)),

    'ollama-stream': lines([
        llama({ content: 'Hello' }), llama({ content: ', wörld.' }),
        llama({ content: '' }, done),
    ]),

    'ollama-tool': json(llama({ content: '', tool_calls: [
        { function: { name: 'weather', arguments: { city: 'Oslo' } } },
    ] }, done)),

    'ollama-error': error(404, { error: "model 'nope' not found" }),
};
