// Sums over time, as the API gives them and as the chart wants them.

import type { Series } from '../parts/Chart';
import { type Named, type Sums, without } from '../core/sums';
import { t } from './words';

export const MEASURES = ['total_tokens', 'cost_usd', 'requests'] as const;
export const BY = ['model', 'account', 'user', 'provider'] as const;
export const BUCKETS = ['hour', 'day', 'week', 'month'] as const;

export type Measure = typeof MEASURES[number];
export type By = typeof BY[number];

type Over = { series: Record<Measure, (number | null)[]> };

export interface Stats {
  since: number;
  until: number;
  rounded: boolean;
  partial?: true;
  bucket: typeof BUCKETS[number];
  by: By;
  buckets: number[];
  count: number;
  total: Sums & Over;
  rows: (Named & Sums & Over)[];
}

export type Row = Named & Sums & { kind: 'value' | 'others' | 'all' };

export const SHOWN = 7;         // series beside the others

export function nameOf({ name, kind }: Row): string {
  return kind === 'others' ? t('others') : kind === 'all' ? t('all')
    : name === null ? t('none') : String(name);
}

// the values that have the most, then all others together

const shown = ({ rows }: Stats) =>
  rows.filter(({ rest }) => !rest).slice(0, SHOWN);

const complete = (stats: Stats) => shown(stats).length >= stats.count;

export function rowsOf(stats: Stats): Row[] {
  const some = shown(stats);
  const rows: Row[] = some.map((row) => ({ ...row, kind: 'value' }));

  if (!complete(stats)) {
    rows.push({ ...without(stats.total, some), name: null, kind: 'others' });
  }

  return rows;
}

function others(stats: Stats, measure: Measure): (number | null)[] {
  const some = shown(stats).map(({ series }) => series[measure]);

  return stats.total.series[measure].map((all, i) => all === null ? null
    : Math.max(0, some.reduce((rest, one) => rest - (one[i] ?? 0), all)));
}

export function seriesOf(stats: Stats, measure: Measure): Series[] {
  const series: Series[] = shown(stats).map(({ name, series: values }) => ({
    name: name === null ? t('none') : String(name), values: values[measure],
  }));

  if (!complete(stats)) {
    series.push({ name: t('others'), values: others(stats, measure),
                  colour: '--series-rest' });
  }

  return series;
}
