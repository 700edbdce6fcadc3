import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type KeyChange,
  type KeyRecord,
  type KeyStore,
  type ListQuery,
  MemoryKeyStore,
} from '../../lib/index.ts';
import type { OpenedStore } from '../../lib/testing/key-store-cases.ts';

const ALL: ListQuery = { limit: Number.MAX_SAFE_INTEGER - 1, order: 'oldest' };

/** A right store that has all abilities, and can be read and written past its own contract. */
export class RightStore extends MemoryKeyStore {
  #edited: Promise<void> = Promise.resolve();

  async close(): Promise<void> {}

  async insertMany(records: readonly KeyRecord[]): Promise<readonly string[]> {
    const inserted: string[] = [];
    for (const record of records) {
      const isNew = await this.insert(record).then(
        () => true,
        () => false,
      );
      if (isNew) inserted.push(record.id);
    }
    return inserted;
  }

  async findMany(ids: readonly string[]): Promise<readonly KeyRecord[]> {
    return (await this.all()).filter(({ id }) => ids.includes(id));
  }

  async all(): Promise<readonly KeyRecord[]> {
    return (await this.list(ALL)).records;
  }

  /** Changes a record in a way that no update could. */
  edit(id: string, members: Partial<KeyRecord>): Promise<void> {
    this.#edited = this.#edited.then(() => this.#replace(id, members));
    return this.#edited;
  }

  async #replace(id: string, members: Partial<KeyRecord>): Promise<void> {
    const record = await this.findById(id);
    if (record === undefined) return;
    await this.delete(id);
    await this.insert({ ...record, ...members });
  }
}

/** What a store does otherwise than the right one below it. Made anew for each client. */
export type Break = (right: RightStore) => Partial<KeyStore>;

export interface Breakage {
  /** What the store does wrong. */
  readonly wrong: string;
  readonly with: Break;
  /** The error of its own that it throws where it should not; else a case has to find it out. */
  readonly throws?: string;
  /** The cases that must notice. */
  readonly noticedBy: readonly string[];
}

export function openBroken(breakIt: Break): OpenedStore {
  const right = new RightStore();
  const open = (): KeyStore => ({ ...delegate(right), ...breakIt(right) });
  return { store: open(), reopen: open };
}

export function openRight(): OpenedStore {
  return openBroken(() => ({}));
}

export function delegate(store: RightStore): Required<KeyStore> {
  return {
    findByDigest: (digests) => store.findByDigest(digests),
    findById: (id) => store.findById(id),
    insert: (record) => store.insert(record),
    insertMany: (records) => store.insertMany(records),
    findMany: (ids) => store.findMany(ids),
    update: (id, change, version) => store.update(id, change, version),
    list: (query) => store.list(query),
    delete: (id) => store.delete(id),
    recordUse: (uses) => store.recordUse(uses),
    watch: (onChange) => store.watch(onChange),
    close: () => store.close(),
  };
}

/** Every record that the store answers with is another one. */
export function answering(change: (record: KeyRecord) => object): Break {
  const one = async (answer: Promise<KeyRecord | undefined>): Promise<KeyRecord | undefined> => {
    const record = await answer;
    return record && (change(record) as KeyRecord);
  };
  return (right) => ({
    findById: (id) => one(right.findById(id)),
    findByDigest: (digests) => one(right.findByDigest(digests)),
    update: (id, it, version) => one(right.update(id, it, version)),
    list: async (query) => {
      const page = await right.list(query);
      return { ...page, records: page.records.map((record) => change(record) as KeyRecord) };
    },
  });
}

/** Every time in a record is another one. */
export function timing(change: (time: number) => number | undefined): Break {
  const shift = (value: unknown): unknown => {
    if (Object.prototype.toString.call(value) !== '[object Date]') return value;
    const time = change((value as Date).getTime());
    return time === undefined ? undefined : new Date(time);
  };
  const shiftAll = (members: object): object =>
    Object.fromEntries(Object.entries(members).map(([name, value]) => [name, shift(value)]));
  return answering(({ previous, ...members }) => ({
    ...shiftAll(members),
    ...(previous === undefined ? {} : { previous: shiftAll(previous) }),
  }));
}

/** Every update is made with another change. */
export function changing(
  change: (given: KeyChange, record: KeyRecord | undefined) => KeyChange | Promise<KeyChange>,
): Break {
  return (right) => ({
    update: async (id, given, version) =>
      right.update(id, await change(given, await right.findById(id)), version),
  });
}

/** Every question to `list` is another one. */
export function asking(change: (query: ListQuery) => object): Break {
  return (right) => ({ list: (query) => right.list(change(query) as ListQuery) });
}

/** `list` by other conditions, or in another order, than the right ones. */
export function listing(
  fits: (record: KeyRecord, query: ListQuery) => boolean,
  compare: (one: KeyRecord, other: KeyRecord) => number = byId,
): Break {
  return (right) => ({
    list: async (query) => {
      const { limit, order, cursor } = query;
      const ordered = (await right.all()).toSorted(compare);
      if (order === 'newest') ordered.reverse();
      const after = ordered.slice(ordered.findIndex(({ id }) => id === cursor) + 1);
      const found = after.filter((record) => fits(record, query));
      const records = found.slice(0, limit);
      const last = records.at(-1);
      return found.length > limit && last !== undefined ? { records, nextCursor: last.id } : { records };
    },
  });
}

export function byId(one: KeyRecord, other: KeyRecord): number {
  return one.id < other.id ? -1 : 1;
}

/** Ids, digests, organizations and owners are looked up by another comparison than that of their bytes. */
export function comparing(same: (stored: string, asked: string) => boolean): Break {
  return (right) => {
    const digestsOf = ({ digest, previous }: KeyRecord): readonly string[] =>
      previous === undefined ? [digest] : [digest, previous.digest];
    const findById = async (id: string): Promise<KeyRecord | undefined> =>
      (await right.all()).find((record) => same(record.id, id));
    return {
      findById,
      findByDigest: async (digests) =>
        (await right.all()).find((record) =>
          digestsOf(record).some((stored) => digests.some((asked) => same(stored, asked))),
        ),
      update: async (id, change, version) => right.update((await findById(id))?.id ?? id, change, version),
      ...listing(
        ({ organization, owner }, { organizationId, ownerId }) =>
          (organizationId === undefined || same(organization.id, organizationId)) &&
          (ownerId === undefined || same(owner.id, ownerId)),
      )(right),
    };
  };
}

/** Does the same as the right store, and then touches every record that it has no business with. */
export async function meddle(right: RightStore, ownId?: string): Promise<void> {
  for (const { id, version } of await right.all())
    if (id !== ownId) await right.update(id, { name: 'touched', narrows: false }, version);
}

/** Lets others have their turn, as a store does that waits for an answer. */
export async function pause(turns = 1): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await nextTurn();
}

export async function throwsDuplicate(call: () => unknown): Promise<boolean> {
  try {
    await call();
    return false;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'duplicate_key') return true;
    throw error;
  }
}
