import type { KeyFilter } from '../keys/key-filter.ts';
import type { KeyRecord } from '../keys/key-record.ts';

/** A store may answer at once or with a promise. `null` means the same as `undefined`: not found. */
export type MaybePromise<T> = T | Promise<T>;

/** The least that authenticates: enough for keys in a table of your own. Management needs a {@link KeyStore}. */
export interface KeyLookup {
  /**
   * The one record whose `digest`, or whose `previous.digest`, is among `digests`; they are all the digests that one
   * presented text can have. Two records for one call are a fault: throw.
   */
  findByDigest(digests: readonly string[]): MaybePromise<KeyRecord | undefined>;
}

/**
 * Where records live; the contract of a store plug-in. Digests and ids are compared byte for byte and were checked
 * before they come here. A store closes nothing that it did not open.
 */
export interface KeyStore extends KeyLookup {
  /** The record with this id, if any. */
  findById(id: string): MaybePromise<KeyRecord | undefined>;

  /** @throws DuplicateKeyError when another record has the id, or has the digest as its `digest` */
  insert(record: KeyRecord): MaybePromise<void>;

  /**
   * Inserts, in one go if it can, the records whose id and digest are free, and answers the ids of exactly those; the
   * others it passes over. At most 200 come, of which no two share an id or a digest. Where it is absent, an import
   * takes `insert`, which over a network is some ten times as slow.
   */
  insertMany?(records: readonly KeyRecord[]): MaybePromise<readonly string[]>;

  /** The records that have these ids, at most 200, in any order. Where it is absent, `findById` is asked for each. */
  findMany?(ids: readonly string[]): MaybePromise<readonly KeyRecord[]>;

  /**
   * One conditional write: changes the record that has this id *and* this version, sets its version to
   * `expectedVersion + 1`, and answers it as it then is. `undefined` when there is no such record.
   */
  update(id: string, change: KeyChange, expectedVersion: number): MaybePromise<KeyRecord | undefined>;

  /** One page of the records that fulfil all conditions, in the order of their ids. */
  list(query: ListQuery): MaybePromise<KeyPage>;

  /** Erases; `false` when there was nothing to erase. */
  delete?(id: string): MaybePromise<boolean>;

  /**
   * Moves last-used forward, never back, and touches nothing else: not the version, not a revoked record. An id that
   * is not there is passed over.
   */
  recordUse?(uses: readonly KeyUse[]): MaybePromise<void>;

  /** Tells of narrowing changes by any process. Resolves once it listens, to what stops it. */
  watch?(onChange: (change: KeyChanged) => void): MaybePromise<() => MaybePromise<void>>;

  /** Ends what the store itself has opened. */
  close?(): MaybePromise<void>;
}

/** Members that are present and not `undefined` are set; names in `clear` become absent; all else stays. */
export type KeyChange = Partial<
  Omit<
    KeyRecord,
    'id' | 'kind' | 'version' | 'createdAt' | 'createdBy' | 'organization' | 'owner' | 'environment'
  >
> & {
  readonly clear?: readonly ('expiresAt' | 'notBefore' | 'previous' | 'revokedAt')[];
  /** Whether the key can do less after it, so that those who `watch` must hear of it. */
  readonly narrows: boolean;
};

/** A question to `list`: conditions are and-ed, absent ones do not count. */
export interface ListQuery extends Omit<KeyFilter, 'expiringWithinMs' | 'unusedForMs'> {
  readonly limit: number;
  /** By id, byte for byte; ids are ASCII, and those of keys that are made here rise with time. */
  readonly order: 'newest' | 'oldest';
  /** Only records with `expiresAt` before it. */
  readonly expiresBefore?: Date;
  /** Only records with `lastUsedAt`, or where that is absent `createdAt`, before it. */
  readonly lastUsedBefore?: Date;
}

/** Some of the records that a query asks for, in its order. */
export interface KeyPage {
  readonly records: readonly KeyRecord[];
  /** The id after which to go on; absent on the last page. */
  readonly nextCursor?: string;
}

/** When a key was last used, for `recordUse()`. */
export interface KeyUse {
  readonly id: string;
  readonly at: Date;
  /** Whether it was the old key, in its grace: then only `previous.lastUsedAt` moves. */
  readonly previous: boolean;
}

/** What a watch tells. Of a deletion with a version above the record's last, which caches may hold. */
export type KeyChanged =
  | { readonly type: 'narrowed'; readonly id: string; readonly version: number; readonly ended: boolean }
  /** Heartbeat, at least every 2 s; 5 s of silence count as lost. */
  | { readonly type: 'alive' }
  /** Something may have been missed: every entry must be read again before use. */
  | { readonly type: 'lost' };
