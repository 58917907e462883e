// What the API says of many exchanges together; see docs/api.md.

export interface Sums {
  requests: number;
  errors: number;
  success_rate: number | null;
  input_tokens: number;
  cache_read_tokens: number;
  cache_creation_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  total_tokens: number;
  cache_hit_rate: number | null;
  cost_usd: number | null;
  unpriced: number;
  duration_ms: number | null;
  ttft_ms: number | null;
  tokens_per_second: number | null;
}

export interface Named {
  name: string | number | null;
  rest?: true;
  claimed?: true;
}

// No exchange takes no tokens at all: where there are some and no tokens,
// nobody has said how many.

export function tokens(sums: Sums, count: number = sums.total_tokens) {
  return sums.requests > 0 && sums.total_tokens === 0 ? null : count;
}

const ADDED = ['requests', 'errors', 'input_tokens', 'cache_read_tokens',
               'cache_creation_tokens', 'output_tokens', 'reasoning_tokens',
               'total_tokens', 'unpriced'] as const;

// what is left of all without the parts; means are not known then

export function without(all: Sums, parts: Sums[]): Sums {
  const left: Sums = {
    ...all, success_rate: null, cache_hit_rate: null, duration_ms: null,
    ttft_ms: null, tokens_per_second: null,
  };

  for (const name of ADDED) {
    left[name] = Math.max(
      0, parts.reduce((rest, part) => rest - part[name], all[name]));
  }

  left.cost_usd = all.cost_usd === null ? null : Math.max(
    0, parts.reduce((rest, part) => rest - (part.cost_usd ?? 0),
                    all.cost_usd));

  if (left.requests) {
    left.success_rate = 1 - left.errors / left.requests;
  }

  if (left.input_tokens) {
    left.cache_hit_rate = left.cache_read_tokens / left.input_tokens;
  }

  return left;
}
