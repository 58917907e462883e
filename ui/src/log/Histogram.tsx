// Requests and errors over time, from the sums: minutes to hours of the last
// week from those of availability, else hours and more from statistics.  They
// know one filter at a time; where the list has others there is nothing to
// show.

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

const HOUR = 3_600_000; // ms
const UNITS = { m: HOUR / 60, h: HOUR, d: 24 * HOUR };
const RANGES = { '1h': HOUR, '6h': 6 * HOUR, '24h': 24 * HOUR,
                 '7d': 168 * HOUR };

type Numbers<K extends string> = { [key in K]: number[] };
type Short = Numbers<'success' | 'failure' | 'throttled' | 'excluded'>;
type Long = Numbers<'requests' | 'errors'>;

interface Sums {
  until: number;
  buckets: number[];
  total: { series: Short | Long };
  rows: { name: string | number | null; series: Short | Long }[];
}

interface Bar { since: number; until: number; requests: number;
                errors: number }

// what to ask for, or null

function question(query: Query) {
  const { since, until, errors_only: only, ...others } = filtersOf(query);
  const [by, ...more] = Object.keys(others);

  return more.length || (by && !SUMMED.includes(by)) || (until && !since)
    ? null
    : { by, value: by && others[by], since, until, only };
}

type Question = NonNullable<ReturnType<typeof question>>;

// the time that is meant by a number, or by so long ago

function moment(time = ''): number {
  const [, n, unit] = /^-(\d+)([mhd])$/.exec(time) ?? [];

  return unit ? Date.now() - +n * UNITS[unit as keyof typeof UNITS]
    : /^\d{12,}$/.test(time) ? +time : NaN;
}

// the shortest one that has this time in it

const rangeOf = (since: number) => Object.entries(RANGES).find(
  ([, span]) => Date.now() - since < span + UNITS.m)?.[0];

function counted(series: Short, i: number) {
  const errors = series.failure[i] + series.throttled[i] + series.excluded[i];

  return [series.success[i] + errors, errors];
}

function barsOf({ by, value, only }: Question, sums: Sums): Bar[] {
  const series = !by ? sums.total.series
    : sums.rows.find(({ name }) => String(name) === value)?.series;

  if (!series) {
    return [];
  }

  return sums.buckets.map((since, i) => {
    const [requests, errors] = 'requests' in series
      ? [series.requests[i], series.errors[i]] : counted(series, i);

    return {
      since, until: sums.buckets[i + 1] ?? sums.until,
      requests: only ? errors : requests, errors,
    };
  });
}

async function load(it: Question, signal: AbortSignal): Promise<Bar[]> {
  const { by, since, until } = it;
  const short = !by || by === 'model' || by === 'provider';
  const start = moment(since);
  const end = until ? moment(until) : Infinity;
  let range = short && end ? rangeOf(start) : undefined;

  const ask = async () => barsOf(it, range
    ? await get('/availability', { range, by, limit: 100 }, signal)
    : await get('/stats', inZone({ by, since, until, limit: 100 }), signal));

  let bars = await ask();

  // since the beginning: what was before it needs no room

  for (let finer = short ? 3 : 0; !since && !until; finer--) {
    const first = bars.findIndex(({ requests }) => requests > 0);
    const next = first < 0 ? range : rangeOf(bars[first].since);

    if (next === range || !finer) {
      return bars.slice(Math.max(0, Math.min(first, bars.length - KEPT)));
    }

    range = next;
    bars = await ask();
  }

  return range ? bars.filter((bar) => bar.until > start && bar.since < end)
    : bars;
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
  const asked = question(useQuery());
  const { data, error } = useLoad(JSON.stringify(ready && asked),
    async (signal) => ready && asked ? load(asked, signal) : null);

  if (!data) {
    return asked && !error ? <div class="histogram" /> : null;
  }

  return data.length >= FEWEST && data.length <= MOST
    ? <Bars bars={data} /> : null;
}
