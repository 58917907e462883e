// The filter of the log, from wherever one is.

import { useEffect, useRef, useState } from 'preact/hooks';
import { useKeys } from '../core/keys';
import { go, query, useQuery, viewQuery } from '../core/route';
import { Icon } from '../parts/Icon';
import { t } from './words';

const WAIT = 250;       // ms without a key before it is looked for
const LONGEST = 256;    // of the API

export function Search() {
  const { filter = '' } = useQuery();
  const [text, write] = useState(filter);
  const box = useRef<HTMLInputElement>(null);
  const timer = useRef(0);
  const sought = useRef(filter);

  // not what was looked for here: more may have been typed since then

  useEffect(() => {
    if (filter !== sought.current) {
      sought.current = filter;
      write(filter);
    }
  }, [filter]);
  useEffect(() => () => clearTimeout(timer.current), []);

  useKeys({ '/': () => { box.current?.focus(); box.current?.select(); } });

  const search = (value: string) => {
    clearTimeout(timer.current);
    sought.current = value;
    go({ filter: value, id: null, at: null }, {
      replace: !!query().filter && !!value,
      from: query().view ? viewQuery('log') : query(),
    });
  };

  const typed = (value: string) => {
    write(value);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => search(value), WAIT);
  };

  const keyDown = ({ key }: KeyboardEvent) => {
    if (key === 'Enter') {
      search(text);
    }

    if (key === 'Enter' || key === 'Escape') {
      box.current?.blur();
    }
  };

  return (
    <div class="search" role="search">
      <Icon name="search" />
      <input ref={box} type="search" name="filter" value={text}
        maxLength={LONGEST} placeholder={t('search.hint')}
        aria-label={t('search')} autocomplete="off" spellcheck={false}
        onInput={(event) => typed(event.currentTarget.value)}
        onKeyDown={keyDown}
      />
      <kbd aria-hidden="true">/</kbd>
    </div>
  );
}
