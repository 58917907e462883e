// How often and how fast providers or models answer; see docs/api.md.

import type { Named } from '../core/sums';
import { t } from './words';

export type State = 'green' | 'red' | 'unknown';
export type Part = 'success' | 'failure' | 'throttled' | 'excluded';
export type Rank = 'avg' | 'p50' | 'p95' | 'p99';
export type Times = Record<Rank, number | null>;

export type Health = Record<Part, number> & {
  state: State;
  score: number | null;
  requests: number;
  duration_ms: Times;
  ttft_ms: Times;
  errors: Record<string, number>;
  recent: { state: State; score: number | null };
  series: Record<Part | 'score' | 'p50_ms' | 'p95_ms' | 'p99_ms',
                 (number | null)[]> & { state: State[] };
};

export interface Availability {
  by: 'provider' | 'model';
  partial?: true;
  since: number;
  until: number;
  bucket_ms: number;
  buckets: number[];
  total: Health;
  rows: (Named & Health)[];
}

export type Row = Named & Health & { all?: true };

export const nameOf = ({ name, all }: Row): string =>
  all ? t('all') : name === null ? t('nameless') : String(name);
