// The whole view is in the query of the address, so that a link opens it and
// back and forward work.  Names are those of the API where it has them.

import { cell, useCell } from './cell';

export type Query = Readonly<Record<string, string>>;
export type Changes = Record<string, string | number | null | undefined>;

function parse(): Query {
  return Object.fromEntries(new URLSearchParams(location.search));
}

const current = cell<Query>(parse());

addEventListener('popstate', () => current.set(parse()));

export function query(): Query {
  return current.get();
}

export function useQuery(): Query {
  return useCell(current);
}

// null takes a name away; from is what it starts with

export function changed(changes: Changes, from: Query = query()): Query {
  const next: Record<string, string> = { ...from };

  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === '') {
      delete next[name];
    } else {
      next[name] = String(value);
    }
  }

  return next;
}

export function address(to: Query): string {
  const text = new URLSearchParams(to).toString();

  return text ? `?${text}` : location.pathname;
}

// replace: what was there is not worth a step back

export function go(changes: Changes, { replace = false, from = query() } = {}) {
  const to = changed(changes, from);
  const where = address(to);

  if (where === address(query())) {
    return;
  }

  history[replace ? 'replaceState' : 'pushState'](null, '', where);
  current.set(to);
}

// what is kept when one goes from a view to another

const COMMON = ['since', 'until', 'tz'];

export function viewQuery(view: string): Query {
  const now = query();
  const kept = Object.fromEntries(
    COMMON.filter((name) => name in now).map((name) => [name, now[name]]));

  return changed({ view: view === 'log' ? null : view }, kept);
}
