import type { PathPart } from './route-audit-layers.ts';

/** Values for one parameter that patterns tell apart: digits, letters, mixed, an id, and what else a step may hold. */
const VALUES = ['7', 'x', 'Q9', 'a-b.c', '0f8fad5b-d9cb-469f-a165-70867728950e', '@_~!', '%20'];

/** How a path may be written: a value for its parameters, with or without what is optional, in which case. */
interface Variant {
  readonly value: string;
  /** A bit for each of the parts that is written without what is optional in it. */
  readonly without: number;
  readonly trailingSlash: boolean;
  /** Which of the parts; each router has its own mind about case. */
  readonly inCapitals?: number;
}

const PLAIN: Variant = { value: 'x', without: 0, trailingSlash: false };

/** Of more parts, the first ones are written in all ways, and the others all alike. */
const MOST_PARTS = 5;

function variantsOf(parts: readonly PathPart[]): readonly Variant[] {
  return [
    ...VALUES.map((value) => ({ ...PLAIN, value })),
    ...waysToLeaveOut(parts).map((without) => ({ ...PLAIN, without })),
    { ...PLAIN, trailingSlash: true },
    ...parts.map((_, inCapitals) => ({ ...PLAIN, inCapitals })),
  ];
}

function waysToLeaveOut(parts: readonly PathPart[]): readonly number[] {
  const optional = parts.flatMap((part, index) =>
    typeof part === 'string' && /[{?*]/.test(part) ? [1 << index] : [],
  );
  const first = optional.slice(0, MOST_PARTS);
  const others = optional.slice(MOST_PARTS).reduce((bits, bit) => bits | bit, 0);
  const ways = [0];
  for (const bit of first) ways.push(...ways.map((bits) => bits | bit));
  return [...ways.slice(1), ...(others === 0 ? [] : ways.map((bits) => bits | others))];
}

/** What a pattern is for one request; `undefined` where nobody can say. */
export type Sample = readonly (string | undefined)[];

/**
 * Requests for a path of several parts, the last of them a route's. Not all of them need to match the patterns that they
 * were made of: those of Express 4 may hold expressions.
 */
export function samplesOf(parts: readonly PathPart[]): readonly Sample[] {
  return variantsOf(parts).map((variant) => {
    const sample = parts.map((part, index) => {
      if (typeof part !== 'string') return undefined;
      const isWithout = (variant.without & (1 << index)) !== 0;
      return fill(part, variant.value, isWithout, variant.inCapitals === index);
    });
    const last = sample.at(-1);
    if (variant.trailingSlash && last !== undefined) sample[sample.length - 1] = `${last}/`;
    return sample;
  });
}

/** The path that a request has at one of its parts: of all from there on, as those before were cut off. */
export function pathFrom(sample: Sample, index: number): string | undefined {
  const rest = sample.slice(index);
  return rest.includes(undefined) ? undefined : rest.join('') || '/';
}

/** As an operator would write it. */
export function shownPath(parts: readonly PathPart[]): string {
  const shown = parts.map((part) => {
    if (part === undefined) return '/<unknown>';
    return typeof part === 'string' ? withoutLastSlash(part) : String(part);
  });
  return shown.join('') || '/';
}

/** Patterns of Express 4 and 5 at once: `{...}`, `:name(...)?` and `*name` are none of them text in either. */
function fill(pattern: string, value: string, isWithout: boolean, inCapitals: boolean): string {
  const chosen = isWithout
    ? pattern.replace(/\{[^{}]*\}|\/?:\w+(?:\([^)]*\))?[?*]/g, '')
    : pattern.replace(/\/?(:\w+(?:\([^)]*\))?)[?*]/g, (whole, name: string) =>
        whole[0] === '/' ? `/${name}` : name,
      );
  const text = inCapitals ? chosen.replace(/(?<![:*\w"])\w+/g, (word) => word.toUpperCase()) : chosen;
  const filled = text
    .replace(/[{}]/g, '')
    .replace(/:(?:\w+|"[^"]*")(?:\([^)]*\))?\+?/g, value)
    .replace(/\*(?:\w+|"[^"]*")?/g, `${value}/${value}`)
    .replace(/\\(.)/g, '$1');
  return withoutLastSlash(filled);
}

function withoutLastSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
