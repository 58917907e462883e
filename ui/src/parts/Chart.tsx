// Numbers over time: lines, or bars that are stacked.  The arrow keys move
// through them, and the same numbers are there as a table.

import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { useCell } from '../core/cell';
import { language } from '../core/i18n';
import { followTheme } from '../core/theme';
import * as format from '../core/format';
import { t } from './words';

export interface Series {
  name: string;
  values: (number | null)[];      // null: a gap
  colour?: string;                // a custom property, such as --error
  dash?: number[];                // so that not only the colour tells lines
}

export type Grain = 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month';

interface Props {
  title: string;
  times: number[];                // ms since 1970, rising: starts of buckets
  grain: Grain;
  series: Series[];
  stacked?: boolean;
  height?: number;
  value: (value: number | null) => string;
  tick?: (value: number | null) => string;
}

type Move = (index: number | null) => void;

const HEIGHT = 220;
const LINED = 5;                  // px that a bar with a border takes
const LABEL = 60;                 // px that a time takes at least
const SIDE = 14;                  // px beside numbers
const DIGIT = 7;                  // px that a digit of one takes
const LEAST = 6;                  // digits there is room for
const STEPS = [1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 96, 168];

export const seriesColour = (i: number) => `--series-${i % 8 + 1}`;

export function timeIn(grain: Grain): (ms: number) => string {
  switch (grain) {
    case 'second': return format.dayAndTime;
    case 'minute': case 'hour': return format.dayAndMinute;
    case 'month': return format.month;
    default: return format.day;
  }
}

// what a custom property comes to here and now

function colour(of: Element, name: string): string {
  const probe = document.createElement('i');

  probe.style.color = `var(${name})`;
  of.append(probe);

  const { color } = getComputedStyle(probe);

  probe.remove();

  return color;
}

// each one lies on those below it

function stack(series: Series[]): (number | null)[][] {
  const sums: number[] = [];

  return series.map(({ values }) => values.map((value, i) => {
    sums[i] = (sums[i] ?? 0) + (value ?? 0);
    return sums[i] || null;
  }));
}

// Bars stand side by side, one a bucket, however long each of those is: their
// x is their number.  The x of lines is the time.

const placesOf = ({ stacked, times }: Props): number[] =>
  stacked ? times.map((_, i) => i) : times;

// some of the places, so few that their labels have room

function splits(plot: uPlot, places: number[]): number[] {
  const least = LABEL * places.length / (plot.bbox.width / devicePixelRatio);
  const step = STEPS.find((it) => it >= least) ?? Math.ceil(least);

  let last = -Infinity;

  return places.filter((place, i) => {
    const at = plot.valToPos(place, 'x');

    if (i % step || at - last < LABEL) {
      return false;
    }

    last = at;
    return true;
  });
}

const DAILY: Grain[] = ['day', 'week', 'month'];

const within = (grain: Grain) => !DAILY.includes(grain);

// within a day the date stands where it changes

function labels(ticks: number[], grain: Grain): string[] {
  if (!within(grain)) {
    return ticks.map(timeIn(grain));
  }

  return ticks.map((tick, i) => {
    const same = i > 0 && format.day(tick) === format.day(ticks[i - 1]);
    return (grain === 'second' ? format.clock : format.minute)(tick)
           + (same ? '' : `\n${format.day(tick)}`);
  });
}

// values with a gap at both sides: no line would show them

function alone(values: (number | null)[]): number[] {
  const gap = (i: number) => values[i] === null || values[i] === undefined;

  return [...values.keys()].filter(
    (i) => !gap(i) && gap(i - 1) && gap(i + 1));
}

// which bucket the pointer is at

function pointed({ times, stacked }: Props, { cursor, posToVal }: uPlot) {
  if (!(cursor.left! >= 0)) {
    return null;
  }

  return !stacked ? cursor.idx ?? null
    : Math.min(Math.floor(posToVal(cursor.left!, 'x')), times.length - 1);
}

