// A line of JSON in colours.

const TOKEN = /("(?:[^"\\]|\\.)*"?)(\s*:)?|(-?\d[\d.eE+-]*|true|false|null)/g;

export function Tokens({ text }: { text: string }) {
  const parts = [];
  let last = 0;

  for (const match of text.matchAll(TOKEN)) {
    const [whole, string, colon] = match;
    const kind = colon ? 'key' : string ? 'string' : 'literal';
    const end = match.index + (string ?? whole).length;

    parts.push(text.slice(last, match.index),
               <span class={`json-${kind}`}>{string ?? whole}</span>);
    last = end;
  }

  parts.push(text.slice(last));

  return <>{parts}</>;
}
