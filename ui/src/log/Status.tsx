// How an exchange ended: number, drawing, colour, and a word where that says
// more than the number.

import type { Record } from '../core/record';
import { UNKNOWN } from '../core/format';
import { Icon, type IconName } from '../parts/Icon';
import { outcomeName } from './filters';
import { t } from './words';

type Word = Parameters<typeof t>[0];

export type Tone = 'ok' | 'warn' | 'error' | 'plain';

const ICONS: { [tone in Tone]: IconName } = {
  ok: 'ok', warn: 'warn', error: 'error', plain: 'none',
};

export function toneOf({ status, outcome }: Record): Tone {
  if (outcome === 'success') {
    return 'ok';
  }

  if (outcome === 'client_abort' || outcome === 'shutdown' || status === 429) {
    return 'warn';
  }

  return outcome === null ? 'plain' : 'error';
}

const telling = (outcome: string | null) =>
  outcome && outcome !== 'success' && outcome !== 'http_error';

export function Status({ row }: { row: Record }) {
  const tone = toneOf(row);
  const icon = row.outcome?.endsWith('_abort') ? 'cut'
    : row.outcome === 'timeout' ? 'wait' : ICONS[tone];

  return (
    <span class={`outcome tone-${tone}`}>
      <Icon name={icon} />
      <b>{row.status ?? UNKNOWN}</b>
      {telling(row.outcome) && (
        <span class="ellipsis word" title={outcomeName(row.outcome!)}>
          {t(`short.${row.outcome}` as Word)}
        </span>
      )}
    </span>
  );
}
