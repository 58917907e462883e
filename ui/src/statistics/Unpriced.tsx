// Which models have no price, for their costs are in no sum.

import { get, inZone } from '../core/api';
import { useLoad } from '../core/load';
import type { Named, Sums } from '../core/sums';
import { Link, logWith } from '../parts/Link';
import { Notice } from '../parts/State';
import type { Stats } from './stats';
import { t } from './words';

const LOOKED = 200;     // models
const SHOWN = 8;

export function Unpriced({ of }: { of: Stats }) {
  const { since, until, total: { unpriced } } = of;
  const models = useLoad(`unpriced ${since} ${until} ${unpriced}`,
    async (signal) => {
      const { rows } = await get<{ rows: (Named & Sums)[] }>(
        '/leaderboard',
        inZone({ by: 'model', since, until, limit: LOOKED }), signal);
      return rows.filter((row) => row.unpriced > 0 && row.name !== null)
        .sort((a, b) => b.unpriced - a.unpriced);
    });

  if (!models.data) {
    return null;
  }

  const more = models.data.length - SHOWN;

  return (
    <Notice tone="warn" title={t('unpriced.title', { n: unpriced })}>
      <p>{t('unpriced.advice')}</p>
      <ul class="names">
        {models.data.slice(0, SHOWN).map(({ name, unpriced: n }) => (
          <li key={name}>
            <Link to={{ ...logWith('model', name!), unpriced: '1' }}>
              {name}
            </Link> {n}
          </li>
        ))}
        {more > 0 && <li>{t('unpriced.more', { n: more })}</li>}
      </ul>
    </Notice>
  );
}
