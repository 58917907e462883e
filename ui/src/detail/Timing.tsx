// Where the time went, and who was asked for an answer.

import * as format from '../core/format';
import type { Attempt, Detail } from '../core/record';
import { Bar, timeParts } from '../log/Bars';
import { type Column, Table } from '../parts/Table';
import { t } from './words';

type Word = Parameters<typeof t>[0];

export function Timing({ detail }: { detail: Detail }) {
  const end = detail.duration_ms;

  if (end === null) {
    return null;
  }

  const marks: [Word, number | null, string][] = [
    ['firstByte', detail.ttfb_ms, 'wait'],
    ['firstToken', detail.ttft_ms, 'first'],
    ['end', end, 'stream'],
  ];

  return (
    <section class="timing">
      <h3>{t('timing')}</h3>
      <div style={{ '--time': Math.max(end, 0.001) }}>
        <Bar parts={timeParts(detail)} of="time" />
      </div>
      <ul>
        {marks.map(([word, value, kind]) => (
          <li key={word}>
            <i class={`part-${kind}`} />
            {t(word)} <b>{format.duration(value)}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}

const columns = (): Column<Attempt>[] => [
  { key: 'addr', label: t('address'),
    value: (it) => it.addr ?? format.UNKNOWN },
  { key: 'status', label: t('status'), number: true,
    value: (it) => it.status ?? format.UNKNOWN },
  { key: 'connect', label: t('connect'), number: true,
    value: (it) => it.connect_ms === null && it.header_ms === null ? (
      <span class="tone-error">{t('noConnection')}</span>
    ) : format.duration(it.connect_ms) },
  { key: 'header', label: t('header'), number: true,
    value: (it) => format.duration(it.header_ms) },
  { key: 'response', label: t('wholeAnswer'), number: true,
    value: (it) => format.duration(it.response_ms) },
  { key: 'bytes', label: t('size'), number: true,
    value: (it) => format.size(it.bytes) },
];

export function Attempts({ attempts }: { attempts: Attempt[] | null }) {
  if (!attempts?.length) {
    return <p class="quiet-text">{t('noUpstream')}</p>;
  }

  return (
    <section>
      <h3>{t('upstreams')}</h3>
      <Table caption={t('upstreams')} columns={columns()} rows={attempts}
        rowKey={(it) => String(attempts.indexOf(it))} />
    </section>
  );
}
