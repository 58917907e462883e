// A body in a viewer, or why there is none.

import { useState } from 'preact/hooks';
import type { Detail } from '../core/record';
import { Notice } from '../parts/State';
import type { Mode } from '../worker/messages';
import { Viewer } from './Viewer';
import { t } from './words';

type Side = 'request' | 'response';
type Word = Parameters<typeof t>[0];

// the body as the viewer takes it: from the record where it is all there

export function source(detail: Detail, side: Side) {
  const path = `/logs/${detail.id}/${side}`;

  return detail[`${side}_body_truncated`] ? { path, text: null }
    : { path: null, text: detail[`${side}_body`] ?? '' };
}

export const stored = (detail: Detail, side: Side) =>
  detail[`${side}_body_state`] === 'stored';

function Missing({ detail, side }: { detail: Detail; side: Side }) {
  const said = detail[`${side}_body_state`] ?? 'none';
  const state = said === 'none' && detail[`${side}_bytes`] ? 'off' : said;

  return (
    <Notice title={t(`body.${state}` as Word)}>
      {detail[`${side}_body`] && (
        <p class="quiet-text">{detail[`${side}_body`]}</p>
      )}
    </Notice>
  );
}

export function Body({ detail, side, mode }:
  { detail: Detail; side: Side; mode: Mode }) {
  if (!stored(detail, side)) {
    return <Missing detail={detail} side={side} />;
  }

  return (
    <Viewer key={`${detail.id} ${side} ${mode}`} {...source(detail, side)}
      mode={mode} download={`/logs/${detail.id}/${side}`}
      copy={t('copyBody')} />
  );
}

const streams = (detail: Detail) =>
  /^\s*(data|event|id|retry|:)/.test(detail.response_body ?? '');

// of a stream, what it comes to

export function ResponseBody({ detail }: { detail: Detail }) {
  if (stored(detail, 'response') && streams(detail) && detail.message) {
    return (
      <Viewer key={detail.id} path={null} mode="json"
        text={JSON.stringify(detail.message)}
        download={`/logs/${detail.id}/response`} copy={t('copyBody')} />
    );
  }

  return <Body detail={detail} side="response" mode="json" />;
}

export function Raw({ detail }: { detail: Detail }) {
  const [side, choose] = useState<Side>('response');

  return (
    <div class="raw">
      <div class="quick" role="group" aria-label={t('raw')}>
        {(['request', 'response'] as const).map((name) => (
          <button key={name} type="button" aria-pressed={side === name}
            onClick={() => choose(name)}>{t(name)}</button>
        ))}
      </div>
      <Body detail={detail} side={side} mode="raw" />
    </div>
  );
}
