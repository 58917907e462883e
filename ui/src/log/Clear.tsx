// Asks before rows are deleted, and says which ones and what stays.

import { useState } from 'preact/hooks';
import { type ApiError, change, get, inZone } from '../core/api';
import { useAbout } from '../core/about';
import { useLoad } from '../core/load';
import { useQuery } from '../core/route';
import { Dialog } from '../parts/Dialog';
import { Notice, Trouble } from '../parts/State';
import { filtersOf } from './filters';
import { t } from './words';

type What = 'shown' | 'all';

export function Clear({ onClose, onCleared }:
  { onClose: () => void; onCleared: () => void }) {
  const { about } = useAbout();
  const filters = inZone(filtersOf(useQuery()));
  const any = Object.keys(filtersOf(useQuery())).length > 0;
  const [what, choose] = useState<What>(any ? 'shown' : 'all');
  const [stats, withStats] = useState(false);
  const [busy, setBusy] = useState(false);
  const [deleted, done] = useState<number | null>(null);
  const [error, fail] = useState<ApiError | null>(null);

  const params = what === 'all' ? { all: 1, stats: stats ? 1 : null }
    : filters;
  const count = useLoad(what, (signal) => get<{ total: number | null }>(
    '/count', what === 'all' ? {} : filters, signal));
  const total = count.data?.total;

  const run = async () => {
    setBusy(true);
    fail(null);
    try {
      const answer = await change<{ deleted: number }>(
        'DELETE', '/logs', params);
      done(answer.deleted);
      onCleared();
    } catch (thrown) {
      fail(thrown as ApiError);
    }
    setBusy(false);
  };

  if (deleted !== null) {
    return (
      <Dialog title={t('clear')} onClose={onClose} footer={(
        <button type="button" class="primary" onClick={onClose}>
          {t('done')}
        </button>
      )}>
        <Notice icon="ok" title={t('cleared', { n: deleted })} />
      </Dialog>
    );
  }

  return (
    <Dialog title={t('clear')} onClose={onClose} footer={(
      <>
        <button type="button" onClick={onClose}>{t('cancel')}</button>
        <button type="button" class="danger" disabled={busy} onClick={run}>
          {t('clear.do')}
        </button>
      </>
    )}>
      {any && (
        <fieldset class="choices">
          <legend>{t('clear.which')}</legend>
          {(['shown', 'all'] as const).map((name) => (
            <label key={name} class="check">
              <input type="radio" name="which" checked={what === name}
                onChange={() => choose(name)} />
              {t(`clear.${name}`)}
            </label>
          ))}
        </fieldset>
      )}
      <p>
        {typeof total === 'number' ? t('clear.lost', { n: total })
          : t('clear.uncounted')}{' '}
        {t(stats ? 'clear.statsToo' : 'clear.statsStay')}
      </p>
      {what === 'all' && !about?.scope && (
        <label class="check">
          <input type="checkbox" name="stats" checked={stats}
            onChange={() => withStats(!stats)} />
          {t('clear.stats')}
        </label>
      )}
      {error && <Trouble error={error} />}
    </Dialog>
  );
}
