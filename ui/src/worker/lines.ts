// Text as lines: JSON with a line for each member, events, or as it is.  Only
// places in the text are kept, so that megabytes take little; what is broken
// or cut off is shown as far as it goes.  A line that is longer than there is
// room goes on in the next one.

import type { Line } from './messages';

const PREVIEW = 160;            // of an event that is folded
const NARROWEST = 24;           // characters of a line, however deep it is
const WORD = 16;                // characters: a longer one is broken
const DEEPEST = 200;            // levels that are indented

const QUOTE = 34, COMMA = 44, OPEN_LIST = 91, BACKSLASH = 92, CLOSE_LIST = 93,
      OPEN_OBJECT = 123, CLOSE_OBJECT = 125;
const FIRST_HALF = 0xd800;      // of a character that has two

export class Lines {
  private start: number[] = [];
  private end: number[] = [];
  private depth: number[] = [];
  private number: number[] = [];
  private numbers = 0;
  private last = new Map<number, number>();     // first line: last line
  private label = new Map<number, string>();
  private closed = new Set<number>();
  private shown: Int32Array | null = null;      // null: all of them

  plain = false;                // it is no JSON

  constructor(readonly text: string, private width = 100) {}

  get length(): number {
    return this.shown ? this.shown.length : this.start.length;
  }

  at(place: number): Line {
    const i = this.shown ? this.shown[place] : place;
    const text = this.text.slice(this.start[i], this.end[i])
      .replace(/\s*[\r\n]\s*/g, ' ');
    const fold = !this.last.has(i) ? null
      : this.closed.has(i) ? 'closed' : 'open';

    return {
      number: this.number[i], depth: this.depth[i], fold,
      more: this.number[i] === this.number[i - 1],
      text: this.label.has(i) ? this.label.get(i)! + text : text,
    };
  }

  fold(place: number) {
    const i = this.shown ? this.shown[place] : place;

    if (!this.closed.delete(i)) {
      this.closed.add(i);
    }

    this.arrange();
  }

  foldAll(closed: boolean) {
    this.closed = new Set(closed
      ? [...this.last.keys()].filter((i) => i > 0) : []);
    this.arrange();
  }

  // the place of the next line that has the text, or -1; it is unfolded
  find(what: string, from: number, back: boolean): number {
    const text = this.text.toLowerCase();
    const line = this.shown ? this.shown[from] ?? 0 : from;
    const at = back
      ? text.lastIndexOf(what.toLowerCase(),
                         Math.max(0, (this.start[line] ?? 1) - 1))
      : text.indexOf(what.toLowerCase(),
                     from < 0 ? 0 : this.end[line] ?? 0);

    if (at < 0) {
      return -1;
    }

    const i = this.lineOf(at);

    for (const [first, last] of this.last) {
      if (first < i && i <= last) {
        this.closed.delete(first);
      }
    }

    this.arrange();

    return this.shown ? this.shown.indexOf(i) : i;
  }

  json() {
    if (!/^\s*([[{"]|$)/.test(this.text)) {
      this.plain = true;
      this.raw();
      return;
    }

    this.scan(0, this.text.length, 0);
  }

  raw() {
    let at = 0;

    while (at < this.text.length) {
      const end = this.text.indexOf('\n', at);
      const stop = end < 0 ? this.text.length : end;

      this.line(at, stop, 0);
      at = stop + 1;
    }
  }

  // server-sent events, or a JSON document a line
  events() {
    const blocks = /^(data|event|id|retry|:)/m.test(this.text.slice(0, 4096))
      ? /(?:[^\r\n]+(?:\r\n|\r|\n|$))+/g : /[^\r\n]+/g;

    for (const match of this.text.matchAll(blocks)) {
      this.event(match[0], match.index);
    }

    this.closed = new Set(
      [...this.label.keys()].filter((i) => this.last.has(i)));
    this.arrange();
  }

  private event(block: string, at: number) {
    const data = /^data: ?/m.exec(block);
    const name = /^event: ?(.*)$/m.exec(block)?.[1].trim();
    const from = at + (data ? data.index + data[0].length : 0);
    const to = at + block.trimEnd().length;
    const head = this.start.length;

    this.numbers++;
    this.piece(from, Math.min(to, from + PREVIEW), 0);
    this.label.set(head, name ? `${name}  ` : '');
    this.scan(from, to, 1);

    if (this.start.length > head + 1) {
      this.last.set(head, this.start.length - 1);
    }
  }

  private line(from: number, to: number, depth: number) {
    const room = Math.max(NARROWEST, this.width - 2 * depth);

    this.numbers++;

    do {
      let end = Math.min(to, from + room);

      if ((this.text.charCodeAt(end - 1) & 0xfc00) === FIRST_HALF) {
        end = Math.min(to, end + 1);
      }

      if (end < to) {
        const space = this.text.slice(end - WORD, end).lastIndexOf(' ');
        end -= space < 0 ? 0 : WORD - 1 - space;
      }

      this.piece(from, end, depth);
      from = end;
    } while (from < to);
  }

  private piece(from: number, to: number, depth: number) {
    this.start.push(from);
    this.end.push(to);
    this.depth.push(Math.min(depth, DEEPEST));
    this.number.push(this.numbers);
  }

  private scan(at: number, to: number, depth: number) {
    const { text } = this;
    const open: number[] = [];
    let from = -1;

    const close = (end: number) => {
      if (from >= 0) {
        this.line(from, end, depth);
        from = -1;
      }
    };

    for (; at < to; at++) {
      const c = text.charCodeAt(at);

      if (c <= 32) {
        continue;
      }

      if (c === CLOSE_OBJECT || c === CLOSE_LIST) {
        close(at);
        depth = Math.max(0, depth - 1);
        from = at;
        const first = open.pop();
        if (first !== undefined) {
          this.last.set(first, this.start.length);
        }
        continue;
      }

      if (from < 0) {
        from = at;
      }

      if (c === QUOTE) {
        at = stringEnd(text, at, to);

      } else if (c === COMMA) {
        close(at + 1);

      } else if (c === OPEN_OBJECT || c === OPEN_LIST) {
        const next = afterSpace(text, at + 1, to);

        if (text.charCodeAt(next) === c + 2) {
          at = next;              // nothing in it
        } else {
          open.push(this.start.length);
          close(at + 1);
          depth++;
        }
      }
    }

    close(to);
  }

  private lineOf(at: number): number {
    let low = 0;
    let high = this.start.length - 1;

    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.start[middle] <= at) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }

    return low;
  }

  private arrange() {
    if (this.closed.size === 0) {
      this.shown = null;
      return;
    }

    const shown = new Int32Array(this.start.length);
    let count = 0;

    for (let i = 0; i < this.start.length; i++) {
      shown[count++] = i;
      if (this.closed.has(i)) {
        i = this.last.get(i)!;
      }
    }

    this.shown = shown.subarray(0, count);
  }
}

// where the string that begins here ends

function stringEnd(text: string, at: number, to: number): number {
  for (;;) {
    const end = text.indexOf('"', at + 1);

    if (end < 0 || end >= to) {
      return to;
    }

    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH
           && end - 1 - slashes > at) {
      slashes++;
    }

    if (slashes % 2 === 0) {
      return end;
    }

    at = end;
  }
}

function afterSpace(text: string, at: number, to: number): number {
  while (at < to && text.charCodeAt(at) <= 32) {
    at++;
  }

  return at;
}
