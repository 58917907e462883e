// Filters by what a row has.

import type { Record } from '../core/record';
import { go, query } from '../core/route';
import { Dialog } from '../parts/Dialog';
import { COLUMNS } from './columns';
import { filtered } from './filters';
import { t } from './words';

type Word = Parameters<typeof t>[0];

export function RowMenu({ row, onClose }:
  { row: Record; onClose: () => void }) {
  const choices = COLUMNS.flatMap(({ key, filter }) => {
    const value = filter?.[1](row);
    return value ? [{ key, name: filter![0], value }] : [];
  });

  return (
    <Dialog title={t('rowMenu')} onClose={onClose}>
      <div class="row-menu">
        {choices.map(({ key, name, value }) => (
          <button key={key} type="button" class="item" onClick={() => {
            onClose();
            go({}, { from: filtered({ [name]: value }, query()) });
          }}>
            <span class="quiet-text">{t(key as Word)}</span>
            <span class="ellipsis">{value}</span>
          </button>
        ))}
      </div>
    </Dialog>
  );
}
