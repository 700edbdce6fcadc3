import type { Clock } from '../clock.ts';
import type { Owner } from '../keys/api-key.ts';
import type { Json } from '../keys/metadata.ts';
import type { Parsed } from './flags.ts';
import { UsageError } from './usage-error.ts';

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** An instant with its zone, as RFC 3339 has it; a day alone is its first moment in UTC. */
const INSTANT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** The values of flags, read as what they should be. Whatever is wrong is a {@link UsageError} that names the flag. */
export class Values {
  readonly #values: Parsed['values'];
  readonly #clock: Clock;

  constructor(values: Parsed['values'], clock: Clock) {
    this.#values = values;
    this.#clock = clock;
  }

  isSet(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  text(name: string): string | undefined {
    return this.#values[name] as string | undefined;
  }

  needed(name: string, takes: string): string {
    const text = this.text(name);
    if (text === undefined) throw new UsageError(`--${name} ${takes} is needed.`);
    return text;
  }

  texts(name: string): readonly string[] | undefined {
    return this.#values[name] as readonly string[] | undefined;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined || (allowed as readonly string[]).includes(text)) return text as T | undefined;
    throw new UsageError(`--${name} must be ${allowed.join(' or ')}.`);
  }

  whole(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw new UsageError(`--${name} must be a whole number.`);
  }

  durationMs(name: string): number | undefined {
    const text = this.text(name);
    const ms = text === undefined ? undefined : durationOf(text);
    if (text === undefined || ms !== undefined) return ms;
    throw new UsageError(`--${name} must be a time such as 30d, 12h, 90m or 0s.`);
  }

  /** A moment, or a time from now. */
  time(name: string): Date | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const ms = durationOf(text);
    const time = ms === undefined ? instantOf(text) : new Date(this.#clock.now() + ms);
    if (time !== undefined) return time;
    throw new UsageError(`--${name} must be a time from now such as 90d, or a moment: 2027-01-31T12:00:00Z.`);
  }

  /** As {@link Values.time}; the word clears what there was. */
  timeOr(name: string, word: string): Date | null | undefined {
    return this.text(name) === word ? null : this.time(name);
  }

  owner(name: string): Owner | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const [, type, id] = /^(organization|user|service):([\x21-\x7E]{1,255})$/.exec(text) ?? [];
    if (type !== undefined && id !== undefined) return { type: type as Owner['type'], id };
    throw new UsageError(`--${name} must be TYPE:ID, with organization, user or service as TYPE.`);
  }

  metadata(name: string): Readonly<Record<string, Json>> | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as Readonly<Record<string, Json>>;
    } catch {
      throw new UsageError(`--${name} must be JSON, such as '{"team":"billing"}'.`);
    }
  }
}

function durationOf(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,13})(ms|s|m|h|d|w)$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * (UNITS[unit] as number);
}

/** @returns `undefined` for anything that is no moment; the 30th of February is none */
export function instantOf(text: string): Date | undefined {
  if (!INSTANT.test(text)) return undefined;
  const time = new Date(text);
  const isDay = new Date(`${text.slice(0, 10)}T00:00:00Z`).toJSON()?.startsWith(text.slice(0, 10));
  return Number.isNaN(time.getTime()) || !isDay ? undefined : time;
}
