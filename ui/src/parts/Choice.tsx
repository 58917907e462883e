// One of a few, all of which are seen.

interface Props<T extends string> {
  label: string;
  values: readonly T[];
  value: T;
  name: (value: T) => string;
  onChoose: (value: T) => void;
}

export function Choice<T extends string>(props: Props<T>) {
  return (
    <div class="choice" role="group" aria-label={props.label}>
      {props.values.map((value) => (
        <button key={value} type="button"
          aria-pressed={value === props.value}
          onClick={() => props.onChoose(value)}>
          {props.name(value)}
        </button>
      ))}
    </div>
  );
}
