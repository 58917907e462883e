// The list: of all the rows that there are, those in sight are in the
// document.

import { Component } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState }
  from 'preact/hooks';
import { useCell } from '../core/cell';
import * as format from '../core/format';
import { useKeys } from '../core/keys';
import type { Record } from '../core/record';
import { go, useQuery } from '../core/route';
import { useSize } from '../core/size';
import { Icon } from '../parts/Icon';
import { scaleOf } from './Bars';
import { chosen, type Column, fitting, leastWidth, template } from './columns';
import type { Rows } from './rows';
import { t } from './words';

const ROW = 28;         // px, as in log.css
const AROUND = 8;       // rows above and below those in sight
const REST = 60;        // ms without scrolling before rows are asked for
const IDLE = 1500;      // ms without a move before new rows flow in

type Word = Parameters<typeof t>[0];

function Head({ columns }: { columns: Column[] }) {
  const { sort = 'timestamp', order = 'desc' } = useQuery();

  return (
    <div role="row" aria-rowindex={1} class="list-head">
      {columns.map((column) => {
        const active = column.sort === sort;
        const down = order === 'desc';
        const click = () => go({
          sort: column.sort === 'timestamp' ? null : column.sort,
          order: active && down ? 'asc' : null, at: null,
        });

        return (
          <div key={column.key} role="columnheader"
            class={column.number ? 'number' : ''}
            aria-sort={active ? (down ? 'descending' : 'ascending')
              : undefined}>
            {column.sort ? (
              <button type="button" class="sort" onClick={click}>
                {t(column.key as Word)}
                {active && <Icon name={down ? 'down' : 'up'} />}
              </button>
            ) : t(column.key as Word)}
          </div>
        );
      })}
    </div>
  );
}

interface RowProps {
  index: number;
  row: Record | undefined;
  columns: Column[];
  today: string;
  selected: boolean;
}

// While one scrolls, most rows stay as they are; they are not drawn again.

class Row extends Component<RowProps> {
  shouldComponentUpdate(next: RowProps) {
    return Object.entries(next).some(
      ([name, value]) => value !== this.props[name as keyof RowProps]);
  }

  render({ row, columns, selected, index, today }: RowProps) {
    return (
      <div role="row" id={row && `row-${row.id}`} data-index={index}
        aria-rowindex={index + 2} aria-selected={selected}
        class={row ? 'row' : 'row absent'}>
        {columns.map((column) => (
          <div key={column.key} role="gridcell"
            class={column.number ? 'number' : ''}>
            {row ? column.cell(row, today) : <i class="absent-text" />}
          </div>
        ))}
      </div>
    );
  }
}

// below the last row that one can scroll to, where there are more: they are a
// list that begins with it

function Further({ last }: { last: Record | undefined }) {
  const { sort } = useQuery();

  return last && !sort && (
    <p class="block">
      <button type="button" onClick={() => go({ at: last.timestamp + 1 })}>
        {t('further', { time: format.dayAndTime(last.timestamp) })}
        <Icon name="down" />
      </button>
    </p>
  );
}

interface Props {
  rows: Rows;
  selected: string | null;
  open: boolean;                // the selected one is beside the list
  step: { current: (by: number) => void };      // set here
  onSelect: (row: Record) => void;
  onOpen: (row: Record) => void;
  onMenu: (row: Record) => void;
  onReload: () => void;
}

// Takes the new rows while nobody reads.

function useFlow(rows: Rows, busy: () => boolean, reload: () => void) {
  useEffect(() => {
    const timer = setInterval(() => {
      if (rows.more && !busy() && !rows.take()) {
        reload();
      }
    }, 500);

    return () => clearInterval(timer);
  }, [rows]);
}

