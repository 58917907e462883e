// Dark, light, or as the system is.

import { oneOf, pref } from './prefs';

export type Theme = 'auto' | 'light' | 'dark';

export const theme = pref<Theme>('theme', 'auto',
                                 oneOf('auto', 'light', 'dark'));

const system = matchMedia('(prefers-color-scheme: dark)');

export function dark(): boolean {
  return theme.get() === 'auto' ? system.matches : theme.get() === 'dark';
}

// calls back when colours change, also those of the system

export function followTheme(listener: () => void): () => void {
  const end = theme.follow(listener);

  system.addEventListener('change', listener);

  return () => {
    end();
    system.removeEventListener('change', listener);
  };
}

function apply(): void {
  document.documentElement.dataset.theme = dark() ? 'dark' : 'light';
}

followTheme(apply);
apply();
