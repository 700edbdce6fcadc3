import { timeOf } from '../keys/fields.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import { expectSame, expectStored } from './expectations.ts';
import { buildFullRecord, digestOf, idOf, moment } from './sample-records.ts';
import { type CaseDraft, storeCase } from './store-case.ts';

/** Changes whatever can be changed, down to the bottom; frozen objects stay, but no `Date` is ever frozen. */
function vandalise(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (timeOf(value) !== undefined) Date.prototype.setTime.call(value, 1);
  else if (Array.isArray(value)) Reflect.set(value, value.length, 'all:write');
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === 'object') vandalise(member);
    else Reflect.set(value, name, typeof member === 'boolean' ? !member : 'vandalised');
  }
}

/** As a caller would write it: nothing in it is frozen. */
function buildLooseRecord(): KeyRecord {
  const thaw = (value: unknown): unknown => {
    const time = timeOf(value);
    if (time !== undefined) return new Date(time);
    if (Array.isArray(value)) return value.map(thaw);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, thaw(member)]));
  };
  return thaw(buildFullRecord(1)) as KeyRecord;
}

/** The same, frozen to the bottom. */
function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}

export const isolationCases: readonly CaseDraft[] = [
  storeCase('isolation: changing a record after insert changes nothing in the store', async (store) => {
    const given = buildLooseRecord();
    await store.insert(given);
    vandalise(given);
    await expectStored(store, buildFullRecord(1));
    expectSame('findByDigest()', await store.findByDigest([digestOf('key 1')]), buildFullRecord(1));
  }),

  storeCase('isolation: changing a change after update changes nothing in the store', async (store) => {
    await store.insert(buildFullRecord(1));
    const previous = { digest: digestOf('key 1'), expiresAt: moment(90) };
    const given = {
      digest: digestOf('new'),
      previous,
      expiresAt: moment(5),
      scopes: ['a'],
      metadata: { a: [1] },
    };
    await store.update(idOf(1), { ...given, narrows: false }, 7);
    vandalise(given);
    const changed = {
      digest: digestOf('new'),
      previous: { digest: digestOf('key 1'), expiresAt: moment(90) },
      expiresAt: moment(5),
      scopes: ['a'],
      metadata: { a: [1] },
      version: 8,
    };
    await expectStored(store, { ...buildFullRecord(1), ...changed });
  }),

  storeCase('isolation: changing what findById gave changes nothing in the store', async (store) => {
    await store.insert(buildFullRecord(1));
    vandalise(await store.findById(idOf(1)));
    await expectStored(store, buildFullRecord(1));
  }),

  storeCase('isolation: changing what findByDigest gave changes nothing in the store', async (store) => {
    await store.insert(buildFullRecord(1));
    vandalise(await store.findByDigest([digestOf('key 1')]));
    expectSame('findByDigest()', await store.findByDigest([digestOf('key 1')]), buildFullRecord(1));
    await expectStored(store, buildFullRecord(1));
  }),

  storeCase('isolation: changing what update gave changes nothing in the store', async (store) => {
    await store.insert(buildFullRecord(1));
    vandalise(await store.update(idOf(1), { name: 'new', narrows: false }, 7));
    await expectStored(store, { ...buildFullRecord(1), name: 'new', version: 8 });
  }),

  storeCase('isolation: changing what list gave changes nothing in the store', async (store) => {
    await store.insert(buildFullRecord(1));
    vandalise((await store.list({ limit: 5, order: 'newest' })).records);
    const { records } = await store.list({ limit: 5, order: 'newest' });
    expectSame('list()', records, [buildFullRecord(1)]);
    await expectStored(store, buildFullRecord(1));
  }),

  storeCase('isolation: what is given may be frozen, and is not written to', async (store) => {
    const record = freeze(buildLooseRecord());
    await store.insert(record);
    const scopes = freeze(['a']);
    await store.update(record.id, Object.freeze({ scopes, narrows: true }), 7);
    await expectStored(store, { ...buildFullRecord(1), scopes: ['a'], version: 8 });
    const loose = buildLooseRecord();
    const second = {
      ...loose,
      id: idOf(2),
      digest: digestOf('key 2'),
      previous: undefined,
    } as object as KeyRecord;
    const before = structuredClone(second);
    await store.insert(second);
    expectSame('the record that was given', second, before);
  }),
];
