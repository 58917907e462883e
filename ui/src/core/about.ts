// What is allowed here and how the monitor does, asked every few seconds.

import { useEffect } from 'preact/hooks';
import { type ApiError, get } from './api';
import { cell, useCell } from './cell';
import { useLoad } from './load';

export interface Monitor {
  recording: boolean;
  writer: boolean;
  waiting: number;
  dropped: number;
  ring_used: number;
  database_bytes: number;
}

export interface About {
  version: string;
  changes: boolean;
  scope: 'user' | 'account' | null;
  monitor: Monitor | null;
}

interface State {
  about: About | null;
  error: ApiError | null;
  reload: () => void;
}

const EVERY = 5000;     // ms

const state = cell<State>({ about: null, error: null, reload: () => {} });

export const useAbout = (): State => useCell(state);

// for the frame alone: one of them asks for all

export function useAsking() {
  const { data, error, reload } = useLoad(
    'about', (signal) => get<About>('/about', {}, signal), EVERY);

  useEffect(() => state.set({ about: data, error, reload }),
            [data, error, reload]);
}
