// One session: what was said, and beside it what that took.

import { Fragment } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { get } from '../core/api';
import * as format from '../core/format';
import { useKeys } from '../core/keys';
import { useLoad } from '../core/load';
import type { Record } from '../core/record';
import { changed, go, useQuery } from '../core/route';
import { TurnView } from '../detail/Conversation';
import { useStatus } from '../frame/StatusLine';
import { Middle } from '../log/Middle';
import { Status } from '../log/Status';
import { Chart } from '../parts/Chart';
import { Icon } from '../parts/Icon';
import { Link, logWith } from '../parts/Link';
import { Await, Notice } from '../parts/State';
import { type Column, Table } from '../parts/Table';
import { askedIn, type Talk as Said, turnOf, type Whole } from './session';
import { StatusText } from './StatusText';
import { t } from './words';

const EVERY = 3000;     // ms, while it goes on
const SELDOM = 15_000;
const REQUESTS = 200;   // that are shown
const SHORT = 600_000;  // ms in which seconds tell requests apart

// to a request, with the others of its session

function At({ row }: { row: Record }) {
  return (
    <Link title={format.full(row.timestamp)}
      to={changed({ id: row.id }, logWith('session', row.session_id ?? ''))}>
      {format.clock(row.timestamp)}
    </Link>
  );
}

const columns = (): Column<Record>[] => [
  { key: 'time', label: t('time'), head: true,
    value: (it) => <At row={it} /> },
  { key: 'status', label: t('status'), value: (it) => <Status row={it} /> },
  { key: 'model', label: t('model'), value: (it) => (
    <span class="named"><Middle text={it.model ?? format.UNKNOWN} /></span>
  ) },
  { key: 'tokens', label: t('tokens'), number: true,
    value: (it) => format.compact(it.total_tokens) },
  { key: 'cost', label: t('cost'), number: true,
    value: (it) => format.cost(it.cost_usd) },
  { key: 'ttft', label: t('ttft'), number: true,
    value: (it) => format.duration(it.ttft_ms) },
  { key: 'duration', label: t('duration'), number: true,
    value: (it) => format.duration(it.duration_ms) },
];

function sumUp(logs: Record[], of: (record: Record) => number | null) {
  let sum: number | null = null;

  return logs.map((record) => {
    const more = of(record);
    sum = more === null ? sum : (sum ?? 0) + more;
    return sum;
  });
}

function OverTime({ logs }: { logs: Record[] }) {
  const times = useMemo(() => logs.map((it) => it.timestamp), [logs]);
  const tokens = useMemo(() => [{
    name: t('tokens'), values: sumUp(logs, (it) => it.total_tokens),
  }], [logs]);
  const cost = useMemo(() => [{
    name: t('cost'), values: sumUp(logs, (it) => it.cost_usd),
    colour: '--series-2',
  }], [logs]);
  const short = times[times.length - 1] - times[0] < SHORT;
  const common = { times, height: 130,
                   grain: short ? 'second' : 'minute' } as const;

  return (
    <>
      {tokens[0].values.at(-1) !== null && (
        <Chart {...common} title={t('tokens.sum')} series={tokens}
          value={format.integer} tick={format.compact} />
      )}
      {cost[0].values.at(-1) !== null && (
        <Chart {...common} title={t('cost.sum')} series={cost}
          value={format.money} />
      )}
    </>
  );
}

// what an answer took

function Took({ row }: { row: Record }) {
  return (
    <p class="took">
      <At row={row} />
      <span>{t('took.tokens', { n: format.compact(row.total_tokens) })}</span>
      <span>{format.cost(row.cost_usd)}</span>
      <span>{format.duration(row.duration_ms)}</span>
    </p>
  );
}

function Failed({ row }: { row: Record }) {
  return (
    <li class="turn">
      <h3>{t('failed')}</h3>
      <div>
        <Took row={row} />
        <p><Status row={row} /></p>
        <p class="wrap">{row.error ?? row.error_type}</p>
      </div>
    </li>
  );
}

