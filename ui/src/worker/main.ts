// The worker: reads and searches bodies, so that the page never waits for
// one.

import { Lines } from './lines';
import type { Answer, Ask, Calls, Part, Turn } from './messages';
import { turnsOf, type WholeTurn } from './turns';

const PREVIEW = 2000;           // characters of a part

let lines = new Lines('');
let turns: WholeTurn[] = [];

async function read(url: string | null, text: string | null) {
  if (text !== null) {
    return text;
  }

  const answer = await fetch(url!, { credentials: 'same-origin' });

  if (!answer.ok) {
    throw new Error(`HTTP ${answer.status}`);
  }

  return answer.text();
}

function preview(turn: WholeTurn): Turn {
  return {
    role: turn.role,
    parts: turn.parts.map(({ whole, ...part }): Part => ({
      ...part, text: whole.slice(0, PREVIEW), length: whole.length,
    })),
  };
}

type Handlers = { [name in keyof Calls]: (args: Calls[name]['in'])
  => Calls[name]['out'] | Promise<Calls[name]['out']> };

const handlers: Handlers = {
  async open({ url, text, mode, width }) {
    lines = new Lines(await read(url, text), width);
    lines[mode]();
    return { lines: lines.length, length: lines.text.length,
             plain: lines.plain };
  },

  lines({ from, to }) {
    return Array.from(
      { length: Math.max(0, Math.min(to, lines.length) - from) },
      (_, i) => lines.at(from + i));
  },

  fold({ line }) {
    lines.fold(line);
    return lines.length;
  },

  foldAll({ closed }) {
    lines.foldAll(closed);
    return lines.length;
  },

  find({ text, from, back }) {
    const line = lines.find(text, from, back);
    return { line, lines: lines.length };
  },

  text: () => lines.text,

  async turns({ url, text }) {
    const found = turnsOf(JSON.parse(await read(url, text)));
    turns = found ?? [];
    return found && turns.map(preview);
  },

  part: ({ turn, part }) => turns[turn].parts[part].whole,
};

onmessage = async ({ data }: MessageEvent<Ask>) => {
  const answer: Answer = { id: data.id };

  try {
    answer.result = await handlers[data.call](data.args as never);
  } catch (error) {
    answer.error = String(error);
  }

  postMessage(answer);
};
