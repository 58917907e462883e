// A view that comes in a file of its own.

import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiError } from '../core/api';
import { Skeleton, Trouble } from '../parts/State';
import type { View } from './views';

const loaded = new Map<string, ComponentType>();

export function Shown({ view }: { view: View }) {
  const [, draw] = useState({});
  const [error, fail] = useState<unknown>(null);
  const Ready = view.lazy ? loaded.get(view.name)
    : view.view as ComponentType;

  useEffect(() => {
    if (Ready) {
      return;
    }

    (view.view as () => Promise<ComponentType>)().then((it) => {
      loaded.set(view.name, it);
      draw({});
    }, fail);
  }, [view]);

  if (Ready) {
    return <Ready />;
  }

  return error
    ? <Trouble error={new ApiError('offline', 0, '', String(error))}
        onRetry={() => location.reload()} />
    : <Skeleton />;
}