function Talk({ of, logs }: { of: Said | null; logs: Record[] }) {
  const asked = useMemo(() => of && askedIn(of, logs), [of, logs]);

  if (!of || !asked) {
    return (
      <Notice title={t('noBodies')}><p>{t('noBodies.advice')}</p></Notice>
    );
  }

  return (
    <div class="conversation">
      {of.omitted > 0 && (
        <p class="quiet-text">{t('omitted', { n: of.omitted })}</p>
      )}
      <ol>
        {asked.map(({ answer, failed }, i) => {
          const turn = i < of.messages.length && turnOf(of.messages[i]);
          return (
            <Fragment key={of.omitted + i}>
              {failed.map((row) => <Failed key={row.id} row={row} />)}
              {turn && (
                <TurnView turn={turn} note={answer && <Took row={answer} />}
                  whole={(n) => () => Promise.resolve(turn.parts[n].text)} />
              )}
            </Fragment>
          );
        })}
      </ol>
    </div>
  );
}

function Facts({ of }: { of: Whole }) {
  const facts: [string, string][] = [
    [t('first'), format.dayAndTime(of.first)],
    [t('last'), format.dayAndTime(of.last)],
    [t('requests'), format.integer(of.requests)],
    [t('errors'), format.integer(of.errors)],
    [t('tokens'), format.integer(of.total_tokens)],
    [t('cost'), format.money(of.cost_usd)],
    [t('duration'), format.duration(of.duration_ms)],
    [t('model'), of.models.join(', ')],
    [t('provider'), of.providers.join(', ')],
    [t('who'), [...of.users, ...of.accounts].join(', ')],
    [t('key'), of.api_key ?? ''],
  ];

  return (
    <dl>
      {facts.map(([name, value]) => (
        <div key={name}><dt>{name}</dt><dd>{value || format.UNKNOWN}</dd></div>
      ))}
    </dl>
  );
}

function Title({ of }: { of: Whole }) {
  return (
    <>
      <h2 class="ellipsis" title={of.session_id}>{of.session_id}</h2>
      <StatusText of={of} />
      <Link to={logWith('session', of.id)}>{t('inLog')}</Link>
    </>
  );
}

function Shown({ data }: { data: Whole }) {
  useStatus(`${data.session_id} · ${t('requests')}: `
            + format.integer(data.requests));

  return (
    <>
      <div class="two">
        <section class="facts">
          <Facts of={data} />
          {data.more && <p class="quiet-text">{t('newest')}</p>}
        </section>
        <section class="talk">
          <h2>{t('conversation')}</h2>
          <Talk of={data.conversation} logs={data.logs} />
        </section>
        <section>
          {data.logs.length > 1 && <OverTime logs={data.logs} />}
          <Table caption={t('requests')} rows={data.logs}
            columns={columns()} rowKey={(it) => it.id} />
          {data.next && (
            <p class="block">
              <Link to={logWith('session', data.id)}>{t('more')}</Link>
            </p>
          )}
        </section>
      </div>
    </>
  );
}

export function OneSession({ id }: { id: string }) {
  const query = useQuery();
  const [idle, rest] = useState(false);
  const session = useLoad(`session ${id}`, (signal) => get<Whole>(
    `/sessions/${encodeURIComponent(id)}`, { limit: REQUESTS }, signal),
    idle ? SELDOM : EVERY);
  const back = changed({ session: null }, query);

  useEffect(() => rest(session.data?.state === 'idle'), [session.data]);
  useKeys({ Escape: () => go({}, { from: back }) });

  return (
    <section class="view">
      <div class="tools">
        <Link to={back} class="back">
          <Icon name="left" />{t('back')} <kbd>Esc</kbd>
        </Link>
        {session.data && <Title of={session.data} />}
      </div>
      <Await of={session}>{(data) => <Shown data={data} />}</Await>
    </section>
  );
}
