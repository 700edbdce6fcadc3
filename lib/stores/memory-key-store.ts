import { DuplicateKeyError } from '../errors.ts';
import { DECOY_RECORD, type KeyRecord, readRecord } from '../keys/key-record.ts';
import type { KeyChange, KeyChanged, KeyPage, KeyStore, KeyUse, ListQuery } from './key-store.ts';
import { fits } from './list-filter.ts';
import { changedRecord } from './record-change.ts';
import { markVolatile } from './volatile.ts';

/**
 * A store for tests, and for an app whose keys stand in its code. Its records are gone with the process.
 * It hands out copies, so nothing that a caller does to a record reaches the store.
 */
export class MemoryKeyStore implements KeyStore {
  readonly #records = new Map<string, KeyRecord>();
  readonly #byDigest = new Map<string, string>();
  readonly #byPreviousDigest = new Map<string, string>();
  readonly #watchers = new Set<(change: KeyChanged) => void>();

  /** @param records - what it holds from the start; {@link keyRecord} completes them */
  constructor(records: Iterable<KeyRecord> = []) {
    markVolatile(this);
    for (const record of records) this.#insert(record);
  }

  async findByDigest(digests: readonly string[]): Promise<KeyRecord | undefined> {
    const ids = new Set<string>();
    for (const digest of digests) {
      for (const id of [this.#byDigest.get(digest), this.#byPreviousDigest.get(digest)]) {
        if (id !== undefined) ids.add(id);
      }
    }
    if (ids.size > 1) throw new Error('two records for one text');
    const [id = ''] = ids;
    return this.#copyOf(id);
  }

  async findById(id: string): Promise<KeyRecord | undefined> {
    return this.#copyOf(id);
  }

  async insert(record: KeyRecord): Promise<void> {
    this.#insert(record);
  }

  async update(id: string, change: KeyChange, expectedVersion: number): Promise<KeyRecord | undefined> {
    const record = this.#records.get(id);
    if (record?.version !== expectedVersion) return undefined;
    const changed = changedRecord(record, change);
    this.#refuseTaken(changed);
    this.#forgetDigests(record);
    this.#keep(changed);
    if (change.narrows) this.#tell(changed, changed.revokedAt !== undefined);
    return readRecord(changed);
  }

  async list(query: ListQuery): Promise<KeyPage> {
    const newest = query.order === 'newest';
    const ids = [...this.#records.keys()].sort();
    if (newest) ids.reverse();
    const { cursor } = query;
    const found: KeyRecord[] = [];
    for (const id of ids) {
      if (cursor !== undefined && (newest ? id >= cursor : id <= cursor)) continue;
      const record = this.#records.get(id) as KeyRecord;
      if (fits(record, query)) found.push(readRecord(record));
      if (found.length > query.limit) break;
    }
    const records = found.slice(0, query.limit);
    const last = records.at(-1);
    return found.length > query.limit && last !== undefined ? { records, nextCursor: last.id } : { records };
  }

  async delete(id: string): Promise<boolean> {
    const record = this.#records.get(id);
    if (record === undefined) return false;
    this.#records.delete(id);
    this.#forgetDigests(record);
    // Above every version that may still be read somewhere.
    this.#tell({ ...record, version: record.version + 1 }, true);
    return true;
  }

  async recordUse(uses: readonly KeyUse[]): Promise<void> {
    for (const { id, at, previous } of uses) {
      const record = this.#records.get(id);
      if (record === undefined || record.revokedAt !== undefined) continue;
      const slot = previous ? record.previous : record;
      if (slot === undefined || (slot.lastUsedAt !== undefined && slot.lastUsedAt >= at)) continue;
      const used = { ...slot, lastUsedAt: at };
      this.#records.set(id, readRecord(previous ? { ...record, previous: used } : used));
    }
  }

  async watch(onChange: (change: KeyChanged) => void): Promise<() => Promise<void>> {
    this.#watchers.add(onChange);
    // Nothing can be missed inside one process, but silence would count as a lost watch.
    const heartbeat = setInterval(() => tell(onChange, { type: 'alive' }), 2_000);
    heartbeat.unref();
    return async () => {
      clearInterval(heartbeat);
      this.#watchers.delete(onChange);
    };
  }

  /** Copies a decoy where there is nothing, so that finding nothing takes as long. */
  #copyOf(id: string): KeyRecord | undefined {
    const record = this.#records.get(id);
    const copy = readRecord(record ?? DECOY_RECORD);
    return record && copy;
  }

  #insert(given: KeyRecord): void {
    const record = readRecord(given);
    if (this.#records.has(record.id)) throw new DuplicateKeyError('id');
    this.#refuseTaken(record);
    this.#keep(record);
  }

  #refuseTaken({ id, digest, previous }: KeyRecord): void {
    const holder = this.#byDigest.get(digest);
    const previousHolder = previous && this.#byPreviousDigest.get(previous.digest);
    if ((holder ?? id) !== id || (previousHolder ?? id) !== id) throw new DuplicateKeyError('digest');
  }

  #keep(record: KeyRecord): void {
    this.#records.set(record.id, record);
    this.#byDigest.set(record.digest, record.id);
    if (record.previous !== undefined) this.#byPreviousDigest.set(record.previous.digest, record.id);
  }

  #forgetDigests({ digest, previous }: KeyRecord): void {
    this.#byDigest.delete(digest);
    if (previous !== undefined) this.#byPreviousDigest.delete(previous.digest);
  }

  #tell({ id, version }: KeyRecord, ended: boolean): void {
    for (const onChange of this.#watchers) tell(onChange, { type: 'narrowed', id, version, ended });
  }
}

/** A listener that throws has no say in a write that is done, nor in what others hear. */
function tell(onChange: (change: KeyChanged) => void, change: KeyChanged): void {
  try {
    onChange(change);
  } catch {}
}
