// The size of an element, as it changes.

import { type RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

export interface Size { width: number; height: number }

export function useSize(of: RefObject<HTMLElement | null>): Size {
  const [size, set] = useState<Size>({ width: 0, height: 0 });

  useLayoutEffect(() => {
    const element = of.current!;
    const measure = () => set((was) => {
      const { clientWidth: width, clientHeight: height } = element;
      return was.width === width && was.height === height ? was
        : { width, height };
    });
    const observer = new ResizeObserver(measure);

    measure();
    observer.observe(element);

    return () => observer.disconnect();
  }, []);

  return size;
}
