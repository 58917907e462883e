// The rows of the question that the address asks, and what is new of them.

import { useLayoutEffect, useState } from 'preact/hooks';
import { inZone } from '../core/api';
import { cell, useCell } from '../core/cell';
import { feed, type FeedState } from '../core/feed';
import type { Query } from '../core/route';
import { filtersOf } from './filters';
import { Rows } from './rows';

export interface Source {
  rows: Rows | null;            // null: nothing has come yet
  state: FeedState;
  reload: () => void;
}

const still = cell(0);

// new rows are on top only where the newest are

const follows = ({ sort, order, at, until }: Query) =>
  (!sort || sort === 'timestamp') && order !== 'asc' && !at && !until;

function paramsOf(query: Query) {
  const params = inZone({
    ...filtersOf(query), sort: query.sort, order: query.order,
  });

  return query.at ? { ...params, until: query.at } : params;
}

export function useRows(query: Query): Source {
  const [rows, show] = useState<Rows | null>(null);
  const [state, say] = useState<FeedState>('closed');
  const [turn, next] = useState(0);
  const params = paramsOf(query);
  const key = JSON.stringify(params);

  // at once: nothing is to be seen before

  useLayoutEffect(() => {
    const made = new Rows(params);
    let end = () => {};

    // what was there stays until there is something to put in its place

    const ready = made.version.follow(() => {
      if (!made.loaded && !made.error) {
        return;
      }

      ready();
      show(made);

      if (follows(query)) {
        const { sort: _, order: __, ...filters } = params;
        end = feed(filters, () => made.lastSeq, {
          record: (record) => made.add(record),
          gap: () => next((n) => n + 1),
          state: say,
        });
      }
    });

    return () => {
      ready();
      end();
      made.close();
    };
  }, [key, turn]);

  useCell(rows?.version ?? still);

  return { rows, state, reload: () => next((n) => n + 1) };
}
