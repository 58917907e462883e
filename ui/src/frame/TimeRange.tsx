// Since when, until when, and in which zone.

import { useState } from 'preact/hooks';
import * as format from '../core/format';
import { go, useQuery } from '../core/route';
import { LOCAL, zone } from '../core/zone';
import { Icon } from '../parts/Icon';
import { Popover } from '../parts/Popover';
import type { View } from './views';
import { t } from './words';

const RANGES = ['', '-15m', '-1h', '-6h', '-24h', '-7d', '-30d', 'today',
                'yesterday', 'week', 'month'] as const;

type Range = typeof RANGES[number];

const until = (range: Range) => range === 'yesterday' ? 'today' : null;

function isRange(since: string, end: string | undefined): since is Range {
  return RANGES.includes(since as Range)
         && (end ?? null) === until(since as Range);
}

function moment(value: string): string {
  return /^\d{12,}$/.test(value) ? format.dayAndMinute(+value)
    : value.replace('T', ' ');
}

const nameIn = (view: View, range: Range) =>
  t(!range && view.anyTime ? view.anyTime : `range.${range}`);

function rangeName(view: View, since = '', end = ''): string {
  return isRange(since, end || undefined) ? nameIn(view, since)
    : `${since ? moment(since) : '…'} – ${end ? moment(end) : t('now')}`;
}

// what a date field shows of a time: only what it can

const local = (value = '') => /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(value)
  ? value : '';

function Custom({ onDone }: { onDone: () => void }) {
  const now = useQuery();
  const [since, setSince] = useState(local(now.since));
  const [end, setEnd] = useState(local(now.until));

  return (
    <form class="custom" onSubmit={(event) => {
      event.preventDefault();
      go({ since, until: end, at: null });
      onDone();
    }}>
      <label class="field">
        <span>{t('from')}</span>
        <input type="datetime-local" name="since" value={since} max={end}
          onInput={(event) => setSince(event.currentTarget.value)} />
      </label>
      <label class="field">
        <span>{t('to')}</span>
        <input type="datetime-local" name="until" value={end} min={since}
          onInput={(event) => setEnd(event.currentTarget.value)} />
      </label>
      <button type="submit" disabled={!since && !end}>{t('apply')}</button>
    </form>
  );
}

function Zone() {
  const names = [...new Set(['UTC', LOCAL, zone(),
                             ...Intl.supportedValuesOf('timeZone')])];

  return (
    <label class="field">
      <span>{t('zone')}</span>
      <select name="tz" value={zone()}
        onChange={(event) => go({ tz: event.currentTarget.value })}>
        {names.map((name) => <option key={name} value={name}>{name}</option>)}
      </select>
    </label>
  );
}

// where times say nothing there is still their zone

export function TimeRange({ view }: { view: View }) {
  const { since, until: end } = useQuery();
  const choose = (range: Range, close: () => void) => {
    go({ since: range, until: until(range), at: null });
    close();
  };

  if (view.timeless) {
    return (
      <Popover title={t('zone')} align="end" class="range" label={(
        <>
          <Icon name="clock" />
          <span class="ellipsis">{zone()}</span>
          <Icon name="down" />
        </>
      )}>
        {() => <Zone />}
      </Popover>
    );
  }

  return (
    <Popover title={t('range')} align="end" class="range" label={(
      <>
        <Icon name="clock" />
        <span class="ellipsis">{rangeName(view, since, end)}</span>
        <span class="zone">{zone()}</span>
        <Icon name="down" />
      </>
    )}>
      {(close) => (
        <div class="ranges">
          <div class="range-list">
            {RANGES.map((range) => (
              <button key={range} type="button" class="item"
                aria-pressed={isRange(since ?? '', end)
                              && (since ?? '') === range}
                onClick={() => choose(range, close)}>
                {nameIn(view, range)}
              </button>
            ))}
          </div>
          <div>
            <Custom onDone={close} />
            <Zone />
          </div>
        </div>
      )}
    </Popover>
  );
}
