// One record, beside the list.

import { useRef } from 'preact/hooks';
import { get, text } from '../core/api';
import * as format from '../core/format';
import { useKeys } from '../core/keys';
import { useLoad } from '../core/load';
import { pref } from '../core/prefs';
import { useCell } from '../core/cell';
import type { Detail } from '../core/record';
import { go, useQuery } from '../core/route';
import { Status } from '../log/Status';
import { CopyButton } from '../parts/Copy';
import { Icon } from '../parts/Icon';
import { Await } from '../parts/State';
import { Body, Raw, ResponseBody, source, stored } from './Body';
import { Conversation } from './Conversation';
import { curl } from './curl';
import { link } from './link';
import { Overview } from './Overview';
import { t } from './words';
import '../style/detail.css';

const TABS = ['overview', 'conversation', 'request', 'response', 'events',
              'raw'] as const;

type Tab = typeof TABS[number];

function Content({ detail, tab }: { detail: Detail; tab: Tab }) {
  switch (tab) {
    case 'conversation': {
      const body = stored(detail, 'request') ? source(detail, 'request')
        : { path: null, text: null };
      return <Conversation {...body} message={detail.message} />;
    }
    case 'request':
      return <Body detail={detail} side="request" mode="json" />;
    case 'response':
      return <ResponseBody detail={detail} />;
    case 'events':
      return <Body detail={detail} side="response" mode="events" />;
    case 'raw':
      return <Raw detail={detail} />;
    default:
      return <Overview detail={detail} />;
  }
}

function Tabs({ current }: { current: Tab }) {
  const box = useRef<HTMLDivElement>(null);
  const open = (tab: Tab) =>
    go({ tab: tab === 'overview' ? null : tab }, { replace: true });

  // the digits, as in a browser

  useKeys(Object.fromEntries(
    TABS.map((tab, i) => [String(i + 1), () => open(tab)])));

  const step = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];

    if (by) {
      const i = (TABS.indexOf(current) + by + TABS.length) % TABS.length;
      open(TABS[i]);
      (box.current!.children[i] as HTMLElement).focus();
    }
  };

  return (
    <div ref={box} role="tablist" class="tabs" aria-label={t('tabs')}
      onKeyDown={step}>
      {TABS.map((tab) => (
        <button key={tab} type="button" role="tab" id={`tab-${tab}`}
          aria-selected={tab === current} aria-controls="tab-panel"
          tabIndex={tab === current ? 0 : -1} onClick={() => open(tab)}>
          {t(tab)}
        </button>
      ))}
    </div>
  );
}

function Copies({ detail }: { detail: Detail }) {
  const body = async () => !stored(detail, 'request') ? null
    : source(detail, 'request').text ?? text(`/logs/${detail.id}/request`);

  return (
    <>
      <CopyButton label={t('copyLink')} text={() => link(detail)} />
      <CopyButton label={t('copyCurl')}
        text={async () => curl(detail, await body())} />
    </>
  );
}

function Head({ detail, onStep }:
  { detail: Detail | null; onStep: (by: number) => void }) {
  const who = [...new Set([detail?.account_email, detail?.user])].filter(
    (name) => !!name) as string[];

  return (
    <header class="drawer-head">
      <div class="drawer-title">
        {detail && (
          <>
            <Status row={detail} />
            <h2 class="ellipsis" title={detail.url ?? ''}>
              {detail.method} {detail.endpoint ?? detail.url}
            </h2>
          </>
        )}
        <span class="push" />
        <button type="button" class="quiet" onClick={() => onStep(-1)}
          aria-label={t('previous')} title={`${t('previous')} (k)`}>
          <Icon name="up" />
        </button>
        <button type="button" class="quiet" onClick={() => onStep(1)}
          aria-label={t('next')} title={`${t('next')} (j)`}>
          <Icon name="down" />
        </button>
        <button type="button" class="quiet" title={`${t('close')} (Esc)`}
          aria-label={t('close')} onClick={() => go({ id: null, tab: null })}>
          <Icon name="close" />
        </button>
      </div>
      {detail && (
        <div class="drawer-line">
          <span>{format.dayAndTime(detail.timestamp)}</span>
          <span class="ellipsis">{detail.mapped_model ?? detail.model}</span>
          {who.map((name) => (
            <span key={name} class="ellipsis" title={name}>{name}</span>
          ))}
          <span>{format.duration(detail.duration_ms)}</span>
          {detail.cost_usd !== null && (
            <span>{format.cost(detail.cost_usd)}</span>
          )}
          <span class="push" />
          <Copies detail={detail} />
        </div>
      )}
    </header>
  );
}

// The edge between list and drawer, in percent of both.

const share = pref<number>('drawer', 46, (value): value is number =>
  typeof value === 'number' && value >= 25 && value <= 80);

const within = (value: number) => Math.min(80, Math.max(25, value));

export function Edge() {
  const value = useCell(share);
  const box = useRef<HTMLDivElement>(null);

  const drag = (event: PointerEvent) => {
    if (event.buttons) {
      const { right, width } = box.current!.parentElement!
        .getBoundingClientRect();
      share.set(within(100 * (right - event.clientX) / width));
    }
  };

  return (
    <div ref={box} class="edge" role="separator" tabIndex={0}
      aria-orientation="vertical" aria-label={t('edge')} aria-valuemin={25}
      aria-valuemax={80} aria-valuenow={Math.round(value)}
      onPointerDown={(event) =>
        box.current!.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={(event) => {
        const by = { ArrowLeft: 4, ArrowRight: -4 }[event.key];
        if (by) {
          share.set(within(value + by));
        }
      }} />
  );
}

export function Drawer({ id, onStep }:
  { id: string; onStep: (by: number) => void }) {
  const { tab: asked } = useQuery();
  const tab = TABS.find((it) => it === asked) ?? 'overview';
  const width = useCell(share);
  const record = useLoad(id, (signal) =>
    get<Detail>(`/logs/${encodeURIComponent(id)}`, {}, signal));

  // while one steps through records, the last one stays until the next is here

  const last = useRef<Detail | null>(null);

  last.current = record.data ?? (record.slow || record.error ? null
    : last.current);

  const detail = last.current;

  return (
    <aside class="drawer" aria-label={t('record')}
      style={{ '--share': `${width}%` }}>
      <Head detail={detail} onStep={onStep} />
      <Tabs current={tab} />
      <div id="tab-panel" class="drawer-content" role="tabpanel"
        aria-labelledby={`tab-${tab}`}>
        {detail ? <Content key={detail.id} detail={detail} tab={tab} />
          : <Await of={record}>{() => null}</Await>}
      </div>
    </aside>
  );
}
