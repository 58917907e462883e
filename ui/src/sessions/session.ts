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

export interface Whole extends Session {
  logs: Record[];
  next: string | null;
  conversation: { omitted: number; messages: Said[] } | null;
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
