// Finished records as they come.  A hidden page asks for nothing and goes on
// where it was when it is looked at again.

import { type Params, url } from './api';
import type { Record } from './record';

export type FeedState = 'open' | 'lost' | 'closed';

export interface Listener {
  record: (record: Record) => void;
  gap: () => void;              // something was missed: load again
  state: (state: FeedState) => void;
}

const AGAIN = 5000;             // ms until a refused feed is tried again

export function feed(params: Params, since: () => number | null,
  listener: Listener): () => void {
  let source: EventSource | null = null;
  let timer = 0;

  function open() {
    if (source || document.hidden) {
      return;
    }

    source = new EventSource(url('/events', {
      ...params, since_seq: since(),
    }));

    source.onopen = () => listener.state('open');

    source.onmessage = ({ data }) => listener.record(JSON.parse(data));

    source.addEventListener('gap', listener.gap);

    source.onerror = () => {
      listener.state('lost');

      if (source?.readyState === EventSource.CLOSED) {
        close();
        timer = window.setTimeout(open, AGAIN);
      }
    };
  }

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  function looked() {
    if (document.hidden) {
      close();
    } else {
      open();
    }
  }

  document.addEventListener('visibilitychange', looked);
  open();

  return () => {
    document.removeEventListener('visibilitychange', looked);
    close();
    listener.state('closed');
  };
}
