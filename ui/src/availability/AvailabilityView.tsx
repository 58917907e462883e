// How often and how fast providers or models answer.

import { useMemo } from 'preact/hooks';
import { get } from '../core/api';
import * as format from '../core/format';
import { tag } from '../core/i18n';
import { useLoad } from '../core/load';
import { changed, go, type Query, useQuery, viewQuery } from '../core/route';
import { useStatus } from '../frame/StatusLine';
import { Middle } from '../log/Middle';
import { Chart } from '../parts/Chart';
import { Choice } from '../parts/Choice';
import { Icon } from '../parts/Icon';
import { Link } from '../parts/Link';
import { Await, Notice, Partial } from '../parts/State';
import { type Column, Table } from '../parts/Table';
import type { Availability, Health, Part, Rank, Row, State, Times }
  from './health';
import { nameOf } from './health';
import { Lane, MARKS } from './Lane';
import { t } from './words';

const EVERY = 15_000;   // ms

const RANGES = ['1h', '6h', '24h', '7d'] as const;
const BY = ['provider', 'model'] as const;

const ICONS = { green: 'ok', red: 'error', unknown: 'none' } as const;
const TONES = { green: 'ok', red: 'error', unknown: 'quiet' };

const LINES = [
  { key: 'p50_ms', name: 'p50', colour: '--series-1', dash: [] },
  { key: 'p95_ms', name: 'p95', colour: '--series-2', dash: [6, 3] },
  { key: 'p99_ms', name: 'p99', colour: '--series-5', dash: [2, 3] },
] as const;

const PARTS: { key: Part; colour: string }[] = [
  { key: 'success', colour: '--ok' },
  { key: 'failure', colour: '--error' },
  { key: 'throttled', colour: '--warn' },
  { key: 'excluded', colour: '--series-rest' },
];

const rangeOf = (query: Query) =>
  RANGES.find((it) => it === query.range) ?? '24h';
const byOf = (query: Query) => BY.find((it) => it === query.by) ?? BY[0];

// "24h", "7j", as each language writes it

const spanName = (span: string) => new Intl.NumberFormat(tag(), {
  style: 'unit', unit: span.endsWith('d') ? 'day' : 'hour',
  unitDisplay: 'narrow',
}).format(parseInt(span, 10));

const seconds = (ms: number | null) => !ms || ms < 1000 ? format.duration(ms)
  : `${format.compact(ms / 1000)}\u00a0s`;

function StateText({ state }: { state: State }) {
  return (
    <span class={`state tone-${TONES[state]}`}>
      <Icon name={ICONS[state]} /> {t(state)}
    </span>
  );
}

const columns = (data: Availability, query: Query): Column<Row>[] => [
  { key: 'name', label: t(data.by), head: true, value: (row) => (
    row.name === null && !row.all ? nameOf(row) : (
      <Link class="named" to={changed({ of: row.name }, query)}
        current={(query.of ?? null) === row.name}>
        <Middle text={nameOf(row)} />
      </Link>
    )
  ) },
  { key: 'state', label: t('state'), title: t('state.long'),
    value: (row) => <StateText state={row.recent.state} /> },
  { key: 'lane', label: t('lane', { from: format.dayAndMinute(data.since) }),
    value: (row) => <Lane of={row} times={data.buckets} /> },
  { key: 'score', label: t('score'), title: t('score.long'), number: true,
    value: (row) => format.percent(row.score) },
  { key: 'requests', label: t('requests'), number: true,
    value: (row) => format.integer(row.requests) },
  ...(['p50', 'p95', 'p99'] as const).map((rank): Column<Row> => ({
    key: rank, label: rank, number: true,
    value: (row) => format.duration(row.duration_ms[rank]),
  })),
];

interface Errors { status: string; count: number }

