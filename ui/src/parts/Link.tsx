// To another place of the page; the browser's ways to open it elsewhere work.

import type { ComponentChildren } from 'preact';
import { address, changed, go, type Query, viewQuery } from '../core/route';

interface Props {
  to: Query;
  class?: string;
  title?: string;
  current?: boolean;
  children: ComponentChildren;
}

export function Link({ to, current, children, ...rest }: Props) {
  const follow = (event: MouseEvent) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) {
      return;
    }

    event.preventDefault();
    go({}, { from: to });
  };

  return (
    <a {...rest} href={address(to)} aria-current={current ? 'page' : undefined}
      onClick={follow}>
      {children}
    </a>
  );
}

// the log with one filter, in the time that is chosen

export const logWith = (name: string, value: string | number): Query =>
  changed({ [name]: value }, viewQuery('log'));
