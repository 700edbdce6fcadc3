import { LRUCache } from 'lru-cache';
import type { KeyRecord } from '../../lib/keys/key-record.ts';
import {
  type Changed,
  type ChangeKind,
  type Decision,
  type Design,
  digestFor,
  planOf,
  TTL_MS,
  type World,
} from './scheduler.ts';

/*
 * Caches that anybody might write, each with a race in it. All of them make and
 * hear of changes in the same way, and keep what they read no longer than the real one does; they differ in what they do about news.
 */

interface Kept {
  readonly record: KeyRecord | undefined;
  readonly at: number;
}

abstract class WrongDesign implements Design {
  protected readonly world: World;

  constructor(world: World) {
    this.world = world;
    void world.store.watch((change) => {
      if (change.type === 'narrowed') this.changed(change.id);
    });
  }

  abstract ask(text: string): Promise<Decision>;

  async change(id: string, kind: ChangeKind): Promise<Changed> {
    const changed = await this.#commit(id, kind);
    this.changed(id);
    return changed;
  }

  /** The news of a change. */
  protected abstract changed(id: string): void;

  protected read(text: string): Promise<KeyRecord | undefined> {
    return this.world.store.findByDigest([digestFor(text)]);
  }

  protected isFresh(kept: Kept | undefined): kept is Kept {
    return kept !== undefined && this.world.now() - kept.at < TTL_MS;
  }

  async #commit(id: string, kind: ChangeKind): Promise<Changed> {
    const { store, spareText } = this.world;
    if (kind === 'delete') {
      await store.delete(id);
      return { version: Number.POSITIVE_INFINITY };
    }
    const text = spareText();
    for (;;) {
      const record = await store.findById(id);
      if (record === undefined) throw new Error('not found');
      const change = planOf(kind, record, digestFor(text));
      if (change === undefined) return { version: record.version };
      const changed = await store.update(id, change, record.version);
      if (changed !== undefined) return kind === 'rotate' ? { version: changed.version, text } : changed;
    }
  }
}

function decide(record: KeyRecord | undefined): Decision {
  if (record === undefined || !record.enabled || record.revokedAt !== undefined) return 'refused';
  return record.scopes;
}

/** A read that was in flight during the change puts the old record back. */
class GetAwaitSet extends WrongDesign {
  readonly #kept = new Map<string, Kept>();

  async ask(text: string): Promise<Decision> {
    const kept = this.#kept.get(text);
    if (this.isFresh(kept)) return decide(kept.record);
    const at = this.world.now();
    const record = await this.read(text);
    this.#kept.set(text, { record, at });
    return decide(record);
  }

  protected changed(id: string): void {
    for (const [text, { record }] of this.#kept) {
      if (record?.id === id) this.#kept.delete(text);
    }
  }
}

/** Knows which text belongs to an id only once a read has ended, and of two texts of one key only the later. */
class DeleteById extends WrongDesign {
  readonly #kept = new Map<string, Kept>();
  readonly #texts = new Map<string, string>();
  readonly #reads = new Map<string, Promise<KeyRecord | undefined>>();

  async ask(text: string): Promise<Decision> {
    const kept = this.#kept.get(text);
    if (this.isFresh(kept)) return decide(kept.record);
    const underWay = this.#reads.get(text) ?? this.#begin(text);
    this.#reads.set(text, underWay);
    return decide(await underWay);
  }

  async #begin(text: string): Promise<KeyRecord | undefined> {
    const at = this.world.now();
    try {
      const record = await this.read(text);
      this.#kept.set(text, { record, at });
      if (record !== undefined) this.#texts.set(record.id, text);
      return record;
    } finally {
      this.#reads.delete(text);
    }
  }

  protected changed(id: string): void {
    const text = this.#texts.get(id);
    if (text === undefined) return;
    this.#kept.delete(text);
    this.#reads.delete(text);
  }
}

/** Whatever was read under an older epoch is read again, but nothing says that the new answer is newer. */
class GlobalEpoch extends WrongDesign {
  readonly #kept = new Map<string, Kept & { readonly epoch: number }>();
  #epoch = 0;

