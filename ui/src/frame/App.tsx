// The frame: head, navigation, the view of the address, and the status line.

import { useEffect, useState } from 'preact/hooks';
import { useAsking } from '../core/about';
import { useCell } from '../core/cell';
import { language, tag } from '../core/i18n';
import { useKeys } from '../core/keys';
import { go, useQuery, viewQuery } from '../core/route';
import { About } from './About';
import { Header } from './Header';
import { Help } from './Help';
import { Shown } from './Lazy';
import { Nav } from './Nav';
import { PausedLine } from './Recording';
import { StatusLine } from './StatusLine';
import { t } from './words';
import { VIEWS } from './views';

const GOTO = 1500;      // ms in which "g" waits for its second key

type Box = 'help' | 'about' | null;

// "g l" goes to the log, and so on

function useViewKeys() {
  const [waiting, wait] = useState(false);

  useEffect(() => {
    const timer = waiting ? setTimeout(() => wait(false), GOTO) : 0;
    return () => clearTimeout(timer);
  }, [waiting]);

  useKeys({ g: () => wait(true) });

  useKeys(Object.fromEntries(VIEWS.map(({ key, name }) => [key, () => {
    wait(false);
    go({}, { from: viewQuery(name) });
  }])), { when: waiting });
}

export function App() {
  const spoken = useCell(language);
  const { view: name = 'log' } = useQuery();
  const [box, open] = useState<Box>(null);
  const view = VIEWS.find((it) => it.name === name) ?? VIEWS[0];

  useAsking();
  useViewKeys();
  useKeys({ '?': () => open('help') });

  useEffect(() => {
    document.documentElement.lang = tag();
    document.title = t('title', { view: t(view.word) });
  }, [spoken, view]);

  return (
    <div class="frame" key={spoken}>
      <a class="skip" href="#main">{t('skip')}</a>
      <Header view={view} onHelp={() => open('help')}
        onAbout={() => open('about')} />
      <PausedLine />
      <Nav current={view.name} />
      <main id="main" tabIndex={-1}>
        <h1 class="hidden">{t(view.word)}</h1>
        <Shown key={view.name} view={view} />
      </main>
      <StatusLine onHelp={() => open('help')} />
      {box === 'help' && <Help onClose={() => open(null)} />}
      {box === 'about' && <About onClose={() => open(null)} />}
    </div>
  );
}
