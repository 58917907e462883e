// Copyright (C) llm_monitor contributors
//
// An upstream that answers as it is told by the request's header X-Reply.

import http from 'node:http';

import { sleep } from './nginx.mjs';

const json = (value, status = 200, headers = {}) => ({
  status, headers: { 'content-type': 'application/json', ...headers },
  pieces: [JSON.stringify(value)],
});

const stream = (events, more = {}) => ({
  status: 200, headers: { 'content-type': 'text/event-stream', ...more },
  pieces: events.map((event) => `${event.type ? `event: ${event.type}\n` : ''}`
    + `data: ${typeof event === 'string' ? event
      : JSON.stringify(event)}\n\n`),
});

// what would run if it became a part of the page

export const HOSTILE = [
  '<script>parent.pwned=1</script>',
  '<img src=x onerror=pwned=1>',
  '"><svg onload=pwned=1>',
  "'-pwned=1-'", '`${pwned=1}`', '{{constructor.constructor("pwned=1")()}}',
  'javascript:pwned=1', '</textarea><script>pwned=1</script>',
  '\u202egnp.exe', '<iframe srcdoc="<script>parent.pwned=1</script>">',
  '<style>body{display:none}</style>', '<a href=javascript:pwned=1>x</a>',
  '<math><mtext><img src=x onerror=pwned=1>', '__proto__', '\u0000\u001b[2J',
].join(' ');

const openai = (content, more = {}) => json({
  id: 'chatcmpl-1', model: 'gpt-4o-2026-01-01',
  choices: [{ index: 0, finish_reason: 'stop',
              message: { role: 'assistant', content } }],
  usage: { prompt_tokens: 1200, completion_tokens: 80, total_tokens: 1280,
           prompt_tokens_details: { cached_tokens: 1000 } },
}, 200, more);

const routed = () => json({
  id: 'gen-1', model: 'gpt-4o', choices: [{ index: 0, finish_reason: 'stop',
    message: { role: 'assistant', content: 'Hi' } }],
  usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12,
           cost: 0.0123 },
});

const claude = (text) => stream([
  { type: 'message_start', message: {
    id: 'msg_1', type: 'message', role: 'assistant',
    model: 'claude-sonnet-4', content: [],
    usage: { input_tokens: 30, cache_read_input_tokens: 4000,
             cache_creation_input_tokens: 500, output_tokens: 1 } } },
  { type: 'content_block_start', index: 0,
    content_block: { type: 'thinking', thinking: '' } },
  { type: 'content_block_delta', index: 0,
    delta: { type: 'thinking_delta', thinking: 'Let me see. ' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1,
    content_block: { type: 'text', text: '' } },
  ...text.match(/.{1,40}/gsu).map((piece) => (
    { type: 'content_block_delta', index: 1,
      delta: { type: 'text_delta', text: piece } })),
  { type: 'content_block_stop', index: 1 },
  { type: 'content_block_start', index: 2,
    content_block: { type: 'tool_use', id: 't1', name: 'get_weather',
                     input: {} } },
  { type: 'content_block_delta', index: 2,
    delta: { type: 'input_json_delta', partial_json: '{"city":"Oslo"}' } },
  { type: 'content_block_stop', index: 2 },
  { type: 'message_delta', delta: { stop_reason: 'tool_use' },
    usage: { output_tokens: 120 } },
  { type: 'message_stop' },
], { 'x-account-email': 'one@a.example' });

const REPLIES = {
  openai: () => openai('Hello! **How** are you?',
                       { 'x-account-email': 'two@a.example',
                         'x-mapped-model': 'gpt-4o-mapped' }),
  claude: () => claude('It is sunny in Oslo, with a light wind from the '
                       + 'south-west.\n\n```js\nconsole.log(1);\n```'),
  routed,
  gemini: () => json({
    candidates: [{ content: { role: 'model', parts: [{ text: 'Bonjour' }] },
                   finishReason: 'STOP' }],
    modelVersion: 'gemini-2.5-flash',
    usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 3,
                     totalTokenCount: 12 },
  }),
  image: () => json({ created: 1, data: [{ url: 'https://x.example/i.png' }],
                      usage: { input_tokens: 10, output_tokens: 1000,
                               total_tokens: 1010 } }),
  refused: () => json({ error: { message: 'Incorrect API key provided',
                                 type: 'invalid_request_error' } }, 401),
  limited: () => json({ error: { message: 'Slow down', type: 'rate_limit' } },
                      429),
  broken: () => json({ error: { message: 'upstream is down' } }, 500),
  hostile: () => openai(HOSTILE, {
    'x-account-email': '<img/src=x/onerror=pwned=1>@x.example',
    'x-mapped-model': '"><script>pwned=1</script>',
  }),
  late: () => ({ ...claude('This comes late.'), pause: 250 }),
  slow: () => ({ ...claude('One moment please, this takes its time. '
                           .repeat(80)), pause: 700 }),
};

export const ask = (content, more = {}) => ({
  model: 'gpt-4o', messages: [{ role: 'user', content }], ...more,
});

export async function startUpstream() {
  const sockets = new Set();
  const server = http.createServer((request, response) => {
    request.resume();
    request.on('end', async () => {
      const { status, headers, pieces, pause = 0 } =
        REPLIES[request.headers['x-reply'] ?? 'openai']();

      response.writeHead(status, headers);

      for (const piece of pieces) {
        response.write(piece);
        if (pause) {
          await sleep(pause);
        }
      }

      response.end();
    });
  });

  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  await new Promise((done) => server.listen(0, '127.0.0.1', done));

  return {
    port: server.address().port,

    stop() {
      sockets.forEach((socket) => socket.destroy());
      return new Promise((done) => server.close(done));
    },
  };
}