function options(box: Element, props: Props, onMove: Move): uPlot.Options {
  const { times, stacked } = props;
  const places = placesOf(props);
  const tick = props.tick ?? props.value;
  const lined = box.clientWidth / times.length >= LINED;
  const axis = {
    stroke: colour(box, '--text-2'),
    grid: { stroke: colour(box, '--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };

  return {
    width: box.clientWidth,
    height: props.height ?? HEIGHT,
    legend: { show: false },
    padding: [8, 28, 0, 0],
    cursor: {
      drag: { x: false, y: false },
      points: { size: 6, show: !stacked },
    },
    axes: [
      { ...axis, grid: { show: false }, gap: 4,
        size: within(props.grain) ? 38 : 22,
        splits: (plot) => splits(plot, places),
        values: (_, ticks) => labels(
          stacked ? ticks.map((i) => times[i]) : ticks, props.grain) },
      { ...axis, gap: 4, size: (_, ticks) => SIDE + DIGIT
        * Math.max(LEAST, ...(ticks ?? []).map(({ length }) => length)),
        values: (_, ticks) => ticks.map((one) => tick(one)) },
    ],
    scales: {
      x: { time: false, range: () => [places[0], stacked ? places.length
        : Math.max(places[places.length - 1], places[0] + 1)] },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.05 : 1] },
    },
    series: [
      {},
      ...props.series.map((one, i): uPlot.Series => {
        const ink = colour(box, one.colour ?? seriesColour(i));
        return stacked ? {
          label: one.name, fill: ink,
          stroke: lined ? colour(box, '--bg') : ink, width: lined ? 1 : 0,
          paths: uPlot.paths.bars!({ size: [0.92, Infinity], align: 1 }),
          points: { show: false },
        } : {
          label: one.name, stroke: ink, width: 1.5, dash: one.dash,
          points: { show: true, size: 4, fill: ink,
                    filter: () => alone(one.values) },
        };
      }),
    ],
    hooks: { setCursor: [(plot) => onMove(pointed(props, plot))] },
  };
}

// what is stacked is drawn from the top down, so that each one is seen

function draw(box: HTMLElement, props: Props, onMove: Move) {
  const coloured = props.series.map((one, i) => ({
    ...one, colour: one.colour ?? seriesColour(i),
  }));
  const drawn = { ...props,
                  series: props.stacked ? coloured.reverse() : coloured };
  const values = props.stacked ? stack(props.series).reverse()
    : props.series.map((one) => one.values);

  let plot: uPlot;
  const make = () => {
    plot = new uPlot(options(box, drawn, onMove),
                     [placesOf(props), ...values] as uPlot.AlignedData, box);
  };
  const anew = () => {
    plot.destroy();
    make();
  };

  make();

  const size = new ResizeObserver(() => plot.setSize({
    width: box.clientWidth, height: props.height ?? HEIGHT,
  }));
  const end = followTheme(anew);

  size.observe(box);

  return {
    point(index: number) {
      const at = props.stacked ? index + 0.5 : props.times[index];
      plot.setCursor({ left: plot.valToPos(at, 'x'), top: 0 });
    },
    end() {
      end();
      size.disconnect();
      plot.destroy();
    },
  };
}

export function Swatch({ colour: name, dash }:
  { colour: string; dash?: number[] }) {
  return (
    <svg class="swatch" viewBox="0 0 16 10" width="16" height="10"
      aria-hidden="true">
      {dash ? (
        <path d="M0 5h16" stroke-dasharray={dash.join(' ')} fill="none"
          style={{ stroke: `var(${name})`, strokeWidth: 2 }} />
      ) : (
        <rect x="3" width="10" height="10" rx="2"
          style={{ fill: `var(${name})` }} />
      )}
    </svg>
  );
}

function Legend({ props, index }: { props: Props; index: number | null }) {
  return (
    <div class="legend">
      {props.series.map((one, i) => (
        <span key={one.name} class="legend-item">
          <Swatch colour={one.colour ?? seriesColour(i)} dash={one.dash} />
          <span class="ellipsis">{one.name}</span>
          {index !== null && <b>{props.value(one.values[index])}</b>}
        </span>
      ))}
    </div>
  );
}

function Numbers({ props }: { props: Props }) {
  const [open, show] = useState(false);
  const time = timeIn(props.grain);

  return (
    <details class="numbers" open={open}
      onToggle={(event) => show(event.currentTarget.open)}>
      <summary>{t('asTable')}</summary>
      {open && (
        <div class="table-box" tabIndex={0} role="region"
          aria-label={props.title}>
          <table class="table">
            <caption class="hidden">{props.title}</caption>
            <thead>
              <tr>
                <th scope="col">{t('time')}</th>
                {props.series.map((one) => (
                  <th key={one.name} scope="col" class="number">{one.name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {props.times.map((start, i) => (
                <tr key={start}>
                  <th scope="row">{time(start)}</th>
                  {props.series.map((one) => (
                    <td key={one.name} class="number">
                      {props.value(one.values[i])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

// which of n one is at with the arrow keys

export function arrow(key: string, at: number | null, n: number) {
  switch (key) {
    case 'ArrowLeft': return at === null ? n - 1 : Math.max(0, at - 1);
    case 'ArrowRight': return at === null ? 0 : Math.min(n - 1, at + 1);
    case 'Home': return 0;
    case 'End': return n - 1;
    default: return null;
  }
}

export function Chart(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<ReturnType<typeof draw> | null>(null);
  const [at, move] = useState<number | null>(null);
  const spoken = useCell(language);
  const { times, series } = props;
  const index = at !== null && at < times.length ? at : null;

  useEffect(() => {
    const drawn = draw(box.current!, props, move);
    plot.current = drawn;
    return drawn.end;
  }, [times, series, props.stacked, props.height, spoken]);

  const press = (event: KeyboardEvent) => {
    const to = arrow(event.key, index, times.length);

    if (to !== null) {
      event.preventDefault();
      plot.current!.point(to);
      move(to);
    }
  };

  const said = index === null ? '' : [
    timeIn(props.grain)(times[index]),
    ...series.map((one) => `${one.name} ${props.value(one.values[index])}`),
  ].join(', ');

  return (
    <figure class="chart">
      <figcaption>
        <h2>{props.title}</h2>
        {index !== null && <span>{timeIn(props.grain)(times[index])}</span>}
      </figcaption>
      <div ref={box} class="chart-box" tabIndex={0} role="slider"
        aria-label={t('chart', { title: props.title })}
        aria-orientation="horizontal"
        aria-valuemin={0} aria-valuemax={times.length - 1}
        aria-valuenow={index ?? 0}
        aria-valuetext={said || t('chart.keys')} onKeyDown={press} />
      <Legend props={props} index={index} />
      <Numbers props={props} />
    </figure>
  );
}
