const UNITS: readonly (readonly [number, string])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
];

/** A length of time as a person says it: in the largest unit of which there are two, or very nearly one. */
export function durationWords(ms: number): string {
  for (const [length, name] of UNITS) {
    const count = Math.round(ms / length);
    if (ms > 1.98 * length || (count === 1 && Math.abs(ms - length) < length / 60))
      return counted(count, name);
  }
  return counted(Math.round(ms / 1_000), 'second');
}

/** `1 key`, `2 keys`, `12,000 keys`. */
export function counted(count: number, name: string): string {
  return `${count.toLocaleString('en-US')} ${name}${count === 1 ? '' : 's'}`;
}
