// Copies a text, and says that it did.

import { useState } from 'preact/hooks';
import { Icon } from './Icon';
import { t } from './words';

// without TLS, but for this machine's own, browsers have no clipboard to write

function copyOld(text: string): boolean {
  const area = document.createElement('textarea');

  area.value = text;
  area.className = 'hidden';
  document.body.append(area);
  area.select();

  try {
    return document.execCommand('copy');
  } finally {
    area.remove();
  }
}

export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOld(text);
  }
}

export function CopyButton({ text, label }:
  { text: () => string | Promise<string>; label: string }) {
  const [said, say] = useState('');

  const click = async () => {
    say(await copy(await text()) ? t('copied') : t('notCopied'));
    setTimeout(() => say(''), 2000);
  };

  return (
    <button type="button" class="quiet" onClick={click}>
      <Icon name={said ? 'ok' : 'copy'} />
      <span aria-live="polite">{said || label}</span>
    </button>
  );
}
