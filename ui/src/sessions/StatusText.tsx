import { Icon } from '../parts/Icon';
import type { Session } from './session';
import { t } from './words';

const ICONS = { INIT: 'play', BUSY: 'play', FAIL: 'error', IDLE: 'clock' };
const TONES = { INIT: 'ok', BUSY: 'ok', FAIL: 'error', IDLE: 'quiet' };

export function StatusText({ of }: { of: Session }) {
  const { status, running } = of;
  const quiet = status === 'IDLE' && of.state === 'idle';

  return (
    <span class={`state tone-${TONES[status]}`}>
      <Icon name={ICONS[status] as 'play'} />{' '}
      {quiet ? t('quiet') : t(status, { n: running })}
    </span>
  );
}
