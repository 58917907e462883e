// What is shown, how the monitor does and what was lost, in one line; a
// sentence when something is wrong.  A view says its part.

import { useEffect } from 'preact/hooks';
import { type Monitor, useAbout } from '../core/about';
import { cell, useCell } from '../core/cell';
import * as format from '../core/format';
import { Icon } from '../parts/Icon';
import { troubleName } from '../parts/State';
import { t } from './words';

const FULL = 0.8;       // of the ring: records may soon be lost

export const status = cell<string>('');

export function useStatus(text: string) {
  useEffect(() => {
    status.set(text);
    return () => status.set('');
  }, [text]);
}

function wrong(monitor: Monitor | null | undefined): string | null {
  if (!monitor) {
    return null;
  }

  if (!monitor.writer) {
    return t('status.noWriter', { n: monitor.waiting });
  }

  return monitor.ring_used > FULL
    ? t('status.full', { part: format.percent(monitor.ring_used) }) : null;
}

function Self({ monitor }: { monitor: Monitor }) {
  return (
    <>
      {monitor.database_bytes > 0 && (
        <span>{t('status.database', {
          size: format.size(monitor.database_bytes),
        })}</span>
      )}
      <span>{t('status.ring', {
        part: format.percent(monitor.ring_used),
      })}</span>
      <span class={monitor.dropped ? 'tone-error' : ''}>
        {t('status.dropped', { n: monitor.dropped })}
      </span>
    </>
  );
}

export function StatusLine({ onHelp }: { onHelp: () => void }) {
  const { about, error } = useAbout();
  const trouble = error ? `${troubleName(error)}. ${t('status.old')}`
    : wrong(about?.monitor);

  return (
    <footer class="status">
      <span role="status" class="ellipsis">{useCell(status)}</span>
      {trouble ? (
        <span class="tone-error status-trouble" role="alert">
          <Icon name="warn" />{trouble}
        </span>
      ) : about?.monitor && <Self monitor={about.monitor} />}
      {about?.scope && (
        <span>{t(`scope.${about.scope}`)}</span>
      )}
      {about && !about.changes && <span>{t('readOnly')}</span>}
      <span class="push" />
      <button type="button" class="quiet" onClick={onHelp}>
        <kbd>?</kbd> {t('keys')}
      </button>
    </footer>
  );
}
