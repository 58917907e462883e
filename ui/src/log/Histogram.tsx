// Requests and errors over time, from the sums.  They know one filter at a
// time; where the list has others there is nothing to show.

import { useRef, useState } from 'preact/hooks';
import { get, inZone } from '../core/api';
import * as format from '../core/format';
import { useLoad } from '../core/load';
import { go, type Query, useQuery } from '../core/route';
import { filtersOf } from './filters';
import { t } from './words';

const SUMMED = ['account', 'model', 'user', 'provider', 'endpoint', 'key',
                'ip', 'operation', 'protocol', 'outcome'];
const FEWEST = 3;       // bars
const MOST = 240;
const KEPT = 7;         // bars, though nothing was before
const DRAG = 4;         // px

interface Measures { requests: number[]; errors: number[] }
interface Stats {
  until: number;
  buckets: number[];
  total: { series: Measures };
  rows: { name: string | number | null; series: Measures }[];
}

interface Bar { since: number; until: number; requests: number;
                errors: number }

// what to ask for, or null

function question(query: Query) {
  const { since, until, ...others } = filtersOf(query);
  const [by, ...more] = Object.keys(others);

  if (more.length || (by && !SUMMED.includes(by))) {
    return null;
  }

  return inZone({ by: by ?? null, since, until, limit: 100 });
}

// since the beginning: what was before it needs no room

function since(bars: Bar[], query: Query): Bar[] {
  const first = bars.findIndex(({ requests }) => requests > 0);

  return query.since ? bars
    : bars.slice(Math.max(0, Math.min(first, bars.length - KEPT)));
}

function barsOf(stats: Stats, value: string | undefined): Bar[] {
  const row = value === undefined ? stats.total
    : stats.rows.find(({ name }) => String(name) === value);

  if (!row || stats.buckets.length < FEWEST || stats.buckets.length > MOST) {
    return [];
  }

  return stats.buckets.map((since, i) => ({
    since, until: stats.buckets[i + 1] ?? stats.until,
    requests: row.series.requests[i], errors: row.series.errors[i],
  }));
}

const label = ({ since, requests, errors }: Bar) => t('bucket', {
  time: format.dayAndMinute(since), requests, errors,
});

// Pointer only: the choice of time and the one to jump are for the keyboard.

function Bars({ bars }: { bars: Bar[] }) {
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<[number, number] | null>(null);
  const [over, setOver] = useState<Bar | null>(null);
  const most = Math.max(1, ...bars.map(({ requests }) => requests));

  const place = (event: PointerEvent) => {
    const { left, width } = box.current!.getBoundingClientRect();
    return Math.min(Math.max(0, (event.clientX - left) / width), 0.9999);
  };
  const at = (part: number) => bars[Math.floor(part * bars.length)];

  const release = (event: PointerEvent) => {
    if (!drag) {
      return;
    }

    const [a, b] = [drag[0], place(event)].sort((x, y) => x - y);
    const wide = (b - a) * box.current!.clientWidth > DRAG;

    setDrag(null);

    if (wide) {
      go({ since: at(a).since, until: at(b).until, at: null });
    } else {
      go({ at: at(b).until, sort: null, order: null });
    }
  };

  return (
    <div class="histogram" aria-hidden="true">
      <div ref={box} class="histogram-bars"
        onPointerDown={(event) => {
          box.current!.setPointerCapture(event.pointerId);
          setDrag([place(event), place(event)]);
        }}
        onPointerMove={(event) => {
          setOver(at(place(event)));
          setDrag((was) => was && [was[0], place(event)]);
        }}
        onPointerUp={release} onPointerLeave={() => setOver(null)}>
        {bars.map((bar) => (
          <div key={bar.since} class={bar === over ? 'over' : ''}>
            <i class="good" style={{
              height: `${100 * (bar.requests - bar.errors) / most}%` }} />
            <i class="bad" style={{ height: `${100 * bar.errors / most}%` }} />
          </div>
        ))}
        {drag && (
          <b class="histogram-drag" style={{
            left: `${100 * Math.min(...drag)}%`,
            width: `${100 * Math.abs(drag[1] - drag[0])}%` }} />
        )}
      </div>
      <div class="histogram-axis">
        <span>{format.dayAndMinute(bars[0].since)}</span>
        <span>{over ? label(over) : t('histogram')}</span>
        <span>{format.dayAndMinute(bars[bars.length - 1].until)}</span>
      </div>
    </div>
  );
}

// ready: the rows are there, which come first

export function Histogram({ ready }: { ready: boolean }) {
  const query = useQuery();
  const params = ready ? question(query) : null;
  const stats = useLoad(JSON.stringify(params), async (signal) =>
    params ? get<Stats>('/stats', params, signal) : null);
  const by = params?.by as string | undefined;

  if (!stats.data) {
    return question(query) && !stats.error ? <div class="histogram" /> : null;
  }

  const bars = since(barsOf(stats.data, by ? query[by] : undefined), query);

  return bars.length ? <Bars bars={bars} /> : null;
}
