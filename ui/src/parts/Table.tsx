// A table of what fits on a page, sorted by its heads.

import type { ComponentChildren } from 'preact';
import { Icon } from './Icon';

export interface Column<T> {
  key: string;
  label: string;
  title?: string;                 // says more of the label
  number?: boolean;               // at the right
  head?: boolean;                 // says what its row is of
  value: (row: T) => ComponentChildren;
}

export interface Sort { key: string; descending: boolean }

interface Props<T> {
  caption: string;
  columns: Column<T>[];
  rows: T[];
  foot?: T[];                     // sums of them
  rowKey: (row: T) => string;
  sort?: Sort;
  sortable?: (key: string) => boolean;
  onSort?: (sort: Sort) => void;
  onRow?: (row: T) => void;
}

function Head<T>({ column, table }: { column: Column<T>; table: Props<T> }) {
  const { sort, onSort } = table;
  const active = sort?.key === column.key;
  const click = () => onSort!({
    key: column.key, descending: active ? !sort.descending : true,
  });

  return (
    <th scope="col" class={column.number ? 'number' : ''} title={column.title}
      aria-sort={active ? (sort.descending ? 'descending' : 'ascending')
        : undefined}>
      {onSort && (table.sortable?.(column.key) ?? true) ? (
        <button type="button" class="sort" onClick={click}>
          {column.label}
          {active && <Icon name={sort.descending ? 'down' : 'up'} />}
        </button>
      ) : column.label}
    </th>
  );
}

function Cells<T>({ columns, row }: { columns: Column<T>[]; row: T }) {
  return columns.map(({ key, head, number, value }) => head ? (
    <th key={key} scope="row">{value(row)}</th>
  ) : (
    <td key={key} class={number ? 'number' : ''}>{value(row)}</td>
  ));
}

export function Table<T>(props: Props<T>) {
  const { columns, rows, foot = [], rowKey, onRow } = props;

  return (
    <div class="table-box" tabIndex={0} role="region"
      aria-label={props.caption}>
      <table class={onRow ? 'table clickable' : 'table'}>
        <caption class="hidden">{props.caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.key} column={column} table={props} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} onClick={onRow && (() => onRow(row))}>
              <Cells columns={columns} row={row} />
            </tr>
          ))}
        </tbody>
        {foot.length > 0 && (
          <tfoot>
            {foot.map((row) => (
              <tr key={rowKey(row)}><Cells columns={columns} row={row} /></tr>
            ))}
          </tfoot>
        )}
      </table>
    </div>
  );
}
