// The filters of the API, which have the same names in the address.

import type { Query } from '../core/route';

export const FILTERS = [
  'filter', 'quick', 'errors_only', 'status', 'outcome', 'method', 'protocol',
  'provider', 'model', 'endpoint', 'operation', 'account', 'user', 'key',
  'session', 'ip', 'stream', 'min_duration_ms', 'min_tokens', 'min_cost',
  'unpriced', 'usage_missing', 'since', 'until',
] as const;

export type Filter = typeof FILTERS[number];

export function filtersOf(query: Query): Query {
  return Object.fromEntries(
    FILTERS.filter((name) => query[name]).map((name) => [name, query[name]]));
}
