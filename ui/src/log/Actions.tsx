// What can be done with the rows: a file of them, a copy of all, and to clear
// them.

import { useState } from 'preact/hooks';
import { type About, useAbout } from '../core/about';
import { inZone, url } from '../core/api';
import { useQuery } from '../core/route';
import { why, whyForAll } from '../frame/why';
import { Icon } from '../parts/Icon';
import { Popover } from '../parts/Popover';
import { Clear } from './Clear';
import { filtersOf } from './filters';
import { t } from './words';

const FORMATS = ['json', 'ndjson', 'csv'] as const;

function Export() {
  const query = useQuery();
  const [bodies, set] = useState(false);

  return (
    <section>
      <h2>{t('export')}</h2>
      <label class="check">
        <input type="checkbox" name="bodies" checked={bodies}
          onChange={() => set(!bodies)} />
        {t('withBodies')}
      </label>
      <div class="row-of">
        {FORMATS.map((format) => (
          <a key={format} class="button outlined" download
            href={url('/export', {
              ...inZone(filtersOf(query)), format, bodies: bodies || null,
            })}>
            <Icon name="save" />{format.toUpperCase()}
          </a>
        ))}
      </div>
    </section>
  );
}

function Backup({ about }: { about: About | null }) {
  const reason = about?.scope ? whyForAll({ ...about, changes: true }) : null;

  return (
    <section>
      <h2>{t('backup')}</h2>
      <p class="quiet-text">{reason ?? t('backup.text')}</p>
      {!reason && (
        <a class="button outlined" download href={url('/backup')}>
          <Icon name="save" />{t('backup.get')}
        </a>
      )}
    </section>
  );
}

export function Actions({ onChanged }: { onChanged: () => void }) {
  const { about } = useAbout();
  const [clearing, clear] = useState(false);
  const reason = why(about);

  return (
    <>
      <Popover title={t('actions')} name={t('actions')} class="quiet"
        align="end" label={<Icon name="more" />}>
        {(close) => (
          <div class="actions">
            <Export />
            <Backup about={about} />
            <section>
              <h2>{t('clear')}</h2>
              {reason && <p class="quiet-text">{reason}</p>}
              <button type="button" disabled={!!reason}
                onClick={() => { close(); clear(true); }}>
                <Icon name="trash" />{t('clear.open')}
              </button>
            </section>
          </div>
        )}
      </Popover>
      {clearing && (
        <Clear onClose={() => clear(false)} onCleared={onChanged} />
      )}
    </>
  );
}
