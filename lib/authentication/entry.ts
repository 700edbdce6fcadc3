import type { ApiKey, Environment } from '../keys/api-key.ts';
import type { KeyFacts } from '../keys/checks.ts';
import { timesOf } from '../keys/small-times.ts';
import type { Accepted } from './verdict.ts';

/** A read that has begun. */
export interface ReadStamp {
  readonly read: number;
  /** Milliseconds since the first read here. */
  readonly wallAt: number;
  /** Whole milliseconds. */
  readonly monotonicAt: number;
  readonly insertions: number;
}

/** What few keys have, apart, so that the others need no room for it. */
interface Uncommon {
  readonly rest: string;
  readonly revoked: boolean;
  readonly ownerActive: boolean;
  readonly graceEndsAt: number;
  readonly notBefore: number;
}

const COMMON: Uncommon = {
  rest: '',
  revoked: false,
  ownerActive: true,
  graceEndsAt: Number.POSITIVE_INFINITY,
  notBefore: Number.NEGATIVE_INFINITY,
};

/**
 * What one presented text led to when it was last read. Shared by all requests that present it.
 *
 * There is one for each cached key, so it is built to be small: what only changes ask about is
 * read from the frozen view of the key, what few keys have stands apart, and its own times are small integers, which need no object of their own. With
 * a member for each fact it would take 150 bytes more, of the 700 that a cached key may take altogether.
 */
export class Entry implements KeyFacts {
  /** The verdict while the checks find nothing, made once. */
  readonly accepted: Accepted;
  readonly environment: Environment;
  readonly enabled: boolean;
  readonly expiresAt: number;
  /** Number of the read, and when it began by either clock, as the cache counts them. */
  readonly read: number;
  readonly wallAt: number;
  readonly monotonicAt: number;
  /** Generation of the floors under which it was last found current. */
  floorsSeen = -1;
  /** Whether its text has been found to be one that a header may carry. */
  isSound = false;
  readonly #uncommon: Uncommon;
  #useDueAtSeconds = 0;

  constructor(rest: string, apiKey: ApiKey, facts: KeyFacts, stamp: ReadStamp) {
    this.accepted = acceptedBy(apiKey, facts.graceEndsAt);
    this.environment = facts.environment;
    this.enabled = facts.enabled;
    this.expiresAt = facts.expiresAt;
    this.read = stamp.read;
    this.wallAt = stamp.wallAt;
    this.monotonicAt = stamp.monotonicAt;
    this.#uncommon = uncommonOf(rest, facts);
  }

  /** Of the text's name in the cache. */
  get rest(): string {
    return this.#uncommon.rest;
  }

  get id(): string {
    return this.accepted.apiKey.id;
  }

  get version(): number {
    return this.accepted.apiKey.version;
  }

  get revoked(): boolean {
    return this.#uncommon.revoked;
  }

  get ownerActive(): boolean {
    return this.#uncommon.ownerActive;
  }

  get graceEndsAt(): number {
    return this.#uncommon.graceEndsAt;
  }

  get notBefore(): number {
    return this.#uncommon.notBefore;
  }

  /** Wall time from which the next use is to be recorded, in whole seconds; 0 before the first. */
  get useDueAt(): number {
    return this.#useDueAtSeconds * 1_000;
  }

  set useDueAt(wallTime: number) {
    this.#useDueAtSeconds = Math.ceil(wallTime / 1_000);
  }
}

const setGraceEnd = timesOf(['graceUntil']);

function acceptedBy(apiKey: ApiKey, graceEndsAt: number): Accepted {
  if (graceEndsAt === Number.POSITIVE_INFINITY) return Object.freeze({ ok: true, apiKey });
  const accepted = { ok: true, apiKey } as const;
  setGraceEnd(accepted, { graceUntil: new Date(graceEndsAt) });
  return Object.freeze(accepted);
}

function uncommonOf(rest: string, { revoked, ownerActive, graceEndsAt, notBefore }: KeyFacts): Uncommon {
  const uncommon = { rest, revoked, ownerActive, graceEndsAt, notBefore };
  const names = Object.keys(COMMON) as (keyof Uncommon)[];
  return names.every((name) => uncommon[name] === COMMON[name]) ? COMMON : uncommon;
}
