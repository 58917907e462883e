// Who used how much: users, accounts, providers, models, keys, addresses.

import { get, inZone } from '../core/api';
import * as format from '../core/format';
import { useLoad } from '../core/load';
import { go, useQuery } from '../core/route';
import type { Named, Sums } from '../core/sums';
import { useStatus } from '../frame/StatusLine';
import { Middle } from '../log/Middle';
import { Choice } from '../parts/Choice';
import { Link, logWith } from '../parts/Link';
import { Await, Notice, Partial } from '../parts/State';
import { sumColumn } from '../parts/sums';
import { type Column, type Sort, Table } from '../parts/Table';
import { t } from './words';

const EVERY = 30_000;   // ms
const PAGE = 50;
const MOST = 1000;      // of the API

const BY = ['user', 'account', 'provider', 'model', 'key', 'ip'] as const;
const SORTS = ['total_tokens', 'requests', 'cost_usd', 'input_tokens',
               'output_tokens', 'success_rate', 'duration_ms', 'ttft_ms',
               'tokens_per_second'] as const;

type By = typeof BY[number];
type SortKey = typeof SORTS[number];
type Row = Named & Sums & { rank?: number; kind: 'value' | 'none' | 'other'
  | 'all' };

interface Board {
  by: By;
  partial?: true;
  total: Sums;
  count: number;
  rows: (Named & Sums & { rank: number })[];
  none: Sums | null;
  other: Sums | null;
}

function Name({ row, by }: { row: Row; by: By }) {
  if (row.kind !== 'value') {
    return <span class="quiet-text">{t(row.kind)}</span>;
  }

  if (row.name === null) {
    return <span class="quiet-text">{t('none')}</span>;
  }

  return (
    <span class="named">
      <Link class="ellipsis" to={logWith(by, row.name)}
        title={String(row.name)}>
        <Middle text={String(row.name)} />
      </Link>
      {row.claimed && <small>{t('claimed')}</small>}
    </span>
  );
}

// The column that it is sorted by shows its numbers as bars too.

function barred(column: Column<Row>, key: SortKey, rows: Row[]): Column<Row> {
  const most = Math.max(...rows.map((row) => row[key] ?? 0));

  return column.key !== key || !(most > 0) ? column : {
    ...column,
    value: (row) => row.kind !== 'value' ? column.value(row) : (
      <div class="in-cell">
        <i style={{ width: `${100 * (row[key] ?? 0) / most}%` }} />
        {column.value(row)}
      </div>
    ),
  };
}

function columns(by: By, key: SortKey, rows: Row[]): Column<Row>[] {
  const sums: Column<Row>[] = [
    sumColumn('requests'), sumColumn('total_tokens'),
    sumColumn('input_tokens'), sumColumn('cache_hit_rate'),
    sumColumn('output_tokens'), sumColumn('cost_usd'),
    sumColumn('success_rate'), sumColumn('duration_ms'),
    sumColumn('ttft_ms'), sumColumn('tokens_per_second'),
  ];

  return [
    { key: 'rank', label: t('rank'), title: t('rank.long'), number: true,
      value: ({ rank }) => rank === undefined ? '' : format.integer(rank) },
    { key: 'name', label: t(by), head: true,
      value: (row) => <Name row={row} by={by} /> },
    ...sums.map((column) => barred(column, key, rows)),
  ];
}

function Ranks({ data, sort, limit }:
  { data: Board; sort: Sort; limit: number }) {
  const rows: Row[] = data.rows.map((row) => ({ ...row, kind: 'value' }));
  const foot: Row[] = [
    ...(['none', 'other'] as const).flatMap((kind) => data[kind]
      ? [{ ...data[kind], name: null, kind }] : []),
    { ...data.total, name: null, kind: 'all' },
  ];

  useStatus(t('status', { shown: rows.length, n: data.count }));

  if (data.total.requests === 0) {
    return <Notice title={t('empty')}><p>{t('empty.advice')}</p></Notice>;
  }

  return (
    <>
      <Partial of={data} />
      <Table caption={t(data.by)} rows={rows} foot={foot}
        columns={columns(data.by, sort.key as SortKey, rows)}
        rowKey={(row) => `${row.kind} ${row.name} ${row.claimed ?? ''}`}
        sort={sort}
        sortable={(key) => SORTS.includes(key as SortKey)}
        onSort={({ key, descending }) => go(
          { sort: key, order: descending ? null : 'asc', limit: null },
          { replace: true })} />
      {rows.length < data.count && rows.length >= limit && limit < MOST && (
        <p class="block">
          <button type="button" onClick={() => go(
            { limit: Math.min(MOST, limit + 2 * PAGE) }, { replace: true })}>
            {t('more')}
          </button>
        </p>
      )}
    </>
  );
}

export function RankingView() {
  const query = useQuery();
  const by = BY.find((it) => it === query.by) ?? BY[0];
  const key = SORTS.find((it) => it === query.sort) ?? SORTS[0];
  const limit = Math.min(MOST, Math.max(PAGE, Number(query.limit) || PAGE));
  const params = inZone({
    by, sort: key, order: query.order, limit,
    since: query.since, until: query.until,
    period: query.since || query.until ? null : 'all',
  });
  const board = useLoad(JSON.stringify(params), (signal) =>
    get<Board>('/leaderboard', params, signal), EVERY);

  return (
    <section class="view">
      <div class="tools">
        <Choice label={t('by')} values={BY} name={t} value={by}
          onChoose={(it) => go({ by: it, limit: null })} />
      </div>
      <Await of={board}>
        {(data) => (
          <Ranks data={data} limit={limit}
            sort={{ key, descending: query.order !== 'asc' }} />
        )}
      </Await>
    </section>
  );
}
