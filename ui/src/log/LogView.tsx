// The log: filters, the list, and beside it one record.

import { get, inZone } from '../core/api';
import * as format from '../core/format';
import { useLoad } from '../core/load';
import type { List, Record } from '../core/record';
import { useQuery } from '../core/route';
import { useStatus } from '../frame/StatusLine';
import { Await, Notice } from '../parts/State';
import { type Column, Table } from '../parts/Table';
import { filtersOf } from './filters';
import { t } from './words';

const columns = (): Column<Record>[] => [
  { key: 'time', label: t('time'), value: (it) => format.clock(it.timestamp) },
  { key: 'status', label: t('status'), number: true,
    value: (it) => it.status ?? format.UNKNOWN },
  { key: 'model', label: t('model'),
    value: (it) => it.model ?? format.UNKNOWN },
  { key: 'tokens', label: t('tokens'), number: true,
    value: (it) => format.compact(it.total_tokens) },
  { key: 'duration', label: t('duration'), number: true,
    value: (it) => format.duration(it.duration_ms) },
];

function Rows({ data }: { data: List }) {
  useStatus(data.total === null ? '' : t('rows', { n: data.total }));

  if (data.logs.length === 0) {
    return <Notice title={t('none')} />;
  }

  return (
    <Table caption={t('caption')} columns={columns()} rows={data.logs}
      rowKey={(it) => it.id} />
  );
}

export function LogView() {
  const params = inZone(filtersOf(useQuery()));
  const list = useLoad(JSON.stringify(params), (signal) =>
    get<List>('/logs', { ...params, limit: 100 }, signal));

  return (
    <section class="view">
      <Await of={list}>{(data) => <Rows data={data} />}</Await>
    </section>
  );
}
