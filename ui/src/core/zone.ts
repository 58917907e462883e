// The time zone of the page: that of the address, else the browser's.

import { query } from './route';

export const LOCAL = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

function valid(name: string): boolean {
  try {
    return !!new Intl.DateTimeFormat('en', { timeZone: name });
  } catch {
    return false;
  }
}

let checked = { name: '', ok: false };

export function zone(): string {
  const name = query().tz;

  if (!name) {
    return LOCAL;
  }

  if (checked.name !== name) {
    checked = { name, ok: valid(name) };
  }

  return checked.ok ? name : LOCAL;
}
