// What one browser remembers.  Where nothing may be stored, it holds until the
// page is left.

import { cell, type Cell } from './cell';

const PREFIX = 'llm_monitor.';

function read(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // storage is full or forbidden
  }
}

// ok says whether what was stored is still understood

export function pref<T>(name: string, initial: T,
  ok: (value: unknown) => value is T): Cell<T> {
  let value = initial;

  try {
    const stored: unknown = JSON.parse(read(name) ?? 'null');
    if (ok(stored)) {
      value = stored;
    }
  } catch {
    // not JSON: as if it were not there
  }

  const it = cell(value);

  it.follow(() => write(name, JSON.stringify(it.get())));

  return it;
}

export function oneOf<T extends string>(...values: T[]) {
  return (value: unknown): value is T => values.includes(value as T);
}
