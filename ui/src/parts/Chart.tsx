// Numbers over time: lines or stacked areas, a crosshair with all values, and
// the same numbers as a table for those who cannot see them.

import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useCell } from '../core/cell';
import { language } from '../core/i18n';
import { followTheme } from '../core/theme';
import { zone } from '../core/zone';
import * as format from '../core/format';
import { t } from './words';

export interface Series {
  name: string;
  values: (number | null)[];      // null: a gap
  colour?: string;                // a custom property, such as --error
}

interface Props {
  title: string;
  times: number[];                // ms since 1970, rising
  series: Series[];
  stacked?: boolean;
  height?: number;
  value: (value: number | null) => string;
  time?: (ms: number) => string;
  onZoom?: (since: number, until: number) => void;
}

const FILL = '2a';                // of an area, hexadecimal alpha

export const seriesColour = (i: number) => `--series-${i % 8 + 1}`;

// what a custom property comes to here and now, as #rrggbb

function colour(of: Element, name: string): string {
  const probe = document.createElement('i');

  probe.style.color = `var(${name})`;
  of.append(probe);

  const [r, g, b] = getComputedStyle(probe).color.match(/[\d.]+/g)!;

  probe.remove();

  return '#' + [r, g, b].map(
    (part) => Math.round(+part).toString(16).padStart(2, '0')).join('');
}

// each line lies on those below it

function stack(series: Series[]): (number | null)[][] {
  const sums: number[] = [];

  return series.map(({ values }) => values.map((value, i) => {
    sums[i] = (sums[i] ?? 0) + (value ?? 0);
    return sums[i];
  }));
}

function options(box: Element, props: Props, onMove: (i: number | null)
  => void): uPlot.Options {
  const axis = {
    stroke: colour(box, '--text-2'),
    grid: { stroke: colour(box, '--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };

  return {
    width: box.clientWidth,
    height: props.height ?? 200,
    ms: 1,
    tzDate: (ms) => uPlot.tzDate(new Date(ms), zone()),
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: {
      drag: { x: !!props.onZoom, y: false },
      points: { size: 5 },
    },
    axes: [
      { ...axis, space: 70,
        values: (_, ticks) => ticks.map(props.time ?? format.dayAndMinute) },
      { ...axis, size: 64, values: (_, ticks) => ticks.map(props.value) },
    ],
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.05 : 1] } },
    series: [
      {},
      ...props.series.map((one, i) => {
        const line = colour(box, one.colour ?? seriesColour(i));
        return { label: one.name, stroke: line, width: 1.5,
                 fill: props.stacked ? line + FILL : undefined,
                 points: { show: props.times.length < 2 } };
      }),
    ],
    hooks: {
      setCursor: [(plot) => onMove(plot.cursor.idx ?? null)],
      setSelect: [(plot) => {
        const { left, width } = plot.select;
        if (width > 4) {
          props.onZoom?.(Math.round(plot.posToVal(left, 'x')),
                         Math.round(plot.posToVal(left + width, 'x')));
        }
      }],
    },
  };
}

// stacked areas are drawn from the top down, so that each one is seen

function draw(box: HTMLElement, props: Props,
  onMove: (i: number | null) => void): () => void {
  const values = props.stacked ? stack(props.series).reverse()
    : props.series.map((one) => one.values);
  const colours = props.series.map((one, i) => ({
    ...one, colour: one.colour ?? seriesColour(i),
  }));
  const drawn = { ...props,
                  series: props.stacked ? colours.reverse() : colours };

  let plot: uPlot;
  const make = () => {
    plot = new uPlot(options(box, drawn, onMove),
                     [props.times, ...values] as uPlot.AlignedData, box);
  };
  const anew = () => {
    plot.destroy();
    make();
  };

  make();

  const size = new ResizeObserver(() => plot.setSize({
    width: box.clientWidth, height: props.height ?? 200,
  }));
  const end = followTheme(anew);

  size.observe(box);

  return () => {
    end();
    size.disconnect();
    plot.destroy();
  };
}

function Legend({ props, index }: { props: Props; index: number | null }) {
  const time = index === null ? '' : format.dayAndMinute(props.times[index]);

  return (
    <div class="legend">
      <span class="legend-time">{time}</span>
      {props.series.map((one, i) => (
        <span key={one.name} class="legend-item">
          <Swatch colour={one.colour ?? seriesColour(i)} />
          <span class="ellipsis">{one.name}</span>
          {index !== null && <b>{props.value(one.values[index])}</b>}
        </span>
      ))}
    </div>
  );
}

export function Swatch({ colour: name }: { colour: string }) {
  return <i class="swatch" style={{ backgroundColor: `var(${name})` }} />;
}

function Numbers({ props }: { props: Props }) {
  return (
    <details class="numbers">
      <summary>{t('asTable')}</summary>
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
            {props.times.map((time, i) => (
              <tr key={time}>
                <th scope="row">{format.dayAndMinute(time)}</th>
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
    </details>
  );
}

export function Chart(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [index, move] = useState<number | null>(null);
  const spoken = useCell(language);

  useEffect(() => draw(box.current!, props, move),
            [props.times, props.series, props.stacked, props.height, spoken]);

  return (
    <figure class="chart">
      <figcaption>{props.title}</figcaption>
      <div ref={box} class="chart-box" aria-hidden="true" />
      <Legend props={props} index={index} />
      <Numbers props={props} />
    </figure>
  );
}
