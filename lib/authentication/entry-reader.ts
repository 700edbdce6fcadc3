import type { Clock } from '../clock.ts';
import type { Environment } from '../keys/api-key.ts';
import { apiKeyOf } from '../keys/api-key-view.ts';
import { factsOf, refusalReason } from '../keys/checks.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import { unsliced } from '../keys/unsliced.ts';
import { WrongAnswerError } from '../stores/fault.ts';
import { withDeadline } from '../stores/guarded-store.ts';
import type { CacheName } from './cache-name.ts';
import { Entry, type ReadStamp } from './entry.ts';
import type { Found } from './key-verifier.ts';
import type { LookupCache } from './lookup-cache.ts';
import type { OwnerCheck } from './owner-check.ts';
import type { Matched, RecordReader } from './record-reader.ts';
import type { Rehasher } from './rehasher.ts';
import { SharedParts } from './shared-parts.ts';
import { USE_RECORDED_EVERY_MS } from './use-recorder.ts';
import { FLOOR_HELD_MS } from './watcher.ts';

export interface EntryReaderParts {
  readonly environments: readonly Environment[];
  readonly cache: LookupCache;
  readonly reader: RecordReader;
  readonly ownerCheck: OwnerCheck | undefined;
  readonly rehash: Rehasher | undefined;
  readonly clock: Clock;
}

/** How a read ended; a fault ends it by a rejection. */
export interface Read {
  readonly stamp: ReadStamp;
  /** Where there is no record, that of a decoy. */
  readonly entry: Entry;
  readonly isMissing: boolean;
}

/** A verifier may have to ask others than the store; it must not keep a request waiting for ever. */
export const LONGEST_FIND_MS = 10_000;

/** Reads what a credential leads to, and leaves it in the cache. */
export class EntryReader {
  readonly #parts: EntryReaderParts;
  readonly #shared = new SharedParts();

  constructor(parts: EntryReaderParts) {
    this.#parts = parts;
  }

  async read(name: CacheName, find: () => Promise<Found | undefined>): Promise<Read> {
    const { cache, clock, reader } = this.#parts;
    const stamp = cache.beginRead(clock.now());
    const answer = await withDeadline({ run: find }, LONGEST_FIND_MS).catch((error) =>
      this.#forgetIfWrong(name, error),
    );
    const isMissing = answer === undefined || answer === null;
    // A decoy is gone through where there is no record, for the sake of the time that it takes.
    const found = isMissing ? { record: reader.decoy() } : answer;
    const match = this.#matchOf(found);
    this.#noteIfEnded(found.record);
    const entry = await this.#entryOf(found, match, stamp, name.rest);
    const isCurrent = cache.standing(entry) === 'current';
    if (isMissing) cache.keepMiss(name, stamp);
    else if (isCurrent) cache.keep(name, entry);
    this.#rehashIfGood(found, match, entry);
    return { stamp, entry, isMissing };
  }

  #rehashIfGood({ record, rehash: digest }: Found, match: Matched, entry: Entry): void {
    const { clock, environments, rehash } = this.#parts;
    const isGood = refusalReason(entry, clock.now(), environments) === undefined;
    if (isGood) rehash?.(record, match, digest);
  }

  /** A record that cannot be understood may be the news of the key's end: no older one may bridge what follows. */
  #forgetIfWrong(name: CacheName, error: unknown): never {
    if (error instanceof WrongAnswerError) this.#parts.cache.forget(name);
    throw error;
  }

  #matchOf({ record, previous }: Found): Matched {
    const match = this.#parts.reader.matchOf(record);
    if (match !== undefined) {
      if (previous === undefined) return match;
      return { previous, digest: (previous ? record.previous?.digest : record.digest) ?? match.digest };
    }
    // Without a match nobody could tell whether the old key was presented, whose grace may be over.
    throw new WrongAnswerError('A verifier must answer with a record that its lookup gave it.');
  }

  async #entryOf(
    { record, expiresAt }: Found,
    match: Matched,
    stamp: ReadStamp,
    rest: string,
  ): Promise<Entry> {
    const apiKey = apiKeyOf(this.#shared.partsOf(record));
    const { ownerCheck } = this.#parts;
    const needsOwner = ownerCheck !== undefined && !hasEnded(record);
    const ownerActive =
      !needsOwner || (await ownerCheck(apiKey).catch((error) => this.#outdate(record, error)));
    const facts = factsOf(record, { previous: match.previous, expiresAt }, ownerActive);
    const entry = new Entry(unsliced(rest), apiKey, facts, stamp);
    entry.useDueAt = useDueAfter(record, match.previous);
    return entry;
  }

  /** A key that has stopped has stopped for every text of it: none may bring back an older record. */
  #noteIfEnded(record: KeyRecord): void {
    if (hasEnded(record)) this.#noteVersion(record);
  }

  /** The owner is not known, but the record is: what is older than it must not bridge the fault. */
  #outdate(record: KeyRecord, error: unknown): never {
    this.#noteVersion(record);
    throw error;
  }

  #noteVersion({ id, version, revokedAt }: KeyRecord): void {
    this.#parts.cache.toldNarrowed(id, version, revokedAt !== undefined, FLOOR_HELD_MS);
  }
}

function hasEnded({ revokedAt, enabled }: KeyRecord): boolean {
  return revokedAt !== undefined || !enabled;
}

/** 0 until the key's first use, which is recorded at once. */
function useDueAfter(record: KeyRecord, previous: boolean): number {
  const lastUsedAt = previous ? record.previous?.lastUsedAt : record.lastUsedAt;
  return lastUsedAt === undefined ? 0 : lastUsedAt.getTime() + USE_RECORDED_EVERY_MS;
}
