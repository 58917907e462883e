import { viewQuery } from '../core/route';
import { Link } from '../parts/Link';
import { t } from './words';
import { VIEWS } from './views';

export function Nav({ current }: { current: string }) {
  return (
    <nav class="nav" aria-label={t('views')}>
      {VIEWS.map(({ name, word }) => (
        <Link key={name} to={viewQuery(name)} current={name === current}>
          {t(word)}
        </Link>
      ))}
    </nav>
  );
}
