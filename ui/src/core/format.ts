// Numbers, money, times and sizes as the language and the zone of the page
// have them.  What is not known is "–".

import { tag } from './i18n';
import { zone } from './zone';

export const UNKNOWN = '–';

type Maybe = number | null | undefined;

const cache = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function cached<T extends Intl.NumberFormat | Intl.DateTimeFormat>(
  key: string, make: () => T): T {
  const full = `${tag()} ${zone()} ${key}`;
  let it = cache.get(full);

  if (!it) {
    it = make();
    cache.set(full, it);
  }

  return it as T;
}

function known(value: Maybe): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function numberIn(key: string, options: Intl.NumberFormatOptions) {
  return (value: Maybe) => known(value)
    ? cached(key, () => new Intl.NumberFormat(tag(), options)).format(value)
    : UNKNOWN;
}

export const integer = numberIn('integer', { maximumFractionDigits: 0 });
export const decimal = numberIn('decimal', {
  minimumFractionDigits: 1, maximumFractionDigits: 1,
});
export const percent = numberIn('percent', {
  style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1,
});
export const compact = numberIn('compact', {
  notation: 'compact', maximumFractionDigits: 1,
});

// tokens a second

export const speed = (value: Maybe) =>
  known(value) && value >= 100 ? compact(value) : decimal(value);

export const change = numberIn('change', {
  style: 'percent', maximumFractionDigits: 0, signDisplay: 'exceptZero',
});

const dollars = (key: string, digits: number) => numberIn(key, {
  style: 'currency', currency: 'USD', currencyDisplay: 'narrowSymbol',
  minimumFractionDigits: digits, maximumFractionDigits: digits,
});

const cents = dollars('cents', 2);
const fractions = dollars('fractions', 4);

const SMALLEST = 0.0001;

// of one request: a hundredth of a cent counts

export function cost(value: Maybe): string {
  if (known(value) && value > 0 && value < SMALLEST / 2) {
    return `<${fractions(SMALLEST)}`;
  }

  return known(value) && value < 10 ? fractions(value) : cents(value);
}

// of many

export function money(value: Maybe): string {
  return known(value) && value !== 0 && value < 0.1 ? cost(value)
    : cents(value);
}

// "850 ms", "12.4 s", "3 min 5 s": units of SI are the same everywhere

const whole = numberIn('whole', { maximumFractionDigits: 0 });
const tenths = numberIn('tenths', {
  minimumFractionDigits: 1, maximumFractionDigits: 1,
});

export function duration(value: Maybe): string {
  if (!known(value)) {
    return UNKNOWN;
  }

  if (value > 0 && value < 0.5) {
    return `<${whole(1)}\u00a0ms`;
  }

  if (value < 999.5) {
    return `${whole(value)}\u00a0ms`;
  }

  if (value < 59_950) {
    return `${tenths(value / 1000)}\u00a0s`;
  }

  const all = Math.round(value / 1000);

  if (all < 3600) {
    return `${whole(Math.floor(all / 60))}\u00a0min `
           + `${whole(all % 60)}\u00a0s`;
  }

  return `${whole(Math.floor(all / 3600))}\u00a0h `
         + `${whole(Math.floor(all % 3600 / 60))}\u00a0min`;
}

const unitOf = (unit: string, digits: number) => numberIn(
  `${unit}${digits}`,
  { style: 'unit', unit, maximumFractionDigits: digits });

const SIZES = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];

export function size(value: Maybe): string {
  if (!known(value)) {
    return UNKNOWN;
  }

  let step = 0;

  while (value >= 1000 && step < SIZES.length - 1) {
    value /= 1000;
    step++;
  }

  return step ? unitOf(SIZES[step], value < 100 ? 1 : 0)(value)
    : `${whole(value)}\u00a0${tag() === 'fr' ? 'o' : 'B'}`;
}

function timeIn(key: string, options: Intl.DateTimeFormatOptions) {
  return (value: Maybe) => known(value)
    ? cached(key, () => new Intl.DateTimeFormat(tag(), {
      timeZone: zone(), hourCycle: 'h23', ...options,
    })).format(value)
    : UNKNOWN;
}

export const date = timeIn('date', { dateStyle: 'medium' });
export const clock = timeIn('clock', {
  hour: '2-digit', minute: '2-digit', second: '2-digit',
});
export const minute = timeIn('minute', {
  hour: '2-digit', minute: '2-digit',
});
export const dayAndMinute = timeIn('dayAndMinute', {
  month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit',
});
export const dayAndTime = timeIn('dayAndTime', {
  month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit',
  second: '2-digit',
});
export const full = timeIn('full', {
  year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit',
  minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3,
  timeZoneName: 'short',
});
export const month = timeIn('month', { year: 'numeric', month: 'short' });
export const day = timeIn('day', { month: 'short', day: 'numeric' });
