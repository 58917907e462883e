import { useEffect, useRef } from 'preact/hooks';
import { viewQuery } from '../core/route';
import { Link } from '../parts/Link';
import { t } from './words';
import { VIEWS } from './views';

export function Nav({ current }: { current: string }) {
  const box = useRef<HTMLElement>(null);

  // on a phone they are in one line that is too long

  useEffect(() => box.current?.querySelector('[aria-current]')
    ?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), [current]);

  return (
    <nav ref={box} class="nav" aria-label={t('views')}>
      {VIEWS.map(({ name, word }) => (
        <Link key={name} to={viewQuery(name)} current={name === current}>
          {t(word)}
        </Link>
      ))}
    </nav>
  );
}
