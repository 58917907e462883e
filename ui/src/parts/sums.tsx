// The columns of sums, which are the same wherever there are some.

import * as format from '../core/format';
import { type Sums, tokens } from '../core/sums';
import type { Column } from './Table';
import { t } from './words';

type Key = 'requests' | 'success_rate' | 'input_tokens' | 'cache_hit_rate'
  | 'output_tokens' | 'total_tokens' | 'cost_usd' | 'duration_ms' | 'ttft_ms'
  | 'tokens_per_second';

const VALUES: Record<Key, (sums: Sums) => string> = {
  requests: (it) => format.integer(it.requests),
  success_rate: (it) => format.percent(it.success_rate),
  input_tokens: (it) => format.compact(tokens(it, it.input_tokens)),
  cache_hit_rate: (it) => format.percent(it.cache_hit_rate),
  output_tokens: (it) => format.compact(tokens(it, it.output_tokens)),
  total_tokens: (it) => format.compact(tokens(it)),
  cost_usd: (it) => format.money(it.cost_usd),
  duration_ms: (it) => format.duration(it.duration_ms),
  ttft_ms: (it) => format.duration(it.ttft_ms),
  tokens_per_second: (it) => format.speed(it.tokens_per_second),
};

// what a mouse shows of a number that is cut

const EXACT: Partial<Record<Key, (sums: Sums) => string>> = {
  input_tokens: (it) => format.integer(tokens(it, it.input_tokens)),
  output_tokens: (it) => format.integer(tokens(it, it.output_tokens)),
  total_tokens: (it) => format.integer(tokens(it)),
};

export const sumColumn = <T extends Sums>(key: Key): Column<T> => ({
  key,
  label: t(`sum.${key}`),
  title: t(`sum.${key}.long`),
  number: true,
  value: (row) => EXACT[key]
    ? <span title={EXACT[key](row)}>{VALUES[key](row)}</span>
    : VALUES[key](row),
});
