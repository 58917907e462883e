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
  timeless?: true;                // the time range says nothing to it
  anyTime?: Parameters<typeof t>[0];  // what it is called without a range
}

const later = () => import('./later');

export const VIEWS: View[] = [
  { name: 'log', word: 'log', key: 'l', view: LogView },
  { name: 'live', word: 'live', key: 'v', lazy: true,
    timeless: true,
    view: () => later().then((it) => it.LiveView) },
  { name: 'sessions', word: 'sessions', key: 'e', lazy: true,
    view: () => later().then((it) => it.SessionsView) },
  { name: 'statistics', word: 'statistics', key: 's', lazy: true,
    anyTime: 'range.auto',
    view: () => later().then((it) => it.StatisticsView) },
  { name: 'ranking', word: 'ranking', key: 'r', lazy: true,
    view: () => later().then((it) => it.RankingView) },
  { name: 'availability', word: 'availability', key: 'a', lazy: true,
    timeless: true,
    view: () => later().then((it) => it.AvailabilityView) },
];
