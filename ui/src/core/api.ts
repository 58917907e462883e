// The calls of the API, which is beside the page.

import { zone } from './zone';

export type Params = Record<string, string | number | boolean | null
  | undefined>;

// kind says what the reader can do about it; elsewhere: who answers is not the
// API; refused: before the API was asked

export type Trouble = 'offline' | 'sign-in' | 'forbidden' | 'busy'
  | 'missing' | 'wrong' | 'broken'
  | 'elsewhere' | 'refused';

export class ApiError extends Error {
  constructor(readonly kind: Trouble, readonly status: number,
    readonly code: string, message: string, readonly parameter = '') {
    super(message);
  }
}

export const BASE = location.pathname.replace(/\/$/, '') + '/api';

export function url(path: string, params: Params = {}): string {
  const list = Object.entries(params).filter(
    ([, value]) => value !== null && value !== undefined && value !== '');
  const text = new URLSearchParams(list.map(([name, value]) => [
    name, typeof value === 'boolean' ? String(+value) : String(value),
  ])).toString();

  return `${BASE}${path}${text ? `?${text}` : ''}`;
}

function kindOf(status: number): Trouble {
  switch (status) {
    case 400: return 'wrong';
    case 401: return 'sign-in';
    case 403: return 'forbidden';
    case 404: return 'missing';
    case 429: case 502: case 503: case 504: return 'busy';
    default: return 'broken';
  }
}

async function failed(answer: Response): Promise<ApiError> {
  const kind = kindOf(answer.status);

  try {
    const { error } = await answer.json();
    return new ApiError(kind, answer.status, error.code, error.message,
                        error.parameter);
  } catch {
    return new ApiError(kind === 'missing' ? 'elsewhere'
      : kind === 'forbidden' ? 'refused' : kind, answer.status, '',
                        answer.statusText || `HTTP ${answer.status}`);
  }
}

async function ask(to: string, init: RequestInit): Promise<Response> {
  let answer;

  try {
    answer = await fetch(to, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (init.signal?.aborted) {
      throw error;
    }
    throw new ApiError('offline', 0, '', String(error));
  }

  if (!answer.ok) {
    throw await failed(answer);
  }

  return answer;
}

export async function get<T>(path: string, params: Params = {},
  signal?: AbortSignal): Promise<T> {
  const answer = await ask(url(path, params), { signal });

  if (!/json/.test(answer.headers.get('content-type') ?? '')) {
    throw new ApiError('elsewhere', answer.status, '', '');
  }

  return answer.json();
}

export async function text(path: string, signal?: AbortSignal) {
  const answer = await ask(url(path), { signal });

  return answer.text();
}

export async function change<T>(method: 'PUT' | 'POST' | 'DELETE',
  path: string, params: Params = {}, body?: unknown): Promise<T> {
  const answer = await ask(url(path, params), {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
  });

  return answer.json();
}

export const inZone = (params: Params): Params =>
  ({ ...params, tz: zone() === 'UTC' ? null : zone() });
