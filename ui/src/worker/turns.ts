// A conversation out of a request's body, whichever protocol it is in: what a
// block is can be told by its members.

import type { Part } from './messages';

type Json = null | boolean | number | string | Json[]
  | { [name: string]: Json };
type Members = { [name: string]: Json };

// a part as it is, with its whole text; of a medium its size or its address

export interface Whole extends Omit<Part, 'text' | 'length'> { whole: string }

export interface WholeTurn { role: string; parts: Whole[] }

const IMAGE = /^image\/(png|jpeg|gif|webp)$/;
const LARGEST = 4_000_000;      // characters of an image that is shown

function members(value: Json | undefined): Members {
  return value && typeof value === 'object' && !Array.isArray(value)
    ? value : {};
}

const list = (value: Json | undefined): Json[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? []
    : [value];

const str = (value: Json | undefined): string =>
  typeof value === 'string' ? value
    : value === undefined || value === null ? ''
      : JSON.stringify(value, null, 2);

const part = (kind: Part['kind'], whole: string, name = '',
  image: string | null = null): Whole => ({ kind, name, whole, image });

// arguments come as JSON in a string, too

function args(value: Json | undefined): string {
  if (typeof value !== 'string') {
    return str(value);
  }

  try {
    return str(JSON.parse(value));
  } catch {
    return value;
  }
}

function media(type: string, data: string): Whole {
  const image = IMAGE.test(type) && data.length < LARGEST
                && /^[A-Za-z0-9+/=]+$/.test(data)
    ? `data:${type};base64,${data}` : null;

  return part('media', String(Math.floor(data.length * 3 / 4)), type, image);
}

function dataUrl(url: string): Whole {
  const match = /^data:([^;,]+);base64,/.exec(url);

  return match ? media(match[1], url.slice(match[0].length))
    : part('media', url.slice(0, 500), 'URL');
}

function textOf(content: Json | undefined): string {
  return list(content).map((it) => {
    const block = members(it);
    return typeof it === 'string' ? it : str(block.text ?? block.json ?? it);
  }).join('\n');
}

// what a block of a known shape is

const SHAPES: [name: string, make: (value: Json, block: Members) => Whole][] =
[
  ['thinking', (value) => part('thinking', str(value))],
  ['reasoningContent', (value) => part('thinking', str(
    members(members(value).reasoningText).text ?? value))],
  ['summary', (value) => part('thinking', textOf(value))],
  ['text', (value, block) => part(block.thought ? 'thinking' : 'text',
                                  str(value))],
  ['refusal', (value) => part('text', str(value))],
  ['function', (value) => part('call', args(members(value).arguments),
                               str(members(value).name))],
  ['functionCall', (value) => part('call', str(members(value).args),
                                   str(members(value).name))],
  ['toolUse', (value) => part('call', str(members(value).input),
                              str(members(value).name))],
  ['functionResponse', (value) => part('result', str(members(value).response),
                                       str(members(value).name))],
  ['toolResult', (value) => part('result', textOf(members(value).content))],
  ['inlineData', (value) => media(str(members(value).mimeType),
                                  str(members(value).data))],
  ['fileData', (value) => part('media', str(members(value).fileUri),
                               str(members(value).mimeType))],
  ['image_url', (value) => dataUrl(str(members(value).url ?? value))],
  ['input_audio', (value) => media(
    `audio/${str(members(value).format)}`, str(members(value).data))],
  ['source', (value) => members(value).data
    ? media(str(members(value).media_type), str(members(value).data))
    : part('media', str(members(value).url), str(members(value).type))],
];

function ofBlock(value: Json): Whole {
  if (typeof value === 'string') {
    return part('text', value);
  }

  const block = members(value);

  switch (block.type) {
    case 'tool_use': case 'server_tool_use':
      return part('call', str(block.input), str(block.name));
    case 'function_call':
      return part('call', args(block.arguments), str(block.name));
    case 'tool_result':
      return part('result', textOf(block.content));
    case 'function_call_output':
      return part('result', textOf(block.output));
  }

  const shape = SHAPES.find(([name]) => block[name] !== undefined);

  return shape ? shape[1](block[shape[0]], block)
    : part('text', str(value));
}

function ofMessage(value: Json): WholeTurn {
  const message = members(value);
  const content = message.content ?? message.parts;
  const role = str(message.role) || (
    message.type === 'function_call' || message.type === 'reasoning'
      ? 'assistant'
      : message.type === 'function_call_output' ? 'tool' : 'user');

  if (content === undefined && !message.tool_calls) {
    return { role, parts: [ofBlock(value)] };
  }

  const blocks = list(content).map(ofBlock);

  return {
    role,
    parts: [
      ...list(message.reasoning_content).map(
        (it) => part('thinking', str(it))),
      ...blocks.filter((it) => it.whole || it.kind !== 'text').map((it) => (
        role === 'tool' && it.kind === 'text'
          ? part('result', it.whole, it.name) : it)),
      ...list(message.tool_calls).map(ofBlock),
      ...list(message.images).map((it) => media('image/png', str(it))),
    ],
  };
}

export function turnsOf(body: Json): WholeTurn[] | null {
  const top = members(body);
  const system = top.system ?? top.instructions ?? top.preamble
    ?? members(top.systemInstruction ?? top.system_instruction).parts;
  const said = [
    ...list(top.chat_history), ...list(top.messages), ...list(top.contents),
    ...list(top.input), ...list(top.prompt), ...list(top.message),
  ];

  if (!said.length && !system) {
    return null;
  }

  const first = list(system).length
    ? [{ role: 'system', parts: list(system).map(ofBlock) }] : [];

  return [...first, ...said.map((it) => typeof it === 'string'
    ? { role: 'user', parts: [part('text', it)] } : ofMessage(it))];
}
