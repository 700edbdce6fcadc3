import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { KeyFacts } from '../keys/checks.ts';
import type { CacheName } from './cache-name.ts';
import type { Accepted } from './verdict.ts';
import { type Standing, VersionFloors } from './version-floors.ts';

/** What one presented text led to when it was last read. Shared by all requests that present it. */
export interface Entry {
  /** Of the text's name in the cache. */
  readonly rest: string;
  readonly facts: KeyFacts;
  /** The verdict while the checks find nothing, made once. */
  readonly accepted: Accepted;
  /** Number of the read, and when it began by either clock. */
  readonly read: number;
  readonly wallAt: number;
  readonly monotonicAt: number;
  /** The first end that lay ahead when it was read: past it, the store may know of a later one. */
  readonly endsAt: number;
  /** Generation of the floors under which it was last found current. */
  floorsSeen: number;
  /** Wall time from which the next use is to be recorded. */
  useDueAt: number;
}

/** A read that has begun. */
export interface ReadStamp {
  readonly read: number;
  readonly wallAt: number;
  readonly monotonicAt: number;
  readonly insertions: number;
}

export interface CacheConfig {
  readonly maxEntries: number;
  readonly ttlMs: number;
  readonly staleIfErrorMs: number;
  readonly maxMisses: number;
  readonly missTtlMs: number;
}

interface Miss {
  readonly rest: string;
  readonly insertions: number;
  readonly wallAt: number;
  readonly monotonicAt: number;
}

/**
 * What look-ups have found, by the name that a presented text has here. lru-cache serves as a bounded map only: its own
 * fetching hands out deleted values in some of its outage modes. Hits and misses are kept apart, so that a flood of
 * unknown keys cannot push out good ones.
 */
export class LookupCache {
  readonly #config: CacheConfig;
  readonly #clock: Clock;
  readonly #hits: LRUCache<string, Entry> | undefined;
  readonly #misses: LRUCache<string, Miss> | undefined;
  readonly #floors = new VersionFloors();
  #insertions = 0;
  #ttlMs: number;

  constructor(config: CacheConfig, clock: Clock) {
    this.#config = config;
    this.#ttlMs = config.ttlMs;
    this.#clock = clock;
    const { maxEntries, ttlMs, maxMisses, missTtlMs } = config;
    if (maxEntries > 0 && ttlMs > 0) this.#hits = new LRUCache({ max: maxEntries });
    if (maxMisses > 0 && missTtlMs > 0) this.#misses = new LRUCache({ max: maxMisses });
  }

  /** An entry that may decide a request now, without asking the store. */
  fresh({ sha, rest }: CacheName, now: number): Entry | undefined {
    const entry = this.#hits?.get(sha);
    if (entry === undefined || entry.rest !== rest) return undefined;
    const monotonic = this.#clock.monotonic();
    if (!(age(entry, now, monotonic) < this.#ttlMs) || now >= entry.endsAt) return undefined;
    return this.#isCurrent(entry, monotonic) ? entry : undefined;
  }

  /** An entry that may decide while the store fails: older, but never one of a key that was changed here since. */
  stale({ sha, rest }: CacheName, now: number): Entry | undefined {
    const entry = this.#hits?.get(sha);
    if (entry === undefined || entry.rest !== rest) return undefined;
    const monotonic = this.#clock.monotonic();
    const { ttlMs, staleIfErrorMs } = this.#config;
    if (staleIfErrorMs === 0 || !(age(entry, now, monotonic) < ttlMs + staleIfErrorMs)) return undefined;
    const { id, version } = entry.facts;
    return this.#floors.standingOf(id, version, entry.read, monotonic) === 'current' ? entry : undefined;
  }

  /** Whether the store lately had no record for a text, and nothing was inserted here since. */
  isMissing({ sha, rest }: CacheName, now: number): boolean {
    const miss = this.#misses?.get(sha);
    if (miss === undefined || miss.rest !== rest || miss.insertions !== this.#insertions) return false;
    return age(miss, now, this.#clock.monotonic()) < this.#config.missTtlMs;
  }

  beginRead(now: number): ReadStamp {
    const monotonicAt = this.#clock.monotonic();
    return { read: this.#floors.nextRead(), wallAt: now, monotonicAt, insertions: this.#insertions };
  }

  /** What is known by now of a record that was just read. */
  standing(entry: Entry): Standing {
    return this.#floors.standing(entry.facts.id, entry.facts.version, entry.read, this.#clock.monotonic());
  }

  keep({ sha }: CacheName, entry: Entry): void {
    if (this.standing(entry) === 'current') this.#hits?.set(sha, entry);
  }

  /** Whether something was inserted here since a read began, so that its "not found" proves nothing. */
  wasOvertaken(stamp: ReadStamp): boolean {
    return stamp.insertions !== this.#insertions;
  }

  keepMiss(name: CacheName, stamp: ReadStamp): void {
    if (this.wasOvertaken(stamp)) return;
    this.forget(name);
    const { insertions, wallAt, monotonicAt } = stamp;
    this.#misses?.set(name.sha, { rest: name.rest, insertions, wallAt, monotonicAt });
  }

  /** What was read earlier is known to be wrong, and must not come back while the store fails. */
  forget({ sha, rest }: CacheName): void {
    if (this.#hits?.peek(sha)?.rest === rest) this.#hits.delete(sha);
  }

  /** A record, or a digest of one, is new in the store. */
  inserted(): void {
    this.#insertions += 1;
  }

  /** A key has this version now, and can do less than before. */
  narrowed(id: string, version: number, ended: boolean, heldForMs: number = Number.POSITIVE_INFINITY): void {
    this.#floors.raise(id, version, ended, this.#clock.monotonic() + heldForMs);
  }

  /** A key may have changed. */
  readAgain(id: string): void {
    this.#floors.readAgain(id);
  }

  /** Any key may have changed. */
  readAllAgain(): void {
    this.#floors.readAllAgain();
  }

  /** Entries decide for at most this long; until the next call. */
  limitTtl(mostMs: number): void {
    this.#ttlMs = Math.min(mostMs, this.#config.ttlMs);
  }

  #isCurrent(entry: Entry, monotonic: number): boolean {
    const { generation } = this.#floors;
    if (entry.floorsSeen === generation) return true;
    const { id, version } = entry.facts;
    if (this.#floors.standing(id, version, entry.read, monotonic) !== 'current') return false;
    entry.floorsSeen = this.#floors.generation;
    return true;
  }
}

/** The larger of what both clocks say: the wall clock can be set back, the monotonic one may stand still in sleep. */
function age(
  at: { readonly wallAt: number; readonly monotonicAt: number },
  now: number,
  monotonic: number,
): number {
  return Math.max(now - at.wallAt, monotonic - at.monotonicAt);
}
