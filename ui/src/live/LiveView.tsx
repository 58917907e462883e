// The exchanges in flight; those whose stream has stopped stand out.

import { useRef } from 'preact/hooks';
import { get } from '../core/api';
import * as format from '../core/format';
import { useLoad } from '../core/load';
import type { Flight } from '../core/record';
import { useStatus } from '../frame/StatusLine';
import { Middle } from '../log/Middle';
import { Icon } from '../parts/Icon';
import { Await, Notice } from '../parts/State';
import { type Column, Table } from '../parts/Table';
import { t } from './words';

const EVERY = 1000;     // ms
const STALLED = 5000;   // ms without a byte more

interface Live { live: Flight[]; missed: number }

interface Row extends Flight {
  quiet: number;                // ms since it last had more bytes
  part: number;                 // of the longest one's time, 0 to 1
}

// The API says how much there is, and not since when: that is kept here.

function useRows({ live }: Live): Row[] {
  const seen = useRef(new Map<string, { bytes: number; at: number }>());
  const longest = Math.max(1, ...live.map((it) => it.elapsed_ms));
  const next: typeof seen.current = new Map();

  const rows = live.map((it) => {
    const bytes = it.response_bytes ?? 0;
    const was = seen.current.get(it.id);
    const since = was?.bytes === bytes ? was
      : { bytes, at: it.timestamp + it.elapsed_ms };

    next.set(it.id, since);

    return { ...it, part: it.elapsed_ms / longest,
             quiet: it.timestamp + it.elapsed_ms - since.at };
  });

  seen.current = next;

  return rows;
}

function tokens(flight: Flight): string {
  return flight.output_tokens === null && flight.estimated_output_tokens
    ? `≈ ${format.integer(flight.estimated_output_tokens)}`
    : format.integer(flight.output_tokens);
}

function Going({ of }: { of: Row }) {
  const stalled = of.quiet >= STALLED && !!of.response_bytes;

  return (
    <span class={`state tone-${stalled ? 'warn' : of.response_bytes ? 'ok'
      : 'quiet'}`}>
      <Icon name={stalled ? 'warn' : of.response_bytes ? 'play' : 'wait'} />
      {stalled ? t('stalled', { time: format.duration(of.quiet) })
        : t(of.response_bytes ? 'going' : 'waiting')}
    </span>
  );
}

const columns = (): Column<Row>[] => [
  { key: 'model', label: t('model'), head: true, value: (it) => (
    <span class="named"><Middle text={it.model ?? format.UNKNOWN} /></span>
  ) },
  { key: 'state', label: t('state'), value: (it) => <Going of={it} /> },
  { key: 'elapsed', label: t('elapsed'), number: true, value: (it) => (
    <div class="in-cell">
      <i style={{ width: `${100 * it.part}%` }} />
      {format.duration(it.elapsed_ms)}
    </div>
  ) },
  { key: 'ttft', label: t('ttft'), title: t('ttft.long'), number: true,
    value: (it) => format.duration(it.ttft_ms) },
  { key: 'tokens', label: t('tokens'), title: t('tokens.long'), number: true,
    value: tokens },
  { key: 'bytes', label: t('bytes'), number: true,
    value: (it) => format.size(it.response_bytes) },
  { key: 'who', label: t('who'),
    value: (it) => it.account_email ?? it.user ?? it.client_ip
      ?? format.UNKNOWN },
  { key: 'endpoint', label: t('endpoint'),
    value: (it) => `${it.method ?? ''} ${it.endpoint ?? format.UNKNOWN}` },
];

function Flights({ data }: { data: Live }) {
  const rows = useRows(data);

  useStatus(t('count', { n: rows.length }));

  return (
    <>
      {data.missed > 0 && (
        <Notice tone="warn" title={t('missed', { n: data.missed })} />
      )}
      {rows.length === 0 ? (
        <Notice title={t('none')}><p>{t('none.advice')}</p></Notice>
      ) : (
        <Table caption={t('caption')} columns={columns()} rows={rows}
          rowKey={(it) => it.id} />
      )}
    </>
  );
}

export function LiveView() {
  const live = useLoad('live', (signal) => get<Live>('/live', {}, signal),
                       EVERY);

  return (
    <section class="view">
      <Await of={live}>{(data) => <Flights data={data} />}</Await>
    </section>
  );
}
