// What was said, by whom; roles in a margin, thinking and tools folded.

import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { url } from '../core/api';
import * as format from '../core/format';
import type { Message } from '../core/record';
import { Reader } from '../core/worker';
import { CopyButton } from '../parts/Copy';
import { Notice, Skeleton } from '../parts/State';
import type { Part, Turn } from '../worker/messages';
import { t } from './words';

const LAST = 30;        // turns that are shown at first, and more at a time
const LONG = 600;       // characters of a text that are shown at first
const MUCH = 900;       // if it has more than these

type Whole = () => Promise<string>;

// text as it is, but what is between fences is code

function Prose({ text }: { text: string }) {
  return (
    <>
      {text.split(/^```.*\n?/m).map((piece, i) => i % 2
        ? <pre key={i}><code>{piece.trimEnd()}</code></pre>
        : <span key={i}>{piece}</span>)}
    </>
  );
}

function Text({ part, whole }: { part: Part; whole: Whole }) {
  const [text, set] = useState(
    part.length > MUCH ? part.text.slice(0, LONG) : part.text);
  const rest = part.length - text.length;

  return (
    <div class="said">
      <Prose text={text} />
      {rest > 0 && (
        <button type="button" class="quiet"
          onClick={async () => set(await whole())}>
          {t('showAll', { n: rest })}
        </button>
      )}
    </div>
  );
}

function Media({ part }: { part: Part }) {
  return (
    <p class="media">
      {part.image && <img src={part.image} alt={part.name} />}
      <span class="quiet-text">
        {part.name}{' '}
        {/^\d+$/.test(part.text) ? format.size(+part.text) : part.text}
      </span>
    </p>
  );
}

const titleOf = (part: Part) => ({
  text: '',
  thinking: t('thinking', { n: part.length }),
  call: part.name,
  result: t('result', { n: part.length }),
  media: part.name,
})[part.kind];

function PartView({ part, whole }: { part: Part; whole: Whole }) {
  if (part.kind === 'text') {
    return <Text part={part} whole={whole} />;
  }

  if (part.kind === 'media') {
    return <Media part={part} />;
  }

  return (
    <details class={`folded ${part.kind}`}>
      <summary>
        {part.kind === 'call' && <span class="tag">{t('call')}</span>}
        {titleOf(part)}
        {part.kind !== 'thinking' && (
          <span class="glimpse">{part.text.slice(0, 120)}</span>
        )}
      </summary>
      <Text part={part} whole={whole} />
    </details>
  );
}

const ROLES = ['system', 'developer', 'user', 'assistant', 'model', 'tool',
               'function'] as const;

type Role = typeof ROLES[number];

const roleName = (role: string) => ROLES.includes(role as Role)
  ? t(`role.${role as Role}`) : role;

interface TurnProps {
  turn: Turn;
  whole: (part: number) => Whole;
  note?: ComponentChildren;     // what is said about it
}

export function TurnView({ turn, whole, note }: TurnProps) {
  return (
    <li class={`turn turn-${ROLES.includes(turn.role as Role) ? turn.role
      : 'user'}`}>
      <h3>{roleName(turn.role)}</h3>
      <div>
        {note}
        {turn.parts.map((part, i) => (
          <PartView key={i} part={part} whole={whole(i)} />
        ))}
      </div>
    </li>
  );
}

// the answer, which the server has put together

function answerParts(message: Message): Part[] {
  const part = (kind: Part['kind'], text: string | null, name = ''): Part[] =>
    text ? [{ kind, name, text, length: text.length, image: null }] : [];

  return [
    ...part('thinking', message.thinking),
    ...part('text', message.text),
    ...part('text', message.refusal),
    ...message.tool_calls.flatMap((call) => part(
      'call', typeof call.arguments === 'string' ? call.arguments
        : JSON.stringify(call.arguments, null, 2), call.name ?? '')),
  ];
}

function Answer({ message }: { message: Message }) {
  const parts = answerParts(message);

  return (
    <li class="turn turn-assistant">
      <h3>{t('role.assistant')}</h3>
      <div>
        {parts.map((part, i) => (
          <PartView key={i} part={part}
            whole={() => Promise.resolve(part.text)} />
        ))}
        {message.text && (
          <CopyButton label={t('copyMessage')}
            text={() => message.text!} />
        )}
      </div>
    </li>
  );
}

interface Props {
  path: string | null;          // of the request's body
  text: string | null;          // or the body itself
  message: Message | null;
}

export function Conversation({ path, text, message }: Props) {
  const [reader, setReader] = useState<Reader | null>(null);
  const [turns, set] = useState<Turn[] | null>(null);
  const [failed, fail] = useState(false);
  const [last, more] = useState(LAST);

  useEffect(() => {
    const made = new Reader();

    setReader(made);
    set(null);
    fail(false);
    more(LAST);

    if (path || text !== null) {
      made.ask('turns', { url: path && url(path), text }).then(
        (it) => it ? set(it) : fail(true), () => fail(true));
    } else {
      set([]);
    }

    return () => made.close();
  }, [path, text]);

  if (!turns && !failed) {
    return <Skeleton />;
  }

  const all = turns ?? [];
  const hidden = Math.max(0, all.length - last);

  return (
    <div class="conversation" tabIndex={0} role="region"
      aria-label={t('conversation')}>
      {!message && !all.length && <Notice title={t('noConversation')} />}
      {hidden > 0 && (
        <button type="button" onClick={() => more(last + LAST)}>
          {t('earlier', { n: hidden })}
        </button>
      )}
      <ol>
        {all.slice(hidden).map((turn, i) => (
          <TurnView key={hidden + i} turn={turn}
            whole={(part) => () =>
              reader!.ask('part', { turn: hidden + i, part })} />
        ))}
        {message && <Answer message={message} />}
      </ol>
    </div>
  );
}
