// Text of any size: its lines are in a worker, those in sight are here.

import { useEffect, useRef, useState } from 'preact/hooks';
import { url } from '../core/api';
import { useSize } from '../core/size';
import { Reader } from '../core/worker';
import { CopyButton } from '../parts/Copy';
import { Icon } from '../parts/Icon';
import { Notice, Skeleton } from '../parts/State';
import type { Line, Mode } from '../worker/messages';
import { Tokens } from './Tokens';
import { t } from './words';

const ROW = 18;                 // px, as in detail.css
const CHARACTER = 7.3;
const BESIDE = 104;             // px: numbers, folds, and a bar to scroll
const AROUND = 20;
const HIGHEST = 8_000_000;      // px that every browser can scroll

interface Text { path: string | null; text: string | null; mode: Mode }

interface Opened {
  reader: Reader;
  lines: number;
  length: number;
  plain: boolean;               // nothing to fold
  version: number;              // another one: lines are others now
}

function useReader({ path, text, mode }: Text) {
  const [opened, set] = useState<Opened | null>(null);
  const [error, fail] = useState('');

  useEffect(() => {
    const reader = new Reader();
    const room = document.querySelector('.drawer')?.clientWidth ?? 0;

    set(null);
    fail('');
    reader.ask('open', {
      url: path && url(path), text, mode,
      width: Math.floor((room - BESIDE) / CHARACTER),
    }).then(
      (it) => set({ ...it, reader, version: 0 }),
      (thrown) => fail(thrown.message));

    return () => reader.close();
  }, [path, text, mode]);

  const renew = (lines: number) =>
    set((was) => was && { ...was, lines, version: was.version + 1 });

  return { opened, error, renew };
}

interface LineProps {
  line: Line;
  colours: boolean;
  current: boolean;
  onPick: () => void;
  onFold: () => void;
}

// what folds is for the pointer: left and right do it from the keyboard

function Row({ line, colours, current, onPick, onFold }: LineProps) {
  const text = !colours ? line.text
    : <Tokens text={line.text} more={line.more} />;

  return (
    <div class={current ? 'line found' : 'line'} onClick={onPick}>
      <span class="line-number" aria-hidden="true">
        {line.more ? '' : line.number}
      </span>
      <span class="fold" aria-hidden="true" onClick={onFold}>
        {line.fold && (
          <Icon name={line.fold === 'open' ? 'down' : 'right'} />
        )}
      </span>
      <code style={{ paddingLeft: `${line.depth * 2}ch` }}>
        {text}
        {line.fold === 'closed' && <span class="quiet-text"> …</span>}
      </code>
    </div>
  );
}

interface WindowProps {
  opened: Opened;
  colours: boolean;
  found: number;
  onLines: (lines: number) => void;
}

// Where there are more lines than pixels, a pixel stands for several.

function Window({ opened, colours, found, onLines }: WindowProps) {
  const box = useRef<HTMLDivElement>(null);
  const { height } = useSize(box);
  const [top, setTop] = useState(0);
  const [shown, show] = useState<{ from: number; lines: Line[] }>(
    { from: 0, lines: [] });
  const [current, pick] = useState(-1);

  const full = opened.lines * ROW;
  const tall = Math.min(full, HIGHEST);
  const ratio = tall > height ? (full - height) / (tall - height) : 1;
  const place = top * ratio;
  const from = Math.max(0, Math.floor(place / ROW) - AROUND);
  const to = Math.min(opened.lines,
                      Math.ceil((place + height) / ROW) + AROUND);

  useEffect(() => {
    let stale = false;

    opened.reader.ask('lines', { from, to }).then((lines) => {
      if (!stale) {
        show({ from, lines });
      }
    }, () => show({ from, lines: [] }));

    return () => { stale = true; };
  }, [opened.reader, opened.version, from, to]);

  const reveal = (line: number) => {
    const at = line * ROW;
    pick(line);
    if (at < place || at > place + height - 2 * ROW) {
      box.current!.scrollTop = Math.max(0, at - height / 3) / ratio;
    }
  };

  useEffect(() => {
    if (found >= 0) {
      reveal(found);
    }
  }, [found, opened.version]);

  const fold = (line: number) =>
    opened.reader.ask('fold', { line }).then(onLines);

  const foldIf = (state: Line['fold']) => {
    if (shown.lines[current - shown.from]?.fold === state) {
      fold(current);
    }
  };

  const keyDown = (event: KeyboardEvent) => {
    const act = ({
      ArrowDown: () => reveal(Math.min(opened.lines - 1, current + 1)),
      ArrowUp: () => reveal(Math.max(0, current - 1)),
      ArrowLeft: () => foldIf('open'),
      ArrowRight: () => foldIf('closed'),
    } as { [key: string]: () => void })[event.key];

    if (act) {
      event.preventDefault();
      act();
    }
  };

  return (
    <div ref={box} class="viewer-lines" tabIndex={0} role="region"
      aria-label={t('text')} onKeyDown={keyDown}
      onScroll={() => setTop(box.current!.scrollTop)}>
      <div style={{ height: `${tall}px` }}>
        <div style={{ transform:
          `translateY(${shown.from * ROW - place + top}px)` }}>
          {shown.lines.map((line, i) => (
            <Row key={i} line={line} colours={colours}
              current={shown.from + i === current}
              onPick={() => pick(shown.from + i)}
              onFold={() => line.fold && fold(shown.from + i)} />
          ))}
        </div>
      </div>
    </div>
  );
}

