// What the page and its worker say to each other.

export type Mode = 'json' | 'events' | 'raw';

export interface Line {
  number: number;               // of the line in the whole
  depth: number;
  text: string;
  more: boolean;                // it goes on with the line before
  fold: 'open' | 'closed' | null;
}

export interface Part {
  kind: 'text' | 'thinking' | 'call' | 'result' | 'media';
  name: string;                 // of a tool, or the type of a medium
  text: string;                 // its beginning
  length: number;               // characters of the whole
  image: string | null;         // a data: address
}

export interface Turn {
  role: string;
  parts: Part[];
}

export interface Calls {
  open: { in: { url: string | null; text: string | null; mode: Mode;
                width: number };        // characters there is room for
          out: { lines: number; length: number; plain: boolean } };
  lines: { in: { from: number; to: number }; out: Line[] };
  fold: { in: { line: number }; out: number };
  foldAll: { in: { closed: boolean }; out: number };
  find: { in: { text: string; from: number; back: boolean };
          out: { line: number; lines: number } };
  text: { in: object; out: string };
  turns: { in: { url: string | null; text: string | null };
           out: Turn[] | null };
  part: { in: { turn: number; part: number }; out: string };
}

export type Ask = { [name in keyof Calls]:
  { id: number; call: name; args: Calls[name]['in'] } }[keyof Calls];

export type Answer = { id: number; result?: unknown; error?: string };
