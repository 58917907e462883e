// The languages.  Each part of the page has its own words beside it:
//
//   const t = words({ rows: ['{n} row|{n} rows', '{n} ligne|…', '{n} 行'] });
//   t('rows', { n: 3 })
//
// The forms of a plural are separated by "|", in the order one, other; n says
// which one.  A number is written as the language does.

import { pref, oneOf } from './prefs';

export type Language = 'en' | 'fr' | 'zh';

type Word = readonly [en: string, fr: string, zh: string];
type Values = Record<string, string | number>;

export const LANGUAGES: { code: Language; tag: string; name: string }[] = [
  { code: 'en', tag: 'en-US', name: 'English' },
  { code: 'fr', tag: 'fr', name: 'Français' },
  { code: 'zh', tag: 'zh-CN', name: '中文' },
];

function preferred(): Language {
  for (const tag of navigator.languages) {
    const found = LANGUAGES.find(({ code }) => tag.startsWith(code));
    if (found) {
      return found.code;
    }
  }

  return 'en';
}

export const language = pref<Language>('language', preferred(),
                                       oneOf('en', 'fr', 'zh'));

export function tag(): string {
  return LANGUAGES.find(({ code }) => code === language.get())!.tag;
}

function plural(text: string, n: unknown): string {
  const forms = text.split('|');

  if (forms.length === 1 || typeof n !== 'number') {
    return forms[forms.length - 1];
  }

  return new Intl.PluralRules(tag()).select(n) === 'one' ? forms[0] : forms[1];
}

export function words<K extends string>(table: Record<K, Word>) {
  return (key: K, values: Values = {}): string => {
    const index = LANGUAGES.findIndex(({ code }) => code === language.get());

    return plural(table[key][index], values.n)
      .replace(/\{(\w+)\}/g, (_, name: string) => {
        const value = values[name];
        return typeof value === 'number'
          ? new Intl.NumberFormat(tag()).format(value) : value;
      });
  };
}
