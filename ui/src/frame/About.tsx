// What the page is and whose work is in it.

import { useEffect, useState } from 'preact/hooks';
import { Dialog } from '../parts/Dialog';
import { t } from './words';

type Licences = typeof import('licences')['default'];

export function About({ onClose }: { onClose: () => void }) {
  const [list, set] = useState<Licences>([]);

  useEffect(() => {
    import('licences').then((it) => set(it.default), () => set([]));
  }, []);

  return (
    <Dialog title={t('about')} onClose={onClose}>
      <p>{t('about.text')}</p>
      <p>{t('about.libraries')}</p>
      {list.map(({ name, version, license, text }) => (
        <details key={name}>
          <summary>{name} {version}, {license}</summary>
          <pre class="licence" tabIndex={0}>{text}</pre>
        </details>
      ))}
    </Dialog>
  );
}
