import { address, go, viewQuery } from '../core/route';
import { t } from './words';
import { VIEWS, type View } from './views';

function follow(event: MouseEvent, view: View) {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) {
    return;
  }

  event.preventDefault();
  go({}, { from: viewQuery(view.name) });
}

export function Nav({ current }: { current: string }) {
  return (
    <nav class="nav" aria-label={t('views')}>
      {VIEWS.map((view) => (
        <a key={view.name} href={address(viewQuery(view.name))}
          aria-current={view.name === current ? 'page' : undefined}
          onClick={(event) => follow(event, view)}>
          {t(view.word)}
        </a>
      ))}
    </nav>
  );
}
