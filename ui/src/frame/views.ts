// The views.  One that is opened later is loaded then; a new view is a line
// here, a word in words.ts, and a folder of its own.

import type { ComponentType } from 'preact';
import { LogView } from '../log/LogView';
import type { t } from './words';

export interface View {
  name: string;                   // in the address, ?view=
  word: Parameters<typeof t>[0];
  key: string;                    // after "g" on the keyboard
  view: ComponentType | (() => Promise<ComponentType>);
  lazy?: boolean;
}

export const VIEWS: View[] = [
  { name: 'log', word: 'log', key: 'l', view: LogView },
  { name: 'live', word: 'live', key: 'v', lazy: true,
    view: () => import('../live/LiveView').then((it) => it.LiveView) },
];
