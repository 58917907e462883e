// The request as a command.  Secrets were never stored: their places are taken
// by variables of the shell.

import type { Record } from '../core/record';

const SECRETS: { [protocol: string]: string[] } = {
  anthropic: ['x-api-key: $ANTHROPIC_API_KEY',
              'anthropic-version: 2023-06-01'],
  gemini: ['x-goog-api-key: $GEMINI_API_KEY'],
  cohere: ['authorization: Bearer $COHERE_API_KEY'],
  bedrock: ['authorization: Bearer $AWS_BEARER_TOKEN_BEDROCK'],
  ollama: [],
};

const OTHERS = ['authorization: Bearer $OPENAI_API_KEY'];

// nothing in single quotes means anything to a shell

const quoted = (text: string) => `'${text.replace(/'/g, "'\\''")}'`;

// a variable has to be outside of them

const header = (text: string) => {
  const at = text.indexOf('$');

  return at < 0 ? quoted(text) : `${quoted(text.slice(0, at))}`
    + `"${text.slice(at)}"`;
};

const withoutSecrets = (url: string) =>
  url.replace(/([?&])[^=&]*=\*\*\*(&|$)/g,
              (_, before: string, after: string) => after ? before : '');

export function curl(row: Record, body: string | null): string {
  const secrets = SECRETS[row.protocol ?? ''] ?? OTHERS;
  const address = location.origin + withoutSecrets(row.url ?? '/');
  const lines = [`curl -X ${quoted(row.method ?? 'GET')} ${quoted(address)}`];

  for (const text of secrets) {
    lines.push(`-H ${header(text)}`);
  }

  if (body !== null) {
    lines.push(`-H ${quoted('content-type: application/json')}`,
               `--data-binary ${quoted(body)}`);
  }

  return lines.join(' \\\n  ');
}
