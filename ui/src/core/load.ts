// What a view loads: again when its key changes, and every so often.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from './api';

export interface Loaded<T> {
  data: T | null;           // the last good answer of this key
  error: ApiError | null;   // of the last try
  slow: boolean;            // nothing to show for 200 ms
  reload: () => void;
}

const SLOW = 200;
const RETRY = 2000;

type State<T> = Omit<Loaded<T>, 'reload'> & { key: string };

function troubleOf(error: unknown): ApiError {
  return error instanceof ApiError ? error
    : new ApiError('broken', 0, '', String(error));
}

// every: ms between two loads, 0 for one alone; a hidden page does not ask

export function useLoad<T>(key: string,
  load: (signal: AbortSignal) => Promise<T>, every = 0): Loaded<T> {
  const [state, set] = useState<State<T>>(
    { key, data: null, error: null, slow: false });
  const [turn, next] = useState(0);
  const latest = useRef(load);

  latest.current = load;

  useEffect(() => {
    const control = new AbortController();
    let timer = 0;

    set((was) => was.key === key ? was
      : { key, data: null, error: null, slow: false });

    const slow = setTimeout(
      () => set((was) => was.data ? was : { ...was, slow: true }), SLOW);

    const again = (after: number) => {
      timer = window.setTimeout(run, after);
    };

    async function run() {
      if (document.hidden && every) {
        again(every);
        return;
      }

      try {
        const data = await latest.current(control.signal);
        set({ key, data, error: null, slow: false });
        if (every) {
          again(every);
        }
      } catch (thrown) {
        if (control.signal.aborted) {
          return;
        }
        const error = troubleOf(thrown);
        set((was) => ({ ...was, error, slow: false }));
        if (every || error.kind === 'offline' || error.kind === 'busy') {
          again(Math.max(every, RETRY));
        }
      }
    }

    run();

    return () => {
      control.abort();
      clearTimeout(slow);
      clearTimeout(timer);
    };
  }, [key, every, turn]);

  const reload = useCallback(() => next((n) => n + 1), []);

  return state.key === key ? { ...state, reload }
    : { data: null, error: null, slow: false, reload };
}
