import { useCell } from '../core/cell';
import { LANGUAGES, language, type Language } from '../core/i18n';
import { theme, type Theme } from '../core/theme';
import { t } from './words';

const THEMES: Theme[] = ['auto', 'light', 'dark'];

export function Look() {
  const chosen = useCell(theme);
  const spoken = useCell(language);

  return (
    <>
      <label class="field">
        <span>{t('language')}</span>
        <select name="language" value={spoken} onChange={(event) =>
          language.set(event.currentTarget.value as Language)}>
          {LANGUAGES.map(({ code, tag, name }) => (
            <option key={code} value={code} lang={tag}>{name}</option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>{t('theme')}</span>
        <select name="theme" value={chosen} onChange={(event) =>
          theme.set(event.currentTarget.value as Theme)}>
          {THEMES.map((name) => (
            <option key={name} value={name}>{t(`theme.${name}`)}</option>
          ))}
        </select>
      </label>
    </>
  );
}
