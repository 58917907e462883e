// What is known of an exchange, in groups; what is not is left out.

import type { ComponentChildren } from 'preact';
import * as format from '../core/format';
import type { Detail } from '../core/record';
import { outcomeName } from '../log/filters';
import { t } from './words';

type Word = Parameters<typeof t>[0];
type Fact = [word: Word, value: ComponentChildren];

const text = (value: string | number | null | undefined) =>
  value === null || value === undefined || value === '' ? format.UNKNOWN
    : value;

const flag = (value: boolean | null) => value === null ? format.UNKNOWN
  : t(value ? 'yes' : 'no');

const requestFacts = (it: Detail): Fact[] => [
  ['time', format.full(it.timestamp)],
  ['url', text(it.url)],
  ['endpoint', text(it.endpoint)],
  ['operation', text(it.operation)],
  ['protocol', text(it.protocol)],
  ['provider', text(it.provider)],
  ['account', text(it.account_email)],
  ['user', text(it.user)],
  ['key', text(it.api_key)],
  ['session', text(it.session_id)],
  ['ip', text(it.client_ip)],
  ['agent', text(it.user_agent)],
  ['messages', format.integer(it.messages_count)],
  ['tools', format.integer(it.tools_count)],
  ['requestSize', format.size(it.request_bytes)],
];

const answerFacts = (it: Detail): Fact[] => [
  ['outcome', it.outcome ? outcomeName(it.outcome) : format.UNKNOWN],
  ['model', text(it.model)],
  ['mappedModel', text(it.mapped_model)],
  ['responseModel', text(it.response_model)],
  ['finish', text(it.finish_reason)],
  ['stream', flag(it.stream)],
  ['complete', it.stream ? flag(it.stream_complete) : format.UNKNOWN],
  ['abortedBy', text(it.aborted_by)],
  ['toolCalls', format.integer(it.tool_calls_count)],
  ['responseSize', format.size(it.response_bytes)],
  ['responseId', text(it.response_id)],
  ['requestId', text(it.request_id)],
  ['recordId', it.id],
];

const usageFacts = (it: Detail): Fact[] => [
  ['input', format.integer(it.input_tokens)],
  ['cacheRead', format.integer(it.cache_read_tokens)],
  ['cacheWrite', format.integer(it.cache_creation_tokens)],
  ['output', format.integer(it.output_tokens)],
  ['reasoning', format.integer(it.reasoning_tokens)],
  ['total', format.integer(it.total_tokens)],
  ['speed', it.tokens_per_second === null ? format.UNKNOWN
    : t('perSecond', { n: format.speed(it.tokens_per_second) })],
  ['cost', format.cost(it.cost_usd)],
  ['price', text(it.price_source)],
  ['reportedCost', format.cost(it.reported_cost_usd)],
  ['usageFrom', it.usage_source === 'none' ? format.UNKNOWN
    : text(it.usage_source)],
  ['partial', flag(it.usage_partial)],
  ...(it.estimated_output_tokens === null ? [] : [
    ['estimated', format.integer(it.estimated_output_tokens)] as Fact,
  ]),
];

function Group({ title, facts }: { title: Word; facts: Fact[] }) {
  const known = facts.filter(([, value]) => value !== format.UNKNOWN);

  return known.length > 0 && (
    <section class="facts">
      <h3>{t(title)}</h3>
      <dl>
        {known.map(([word, value]) => (
          <div key={word}>
            <dt>{t(word)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

export function Facts({ detail }: { detail: Detail }) {
  return (
    <div class="fact-groups">
      <Group title="request" facts={requestFacts(detail)} />
      <Group title="usage" facts={usageFacts(detail)} />
      <Group title="answer" facts={answerFacts(detail)} />
    </div>
  );
}