  async ask(text: string): Promise<Decision> {
    for (;;) {
      const kept = this.#kept.get(text);
      if (kept?.epoch === this.#epoch && this.isFresh(kept)) return decide(kept.record);
      const epoch = this.#epoch;
      const at = this.world.now();
      const record = await this.read(text);
      this.#kept.set(text, { record, at, epoch });
      if (epoch === this.#epoch) return decide(record);
    }
  }

  protected changed(): void {
    this.#epoch += 1;
  }
}

/** The versions are right, but they are asked when a record is kept and not when a request is decided. */
class FloorWhenKept extends WrongDesign {
  readonly #kept = new Map<string, Kept>();
  readonly #floors = new Map<string, number>();

  constructor(world: World) {
    super(world);
    void world.store.watch((change) => {
      if (change.type === 'narrowed') this.#raise(change.id, change.version);
    });
  }

  override async change(id: string, kind: ChangeKind): Promise<Changed> {
    const changed = await super.change(id, kind);
    this.#raise(id, changed.version);
    return changed;
  }

  async ask(text: string): Promise<Decision> {
    const kept = this.#kept.get(text);
    if (this.isFresh(kept)) return decide(kept.record);
    const at = this.world.now();
    const record = await this.read(text);
    if (record === undefined || record.version >= (this.#floors.get(record.id) ?? 0))
      this.#kept.set(text, { record, at });
    return decide(record);
  }

  protected changed(): void {
    // The floor tells.
  }

  #raise(id: string, version: number): void {
    this.#floors.set(id, Math.max(version, this.#floors.get(id) ?? 0));
    for (const [text, { record }] of this.#kept) {
      if (record?.id === id && record.version < version) this.#kept.delete(text);
    }
  }
}

/** The floor is what the last message said, and messages come in any order. */
class LastFloor extends WrongDesign {
  readonly #kept = new Map<string, Kept>();
  readonly #floors = new Map<string, number>();

  constructor(world: World) {
    super(world);
    void world.store.watch((change) => {
      if (change.type === 'narrowed') this.#floors.set(change.id, change.version);
    });
  }

  override async change(id: string, kind: ChangeKind): Promise<Changed> {
    const changed = await super.change(id, kind);
    this.#floors.set(id, changed.version);
    return changed;
  }

  async ask(text: string): Promise<Decision> {
    const kept = this.#kept.get(text);
    if (this.isFresh(kept) && this.#isCurrent(kept.record)) return decide(kept.record);
    for (let tries = 0; tries < 3; tries += 1) {
      const at = this.world.now();
      const record = await this.read(text);
      this.#kept.set(text, { record, at });
      if (this.#isCurrent(record)) return decide(record);
    }
    return 'unavailable';
  }

  protected changed(): void {
    // The floor tells.
  }

  #isCurrent(record: KeyRecord | undefined): boolean {
    return record === undefined || record.version >= (this.#floors.get(record.id) ?? 0);
  }
}

/** The options of lru-cache's own fetching that say what becomes of a fetch that fails or is aborted. */
export type FetchOptions = Partial<
  Record<
    | 'allowStale'
    | 'noDeleteOnFetchRejection'
    | 'allowStaleOnFetchRejection'
    | 'allowStaleOnFetchAbort'
    | 'ignoreFetchAbort',
    boolean
  >
>;

/** `delete()` aborts the fetch that is under way, and the options say who gets the old record all the same. */
class LruFetch extends WrongDesign {
  readonly #cache: LRUCache<string, KeyRecord>;

  constructor(world: World, options: FetchOptions) {
    super(world);
    this.#cache = new LRUCache<string, KeyRecord>({
      max: 16,
      ttl: TTL_MS,
      ttlResolution: 0,
      perf: { now: world.now },
      ...options,
      fetchMethod: (text) => this.read(text),
    });
  }

  async ask(text: string): Promise<Decision> {
    return decide(await this.#cache.fetch(text));
  }

  /** Told of the text as well, also of one that is still on its way: the options alone are at fault. */
  protected changed(id: string): void {
    for (const text of this.world.textsOf(id)) this.#cache.delete(text);
  }
}

export const getAwaitSet = (world: World): Design => new GetAwaitSet(world);
export const deleteById = (world: World): Design => new DeleteById(world);
export const globalEpoch = (world: World): Design => new GlobalEpoch(world);
export const lastFloor = (world: World): Design => new LastFloor(world);
export const floorWhenKept = (world: World): Design => new FloorWhenKept(world);
export const lruFetch =
  (options: FetchOptions) =>
  (world: World): Design =>
    new LruFetch(world, options);
