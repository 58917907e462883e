// A long name, shortened in its middle: both ends matter.

const TAIL = 8;

export function Middle({ text }: { text: string }) {
  const cut = text.length > 2 * TAIL ? text.length - TAIL : text.length;

  return (
    <span class="middle" title={text}>
      <span>{text.slice(0, cut)}</span>
      <span>{text.slice(cut)}</span>
    </span>
  );
}
