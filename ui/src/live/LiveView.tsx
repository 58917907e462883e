// The exchanges in flight.

import { get } from '../core/api';
import { useCell } from '../core/cell';
import * as format from '../core/format';
import { useLoad } from '../core/load';
import { language } from '../core/i18n';
import type { Flight } from '../core/record';
import { useStatus } from '../frame/StatusLine';
import { Await, Notice } from '../parts/State';
import { type Column, Table } from '../parts/Table';
import { t } from './words';

const EVERY = 1000;     // ms

interface Live { live: Flight[]; missed: number }

function tokens(flight: Flight): string {
  return flight.output_tokens === null && flight.estimated_output_tokens
    ? `≈ ${format.integer(flight.estimated_output_tokens)}`
    : format.integer(flight.output_tokens);
}

const columns = (): Column<Flight>[] => [
  { key: 'elapsed', label: t('elapsed'), number: true,
    value: (it) => format.duration(it.elapsed_ms) },
  { key: 'model', label: t('model'),
    value: (it) => it.model ?? format.UNKNOWN },
  { key: 'endpoint', label: t('endpoint'),
    value: (it) => `${it.method ?? ''} ${it.endpoint ?? format.UNKNOWN}` },
  { key: 'who', label: t('who'),
    value: (it) => it.account_email ?? it.user ?? format.UNKNOWN },
  { key: 'ttft', label: t('ttft'), title: t('ttft.long'), number: true,
    value: (it) => format.duration(it.ttft_ms) },
  { key: 'tokens', label: t('tokens'), title: t('tokens.long'), number: true,
    value: tokens },
  { key: 'bytes', label: t('bytes'), number: true,
    value: (it) => format.size(it.response_bytes) },
];

function Flights({ data }: { data: Live }) {
  useStatus(t('count', { n: data.live.length }));

  if (data.live.length === 0) {
    return <Notice title={t('none')}><p>{t('none.advice')}</p></Notice>;
  }

  return (
    <Table caption={t('caption')} columns={columns()} rows={data.live}
      rowKey={(it) => it.id} />
  );
}

export function LiveView() {
  const live = useLoad('live', (signal) => get<Live>('/live', {}, signal),
                       EVERY);

  useCell(language);

  return (
    <section class="view">
      <Await of={live}>{(data) => <Flights data={data} />}</Await>
    </section>
  );
}
