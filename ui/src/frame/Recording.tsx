// Whether it records, and the switch for it.

import { useState } from 'preact/hooks';
import { useAbout } from '../core/about';
import { ApiError, change } from '../core/api';
import { Dialog } from '../parts/Dialog';
import { Icon } from '../parts/Icon';
import { Trouble } from '../parts/State';
import { why } from './why';
import { t } from './words';

export function useRecording() {
  const { about, reload } = useAbout();
  const [busy, setBusy] = useState(false);
  const [error, fail] = useState<ApiError | null>(null);

  const set = async (recording: boolean) => {
    setBusy(true);
    try {
      await change('PUT', '/recording', {}, { recording });
    } catch (thrown) {
      fail(thrown as ApiError);
    }
    setBusy(false);
    reload();
  };

  return { about, busy, error, set, forget: () => fail(null) };
}

export function Recording() {
  const { about, busy, error, set, forget } = useRecording();
  const [asks, ask] = useState(false);

  if (!about?.monitor) {
    return null;
  }

  const on = about.monitor.recording;
  const reason = why(about);

  return (
    <>
      <button type="button" class={`recording ${on ? 'is-on' : 'is-off'}`}
        aria-pressed={on} disabled={busy} aria-disabled={!!reason}
        title={reason ?? t(on ? 'pause' : 'resume')}
        onClick={() => on || reason ? ask(true) : set(true)}>
        <Icon name={on ? 'record' : 'pause'} />
        {t(on ? 'recording' : 'paused')}
      </button>
      {asks && (
        <Dialog title={t(reason ? 'recording' : 'pause')}
          onClose={() => ask(false)} footer={!reason && (
            <button type="button" class="primary"
              onClick={() => { ask(false); set(false); }}>
              {t('pause')}
            </button>
          )}>
          <p>{reason ?? t('pause.text')}</p>
        </Dialog>
      )}
      {error && (
        <Dialog title={t('recording')} onClose={forget}>
          <Trouble error={error} />
        </Dialog>
      )}
    </>
  );
}

// below the head, while nothing is recorded

export function PausedLine() {
  const { about, busy, set } = useRecording();

  if (!about?.monitor || about.monitor.recording) {
    return null;
  }

  const reason = why(about);

  return (
    <div class="paused-line" role="status">
      <Icon name="pause" />
      <span>{t('paused.text')}</span>
      {reason ? <span>{reason}</span> : (
        <button type="button" disabled={busy} onClick={() => set(true)}>
          {t('resume')}
        </button>
      )}
    </div>
  );
}
