// A modal dialog of the browser's own: it keeps the focus and gives it back.

import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { useKeys } from '../core/keys';
import { Icon } from './Icon';
import { t } from './words';

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  footer?: ComponentChildren;
}

export function Dialog({ title, onClose, children, footer }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();

  // before the next key comes

  useLayoutEffect(() => {
    box.current?.showModal();
    return () => box.current?.close();
  }, []);

  useKeys({ Escape: onClose }, { modal: true });

  return (
    <dialog ref={box} class="dialog" aria-labelledby={id}
      onCancel={(event) => { event.preventDefault(); onClose(); }}
      onClick={(event) => event.target === box.current && onClose()}>
      <div class="dialog-body">
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" class="quiet" aria-label={t('close')}
            onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        <div class="dialog-content">{children}</div>
        {footer && <footer>{footer}</footer>}
      </div>
    </dialog>
  );
}
