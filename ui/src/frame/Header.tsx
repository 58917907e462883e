// What holds for all views: the search, the time and its zone, and how the
// page looks.

import { Icon } from '../parts/Icon';
import { Popover } from '../parts/Popover';
import { Look } from './Look';
import { Recording } from './Recording';
import { Search } from './Search';
import { TimeRange } from './TimeRange';
import type { View } from './views';
import { t } from './words';

interface Props { view: View; onHelp: () => void; onAbout: () => void }

export function Header({ view, onHelp, onAbout }: Props) {
  return (
    <header class="head">
      <Recording />
      <Search />
      <TimeRange view={view} />
      <Popover name={t('menu')} title={t('menu')} class="quiet" align="end"
        label={<Icon name="more" />}>
        {(close) => (
          <div class="menu">
            <Look />
            <hr />
            <button type="button" class="item"
              onClick={() => { close(); onHelp(); }}>
              {t('keys')} <kbd>?</kbd>
            </button>
            <button type="button" class="item"
              onClick={() => { close(); onAbout(); }}>
              {t('about')}
            </button>
          </div>
        )}
      </Popover>
    </header>
  );
}
