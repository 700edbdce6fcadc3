import type { PathPart } from './route-audit-layers.ts';

/** Values for one parameter that patterns tell apart: digits, letters, mixed, an id, and what else a step may hold. */
const VALUES = ['7', 'x', 'Q9', 'a-b.c', '0f8fad5b-d9cb-469f-a165-70867728950e', '@_~!', '%20'];

/** What a pattern is for one request; `undefined` where nobody can say. */
export type Sample = readonly (string | undefined)[];

/**
 * Requests for a path of several parts, the last of them that of what answers. Not all of them need to match the
 * patterns that they were made of: those of Express 4 may hold expressions. None where there are too many ways to write
 * it.
 */
export function samplesOf(parts: readonly PathPart[]): readonly Sample[] {
  return waysToWrite(parts).flatMap((way) => {
    const plain = fill(way, 'x');
    // Each router has its own mind about case, and those of Express 4 take one slash more than their path has.
    const changed = way.flatMap((_, index) => [
      changedAt(index, plain, (text) => text.toUpperCase()),
      changedAt(index, plain, (text) => `${text}/`),
    ]);
    return [...VALUES.map((value) => fill(way, value)), ...changed];
  });
}

/** Each of them doubles the ways to write a path. */
const MOST_OPTIONAL = 8;

/** What is mounted answers for all that is below its path. No route does, and so none matches that. */
const END = '{/}{:step}';

/** With and without each thing that is optional. */
function waysToWrite(parts: readonly PathPart[]): readonly (readonly PathPart[])[] {
  const last = parts.length - 1;
  const patterns = parts.map((part, index) => {
    if (typeof part !== 'string') return part;
    return withSteps(index === last ? part + END : part);
  });
  const optional = patterns
    .filter((pattern) => typeof pattern === 'string')
    .join()
    .match(/[{?]/g);
  if (optional !== null && optional.length > MOST_OPTIONAL) return [];
  return patterns.reduce<readonly (readonly PathPart[])[]>(
    (ways, pattern) => {
      if (typeof pattern !== 'string') return ways.map((way) => [...way, pattern]);
      const texts = spellings(pattern).map(withoutLastSlash);
      return texts.flatMap((text) => ways.map((way) => [...way, text]));
    },
    [[]],
  );
}

/** A wildcard stands for several steps, for one, in Express 4 for nothing, and may begin with a slash of its own. */
function withSteps(pattern: string): string {
  return pattern.replace(/\*(?:\w+|"[^"]*")?/g, '{:step}{/:step}');
}

/** The first that is optional in a pattern of Express 4 or 5: `{...}` and `:name(...)?` are none of them text in either. */
const OPTIONAL = /\{([^{}]*)\}|(\/?:\w+(?:\([^)]*\))?)\?/;

function spellings(pattern: string): readonly string[] {
  if (!OPTIONAL.test(pattern)) return [pattern];
  return [...spellings(pattern.replace(OPTIONAL, '$1$2')), ...spellings(pattern.replace(OPTIONAL, ''))];
}

function fill(way: readonly PathPart[], value: string): Sample {
  return way.map((part) => {
    if (typeof part !== 'string') return undefined;
    return part.replace(/(?<!\\):(?:\w+|"[^"]*")(?:\([^)]*\))?/g, value).replace(/\\(.)/g, '$1');
  });
}

function changedAt(changed: number, sample: Sample, change: (text: string) => string): Sample {
  return sample.map((text, index) => (index === changed && text !== undefined ? change(text) : text));
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

function withoutLastSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
