// What is there instead of data: a sentence that says what is so, and what to
// do about it.

import type { ComponentChildren } from 'preact';
import { type ApiError, BASE } from '../core/api';
import type { Loaded } from '../core/load';
import { Icon, type IconName } from './Icon';
import { t } from './words';

interface NoticeProps {
  icon?: IconName;
  tone?: 'plain' | 'error' | 'warn';
  title: string;
  children?: ComponentChildren;
}

export function Notice(props: NoticeProps) {
  const tone = props.tone ?? 'plain';

  return (
    <div class={`notice tone-${tone}`} role="status">
      <Icon name={props.icon ?? (tone === 'plain' ? 'info' : 'warn')} />
      <div>
        <p class="notice-title">{props.title}</p>
        {props.children}
      </div>
    </div>
  );
}

export const troubleName = ({ kind }: ApiError) =>
  t(kind === 'offline' && !navigator.onLine ? 'unplugged' : `${kind}.title`);

export function Trouble({ error, onRetry }:
  { error: ApiError; onRetry?: () => void }) {
  const { kind } = error;

  return (
    <Notice tone={kind === 'offline' || kind === 'busy' ? 'warn' : 'error'}
      title={troubleName(error)}>
      <p>{t(`${kind}.advice`, { at: BASE })}</p>
      {error.message && kind !== 'offline' && (
        <p class="quiet-text">{t('said', { text: error.message })}</p>
      )}
      {onRetry && (
        <button type="button" onClick={onRetry}>{t('retry')}</button>
      )}
    </Notice>
  );
}

export function Skeleton({ rows = 8 }: { rows?: number }) {
  return (
    <div class="skeleton" role="status" aria-label={t('loading')}>
      {Array.from({ length: rows }, (_, i) => <div key={i} />)}
    </div>
  );
}

// Data, with a line above it when the last try to renew it failed.

export function Await<T>({ of, children }:
  { of: Loaded<T>; children: (data: T) => ComponentChildren }) {
  if (of.data === null) {
    if (of.error) {
      return <Trouble error={of.error} onRetry={of.reload} />;
    }
    return of.slow ? <Skeleton /> : null;
  }

  return (
    <>
      {of.error && <Trouble error={of.error} onRetry={of.reload} />}
      {children(of.data)}
    </>
  );
}

export function Partial({ of }: { of: { partial?: true } }) {
  return of.partial ? (
    <p class="block partial"><Icon name="warn" /> {t('partial')}</p>
  ) : null;
}
