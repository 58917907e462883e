// The two small bars of a row: what its tokens are made of, and where its
// time went.

import * as format from '../core/format';
import type { Record } from '../core/record';
import { t } from './words';

type Part = [kind: string, value: number];

// how long a part is, is for the style sheet to say: the scale is the list's

export function Bar({ parts, of }: { parts: Part[]; of: string }) {
  return (
    <span class={`bar bar-${of}`} aria-hidden="true">
      {parts.map(([kind, value]) => value > 0 && (
        <i key={kind} class={`part-${kind}`}
          style={{ '--part': value }} />
      ))}
    </span>
  );
}

export function tokenParts(row: Record): Part[] {
  const read = row.cache_read_tokens ?? 0;
  const write = row.cache_creation_tokens ?? 0;
  const reasoning = row.reasoning_tokens ?? 0;

  return [
    ['read', read],
    ['write', write],
    ['input', Math.max(0, (row.input_tokens ?? 0) - read - write)],
    ['output', Math.max(0, (row.output_tokens ?? 0) - reasoning)],
    ['reasoning', reasoning],
  ];
}

function tokenTitle(row: Record): string {
  const lines: [Parameters<typeof t>[0], number | null][] = [
    ['input', row.input_tokens], ['cacheRead', row.cache_read_tokens],
    ['cacheWrite', row.cache_creation_tokens], ['output', row.output_tokens],
    ['reasoning', row.reasoning_tokens],
  ];

  return lines.map(([word, value]) => `${t(word)} ${format.integer(value)}`)
    .join('\n');
}

export function Tokens({ row }: { row: Record }) {
  return (
    <span class="barred" title={tokenTitle(row)}>
      <Bar parts={tokenParts(row)} of="tokens" />
      <span>{format.compact(row.total_tokens)}</span>
    </span>
  );
}

export function timeParts(row: Record): Part[] {
  const end = row.duration_ms ?? 0;
  const first = Math.min(row.ttfb_ms ?? end, end);
  const token = Math.min(Math.max(row.ttft_ms ?? first, first), end);

  return [['wait', first], ['first', token - first], ['stream', end - token]];
}

export function Duration({ row }: { row: Record }) {
  return (
    <span class="barred">
      <Bar parts={timeParts(row)} of="time" />
      <span>{format.duration(row.duration_ms)}</span>
    </span>
  );
}

// the next of 1, 2, 5, 10…, so that bars keep their scale while one scrolls

export function scaleOf(values: (number | null)[]): number {
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  const step = 10 ** Math.floor(Math.log10(most));

  return [1, 2, 5, 10].map((n) => n * step).find((n) => n >= most)!;
}
