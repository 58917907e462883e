// The sessions, those with something in flight first.

import { get } from '../core/api';
import * as format from '../core/format';
import { useLoad } from '../core/load';
import { changed, go, type Query, useQuery } from '../core/route';
import { useStatus } from '../frame/StatusLine';
import { Middle } from '../log/Middle';
import { Choice } from '../parts/Choice';
import { Link } from '../parts/Link';
import { Await, Notice, Partial } from '../parts/State';
import { type Column, Table } from '../parts/Table';
import { OneSession } from './OneSession';
import type { Session, Sessions } from './session';
import { StatusText } from './StatusText';
import { t } from './words';

const EVERY = 3000;     // ms
const PAGE = 50;
const MOST = 1000;      // of the API

const STATES = ['both', 'active', 'idle'] as const;

const first = (names: string[]) => names.length > 1
  ? `${names[0]} +${names.length - 1}` : names[0] ?? format.UNKNOWN;

const columns = (query: Query): Column<Session>[] => [
  { key: 'session', label: t('session'), head: true, value: (it) => (
    <Link class="named short" title={it.session_id}
      to={changed({ session: it.id }, query)}>
      <Middle text={it.session_id} />
    </Link>
  ) },
  { key: 'state', label: t('state'), value: (it) => <StatusText of={it} /> },
  { key: 'last', label: t('last'), value: (it) => format.dayAndTime(it.last) },
  { key: 'model', label: t('model'), value: (it) => (
    <span class="named" title={it.models.join(', ')}>
      <Middle text={first(it.models)} />
    </span>
  ) },
  { key: 'who', label: t('who'), value: (it) => {
    const names = it.users.length ? it.users : it.accounts;
    return (
      <span class="named" title={names.join(', ')}>
        <Middle text={first(names)} />
      </span>
    );
  } },
  { key: 'requests', label: t('requests'), number: true,
    value: (it) => format.integer(it.requests) },
  { key: 'errors', label: t('errors'), number: true, value: (it) => (
    <span class={it.errors ? 'tone-error' : ''}>
      {format.integer(it.errors)}
    </span>
  ) },
  { key: 'tokens', label: t('tokens'), number: true,
    value: (it) => format.compact(it.total_tokens) },
  { key: 'cost', label: t('cost'), number: true,
    value: (it) => format.cost(it.cost_usd) },
  { key: 'duration', label: t('duration'), title: t('duration.long'),
    number: true, value: (it) => format.duration(it.duration_ms) },
];

function Listed({ data, query, limit }:
  { data: Sessions; query: Query; limit: number }) {
  useStatus(t('count', { n: data.sessions.length })
            + (data.next ? ' +' : ''));

  if (data.sessions.length === 0) {
    return (
      <>
        <Partial of={data} />
        <Notice title={t('none')}><p>{t('none.advice')}</p></Notice>
      </>
    );
  }

  return (
    <>
      <Table caption={t('caption')} columns={columns(query)}
        rows={data.sessions} rowKey={(it) => it.id}
        onRow={(it) => go({ session: it.id })} />
      <Partial of={data} />
      {data.next && limit < MOST && (
        <p class="block">
          <button type="button" onClick={() => go(
            { limit: Math.min(MOST, 2 * limit) }, { replace: true })}>
            {t('more')}
          </button>
        </p>
      )}
    </>
  );
}

function AllSessions() {
  const query = useQuery();
  const state = STATES.find((it) => it === query.state) ?? STATES[0];
  const limit = Math.min(MOST, Math.max(PAGE, Number(query.limit) || PAGE));
  const params = {
    state: state === 'both' ? null : state, limit,
    since: query.since, until: query.until, tz: query.tz,
  };
  const sessions = useLoad(JSON.stringify(params), (signal) =>
    get<Sessions>('/sessions', params, signal), EVERY);

  return (
    <section class="view">
      <div class="tools">
        <Choice label={t('state')} values={STATES} name={t} value={state}
          onChoose={(it) => go({ state: it, limit: null })} />
      </div>
      <Await of={sessions}>
        {(data) => <Listed data={data} query={query} limit={limit} />}
      </Await>
    </section>
  );
}

export function SessionsView() {
  const { session } = useQuery();

  return session ? <OneSession key={session} id={session} />
    : <AllSessions />;
}
