// Today in numbers, and what was used over time and by whom.

import { useMemo } from 'preact/hooks';
import { get, inZone } from '../core/api';
import * as format from '../core/format';
import { useLoad } from '../core/load';
import { changed, go, type Query, useQuery, viewQuery } from '../core/route';
import { tokens } from '../core/sums';
import { useStatus } from '../frame/StatusLine';
import { Middle } from '../log/Middle';
import { Chart, seriesColour, Swatch } from '../parts/Chart';
import { Choice } from '../parts/Choice';
import { Link, logWith } from '../parts/Link';
import { Await, Notice, Partial } from '../parts/State';
import { sumColumn } from '../parts/sums';
import { type Column, Table } from '../parts/Table';
import { Cards } from './Cards';
import { BUCKETS, BY, type By, MEASURES, type Measure, nameOf, type Row,
         rowsOf, seriesOf, SHOWN, type Stats } from './stats';
import { Unpriced } from './Unpriced';
import { t } from './words';

const EVERY = 30_000;   // ms

const one = <T extends string>(values: readonly T[], value: string) =>
  values.includes(value as T) ? value as T : values[0];

const measureOf = (query: Query) => one(MEASURES, query.measure);
const byOf = (query: Query) => one(BY, query.by);

const VALUE: Record<Measure, (value: number | null) => string> = {
  total_tokens: format.integer,
  cost_usd: format.money,
  requests: format.integer,
};

const TICK: Record<Measure, (value: number | null) => string> = {
  total_tokens: format.compact,
  cost_usd: format.money,
  requests: format.compact,
};

function Name({ row, index, by }: { row: Row; index: number; by: By }) {
  const name = nameOf(row);

  return (
    <span class="named">
      {row.kind !== 'all' && (
        <Swatch colour={row.kind === 'others' ? '--series-rest'
          : seriesColour(index)} />
      )}
      {row.kind === 'value' && row.name !== null ? (
        <Link class="ellipsis" to={logWith(by, row.name)} title={name}>
          <Middle text={name} />
        </Link>
      ) : <span class="ellipsis">{name}</span>}
    </span>
  );
}

const columns = (by: By, rows: Row[]): Column<Row>[] => [
  { key: 'name', label: t(by), head: true, value: (row) => (
    <Name row={row} index={rows.indexOf(row)} by={by} />
  ) },
  sumColumn('requests'), sumColumn('success_rate'),
  sumColumn('input_tokens'), sumColumn('cache_hit_rate'),
  sumColumn('output_tokens'), sumColumn('total_tokens'),
  sumColumn('cost_usd'), sumColumn('duration_ms'), sumColumn('ttft_ms'),
  sumColumn('tokens_per_second'),
];

function Tools({ query, bucket }: { query: Query; bucket: string }) {
  return (
    <div class="tools">
      <Choice label={t('measure')} values={MEASURES} name={t}
        value={measureOf(query)}
        onChoose={(measure) => go({ measure }, { replace: true })} />
      <Choice label={t('by')} values={BY} name={t} value={byOf(query)}
        onChoose={(by) => go({ by }, { replace: true })} />
      <Choice<string> label={t('bucket')} values={BUCKETS}
        name={(it) => t(one(BUCKETS, it))} value={bucket}
        onChoose={(it) => go({ bucket: it }, { replace: true })} />
    </div>
  );
}

function OverTime({ data, measure }: { data: Stats; measure: Measure }) {
  const { by, total } = data;
  const series = useMemo(() => seriesOf(data, measure), [data, measure]);
  const rows = useMemo(() => rowsOf(data), [data]);

  useStatus(t('status', {
    requests: total.requests, tokens: format.integer(tokens(total)),
    cost: format.money(total.cost_usd),
  }));

  if (total.requests === 0) {
    return (
      <Notice title={t('empty')}><p>{t('empty.advice')}</p></Notice>
    );
  }

  return (
    <>
      <Partial of={data} />
      <div class="block">
        <Chart title={t(`title.${by}`, { measure: t(measure) })} stacked
          times={data.buckets} grain={data.bucket}
          series={series} value={VALUE[measure]} tick={TICK[measure]}
          height={240} />
      </div>
      <Table caption={t('caption.sums')} columns={columns(by, rows)}
        rows={rows} rowKey={(row) => `${row.kind} ${row.name}`}
        foot={[{ ...total, name: null, kind: 'all' }]} />
      <p class="block quiet-text">
        {data.count > SHOWN && (
          <Link to={changed({ by }, viewQuery('ranking'))}>
            {t('ranking', { n: data.count })}
          </Link>
        )}
        {data.rounded && ` ${t('rounded', {
          since: format.dayAndMinute(data.since),
          until: format.dayAndMinute(data.until),
        })}`}
      </p>
      {total.unpriced > 0 && <Unpriced of={data} />}
    </>
  );
}

export function StatisticsView() {
  const query = useQuery();
  const measure = measureOf(query);
  const params = inZone({
    by: byOf(query), sort: measure, bucket: query.bucket,
    since: query.since, until: query.until, limit: SHOWN + 1,
  });
  const stats = useLoad(JSON.stringify(params), (signal) =>
    get<Stats>('/stats', params, signal), EVERY);

  return (
    <section class="view">
      <Cards />
      <Tools query={query}
        bucket={query.bucket ?? stats.data?.bucket ?? ''} />
      <Await of={stats}>
        {(data) => <OverTime data={data} measure={measure} />}
      </Await>
    </section>
  );
}