export function List(props: Props) {
  const { rows, selected } = props;
  const box = useRef<HTMLDivElement>(null);
  const moved = useRef(0);
  const { width, height } = useSize(box);
  const [first, setFirst] = useState(0);

  const keys = useCell(chosen);
  const errors = !!useQuery().errors_only;
  const columns = useMemo(() => fitting(width, errors),
                          [width, keys, errors]);
  const from = Math.max(0, first - AROUND);
  const to = Math.min(rows.length, first + Math.ceil(height / ROW) + AROUND);
  const shown = Array.from({ length: Math.max(0, to - from) },
                           (_, i) => rows.at(from + i));
  const today = format.day(Date.now());

  useEffect(() => {
    const absent = shown.some((row) => !row);
    const timer = setTimeout(
      () => rows.need(from - AROUND, to + AROUND), absent ? REST : 0);

    return () => clearTimeout(timer);
  }, [rows, from, to, rows.newRows]);

  useLayoutEffect(() => { box.current!.scrollTop = 0; }, [rows]);

  // a link may open a row further down

  useLayoutEffect(() => {
    const index = selected ? rows.indexOf(selected) : -1;

    if (index > 0 && height && !moved.current) {
      reveal(index);
    }
  }, [rows, height > 0]);

  useFlow(rows, () => props.open || box.current!.scrollTop > 0
                      || Date.now() - moved.current < IDLE, props.onReload);

  const scrolled = () => {
    const next = Math.floor(box.current!.scrollTop / ROW);

    if (Math.abs(next - first) >= AROUND / 2 || next === 0) {
      setFirst(next);
    }
  };

  const reveal = (index: number) => {
    const element = box.current!;
    const top = index * ROW;
    const room = element.clientHeight - 2 * ROW;

    if (top < element.scrollTop) {
      element.scrollTop = top;
    } else if (top > element.scrollTop + room) {
      element.scrollTop = top - room;
    }
  };

  // Enter is for the row then, and not for the button that was used last

  const leave = () => {
    const { activeElement: last } = document;

    if (last !== box.current && !last?.closest('.drawer')) {
      box.current!.focus({ preventScroll: true });
    }
  };

  const step = (by: number) => {
    const now = selected ? rows.indexOf(selected) : -1;
    const next = now < 0 ? first
      : Math.min(Math.max(0, now + by), rows.length - 1);
    const row = rows.at(next);

    moved.current = Date.now();
    reveal(next);

    if (row) {
      props.onSelect(row);
    }
  };

  props.step.current = step;

  const current = () => {
    const index = selected ? rows.indexOf(selected) : -1;
    return index < 0 ? undefined : rows.at(index);
  };

  const withCurrent = (act: (row: Record) => void) => () => {
    const row = current();
    if (row) {
      act(row);
    }
  };

  const withRow = (event: MouseEvent, act: (row: Record) => void) => {
    const element = (event.target as Element).closest<HTMLElement>('.row');
    const row = element && rows.at(Number(element.dataset.index));

    if (row) {
      act(row);
    }
  };

  useKeys({
    j: () => { leave(); step(1); },
    k: () => { leave(); step(-1); },
    f: withCurrent(props.onMenu),
    '.': () => {
      if (!rows.take()) {
        props.onReload();
      }
      box.current!.scrollTop = 0;
    },
  });

  const keyDown = (event: KeyboardEvent) => {
    const act = event.target === box.current && ({
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      Enter: withCurrent(props.onOpen),
    } as { [key: string]: () => void })[event.key];

    if (act) {
      event.preventDefault();
      act();
    }
  };

  return (
    <div ref={box} class="list" role="grid" tabIndex={0}
      aria-label={t('caption')} aria-rowcount={(rows.count ?? -2) + 1}
      aria-activedescendant={current() && `row-${selected}`}
      style={{
        '--columns': template(columns, width),
        '--least': `${leastWidth(columns, width)}px`,
        '--tokens': scaleOf(shown.map((row) => row?.total_tokens ?? 0)),
        '--time': scaleOf(shown.map((row) => row?.duration_ms ?? 0)),
      }}
      onScroll={scrolled} onKeyDown={keyDown}
      onPointerMove={() => { moved.current = Date.now(); }}>
      <div role="rowgroup"><Head columns={columns} /></div>
      <div role="rowgroup" class="list-space"
        onClick={(event) => withRow(event, props.onOpen)}
        onContextMenu={(event) => withRow(event, (row) => {
          event.preventDefault();
          props.onMenu(row);
        })}
        style={{ height: `${rows.length * ROW}px` }}>
        <div role="presentation"
          style={{ transform: `translateY(${from * ROW}px)` }}>
          {shown.map((row, i) => (
            <Row key={from + i} index={from + i} row={row} today={today}
              columns={columns} selected={!!row && row.id === selected} />
          ))}
        </div>
      </div>
      {rows.cut && <Further last={rows.at(rows.length - 1)} />}
    </div>
  );
}
