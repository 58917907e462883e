// The filters of the API, which have the same names in the address.

import { changed, type Changes, type Query } from '../core/route';
import type { Record } from '../core/record';
import { t } from './words';

const OUTCOMES = ['success', 'client_abort', 'upstream_abort', 'timeout',
                  'stream_error', 'http_error', 'rejected', 'empty',
                  'shutdown'] as const;
const PROTOCOLS = ['openai', 'anthropic', 'gemini', 'ollama', 'cohere',
                   'bedrock', 'unknown'] as const;
const OPERATIONS = ['chat', 'completion', 'responses', 'embeddings', 'image',
                    'audio', 'rerank', 'moderation', 'count_tokens', 'models',
                    'batch', 'other'] as const;

type Word = Parameters<typeof t>[0];

export interface Field {
  name: string;                 // in the address and the API
  word: Word;
  kind: 'text' | 'number' | 'choice' | 'flag';
  choices?: readonly string[];
  label?: (choice: string) => string;
  pattern?: string;
  hint?: string;
  of?: (row: Record) => string | number | null;   // suggestions
}

export const outcomeName = (name: string) => t(`outcome.${name}` as Word);

export const FIELDS: Field[] = [
  { name: 'status', word: 'status', kind: 'text', hint: '401, 4xx, 400-499',
    pattern: '[0-9]{3}|[0-9]xx|[0-9]{3}-[0-9]{3}', of: (it) => it.status },
  { name: 'outcome', word: 'outcome', kind: 'choice', choices: OUTCOMES,
    label: outcomeName },
  { name: 'model', word: 'model', kind: 'text', of: (it) => it.model },
  { name: 'account', word: 'account', kind: 'text',
    of: (it) => it.account_email },
  { name: 'user', word: 'user', kind: 'text', of: (it) => it.user },
  { name: 'key', word: 'key', kind: 'text', of: (it) => it.api_key },
  { name: 'session', word: 'session', kind: 'text',
    of: (it) => it.session_id },
  { name: 'ip', word: 'ip', kind: 'text', of: (it) => it.client_ip },
  { name: 'provider', word: 'provider', kind: 'text',
    of: (it) => it.provider },
  { name: 'protocol', word: 'protocol', kind: 'choice', choices: PROTOCOLS },
  { name: 'endpoint', word: 'endpoint', kind: 'text',
    of: (it) => it.endpoint },
  { name: 'operation', word: 'operation', kind: 'choice',
    choices: OPERATIONS },
  { name: 'method', word: 'method', kind: 'text', of: (it) => it.method },
  { name: 'stream', word: 'stream', kind: 'choice', choices: ['1', '0'],
    label: (choice) => t(choice === '1' ? 'yes' : 'no') },
  { name: 'min_duration_ms', word: 'minDuration', kind: 'number' },
  { name: 'min_tokens', word: 'minTokens', kind: 'number' },
  { name: 'min_cost', word: 'minCost', kind: 'number' },
  { name: 'unpriced', word: 'unpriced', kind: 'flag' },
  { name: 'usage_missing', word: 'usageMissing', kind: 'flag' },
];

const OTHERS = ['filter', 'quick', 'errors_only', 'since', 'until'];

export function filtersOf(query: Query): Query {
  return Object.fromEntries(
    [...FIELDS.map(({ name }) => name), ...OTHERS]
      .filter((name) => query[name]).map((name) => [name, query[name]]));
}

// those that are chips; the others have a place of their own

export const chipsOf = (query: Query): Field[] =>
  FIELDS.filter(({ name }) => query[name]);

export const chipText = (field: Field, value: string): string =>
  field.kind === 'flag' ? t(field.word)
    : `${t(field.word)}: ${field.label ? field.label(value) : value}`;

// another filter is another list: what is selected in this one goes

export const filtered = (changes: Changes, from: Query): Query =>
  changed({ ...changes, at: null, id: null, tab: null }, from);

export const QUICK = ['chat', 'claude', 'gemini', 'image'] as const;
