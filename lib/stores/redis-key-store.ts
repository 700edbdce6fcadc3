import { DuplicateKeyError } from '../errors.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { ChangeBus } from './change-bus.ts';
import type { KeyChange, KeyChanged, KeyPage, KeyStore, KeyUse, ListQuery } from './key-store.ts';
import { fits } from './list-filter.ts';
import { changedRecord } from './record-change.ts';
import { openBus } from './redis-bus.ts';
import { type RedisClient, sendingTo } from './redis-client.ts';
import { RedisNames } from './redis-names.ts';
import { type RedisKeyStoreOptions, readStoreOptions } from './redis-options.ts';
import { HEAD_LENGTH, recordOfText, textOfRecord, timeText, versionText } from './redis-records.ts';
import {
  DELETE,
  FIND_BY_DIGEST,
  FIND_BY_ID,
  INSERT,
  NEWS,
  PAGE,
  RECORD_USE,
  type RedisScript,
  UPDATE,
  WATCH,
} from './redis-scripts.ts';
import { RedisServer, type ScriptAnswer, type ScriptNames } from './redis-server.ts';
import { changeText, watchLog } from './redis-watch.ts';

export type { ChangeBus as RedisBus } from './change-bus.ts';
export { redisBus } from './redis-bus.ts';
export type { IoredisClient, NodeRedisClient, RedisClient } from './redis-client.ts';
export type { RedisBusOptions, RedisKeyStoreOptions } from './redis-options.ts';

const OWNER = 'RedisKeyStore';

/** Records in one script, and so how long Redis serves nobody else: less than a millisecond. */
const RECORDS_PER_SCRIPT = 100;

/** Scripts for one page. What is asked for may be rare, and a page that is not full can be gone on from. */
const SCRIPTS_PER_PAGE = 50;

/** Deletions of one record that changes meanwhile. */
const DELETE_ATTEMPTS = 10;

/**
 * Keeps records in Redis, over a client of yours, which stays open. All names begin with `{prefix}:`, so that a cluster
 * keeps one store on one server.
 */
export class RedisKeyStore implements KeyStore {
  readonly #bus: ChangeBus;
  readonly #names: RedisNames;
  readonly #server: RedisServer;
  readonly #watches = new Set<() => Promise<void>>();

  constructor(client: RedisClient, options: RedisKeyStoreOptions = {}) {
    const { prefix, durable, subscriber } = readStoreOptions(options);
    this.#server = new RedisServer(sendingTo(OWNER, client), durable);
    this.#names = new RedisNames(prefix);
    this.#bus = openBus(OWNER, client, this.#names.channel, subscriber);
  }

  async findByDigest(digests: readonly string[]): Promise<KeyRecord | undefined> {
    const indexes = digests.flatMap((digest) => [this.#names.digest(digest), this.#names.previous(digest)]);
    if (indexes.length === 0) return undefined;
    const [outcome, text] = await this.#run(FIND_BY_DIGEST, [this.#names.record(''), ...indexes]);
    if (outcome === 'two') throw new Error('RedisKeyStore: two records for one text');
    return text === undefined ? undefined : recordOfText(text);
  }

  async findById(id: string): Promise<KeyRecord | undefined> {
    const [, text] = await this.#run(FIND_BY_ID, [this.#names.record(id)]);
    return text === undefined ? undefined : recordOfText(text, id);
  }

  async insert(record: KeyRecord): Promise<void> {
    const { id, digest } = record;
    const names = this.#names;
    const [outcome] = await this.#change(
      INSERT,
      [names.record(id), names.digest(digest), names.previousOf(record), ...names.indexes(record)],
      [id, textOfRecord(record)],
    );
    if (outcome === 'id' || outcome === 'digest') throw new DuplicateKeyError(outcome);
  }

  /**
   * Read, then written on condition: if the write succeeds it was the version just read that it changed, and last uses,
   * which have no version, are kept by the script.
   */
  async update(id: string, change: KeyChange, expectedVersion: number): Promise<KeyRecord | undefined> {
    const record = await this.findById(id);
    if (record?.version !== expectedVersion) return undefined;
    const changed = changedRecord(record, change);
    const names = this.#names;
    const text = textOfRecord(changed);
    const keepsUse = change.lastUsedAt === undefined;
    const keepsPreviousUse = changed.previous !== undefined && change.previous === undefined;
    const told = change.narrows ? changeText(id, changed.version, changed.revokedAt !== undefined) : '';
    const [outcome, head] = await this.#change(
      UPDATE,
      [
        names.record(id),
        names.log,
        ...[record, changed].map(({ digest }) => names.digest(digest)),
        ...[record, changed].map((one) => names.previousOf(one)),
      ],
      [
        id,
        versionText(expectedVersion),
        text,
        ...[keepsUse, keepsPreviousUse].map((keeps) => (keeps ? '1' : '0')),
        told,
        names.channel,
      ],
    );
    if (outcome === 'digest') throw new DuplicateKeyError('digest');
    return head === undefined ? undefined : recordOfText(head + text.slice(HEAD_LENGTH), id);
  }

