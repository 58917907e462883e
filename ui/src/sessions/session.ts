// What the API says of a session; see docs/api.md.

import type { Record } from '../core/record';
import type { Part, Turn } from '../worker/messages';
import { t } from './words';

export interface Session {
  id: string;
  session_id: string;
  api_key: string | null;
  state: 'active' | 'idle';
  status: 'INIT' | 'BUSY' | 'FAIL' | 'IDLE';
  running: number;
  first: number;
  last: number;
  requests: number;
  errors: number;
  input_tokens: number | null;
  cache_read_tokens: number | null;
  output_tokens: number | null;
  total_tokens: number | null;
  cost_usd: number | null;
  duration_ms: number | null;
  models: string[];
  providers: string[];
  users: string[];
  accounts: string[];
  more: boolean;
}

export interface Sessions {
  sessions: Session[];
  next: string | null;
  partial?: true;
}

interface Said {
  log: string;
  role: string;
  text: string | null;
  thinking: string | null;
  tool_calls: { name: string | null; arguments: string | null }[];
  tool_results: { text: string | null }[];
  attachments: number;
  truncated: boolean;
}

export interface Talk { omitted: number; messages: Said[] }

export interface Whole extends Session {
  logs: Record[];
  next: string | null;
  conversation: Talk | null;
}

export interface Asked { answer?: Record; failed: Record[] }

const SPOKEN = ['chat', 'completion', 'responses'];

const good = ({ outcome }: Record) => outcome === 'success';

// Which record a message came with, and what failed before it, by the place of
// the message.  The newest request has all the messages before it, so that an
// older one with fewer of them was answered by the message in this place.  A
// request that goes on from an answer alone is named by its messages.

export function askedIn({ messages }: Talk, logs: Record[]): Asked[] {
  const places: Asked[] = [...messages, null].map(() => ({ failed: [] }));
  const said = (place: number) => messages[place]?.role === 'assistant';
  const newest = logs.find(({ id }) => id === messages[0]?.log);

  messages.forEach(({ log }, place) => {
    if (said(place) && messages[place + 1]?.log !== log) {
      places[place].answer = logs.find(({ id }) => id === log);
    }
  });

  if (!newest) {
    return places;
  }

  const end = messages.findLastIndex(({ log }) => log === newest.id);
  const next = said(end) ? end : end + 1;

  for (const row of logs) {
    const place = next + (row.messages_count ?? NaN)
                  - (newest.messages_count ?? NaN);
    const at = row.timestamp <= newest.timestamp
               && SPOKEN.includes(row.operation ?? '') && places[place];

    if (at && !good(row)) {
      at.failed.push(row);

    } else if (at && said(place)
               && (!at.answer || row.model === newest.model)) {
      at.answer = row;
    }
  }

  return places;
}

const part = (kind: Part['kind'], text: string | null, name = ''): Part[] =>
  text === null ? []
    : [{ kind, name, text, length: text.length, image: null }];

export const turnOf = (said: Said): Turn => ({
  role: said.role,
  parts: [
    ...part('thinking', said.thinking),
    ...part('text', said.text && said.text + (said.truncated ? ' …' : '')),
    ...said.tool_calls.flatMap(
      (it) => part('call', it.arguments ?? '', it.name ?? '')),
    ...said.tool_results.flatMap(({ text }) => part('result', text ?? '')),
    ...part('media', said.attachments
      ? t('attachments', { n: said.attachments }) : null),
  ],
});
