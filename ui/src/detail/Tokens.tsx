// A line of JSON in colours, with a space behind each name.

import type { ComponentChildren } from 'preact';

const TOKEN =
  /("(?:[^"\\]|\\.)*"?)(\s*:\s*)?|(-?\d[\d.eE+-]*|true|false|null)/g;

// more: it begins within a string

export function Tokens({ text, more }: { text: string; more: boolean }) {
  const head = more ? /^(?:[^"\\]|\\.)*"?/.exec(text)![0] : '';
  const parts: ComponentChildren[] = [
    head && <span class="json-string">{head}</span>,
  ];
  let last = head.length;

  TOKEN.lastIndex = last;

  for (const match of text.matchAll(TOKEN)) {
    const [whole, string, colon] = match;
    const kind = colon ? 'key' : string ? 'string' : 'literal';

    parts.push(text.slice(last, match.index),
               <span class={`json-${kind}`}>{string ?? whole}</span>,
               colon ? ': ' : '');
    last = match.index + whole.length;
  }

  parts.push(text.slice(last));

  return <>{parts}</>;
}
