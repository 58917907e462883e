// One account, or all of them: those that did most, and those in sight.

import { get } from '../core/api';
import { useLoad } from '../core/load';
import { go, query, useQuery } from '../core/route';
import { filtered } from './filters';
import type { Rows } from './rows';
import { t } from './words';

interface Facets { account: { values: { name: string | null }[] } }

const MOST = 200;

export function Accounts({ rows }: { rows: Rows | null }) {
  const { account } = useQuery();
  const facets = useLoad(rows ? 'accounts' : '', async (signal) => rows
    ? get<Facets>('/facets', { limit: MOST }, signal) : null);

  const names = [...new Set([
    account, ...(facets.data?.account.values ?? []).map(({ name }) => name),
    ...(rows?.inMemory() ?? []).map((row) => row.account_email),
  ])].filter((name): name is string => !!name).sort();

  return (
    <select name="account" class="accounts" aria-label={t('account')}
      value={account ?? ''} onChange={(event) => go({}, {
        from: filtered({ account: event.currentTarget.value }, query()),
      })}>
      <option value="">{t('allAccounts')}</option>
      {names.map((name) => <option key={name} value={name}>{name}</option>)}
    </select>
  );
}
