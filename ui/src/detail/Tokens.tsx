// A line of JSON in colours, with a space behind each name.

const TOKEN =
  /("(?:[^"\\]|\\.)*"?)(\s*:\s*)?|(-?\d[\d.eE+-]*|true|false|null)/g;

export function Tokens({ text }: { text: string }) {
  const parts = [];
  let last = 0;

  for (const match of text.matchAll(TOKEN)) {
    const [whole, string, colon] = match;
    const kind = colon ? 'key' : string ? 'string' : 'literal';

    parts.push(text.slice(last, match.index),
               <span class={`json-${kind}`}>{string ?? whole}</span>,
               colon ? ': ' : '');
    last = match.index + whole.length;
  }

  parts.push(text.slice(last));

  return <>{parts}</>;
}
