// The columns of the list.

import type { ComponentChildren } from 'preact';
import * as format from '../core/format';
import { pref } from '../core/prefs';
import type { Record } from '../core/record';
import { Duration, Tokens } from './Bars';
import { outcomeName } from './filters';
import { Middle } from './Middle';
import { Status } from './Status';
import { t } from './words';

export interface Column {
  key: string;
  width: number;                // px, at least
  narrow?: number;              // on a phone
  grows?: boolean;
  number?: boolean;
  sort?: string;                // what the API calls it
  rank: number;                 // the highest leaves first where it is narrow
  cell: (row: Record, today: string) => ComponentChildren;
  filter?: [name: string, of: (row: Record) => string | number | null];
}

const text = (value: string | number | null) => value ?? format.UNKNOWN;

const start = (value: string | null) => (
  <span title={value ?? undefined}>{text(value)}</span>
);

const long = (value: string | null) => value === null ? format.UNKNOWN
  : <Middle text={value} />;

const STEM = 3;         // characters that are not said again

// "gpt-4o-2024-07-18" is what "gpt-4o" was on a day, and no other model

const dated = (answered: string, asked: string) =>
  answered.startsWith(asked)
  && /^[-@](\d{4}-?\d\d-?\d\d|\d{4}|\d\d-\d{4})$/.test(
    answered.slice(asked.length));

// "gpt-5-2026-06-24" beside "gpt-5-latest" is "…2026-06-24"

function other(answered: string, asked: string): string {
  const same = [...answered].findIndex((it, i) => it !== asked[i]);
  const stem = answered.lastIndexOf('-', same - 1) + 1;

  return stem > STEM ? `…${answered.slice(stem)}` : answered;
}

function Model({ row }: { row: Record }) {
  const { model, mapped_model: mapped } = row;

  if (!mapped || !model || mapped === model || dated(mapped, model)) {
    return long(model ?? mapped);
  }

  return (
    <span class="mapped" title={`${model} → ${mapped}`}>
      <span class="ellipsis">{model}</span><span aria-hidden="true">→</span>
      <span class="hidden">{t('answeredBy')}</span>
      <span class="ellipsis">{other(mapped, model)}</span>
    </span>
  );
}

// what is asked for is at its end

const end = (value: string | null) => value === null ? format.UNKNOWN : (
  <span class="end" title={value}><bdi>{value}</bdi></span>
);

function When({ row, today }: { row: Record; today: string }) {
  const time = format.clock(row.timestamp);
  const date = format.day(row.timestamp);

  return (
    <time dateTime={new Date(row.timestamp).toISOString()}
      title={format.full(row.timestamp)}>
      {date === today ? time : (
        <>{date} {time.slice(0, -3)}<span>{time.slice(-3)}</span></>
      )}
    </time>
  );
}

export const COLUMNS: Column[] = [
  { key: 'time', width: 144, narrow: 120, sort: 'timestamp', rank: 2,
    cell: (row, today) => <When row={row} today={today} /> },
  { key: 'status', width: 116, narrow: 64, sort: 'status', rank: 0,
    cell: (row) => <Status row={row} />,
    filter: ['status', (row) => row.status] },
  { key: 'error', width: 190, narrow: 96, grows: true, rank: 1,
    cell: (row) => start(row.error ?? row.error_type
                         ?? (row.outcome && outcomeName(row.outcome))) },
  { key: 'method', width: 80, rank: 8, cell: (row) => text(row.method),
    filter: ['method', (row) => row.method] },
  { key: 'model', width: 141, narrow: 110, grows: true, rank: 1,
    cell: (row) => <Model row={row} />,
    filter: ['model', (row) => row.model] },
  { key: 'protocol', width: 84, rank: 9, cell: (row) => text(row.protocol),
    filter: ['protocol', (row) => row.protocol] },
  { key: 'account', width: 102, rank: 6, grows: true,
    cell: (row) => start(row.account_email),
    filter: ['account', (row) => row.account_email] },
  { key: 'endpoint', width: 112, grows: true, rank: 7,
    cell: (row) => end(row.endpoint),
    filter: ['endpoint', (row) => row.endpoint] },
  { key: 'tokens', width: 100, number: true, sort: 'total_tokens', rank: 4,
    cell: (row) => <Tokens row={row} /> },
  { key: 'cached', width: 64, number: true, rank: 12,
    cell: (row) => format.compact(row.cache_read_tokens) },
  { key: 'cost', width: 84, number: true, sort: 'cost_usd', rank: 5,
    cell: (row) => format.cost(row.cost_usd) },
  { key: 'ttft', width: 64, number: true, sort: 'ttft_ms', rank: 10,
    cell: (row) => format.duration(row.ttft_ms) },
  { key: 'duration', width: 106, narrow: 86, number: true,
    sort: 'duration_ms', rank: 3,
    cell: (row) => <Duration row={row} /> },
  { key: 'user', width: 110, rank: 11, cell: (row) => start(row.user),
    filter: ['user', (row) => row.user] },
  { key: 'session', width: 110, rank: 13, cell: (row) => start(row.session_id),
    filter: ['session', (row) => row.session_id] },
  { key: 'provider', width: 90, rank: 14, cell: (row) => text(row.provider),
    filter: ['provider', (row) => row.provider] },
  { key: 'ip', width: 104, rank: 15, cell: (row) => text(row.client_ip),
    filter: ['ip', (row) => row.client_ip] },
  { key: 'key', width: 96, rank: 16, cell: (row) => text(row.api_key),
    filter: ['key', (row) => row.api_key] },
  { key: 'url', width: 180, grows: true, rank: 17,
    cell: (row) => long(row.url) },
];

const FIRST = ['time', 'status', 'method', 'model', 'protocol', 'account',
               'endpoint', 'tokens', 'cost', 'ttft', 'duration'];

const known = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0
  && value.every((key) => COLUMNS.some((column) => column.key === key));

export const chosen = pref<string[]>('columns', FIRST, known);

export const usual = () => chosen.set(FIRST);

const PHONE = 500;      // px
const WIDE = 760;

const widthOf = ({ width, narrow }: Column, room: number) =>
  room < PHONE ? narrow ?? width : width;

export const leastWidth = (columns: Column[], room: number) =>
  columns.reduce((sum, column) => sum + widthOf(column, room), 0);

// What a reader has chosen is there, if need be to the side; without a choice,
// or beside a request, those for which there is room.

export function fitting(room: number, errors: boolean): Column[] {
  const own = chosen.get() !== FIRST;
  const columns = COLUMNS.filter(({ key }) =>
    chosen.get().includes(key) || (key === 'error' && errors && !own));

  if (own && room > WIDE) {
    return columns;
  }

  const byRank = [...columns].sort((a, b) => a.rank - b.rank);
  const kept = new Set<Column>();
  let used = 0;

  for (const column of byRank) {
    used += widthOf(column, room);
    if (used > room && kept.size) {
      break;
    }
    kept.add(column);
  }

  return columns.filter((column) => kept.has(column));
}

export const template = (columns: Column[], room: number): string =>
  columns.map((column) => {
    const width = widthOf(column, room);
    return column.grows ? `minmax(${width}px, ${width}fr)` : `${width}px`;
  }).join(' ');
