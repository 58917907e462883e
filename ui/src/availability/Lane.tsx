// One mark a bucket, whose shape says as much as its colour.

import * as format from '../core/format';
import type { Health } from './health';
import { t } from './words';

export const MARKS = ['full', 'some', 'most', 'none'] as const;

type Mark = typeof MARKS[number];

function markOf({ series }: Health, i: number): Mark {
  return series.state[i] === 'unknown' ? 'none'
    : series.state[i] === 'red' ? 'most'
      : series.failure[i] ? 'some' : 'full';
}

export function Lane({ of, times }: { of: Health; times: number[] }) {
  const marks = times.map((_, i) => markOf(of, i));
  const count = (mark: Mark) => marks.filter((it) => it === mark).length;
  const text = (i: number) => [
    format.dayAndMinute(times[i]), format.percent(of.series.score[i]),
    `${of.series.success[i]} ${t('success')}`,
    `${of.series.failure[i]} ${t('failure')}`,
  ].join(' · ');

  return (
    <div class="lane" role="img" aria-label={t('lane.text', {
      full: count('full'), some: count('some'), red: count('most'),
      none: count('none'),
    })}>
      {marks.map((mark, i) => (
        <i key={times[i]} class={`mark-${mark}`} title={text(i)} />
      ))}
    </div>
  );
}