function ErrorTable({ of, query }: { of: Row; query: Query }) {
  const rows: Errors[] = Object.entries(of.errors)
    .map(([status, count]) => ({ status, count }))
    .sort((a, b) => b.count - a.count);
  const most = rows[0]?.count;
  const log = (status: string) => changed({
    [byOf(query)]: of.name, since: `-${rangeOf(query)}`, until: null, status,
    errors_only: status < '400' ? 1 : null,
  }, viewQuery('log'));

  return rows.length === 0 ? <p class="quiet-text">{t('noErrors')}</p> : (
    <Table caption={t('errors')} rows={rows} rowKey={({ status }) => status}
      columns={[
        { key: 'status', label: t('status'), head: true,
          value: ({ status }) => (
            <>
              <Link to={log(status)}>{status}</Link>
              {status < '400' && (
                <span class="quiet-text"> {t('broken')}</span>
              )}
            </>
          ) },
        { key: 'count', label: t('requests'), number: true,
          value: ({ count }) => (
            <div class="in-cell">
              <i style={{ width: `${100 * count / most}%` }} />
              {format.integer(count)}
            </div>
          ) },
      ]} />
  );
}

interface Time { name: 'duration' | 'ttft'; of: Times }

function TimeTable({ of }: { of: Health }) {
  const rows: Time[] = [{ name: 'duration', of: of.duration_ms },
                        { name: 'ttft', of: of.ttft_ms }];

  return (
    <Table caption={t('times')} rows={rows} rowKey={({ name }) => name}
      columns={[
        { key: 'name', label: t('times'), head: true,
          value: ({ name }) => t(name) },
        ...(['avg', 'p50', 'p95', 'p99'] as Rank[]).map(
          (rank): Column<Time> => ({
            key: rank, label: rank === 'avg' ? t('avg') : rank, number: true,
            value: (row) => format.duration(row.of[rank]),
          })),
      ]} />
  );
}

function Chosen({ data, row, query }:
  { data: Availability; row: Row; query: Query }) {
  const name = nameOf(row);
  const times = useMemo(() => LINES.map(({ key, dash, ...line }) => ({
    ...line, dash: [...dash], values: row.series[key],
  })), [row]);
  const parts = useMemo(() => PARTS.map(({ key, colour }) => ({
    name: t(key), colour, values: row.series[key],
  })), [row]);
  const grain = data.bucket_ms >= 3_600_000 ? 'hour' : 'minute';
  const common = { times: data.buckets, height: 180, grain } as const;

  return (
    <div class="pair">
      <Chart {...common} title={t('title.time', { name })} series={times}
        value={format.duration} tick={seconds} />
      <Chart {...common} title={t('title.outcome', { name })} series={parts}
        stacked value={format.integer} tick={format.compact} />
      <section>
        <h2>{t('times')}</h2>
        <TimeTable of={row} />
      </section>
      <section>
        <h2>{t('errors')}</h2>
        <ErrorTable of={row} query={query} />
      </section>
    </div>
  );
}

function Lanes({ data, query }: { data: Availability; query: Query }) {
  const rows = useMemo((): Row[] => [
    { ...data.total, name: null, all: true }, ...data.rows], [data]);
  const chosen = rows.find(({ name }) => name === query.of) ?? rows[0];

  useStatus(`${nameOf(chosen)} · ${t(chosen.recent.state)} · `
            + format.percent(chosen.score));

  if (data.total.requests === 0) {
    return <Notice title={t('empty')}><p>{t('empty.advice')}</p></Notice>;
  }

  return (
    <>
      <Partial of={data} />
      <Table caption={t('caption')} rows={rows}
        columns={columns(data, query)}
        rowKey={(row) => `${row.all ?? ''} ${row.name}`} />
      <p class="lane-legend">
        {MARKS.map((mark) => (
          <span key={mark}>
            <span class="lane" aria-hidden="true">
              <i class={`mark-${mark}`} />
            </span>
            {t(mark)}
          </span>
        ))}
      </p>
      <Chosen data={data} row={chosen} query={query} />
    </>
  );
}

export function AvailabilityView() {
  const query = useQuery();
  const range = rangeOf(query);
  const by = byOf(query);
  const health = useLoad(`availability ${range} ${by}`, (signal) =>
    get<Availability>('/availability', { range, by }, signal), EVERY);

  return (
    <section class="view">
      <div class="tools">
        <Choice label={t('by')} values={BY} name={t} value={by}
          onChoose={(it) => go({ by: it, of: null })} />
        <Choice label={t('range')} values={RANGES} value={range}
          name={spanName}
          onChoose={(it) => go({ range: it }, { replace: true })} />
      </div>
      <Await of={health}>
        {(data) => <Lanes data={data} query={query} />}
      </Await>
    </section>
  );
}
