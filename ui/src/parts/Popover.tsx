// A button and what it opens below itself.

import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useKeys } from '../core/keys';

interface Props {
  label: ComponentChildren;       // of the button
  name?: string;                  // where the label is a drawing
  title: string;                  // of what opens
  class?: string;
  align?: 'start' | 'end';
  children: (close: () => void) => ComponentChildren;
}

export function Popover(props: Props) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };

  useKeys({ Escape: close }, { when: open });

  // the focus is there before the next key comes

  useLayoutEffect(() => {
    if (!open) {
      return undefined;
    }

    const outside = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    };

    box.current?.querySelector<HTMLElement>(
      '.panel :is(input, select, button, a)')?.focus();

    document.addEventListener('pointerdown', outside);
    document.addEventListener('focusin', outside);

    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('focusin', outside);
    };
  }, [open]);

  return (
    <div class="popover" ref={box}>
      <button type="button" ref={button} class={props.class}
        aria-label={props.name} title={props.name} aria-expanded={open}
        aria-haspopup="dialog" aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}>
        {props.label}
      </button>
      {open && (
        <div id={id} role="dialog" aria-label={props.title}
          class={`panel panel-${props.align ?? 'start'}`}>
          {props.children(close)}
        </div>
      )}
    </div>
  );
}
