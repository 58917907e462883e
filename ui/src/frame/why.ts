import type { About } from '../core/about';
import { t } from './words';

// why nothing may be changed here, or null

export function why(about: About | null): string | null {
  if (!about) {
    return t('why.unknown');
  }

  return about.changes ? null : t('why.read');
}

// the same of what concerns everybody

export function whyForAll(about: About | null): string | null {
  return why(about) ?? (about?.scope ? t('why.scope') : null);
}
