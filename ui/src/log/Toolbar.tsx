// Filters of the list, and what is shown of it.

import { useCell } from '../core/cell';
import { go, query, useQuery } from '../core/route';
import { Icon } from '../parts/Icon';
import { Popover } from '../parts/Popover';
import { Accounts } from './Accounts';
import { Actions } from './Actions';
import { COLUMNS, chosen, usual } from './columns';
import { FilterForm } from './FilterForm';
import { chipsOf, chipText, FIELDS, filtered, filtersOf, QUICK }
  from './filters';
import { Jump } from './Jump';
import type { Rows } from './rows';
import { t } from './words';

type Word = Parameters<typeof t>[0];

function toggle(name: string, value: string) {
  go({}, { from: filtered(
    { [name]: query()[name] === value ? null : value }, query()) });
}

function Quick() {
  const now = useQuery();

  return (
    <div class="quick" role="group" aria-label={t('quick')}>
      <button type="button"
        aria-pressed={now.errors_only === '1' || now.quick === 'errors'}
        onClick={() => now.quick === 'errors' ? toggle('quick', 'errors')
          : toggle('errors_only', '1')}>
        {t('errors')}
      </button>
      {QUICK.map((name) => (
        <button key={name} type="button" aria-pressed={now.quick === name}
          onClick={() => toggle('quick', name)}>
          {t(name)}
        </button>
      ))}
    </div>
  );
}

function Chips({ rows }: { rows: Rows | null }) {
  const now = useQuery();

  return (
    <>
      {chipsOf(now).map((field) => {
        const what = chipText(field, now[field.name]);

        return (
          <div key={field.name} class="chip">
            <Popover title={t('edit', { what })} name={t('edit', { what })}
              class="quiet" label={<span class="ellipsis">{what}</span>}>
              {(close) => (
                <FilterForm field={field} rows={rows} onDone={close} />
              )}
            </Popover>
            <button type="button" class="quiet" title={t('remove', { what })}
              aria-label={t('remove', { what })}
              onClick={() => go({}, { from: filtered({ [field.name]: null },
                                                     query()) })}>
              <Icon name="close" />
            </button>
          </div>
        );
      })}
    </>
  );
}

function Columns() {
  const keys = useCell(chosen);

  const flip = (key: string) => {
    const next = keys.includes(key) ? keys.filter((it) => it !== key)
      : [...keys, key];
    if (next.length) {
      chosen.set(next);
    }
  };

  return (
    <Popover title={t('columns')} name={t('columns')} class="quiet"
      align="end" label={<Icon name="columns" />}>
      {() => (
        <fieldset class="checks">
          <legend class="hidden">{t('columns')}</legend>
          {COLUMNS.map(({ key }) => (
            <label key={key}>
              <input type="checkbox" name={`column-${key}`}
                checked={keys.includes(key)} onChange={() => flip(key)} />
              {t(key as Word)}
            </label>
          ))}
          <button type="button" onClick={usual}>{t('usual')}</button>
        </fieldset>
      )}
    </Popover>
  );
}

export function Toolbar({ rows, onChanged }:
  { rows: Rows | null; onChanged: () => void }) {
  const now = useQuery();
  const { since: _, until: __, ...set } = filtersOf(now);

  return (
    <div class="tools" role="group" aria-label={t('filters')}>
      <Quick />
      <Accounts rows={rows} />
      <Chips rows={rows} />
      <Popover title={t('addFilterLong')} label={(
        <><Icon name="plus" />{t('addFilter')}</>
      )}>
        {(close) => <FilterForm rows={rows} onDone={close} />}
      </Popover>
      {Object.keys(set).length > 1 && (
        <button type="button" class="quiet" onClick={clearFilters}>
          {t('clearFilters')}
        </button>
      )}
      <span class="push" />
      <Jump />
      <Columns />
      <Actions onChanged={onChanged} />
    </div>
  );
}

export function clearFilters() {
  const none = Object.fromEntries(
    [...FIELDS.map(({ name }) => name), 'filter', 'quick', 'errors_only']
      .map((name) => [name, null]));

  go({}, { from: filtered(none, query()) });
}
