// Copyright (C) llm_monitor contributors
//
// nginx with an upstream, and with all kinds of exchanges in its log.

import { sleep, startNginx } from './nginx.mjs';
import { ask, HOSTILE, startUpstream } from './upstream.mjs';

const LARGE = 20_000_000;       // characters of a body

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q'
  + 'DwADhgGAWjR9awAAAABJRU5ErkJggg==';

const claude = {
  model: 'claude-sonnet-4', stream: true, max_tokens: 100,
  system: 'You are a weather service.',
  tools: [{ name: 'get_weather', input_schema: { type: 'object' } }],
  messages: [
    { role: 'user', content: 'What is the weather in Oslo?' },
    { role: 'assistant', content: [
      { type: 'thinking', thinking: 'I need the tool.' },
      { type: 'tool_use', id: 't0', name: 'get_weather',
        input: { city: 'Oslo' } }] },
    { role: 'user', content: [
      { type: 'tool_result', tool_use_id: 't0', content: 'Sunny, 21 °C' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png',
                                 data: PIXEL } }] },
  ],
};

const KINDS = {
  openai: ['/v1/chat/completions', ask('Hello')],
  claude: ['/v1/messages', claude],
  gemini: ['/v1beta/models/gemini-2.5-flash:generateContent?key=AIzaSecret', {
    contents: [{ role: 'user', parts: [{ text: 'Salut' }] }] }],
  image: ['/v1/images/generations', { model: 'gpt-image-1', prompt: 'a cat' }],
  refused: ['/v1/chat/completions', ask('Let me in')],
  limited: ['/v1/messages', claude],
  broken: ['/v1/chat/completions', ask('Anything')],
  slow: ['/v1/messages', claude],
  late: ['/v1/messages', claude],
  routed: ['/v1/chat/completions', ask('Hello')],
  hostile: ['/v1/chat/completions?x=%3Cscript%3Epwned=1%3C/script%3E', ask(
    HOSTILE, { model: '<img src=x onerror=pwned=1>', user: HOSTILE.slice(0, 60),
               session_id: '"><script>pwned=1</script>' })],
};

export async function startWorld({ rows = 60, data } = {}) {
  const upstream = await startUpstream();
  const nginx = await startNginx(upstream.port, data);

  async function send(kind, { body, headers = {} } = {}) {
    const [path, usual] = KINDS[kind];
    const answer = await fetch(nginx.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-reply': kind,
                 authorization: 'Bearer sk-test-1234567890abcdef',
                 'user-agent': `page-test ${kind === 'hostile'
                   ? '<b onclick=pwned=1>' : ''}`, ...headers },
      body: body ?? JSON.stringify(usual),
    });

    return answer.text();
  }

  // what is asked for comes to hold, however busy the machine is

  async function until(what, holds) {
    for (let n = 0; n < 600; n++) {
      if (await holds()) {
        return;
      }
      await sleep(100);
    }
    throw new Error(what);
  }

  const settled = (total) => until(`there are no ${total} records`, async () =>
    (await nginx.api('/count')).total >= total);

  // sends, and waits for the row

  async function store(kind, options) {
    const { total } = await nginx.api('/count');

    await send(kind, options);
    await settled(total + 1);
  }

  // a body of 20 MB, and the id of its record

  async function sendLarge() {
    const piece = { name: 'x'.repeat(60), list: [1, 2, 3], text: 'y"\n' };
    const many = Array(Math.floor(LARGE / JSON.stringify(piece).length))
      .fill(piece);
    let record;

    await send('openai', {
      body: JSON.stringify(ask('big', { metadata: { many } })),
    });
    await until('there is no large body', async () => {
      ({ logs: [record] } = await nginx.api('/logs?limit=1&total=0'));
      return record.request_bytes > LARGE / 2
             && record.request_body_state === 'stored';
    });

    return record.id;
  }

  const flying = (number) => until(`there are no ${number} in flight`,
    async () => (await nginx.api('/live')).live.length >= number);

  const kinds = ['openai', 'claude', 'gemini', 'image', 'refused', 'limited',
                 'broken', 'hostile'];

  for (let i = 0; i < rows; i++) {
    await send(kinds[i % kinds.length], {
      headers: i % 10 === 1 ? { 'x-user': 'anna' } : {},
    });
  }

  if (!data) {
    await settled(rows);
    await until('there are no sums', async () =>
      (await nginx.api('/stats')).total.requests >= rows);
  }

  return {
    nginx, send, settled, store, flying,
    sendLarge,

    async stop() {
      const log = await nginx.stop();
      await upstream.stop();
      return log;
    },
  };
}