  async list(query: ListQuery): Promise<KeyPage> {
    const records: KeyRecord[] = [];
    let { cursor } = query;
    for (let looks = 0; looks < SCRIPTS_PER_PAGE; looks += 1) {
      const count = hasConditions(query)
        ? RECORDS_PER_SCRIPT
        : Math.min(RECORDS_PER_SCRIPT, query.limit + 1 - records.length);
      const some = await this.#someRecords(query, cursor, count);
      for (const record of some) {
        cursor = record.id;
        if (!fits(record, query)) continue;
        const last = records.at(-1);
        if (records.length === query.limit && last !== undefined) return { records, nextCursor: last.id };
        records.push(record);
      }
      if (some.length < count) return { records };
    }
    return cursor === undefined ? { records } : { records, nextCursor: cursor };
  }

  async delete(id: string): Promise<boolean> {
    for (let attempt = 0; attempt < DELETE_ATTEMPTS; attempt += 1) {
      const record = await this.findById(id);
      if (record === undefined) return false;
      const names = this.#names;
      const [outcome] = await this.#change(
        DELETE,
        [
          names.record(id),
          names.log,
          names.digest(record.digest),
          names.previousOf(record),
          ...names.indexes(record),
        ],
        // Above every version that may still be read somewhere.
        [id, versionText(record.version), changeText(id, record.version + 1, true), names.channel],
      );
      if (outcome !== 'changed') return outcome === 'ok';
    }
    throw new Error('RedisKeyStore: the record changed whenever it was to be deleted');
  }

  async recordUse(uses: readonly KeyUse[]): Promise<void> {
    const latest = latestUses(uses);
    for (let start = 0; start < latest.length; start += RECORDS_PER_SCRIPT) {
      const [first, ...rest] = latest.slice(start, start + RECORDS_PER_SCRIPT);
      if (first === undefined) return;
      const names = rest.map(({ id }) => this.#names.record(id));
      const times = [first, ...rest].flatMap(({ current, previous }) => [current, previous]);
      await this.#run(RECORD_USE, [this.#names.record(first.id), ...names], times);
    }
  }

  async watch(onChange: (change: KeyChanged) => void): Promise<() => Promise<void>> {
    const end = await watchLog({
      start: () => this.#change(WATCH, [this.#names.log], []),
      news: (from, limit) => this.#change(NEWS, [this.#names.log], [from, String(limit)]),
      bus: this.#bus,
      onChange,
    });
    const stop = async (): Promise<void> => {
      if (this.#watches.delete(stop)) await end();
    };
    this.#watches.add(stop);
    return stop;
  }

  /** Ends the watches; the clients stay open. */
  async close(): Promise<void> {
    await Promise.all([...this.#watches].map((stop) => stop()));
  }

  async #someRecords(
    query: ListQuery,
    cursor: string | undefined,
    count: number,
  ): Promise<readonly KeyRecord[]> {
    const start = query.order === 'newest' ? '+' : '-';
    const from = cursor === undefined ? start : `(${cursor}`;
    const names: ScriptNames = [this.#names.record(''), this.#names.narrowestIndex(query)];
    const [, ...texts] = await this.#run(PAGE, names, [query.order, from, String(count)]);
    return texts.map((text) => recordOfText(text));
  }

  /** A change, or what must not believe a server that has changed: asks the server all. */
  #change(script: RedisScript, names: ScriptNames, values: readonly string[]): Promise<ScriptAnswer> {
    return this.#server.run(script, names, values, { inspect: true });
  }

  #run(script: RedisScript, names: ScriptNames, values: readonly string[] = []): Promise<ScriptAnswer> {
    return this.#server.run(script, names, values);
  }
}

/** Whether records must be looked at, because no index alone answers it. */
function hasConditions({ limit: _, order: __, cursor: ___, ...conditions }: ListQuery): boolean {
  const given = Object.values(conditions).filter((value) => value !== undefined).length;
  const isByIndex = conditions.ownerId !== undefined || conditions.organizationId !== undefined;
  return given > (isByIndex ? 1 : 0);
}

interface LatestUse {
  readonly id: string;
  current: string;
  previous: string;
}

function latestUses(uses: readonly KeyUse[]): readonly LatestUse[] {
  const latest = new Map<string, LatestUse>();
  const inOrder = [...uses].sort((one, other) => one.at.getTime() - other.at.getTime());
  for (const { id, at, previous } of inOrder) {
    const use = latest.get(id) ?? { id, current: '', previous: '' };
    use[previous ? 'previous' : 'current'] = timeText(at);
    latest.set(id, use);
  }
  return [...latest.values()];
}
