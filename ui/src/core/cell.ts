// A value that components follow.

import { useEffect, useState } from 'preact/hooks';

export interface Cell<T> {
  get(): T;
  set(value: T): void;
  follow(listener: () => void): () => void;
}

export function cell<T>(value: T): Cell<T> {
  const listeners = new Set<() => void>();

  return {
    get: () => value,

    set(next) {
      if (next !== value) {
        value = next;
        [...listeners].forEach((listener) => listener());
      }
    },

    follow(listener) {
      listeners.add(listener);
      return () => { listeners.delete(listener); };
    },
  };
}

export function useCell<T>(of: Cell<T>): T {
  const [, draw] = useState({});
  const value = of.get();

  useEffect(() => {
    if (of.get() !== value) {
      draw({});
    }
    return of.follow(() => draw({}));
  }, [of]);

  return value;
}
