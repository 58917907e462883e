// Small drawings; what they mean is said beside them or in a label.

const PATHS = {
  ok: 'M3 8.5l3.5 3.5L13 4.5',
  warn: 'M8 2.5L14.5 13.5h-13zM8 6.5v3.5M8 11.8v.2',
  error: 'M4 4l8 8M12 4l-8 8',
  wait: 'M8 4.5V8l2.5 1.5M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 '
        + '0-13',
  cut: 'M2 8h5M9.5 4.5v7M14 8h-2',
  info: 'M8 7.2V12M8 4.2v.3',
  none: 'M4 8h8',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.5 10.5l3.5 '
          + '3.5',
  clock: 'M8 4.5V8l2.5 1.5M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 '
         + '0-13',
  close: 'M4 4l8 8M12 4l-8 8',
  plus: 'M8 3v10M3 8h10',
  down: 'M4 6.5l4 4 4-4',
  right: 'M6.5 4l4 4-4 4',
  left: 'M9.5 4l-4 4 4 4',
  up: 'M4 9.5l4-4 4 4',
  record: 'M8 4.2a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.6',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.5l7.5 4.5L5 12.5z',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 '
       + '8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  moon: 'M13 9.7A5.5 5.5 0 0 1 6.3 3 5.5 5.5 0 1 0 13 9.7z',
  half: 'M8 2a6 6 0 1 0 0 12V2M8 2a6 6 0 0 1 0 12',
  help: 'M5.8 6a2.2 2.2 0 1 1 3.3 1.9c-.7.4-1.1.9-1.1 1.6M8 '
        + '12v.2',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5V2.5h-8v8H5',
  save: 'M8 2.5v7.5M4.5 7L8 10.5 11.5 7M3 13.5h10',
  link: 'M6.5 9.5l3-3M7 4.5l1.5-1.5a3 3 0 0 1 4.5 4.5L11.5 9M9 11.5L7.5 '
        + '13A3 3 0 0 1 3 8.5L4.5 7',
  trash: 'M3 4.5h10M6.5 4V2.5h3V4M4.5 4.5l.5 9h6l.5-9',
  columns: 'M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10',
  more: 'M3.5 8v.1M8 8v.1M12.5 8v.1',
  filter: 'M2.5 3.5h11L9.5 8.5V13L6.5 11.5v-3z',
};

export type IconName = keyof typeof PATHS;

export function Icon({ name, label }: { name: IconName; label?: string }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" width="16"
      height="16" role={label ? 'img' : undefined} aria-label={label}
      aria-hidden={label ? undefined : 'true'}>
      <path d={PATHS[name]} />
    </svg>
  );
}
