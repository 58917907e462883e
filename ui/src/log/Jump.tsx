// To a time in the log.

import { useState } from 'preact/hooks';
import { go } from '../core/route';
import { Icon } from '../parts/Icon';
import { Popover } from '../parts/Popover';
import { t } from './words';

function JumpForm({ onDone }: { onDone: () => void }) {
  const [at, set] = useState('');

  return (
    <form class="filter-form" onSubmit={(event) => {
      event.preventDefault();
      onDone();
      go({ at, sort: null, order: null });
    }}>
      <label class="field">
        <span>{t('time')}</span>
        <input type="datetime-local" name="at" required step="1" value={at}
          onInput={(event) => set(event.currentTarget.value)} />
      </label>
      <button type="submit" class="primary">{t('go')}</button>
    </form>
  );
}

export function Jump() {
  return (
    <Popover title={t('jump')} name={t('jump')} class="quiet" align="end"
      label={<Icon name="clock" />}>
      {(close) => <JumpForm onDone={close} />}
    </Popover>
  );
}
