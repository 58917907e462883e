import { Dialog } from '../parts/Dialog';
import { KEYS, t } from './words';
import { VIEWS } from './views';

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t('keys')} onClose={onClose}>
      <dl class="keys">
        {KEYS.map(({ keys, word }) => (
          <div key={word}>
            <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{t(word)}</dd>
          </div>
        ))}
        {VIEWS.map(({ name, key, word }) => (
          <div key={name}>
            <dt><kbd>g</kbd><kbd>{key}</kbd></dt>
            <dd>{t(word)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
