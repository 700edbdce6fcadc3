/**
 * Reading options once, when something is built. Every complaint is a TypeError of one form:
 * who, which option, what it must be, what it got, and for a misspelt name the nearest one.
 */

/**
 * @returns what was given, as an object whose members are yet to be checked
 * @throws TypeError unless `given` is an object whose member names are all in `known`
 */
export function checkOptionNames(
  owner: string,
  given: unknown,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TypeError(`${owner}: options must be an object, but got ${describe(given)}`);
  }
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    throw new TypeError(`${owner}: unknown option "${name}"${hint} (known: ${known.join(', ')})`);
  }
  return given as Readonly<Record<string, unknown>>;
}

export function wholeNumber(
  owner: string,
  name: string,
  value: unknown,
  fallback: number,
  { min, max }: { min: number; max: number },
): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw badOption(owner, name, `a whole number from ${min} to ${max}`, value);
}

export function oneOf<T extends string | boolean>(
  owner: string,
  name: string,
  value: unknown,
  fallback: T,
  allowed: readonly T[],
): T {
  if (value === undefined) return fallback;
  if ((allowed as readonly unknown[]).includes(value)) return value as T;
  throw badOption(owner, name, allowed.map((one) => JSON.stringify(one)).join(' or '), value);
}

export function optionalFunction<T>(owner: string, name: string, value: unknown): T | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'function') return value as T;
  throw badOption(owner, name, 'a function', value);
}

export function badOption(owner: string, name: string, demand: string, value: unknown): TypeError {
  return new TypeError(`${owner}: ${name} must be ${demand}, but got ${describe(value)}`);
}

/** A value as a message may show it: of an object its kind, of a long text, which may be a key, its beginning. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length < 32 ? value : `${value.slice(0, 12)}…`);
  }
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** The known name that a misspelt or a shortened one most likely means, if any is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    // Too long to be near: a client may have sent it, and comparing takes a step for each pair of characters.
    if (name.length > 2 * candidate.length + 2) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best ?? known.find((candidate) => name.length > 2 && candidate.startsWith(name));
}

/** Levenshtein distance, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const substituted = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}
