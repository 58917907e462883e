// Today in a few numbers, each beside the same span of yesterday.

import { get, inZone } from '../core/api';
import * as format from '../core/format';
import { useLoad } from '../core/load';
import { type Sums, tokens } from '../core/sums';
import { zone } from '../core/zone';
import { Icon } from '../parts/Icon';
import { Await, Partial } from '../parts/State';
import { t } from './words';

const EVERY = 10_000;   // ms
const NOTABLE = 0.1;    // a change for the worse that is worth a colour
const LEAST = 0.0005;   // less is no change

interface Seen {
  users: number; users_more?: true;
  accounts: number; accounts_more?: true;
  sessions: number; sessions_more?: true;
}

type Span = Sums & Seen;

interface Summary {
  partial?: true;
  today: Span;
  yesterday: Span;
  active: { sessions: number; sessions_more?: true };
}

interface CardProps {
  name: string;
  value: string;
  exact?: string;
  now: number | null;
  before: number | null;
  worse?: boolean;              // more of it is worse
  note?: string;
  warn?: boolean;               // of the note
}

const least = (count: number, more?: true) =>
  `${more ? '≥ ' : ''}${format.integer(count)}`;

function Change({ now, before, worse }: CardProps) {
  if (now === null || before === null) {
    return <dd class="card-note">{format.UNKNOWN}</dd>;
  }

  if (before === 0) {
    return <dd class="card-note">{now ? t('new') : t('same')}</dd>;
  }

  const change = now / before - 1;

  if (Math.abs(change) < LEAST) {
    return <dd class="card-note">{t('same')}</dd>;
  }

  const alarm = worse && change >= NOTABLE;

  return (
    <dd class={`card-note ${alarm ? 'tone-warn' : ''}`}>
      {alarm && <Icon name="warn" />}
      {t('more', { change: format.change(change) })}
    </dd>
  );
}

function Card(props: CardProps) {
  return (
    <div class="card">
      <dt>{props.name}</dt>
      <dd class="card-value" title={props.exact}>{props.value}</dd>
      <Change {...props} />
      <dd class={`card-note ${props.warn ? 'tone-warn' : ''}`}>
        {props.warn && <Icon name="warn" />}{props.note ?? '\u00a0'}
      </dd>
    </div>
  );
}

function Numbers({ data: { today, yesterday, active } }: { data: Summary }) {
  return (
    <dl class="cards">
      <Card name={t('card.requests')} value={format.integer(today.requests)}
        now={today.requests} before={yesterday.requests} />
      <Card name={t('card.errors')} value={format.integer(today.errors)} worse
        now={today.errors} before={yesterday.errors}
        note={today.requests ? t('ofRequests', {
          share: format.percent(today.errors / today.requests),
        }) : undefined} />
      <Card name={t('card.tokens')} value={format.compact(tokens(today))}
        exact={format.integer(tokens(today))}
        now={tokens(today)} before={tokens(yesterday)}
        note={today.cache_hit_rate === null ? undefined : t('cached', {
          share: format.percent(today.cache_hit_rate),
        })} />
      <Card name={t('card.cost')} value={format.money(today.cost_usd)}
        now={today.cost_usd} before={yesterday.cost_usd}
        warn={today.unpriced > 0}
        note={today.unpriced ? t('noPrice', { n: today.unpriced })
          : undefined} />
      <Card name={t('card.time')} value={format.duration(today.duration_ms)}
        now={today.duration_ms} before={yesterday.duration_ms} worse
        note={today.ttft_ms === null ? undefined
          : t('firstToken', { time: format.duration(today.ttft_ms) })} />
      <Card name={t('card.users')}
        value={least(today.users, today.users_more)}
        now={today.users} before={yesterday.users}
        note={t('accounts', {
          count: least(today.accounts, today.accounts_more),
        })} />
      <Card name={t('card.sessions')}
        value={least(today.sessions, today.sessions_more)}
        now={today.sessions} before={yesterday.sessions}
        note={t('now', {
          count: least(active.sessions, active.sessions_more),
        })} />
    </dl>
  );
}

export function Cards() {
  const summary = useLoad(`summary ${zone()}`, (signal) =>
    get<Summary>('/summary', inZone({}), signal), EVERY);

  return (
    <section class="block" aria-label={t('today')}>
      <h2 class="block-title">
        {t('today')} <span>{t('compared')}</span>
      </h2>
      <Await of={summary}>{(data) => (
        <>
          <Numbers data={data} />
          <Partial of={data} />
        </>
      )}</Await>
    </section>
  );
}
