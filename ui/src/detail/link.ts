// A link to what is seen now, for later and for others: times are those of a
// clock, and the list begins with the record.

import { get, inZone } from '../core/api';
import type { Record } from '../core/record';
import { address, changed, query } from '../core/route';

interface Span { since: number; until: number }

export async function link(record: Record): Promise<string> {
  const { since, until, sort, order } = query();
  const first = !(sort || order) && { at: record.timestamp + 1 };
  let span = {};

  if ([since, until].some((time) => /^[-a-z]/.test(time ?? ''))) {
    const all = await get<Span>('/stats', inZone({ since, until, limit: 1 }));
    span = { since: since && all.since, until: until && all.until };
  }

  return new URL(address(changed({ ...first, ...span })), location.href).href;
}
