// The log: filters, the list, and beside it one record.

import { useRef, useState } from 'preact/hooks';
import * as format from '../core/format';
import { useKeys } from '../core/keys';
import type { Record } from '../core/record';
import { go, query as asked, useQuery } from '../core/route';
import { Drawer, Edge } from '../detail/Drawer';
import { useStatus } from '../frame/StatusLine';
import { Icon } from '../parts/Icon';
import { Notice, Partial, Skeleton, Trouble } from '../parts/State';
import { filtersOf } from './filters';
import { Histogram } from './Histogram';
import { List } from './List';
import { RowMenu } from './RowMenu';
import type { Rows } from './rows';
import { clearFilters, Toolbar } from './Toolbar';
import { type Source, useRows } from './useRows';
import { t } from './words';
import '../style/log.css';

function statusText({ rows, state }: Source): string {
  if (!rows?.loaded) {
    return '';
  }

  const count = rows.count !== null ? t('rows', { n: rows.count })
    : t(rows.counted ? 'uncounted' : 'counting');

  return state === 'lost' ? `${count} · ${t('lost')}` : count;
}

function Empty({ filters }: { filters: boolean }) {
  return filters ? (
    <Notice title={t('noMatch')}>
      <p>{t('noMatch.advice')}</p>
      <button type="button" onClick={clearFilters}>{t('clearFilters')}</button>
    </Notice>
  ) : (
    <Notice title={t('none')}><p>{t('none.advice')}</p></Notice>
  );
}

// what is above the list: new rows, or that it does not begin with them

function Above({ rows, onTake }: { rows: Rows; onTake: () => void }) {
  const { at } = useQuery();

  if (at) {
    return (
      <div class="above">
        <span>{t('shownFrom', {
          time: /^\d+$/.test(at) ? format.dayAndTime(+at)
            : at.replace('T', ' '),
        })}</span>
        <button type="button" onClick={() => go({ at: null })}>
          <Icon name="up" />{t('newest')}
        </button>
      </div>
    );
  }

  return (
    <div class="fresh" aria-live="polite">
      {rows.more > 0 && (
        <button type="button" class="primary" onClick={onTake}>
          <Icon name="up" />{t('fresh', { n: rows.more })} <kbd>.</kbd>
        </button>
      )}
    </div>
  );
}

export function LogView() {
  const query = useQuery();
  const source = useRows(query);
  const [selected, select] = useState<string | null>(query.id ?? null);
  const [menu, showMenu] = useState<Record | null>(null);
  const step = useRef((_: number) => {});
  const { rows, reload } = source;

  useStatus(statusText(source));
  useKeys({
    Escape: () => go({ id: null, tab: null }),
    Enter: () => selected && go({ id: selected }),
  });

  const chosen = query.id ?? selected;

  const open = (row: Record) => {
    select(row.id);
    go({ id: row.id }, { replace: !!asked().id });
  };

  const move = (row: Record) => {
    select(row.id);
    if (query.id) {
      go({ id: row.id }, { replace: true });
    }
  };

  const take = () => {
    if (!rows!.take()) {
      reload();
    }
    document.querySelector('.list')?.scrollTo(0, 0);
  };

  return (
    <section class="log">
      <Toolbar rows={rows} onChanged={reload} />
      <Histogram ready={!!rows?.loaded} />
      <div class="log-body">
        <div class="log-list">
          {rows?.error && <Trouble error={rows.error} onRetry={reload} />}
          {!rows && <Skeleton rows={16} />}
          {rows?.loaded && <Above rows={rows} onTake={take} />}
          {rows?.loaded && <Partial of={rows} />}
          {rows?.loaded && rows.length === 0 && (
            <Empty filters={Object.keys(filtersOf(query)).length > 0} />
          )}
          {rows?.loaded && rows.length > 0 && (
            <List rows={rows} selected={chosen} open={!!query.id} step={step}
              onSelect={move} onOpen={open} onMenu={showMenu}
              onReload={reload} />
          )}
        </div>
        {query.id && <Edge />}
        {query.id && (
          <Drawer id={query.id} onStep={(by) => step.current(by)} />
        )}
      </div>
      {menu && <RowMenu row={menu} onClose={() => showMenu(null)} />}
    </section>
  );
}
