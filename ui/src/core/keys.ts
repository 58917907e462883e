// The keyboard.  The handler that was added last is asked first; one in a
// dialog hides all below it.

import { useLayoutEffect, useRef } from 'preact/hooks';

export type Keys = Record<string, (event: KeyboardEvent) => void>;

interface Layer { keys: { current: Keys }; modal: boolean }

const layers: Layer[] = [];

// keys that the element with the focus has a use for itself

function taken({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) {
    return false;
  }

  return target.matches('input, textarea, select') ? key !== 'Escape'
    : key === 'Enter' && target.matches('button, a, summary');
}

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey
      || event.isComposing || event.defaultPrevented) {
    return;
  }

  if (taken(event)) {
    return;
  }

  for (let i = layers.length - 1; i >= 0; i--) {
    const handler = layers[i].keys.current[event.key];

    if (handler) {
      event.preventDefault();
      handler(event);
      return;
    }

    if (layers[i].modal) {
      return;
    }
  }
});

export function useKeys(keys: Keys, { modal = false, when = true } = {}) {
  const latest = useRef(keys);

  latest.current = keys;

  // before the next key comes

  useLayoutEffect(() => {
    if (!when) {
      return undefined;
    }

    const layer = { keys: latest, modal };

    layers.push(layer);

    return () => { layers.splice(layers.indexOf(layer), 1); };
  }, [modal, when]);
}
