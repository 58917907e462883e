// What is shown and what was lost, in one line.  A view says its part.

import { useEffect } from 'preact/hooks';
import { cell, useCell } from '../core/cell';
import { t } from './words';

export const status = cell<string>('');

export function useStatus(text: string) {
  useEffect(() => {
    status.set(text);
    return () => status.set('');
  }, [text]);
}

export function StatusLine({ onHelp }: { onHelp: () => void }) {
  return (
    <footer class="status">
      <span role="status" class="ellipsis">{useCell(status)}</span>
      <button type="button" class="quiet" onClick={onHelp}>
        <kbd>?</kbd> {t('keys')}
      </button>
    </footer>
  );
}
