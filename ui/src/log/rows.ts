// The rows of one question, of which a window is in memory.
//
// The server is asked for pages by cursor; a page that was never next to
// another one is found by its offset.  What is newer than the first page is
// kept apart: what was taken is above it, the rest waits.

import { ApiError, get, type Params } from '../core/api';
import { cell } from '../core/cell';
import type { List, Record } from '../core/record';

export const PAGE = 100;
const PAGES = 4;                // in memory, beside the new rows
const NEW = 100;                // new rows in memory
const OFFSET = 100_000;         // the largest one that the API takes
const RETRY = 2000;             // ms

export class Rows {
  // changes whenever something else is to be shown
  readonly version = cell(0);

  error: ApiError | null = null;
  loaded = false;               // the first page was
  total: number | null = null;  // without the new ones
  counted = false;              // as far as there was time for it
  more = 0;                     // new ones that wait
  partial?: true;               // there was no time to look for all of them
  lastSeq: number | null = null;

  private pages = new Map<number, Record[]>();
  private cursors: (string | null)[] = [null];
  private end: number | null = null;
  private fresh: Record[] = [];
  private waiting: Record[] = [];
  private newest = 0;           // time of the first row of the first page
  private passed = 0;           // new ones since the first page
  private busy = new Map<number, AbortController>();
  private timer = 0;
  private closed = new AbortController();

  constructor(private params: Params) {
    this.load(0).then(() => this.ask());
  }

  close() {
    this.closed.abort();
    clearTimeout(this.timer);
    this.busy.forEach((control) => control.abort());
  }

  // rows that can be scrolled to
  get length(): number {
    const known = this.cursors.length * PAGE;

    return this.fresh.length + Math.min(
      this.end ?? this.total ?? known, OFFSET);
  }

  // there are more than that
  get cut(): boolean {
    return (this.count ?? 0) > this.length;
  }

  // all there are, or null
  get count(): number | null {
    const all = this.partial ? this.total : this.end ?? this.total;

    return all === null ? null : all + this.fresh.length;
  }

  at(index: number): Record | undefined {
    if (index < this.fresh.length) {
      return this.fresh[index];
    }

    const place = index - this.fresh.length;

    return this.pages.get(Math.floor(place / PAGE))?.[place % PAGE];
  }

  indexOf(id: string): number {
    const head = this.fresh.findIndex((row) => row.id === id);

    if (head >= 0) {
      return head;
    }

    for (const [page, rows] of this.pages) {
      const place = rows.findIndex((row) => row.id === id);
      if (place >= 0) {
        return this.fresh.length + page * PAGE + place;
      }
    }

    return -1;
  }

  inMemory(): Record[] {
    return [...this.fresh, ...[...this.pages.values()].flat()];
  }

  // sees to it that these rows come
  need(first: number, last: number) {
    const from = Math.max(0, Math.floor((first - this.fresh.length) / PAGE));
    const to = Math.max(0, Math.floor((last - this.fresh.length) / PAGE));

    for (const [page, control] of this.busy) {
      if (page !== 0 && (page < from || page > to)) {
        control.abort();
        this.busy.delete(page);
      }
    }

    for (let page = from; page <= to && page * PAGE < this.length; page++) {
      const rows = this.pages.get(page);

      if (rows) {
        this.pages.delete(page);
        this.pages.set(page, rows);

      } else if (!this.busy.has(page)) {
        this.load(page);
      }
    }
  }

  add(row: Record) {
    if (!row.seq) {
      return;           // recording is paused: it will be no row
    }

    this.lastSeq = Math.max(this.lastSeq ?? 0, row.seq);

    if (this.indexOf(row.id) >= 0
        || this.waiting.some(({ id }) => id === row.id)) {
      return;
    }

    this.passed++;
    this.more++;
    this.waiting.unshift(row);
    this.waiting.length = Math.min(this.waiting.length, NEW);
    this.changed();
  }

  // false: too many came, or one that is older than rows that are there; the
  // question has to be asked anew
  take(): boolean {
    if (this.more + this.fresh.length > NEW
        || this.waiting.some(({ timestamp }) => timestamp < this.newest)) {
      return false;
    }

    // they come as they end, and are shown as they began

    this.fresh = [...this.waiting, ...this.fresh].sort(
      (a, b) => b.timestamp - a.timestamp || b.seq - a.seq);
    this.waiting = [];
    this.more = 0;
    this.changed();

    return true;
  }

  get newRows(): number {
    return this.fresh.length;
  }

  private changed() {
    this.version.set(this.version.get() + 1);
  }

  private async load(page: number) {
    const control = new AbortController();
    const cursor = this.cursors[page];

    this.busy.set(page, control);

    try {
      const list = await get<List>('/logs', {
        ...this.params, limit: PAGE, total: 0, cursor,
        offset: cursor || page === 0 ? null
          : Math.min(page * PAGE + this.passed, OFFSET),
      }, control.signal);

      if (list.partial && !list.next && page > 0) {
        throw new ApiError('busy', 200, '', '');
      }

      this.store(page, list);

    } catch (error) {
      if (!control.signal.aborted) {
        this.failed(page, error);
      }
    }

    if (this.busy.get(page) === control) {
      this.busy.delete(page);
    }
  }

  private store(page: number, { logs, next, partial }: List) {
    this.error = null;
    this.loaded = true;

    if (page === 0) {
      this.lastSeq = Math.max(this.lastSeq ?? 0,
                              ...logs.map(({ seq }) => seq ?? 0));
      this.newest = logs[0]?.timestamp ?? 0;
    }

    if (next) {
      this.cursors[page + 1] = next;
    } else {
      this.end = page * PAGE + logs.length;
      this.partial = partial;
    }

    this.pages.delete(page);
    this.pages.set(page, logs);

    while (this.pages.size > PAGES) {
      this.pages.delete(this.pages.keys().next().value!);
    }

    this.changed();
  }

  private failed(page: number, error: unknown) {
    this.error = error instanceof ApiError ? error
      : new ApiError('broken', 0, '', String(error));

    if (this.error.kind === 'offline' || this.error.kind === 'busy') {
      this.timer = window.setTimeout(() => {
        if (!this.pages.has(page) && !this.busy.has(page)) {
          this.load(page);
        }
      }, RETRY);
    }

    this.changed();
  }

  // counting may take longer than reading
  private async ask() {
    const { sort: _, order: __, ...filters } = this.params;

    try {
      const { total } = await get<{ total: number | null }>(
        '/count', filters, this.closed.signal);

      this.total = total;
      this.counted = true;
      this.changed();

    } catch {
      // the list itself says what is wrong
    }
  }
}
