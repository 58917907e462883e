// One typed filter: a new one, or one that is there.

import { useId, useState } from 'preact/hooks';
import { go, query } from '../core/route';
import { type Field, FIELDS, filtered } from './filters';
import type { Rows } from './rows';
import { t } from './words';

const SUGGESTED = 30;

// what the rows in memory have, the most frequent first

function suggestions(field: Field, rows: Rows | null): string[] {
  const counts = new Map<string, number>();

  for (const row of field.of && rows ? rows.inMemory() : []) {
    const value = field.of!(row);
    if (value !== null && value !== '') {
      counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
    }
  }

  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, SUGGESTED)
    .map(([value]) => value);
}

interface ValueProps {
  field: Field;
  rows: Rows | null;
  value: string;
  onValue: (value: string) => void;
}

function Value({ field, rows, value, onValue }: ValueProps) {
  const id = useId();

  if (field.kind === 'flag') {
    return null;
  }

  if (field.kind === 'choice') {
    return (
      <label class="field">
        <span>{t('value')}</span>
        <select name="value" value={value}
          onChange={(event) => onValue(event.currentTarget.value)}>
          {field.choices!.map((choice) => (
            <option key={choice} value={choice}>
              {field.label ? field.label(choice) : choice}
            </option>
          ))}
        </select>
      </label>
    );
  }

  return (
    <label class="field">
      <span>{t('value')}</span>
      <input name="value" value={value} required list={id}
        type={field.kind === 'number' ? 'number' : 'text'} min="0" step="any"
        pattern={field.pattern ?? '.*'}
        placeholder={field.hint} title={field.hint}
        autocomplete="off" spellcheck={false}
        onInput={(event) => onValue(event.currentTarget.value)} />
      <datalist id={id}>
        {suggestions(field, rows).map((it) => <option key={it} value={it} />)}
      </datalist>
    </label>
  );
}

function firstOf(field: Field): string {
  if (query()[field.name]) {
    return query()[field.name];
  }

  return field.kind === 'choice' ? field.choices![0]
    : field.kind === 'flag' ? '1' : '';
}

interface Props {
  field?: Field;                // which one is changed
  rows: Rows | null;
  onDone: () => void;
}

export function FilterForm({ field: fixed, rows, onDone }: Props) {
  const [field, setField] = useState(fixed ?? FIELDS[0]);
  const [value, setValue] = useState(firstOf(field));

  const choose = (name: string) => {
    const next = FIELDS.find((it) => it.name === name)!;
    setField(next);
    setValue(firstOf(next));
  };

  return (
    <form class="filter-form" onSubmit={(event) => {
      event.preventDefault();
      onDone();
      go({}, { from: filtered({ [field.name]: value }, query()) });
    }}>
      {fixed ? <h2>{t(field.word)}</h2> : (
        <label class="field">
          <span>{t('field')}</span>
          <select name="field" value={field.name}
            onChange={(event) => choose(event.currentTarget.value)}>
            {FIELDS.map(({ name, word }) => (
              <option key={name} value={name}>{t(word)}</option>
            ))}
          </select>
        </label>
      )}
      <Value field={field} rows={rows} value={value} onValue={setValue} />
      <button type="submit" class="primary">
        {t(fixed ? 'change' : 'add')}
      </button>
    </form>
  );
}
