import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { unsliced } from '../keys/unsliced.ts';
import type { CacheName } from './cache-name.ts';
import type { Entry, ReadStamp } from './entry.ts';
import { type Standing, VersionFloors } from './version-floors.ts';

export interface CacheConfig {
  readonly maxEntries: number;
  readonly ttlMs: number;
  readonly staleIfErrorMs: number;
  readonly maxMisses: number;
  readonly missTtlMs: number;
}

/** What is held for a text, as {@link LookupCache.look} tells it. */
export interface Held {
  readonly entry: Entry | undefined;
  readonly standing: Standing;
  readonly ageMs: number;
  /** How much longer it decides; not above 0 where it does no more. */
  readonly leftMs: number;
  /** Whether the entry decides without the store. */
  readonly isFresh: boolean;
  /** Whether the entry may decide while the store fails. */
  readonly mayBridge: boolean;
  /** Whether the text is known to be unknown. */
  readonly isMissing: boolean;
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
  /** Made with the first miss: lru-cache takes the room for all its entries at once. */
  #misses: LRUCache<string, Miss> | undefined;
  readonly #floors: VersionFloors;
  /** Wall time of the first read, from which times are counted here: small integers need no object of their own. */
  #firstAt = Number.NaN;
  #insertions = 0;
  #ttlMs: number;
  /** When the watch was last heard, by either clock; where there is none, it is not missed. */
  #heardWallAt = 0;
  #heardMonotonicAt = 0;
  #mostSilenceMs = Number.POSITIVE_INFINITY;

  constructor(config: CacheConfig, clock: Clock) {
    this.#config = config;
    this.#ttlMs = config.ttlMs;
    this.#clock = clock;
    const { maxEntries, ttlMs, staleIfErrorMs } = config;
    this.#floors = new VersionFloors(ttlMs + staleIfErrorMs);
    if (maxEntries > 0 && ttlMs > 0) this.#hits = new LRUCache({ max: maxEntries });
  }

