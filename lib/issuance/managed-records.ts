import { DuplicateKeyError } from '../errors.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import { answeredRecord, faultOf, WrongAnswerError, wrongRecord } from '../stores/fault.ts';
import type { StoreCall, StoreCaller } from '../stores/guarded-store.ts';
import type { KeyChange, KeyLookup, KeyPage, KeyStore, ListQuery } from '../stores/key-store.ts';
import { inGroups } from './in-groups.ts';

/** The store as management uses it: every call guarded, every record that comes back checked. */
export interface ManagedRecords {
  find(id: string): Promise<KeyRecord | undefined>;
  /** Those of these ids that there are, by id. */
  findMany(ids: readonly string[]): Promise<ReadonlyMap<string, KeyRecord>>;
  insert(record: KeyRecord): Promise<void>;
  /** Inserts those whose id and digest are free, and answers the ids of exactly those; no two may share one. */
  insertMany(records: readonly KeyRecord[]): Promise<ReadonlySet<string>>;
  update(
    id: string,
    change: KeyChange,
    expectedVersion: number,
    onLate: () => void,
  ): Promise<KeyRecord | undefined>;
  list(query: ListQuery): Promise<KeyPage>;
  delete(id: string, onLate: (outcome: { readonly value: boolean } | undefined) => void): Promise<boolean>;
}

type ManagementMethod = 'findById' | 'insert' | 'update' | 'list' | 'delete';

/** The calls reject with a TypeError that names the method where the store can only look up. */
export function createManagedRecords(store: KeyLookup | KeyStore, caller: StoreCaller): ManagedRecords {
  function able(method: ManagementMethod): Required<KeyStore> {
    if (typeof (store as Partial<KeyStore>)[method] === 'function') return store as Required<KeyStore>;
    throw new TypeError(
      `This call needs a key store with ${method}(), and the one in use has none; see KeyStore.`,
    );
  }

  async function ask<Answer, T>(call: StoreCall<Answer>, read: (answer: Answer) => T): Promise<T> {
    try {
      return read(await caller.call(call));
    } catch (error) {
      throw error instanceof WrongAnswerError ? faultOf(error).error : error;
    }
  }

  async function find(id: string): Promise<KeyRecord | undefined> {
    const keyStore = able('findById');
    const operation = 'findById';
    return ask({ operation, run: () => keyStore.findById(id) }, (answer) => {
      const record = answeredRecord(operation, answer);
      if (record !== undefined && record.id !== id) throw wrongRecord(operation, 'it has another id');
      return record;
    });
  }

  async function insert(record: KeyRecord): Promise<void> {
    const keyStore = able('insert');
    const secrets = [record.digest];
    await caller.call({ operation: 'insert', secrets, run: () => keyStore.insert(record) });
  }

  async function wasInserted(record: KeyRecord): Promise<boolean> {
    try {
      await insert(record);
      return true;
    } catch (error) {
      if (error instanceof DuplicateKeyError) return false;
      throw error;
    }
  }

  return {
    find,

    async findMany(ids) {
      const keyStore = able('findById') as KeyStore;
      const { findMany } = keyStore;
      const records =
        findMany === undefined
          ? await inGroups(ids, find)
          : await ask({ operation: 'findMany', run: () => findMany.call(keyStore, ids) }, readMany);
      return new Map(records.flatMap((record) => (record === undefined ? [] : [[record.id, record]])));
    },

    insert,

    async insertMany(many) {
      const keyStore = able('insert') as KeyStore;
      const { insertMany } = keyStore;
      if (insertMany === undefined) {
        const outcomes = await inGroups(many, wasInserted);
        return new Set(many.filter((_, index) => outcomes[index]).map(({ id }) => id));
      }
      const operation = 'insertMany';
      const secrets = many.map(({ digest }) => digest);
      return ask({ operation, secrets, run: () => insertMany.call(keyStore, many) }, (ids) => {
        if (Array.isArray(ids)) return new Set(ids);
        throw new WrongAnswerError('insertMany() answered with no array of ids.');
      });
    },

    async update(id, change, expectedVersion, onLate) {
      const keyStore = able('update');
      const operation = 'update';
      const secrets = change.digest === undefined ? [] : [change.digest];
      const run = () => keyStore.update(id, change, expectedVersion);
      return ask({ operation, secrets, run, onLate }, (answer) => {
        const record = answeredRecord(operation, answer);
        if (record === undefined || (record.id === id && record.version === expectedVersion + 1))
          return record;
        throw wrongRecord(operation, 'it is not the one that was changed');
      });
    },

    async list(query) {
      const keyStore = able('list');
      return ask({ operation: 'list', run: () => keyStore.list(query) }, (page) => readPage(page, query));
    },

    async delete(id, onLate) {
      const keyStore = able('delete');
      return ask(
        { operation: 'delete', run: () => keyStore.delete(id), onLate },
        (deleted) => deleted === true,
      );
    },
  };
}

function readMany(answer: readonly KeyRecord[]): readonly (KeyRecord | undefined)[] {
  if (Array.isArray(answer)) return answer.map((one) => answeredRecord('findMany', one));
  throw new WrongAnswerError('findMany() answered with no array of records.');
}

function readPage(page: KeyPage, query: ListQuery): KeyPage {
  if (!Array.isArray(page?.records)) throw wrongRecord('list', 'it has no array of records');
  const records = page.records.map((one) => {
    const record = answeredRecord('list', one);
    if (record === undefined) throw wrongRecord('list', 'there is a gap in the page');
    if (!belongs(record, query)) throw wrongRecord('list', 'it has another owner than was asked for');
    return record;
  });
  return typeof page.nextCursor === 'string' ? { records, nextCursor: page.nextCursor } : { records };
}

/** Connections do hand over the answer to another question, and a page of it may be revoked as a whole. */
function belongs(
  { organization, owner }: KeyRecord,
  { organizationId, ownerId, ownerType }: ListQuery,
): boolean {
  return (
    (organizationId === undefined || organization.id === organizationId) &&
    (ownerId === undefined || owner.id === ownerId) &&
    (ownerType === undefined || owner.type === ownerType)
  );
}