function Find({ opened, onFound }: { opened: Opened;
  onFound: (line: number, lines: number) => void }) {
  const [text, write] = useState('');
  const [none, say] = useState(false);
  const last = useRef(-1);

  const find = async (back: boolean) => {
    if (!text) {
      return;
    }

    const ask = (from: number) =>
      opened.reader.ask('find', { text, from, back });
    let found = await ask(last.current);

    if (found.line < 0 && last.current >= 0) {
      found = await ask(back ? opened.lines - 1 : -1);
    }

    last.current = found.line;
    say(found.line < 0);
    onFound(found.line, found.lines);
  };

  return (
    <form class="find" role="search" aria-label={t('findIn')}
      onSubmit={(event) => {
      event.preventDefault();
      find(false);
    }}>
      <input type="search" name="find" value={text} aria-label={t('find')}
        placeholder={t('find')} autocomplete="off" spellcheck={false}
        onInput={(event) => {
          write(event.currentTarget.value);
          last.current = -1;
          say(false);
        }} />
      <button type="button" class="quiet" aria-label={t('findBack')}
        onClick={() => find(true)}><Icon name="up" /></button>
      <button type="submit" class="quiet" aria-label={t('findNext')}>
        <Icon name="down" />
      </button>
      <span role="status" class="quiet-text">{none ? t('notFound') : ''}</span>
    </form>
  );
}

interface Props extends Text {
  download: string | null;      // path of the whole
  copy: string;                 // what the button says
}

export function Viewer(props: Props) {
  const { opened, error, renew } = useReader(props);
  const [found, setFound] = useState(-1);
  const folds = props.mode !== 'raw' && !opened?.plain;

  const foldAll = (closed: boolean) =>
    opened!.reader.ask('foldAll', { closed }).then(renew);

  if (error) {
    return <Notice tone="error" title={t('unreadable')}><p>{error}</p></Notice>;
  }

  if (!opened) {
    return <Skeleton />;
  }

  return (
    <div class="viewer">
      <div class="viewer-tools">
        <Find opened={opened} onFound={(line, lines) => {
          setFound(line);
          renew(lines);
        }} />
        {folds && (
          <>
            <button type="button" class="quiet" onClick={() => foldAll(true)}>
              {t('foldAll')}
            </button>
            <button type="button" class="quiet" onClick={() => foldAll(false)}>
              {t('unfoldAll')}
            </button>
          </>
        )}
        <span class="push" />
        <span class="quiet-text">
          {t('characters', { n: opened.length })}
        </span>
        <CopyButton label={props.copy}
          text={() => opened.reader.ask('text', {})} />
        {props.download && (
          <a class="button quiet" href={url(props.download)} download>
            <Icon name="save" />{t('download')}
          </a>
        )}
      </div>
      <Window opened={opened} colours={folds} found={found} onLines={renew} />
    </div>
  );
}