  /** An entry that may decide a request now, without asking the store. */
  fresh({ sha, rest }: CacheName, now: number): Entry | undefined {
    const entry = this.#hits?.get(sha);
    if (entry === undefined || entry.rest !== rest) return undefined;
    const monotonic = this.#clock.monotonic();
    if (
      !(this.#age(entry, now, monotonic) < this.#ttlAt(now, monotonic)) ||
      this.#hasReachedItsEnd(entry, now)
    )
      return undefined;
    return this.#isCurrent(entry, monotonic) ? entry : undefined;
  }

  /** An entry that may decide while the store fails: older, but never one of a key that was changed here since. */
  stale({ sha, rest }: CacheName, now: number): Entry | undefined {
    const entry = this.#hits?.get(sha);
    if (entry === undefined || entry.rest !== rest) return undefined;
    const monotonic = this.#clock.monotonic();
    const { ttlMs, staleIfErrorMs } = this.#config;
    if (staleIfErrorMs === 0 || !(this.#age(entry, now, monotonic) < ttlMs + staleIfErrorMs))
      return undefined;
    return this.#floors.standingOf(entry.id, entry.version, entry.read, monotonic) === 'current'
      ? entry
      : undefined;
  }

  /** What is held for a text, and what it would decide; changes nothing, not even which entry goes first. */
  look({ sha, rest }: CacheName, now: number): Held {
    const { ttlMs, staleIfErrorMs, missTtlMs } = this.#config;
    const monotonic = this.#clock.monotonic();
    const hit = this.#hits?.peek(sha);
    if (hit?.rest === rest) {
      const standing = this.standing(hit);
      const ageMs = this.#age(hit, now, monotonic);
      const ttlNowMs = this.#ttlAt(now, monotonic);
      const isFresh = standing === 'current' && ageMs < ttlNowMs && !this.#hasReachedItsEnd(hit, now);
      const ofKey = this.#floors.standingOf(hit.id, hit.version, hit.read, monotonic);
      const mayBridge = staleIfErrorMs > 0 && ageMs < ttlMs + staleIfErrorMs && ofKey === 'current';
      return {
        entry: hit,
        standing,
        ageMs,
        leftMs: ttlNowMs - ageMs,
        isFresh,
        mayBridge,
        isMissing: false,
      };
    }
    const nothing = { entry: undefined, standing: 'current', isFresh: false, mayBridge: false } as const;
    const miss = this.#misses?.peek(sha);
    if (miss?.rest !== rest) return { ...nothing, ageMs: 0, leftMs: 0, isMissing: false };
    const ageMs = this.#age(miss, now, monotonic);
    const isMissing = miss.insertions === this.#insertions && ageMs < missTtlMs;
    return { ...nothing, ageMs, leftMs: missTtlMs - ageMs, isMissing };
  }

  /** What would be said of a record of this version, were it read now. */
  standingNow(id: string, version: number): Standing {
    return this.#floors.standing(id, version, Number.POSITIVE_INFINITY, this.#clock.monotonic());
  }

  /** Whether the store lately had no record for a text, and nothing was inserted here since. */
  isMissing({ sha, rest }: CacheName, now: number): boolean {
    const miss = this.#misses?.get(sha);
    if (miss === undefined || miss.rest !== rest || miss.insertions !== this.#insertions) return false;
    return this.#age(miss, now, this.#clock.monotonic()) < this.#config.missTtlMs;
  }

  beginRead(now: number): ReadStamp {
    if (!Number.isFinite(this.#firstAt)) this.#firstAt = now;
    // Rounded so that what is read seems older by that, not younger.
    const monotonicAt = Math.floor(this.#clock.monotonic());
    return {
      read: this.#floors.nextRead(),
      wallAt: now - this.#firstAt,
      monotonicAt,
      insertions: this.#insertions,
    };
  }

  /** What is known by now of a record that was just read. */
  standing(entry: Entry): Standing {
    return this.#floors.standing(entry.id, entry.version, entry.read, this.#clock.monotonic());
  }

  /** @param entry - one that is `current` */
  keep({ sha }: CacheName, entry: Entry): void {
    this.#hits?.set(sha, entry);
  }

  /** Whether something was inserted here since a read began, so that its "not found" proves nothing. */
  wasOvertaken(stamp: ReadStamp): boolean {
    return stamp.insertions !== this.#insertions;
  }

  keepMiss(name: CacheName, stamp: ReadStamp): void {
    if (this.wasOvertaken(stamp)) return;
    this.forget(name);
    const { maxMisses, missTtlMs } = this.#config;
    if (maxMisses === 0 || missTtlMs === 0) return;
    const { insertions, wallAt, monotonicAt } = stamp;
    this.#misses ??= new LRUCache({ max: maxMisses });
    this.#misses.set(name.sha, { rest: unsliced(name.rest), insertions, wallAt, monotonicAt });
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
  narrowed(id: string, version: number, ended: boolean): void {
    this.#floors.raise(id, version, ended);
  }

  /** As {@link narrowed}, but by what others say: it is held for a while against a store that answers otherwise. */
  toldNarrowed(id: string, version: number, ended: boolean, heldForMs: number): void {
    this.#floors.raiseTold(id, version, ended, this.#clock.monotonic(), heldForMs);
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

  /** Changes are told of; where nothing more is heard for this long, entries decide no longer than that. */
  heardOfStore(mostSilenceMs: number): void {
    this.#mostSilenceMs = mostSilenceMs;
    this.#heardWallAt = this.#clock.now();
    this.#heardMonotonicAt = this.#clock.monotonic();
  }

  /** No timer has told of silence yet where the process or its machine stood still, and requests came first. */
  #ttlAt(now: number, monotonic: number): number {
    const silenceMs = Math.max(now - this.#heardWallAt, monotonic - this.#heardMonotonicAt);
    return silenceMs < this.#mostSilenceMs ? this.#ttlMs : Math.min(this.#mostSilenceMs, this.#ttlMs);
  }

  #isCurrent(entry: Entry, monotonic: number): boolean {
    const { generation } = this.#floors;
    if (entry.floorsSeen === generation) return true;
    if (this.#floors.standing(entry.id, entry.version, entry.read, monotonic) !== 'current') return false;
    entry.floorsSeen = this.#floors.generation;
    return true;
  }

  /** The first end that lay ahead when it was read: past it, the store may know of a later one. */
  #hasReachedItsEnd({ expiresAt, graceEndsAt, wallAt }: Entry, now: number): boolean {
    const end = Math.min(expiresAt, graceEndsAt);
    return now >= end && end > wallAt + this.#firstAt;
  }

  /** The larger of what both clocks say: the wall clock can be set back, the monotonic one may stand still in sleep. */
  #age(at: Pick<ReadStamp, 'wallAt' | 'monotonicAt'>, now: number, monotonic: number): number {
    return Math.max(now - this.#firstAt - at.wallAt, monotonic - at.monotonicAt);
  }
}
