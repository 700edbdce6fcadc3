import { expectNothing, expectSame, expectStored, listAll } from './expectations.ts';
import {
  buildFullRecord,
  buildRecord,
  buildRotatedRecord,
  digestOf,
  idOf,
  numbersTo,
} from './sample-records.ts';
import { ableCase, type CaseDraft } from './store-case.ts';

export const deleteCases: readonly CaseDraft[] = [
  ableCase(['delete'], 'delete: a record is found by nothing any more', async (store) => {
    await store.insert(buildRotatedRecord(1));
    await store.delete(idOf(1));
    expectNothing('findById()', await store.findById(idOf(1)));
    expectNothing('by its digest', await store.findByDigest([digestOf('key 1')]));
    expectNothing('by its previous digest', await store.findByDigest([digestOf('old key 1')]));
    expectSame('list()', await listAll(store), []);
  }),

  ableCase(['delete'], 'delete: true where there was a record, and false the second time', async (store) => {
    await store.insert(buildFullRecord(1));
    expectSame('the first delete()', await store.delete(idOf(1)), true);
    expectSame('the second delete()', await store.delete(idOf(1)), false);
  }),

  ableCase(['delete'], 'delete: false for an id that no record has', async (store) => {
    await store.insert(buildRecord(1));
    expectSame('delete()', await store.delete(idOf(2)), false);
    await expectStored(store, buildRecord(1));
  }),

  ableCase(['delete'], 'delete: leaves all other records alone', async (store) => {
    for (const number of numbersTo(3)) await store.insert(buildRecord(number));
    await store.delete(idOf(2));
    expectSame('list()', await listAll(store), [buildRecord(1), buildRecord(3)]);
  }),

  ableCase(['delete'], 'delete: the digests are free for another record', async (store) => {
    await store.insert(buildRotatedRecord(1));
    await store.delete(idOf(1));
    const next = { ...buildRotatedRecord(1), id: idOf(2) };
    await store.insert(next);
    expectSame('by the digest', await store.findByDigest([next.digest]), next);
    expectSame('by the previous digest', await store.findByDigest([next.previous.digest]), next);
  }),

  ableCase(['delete'], 'delete: a later update finds nothing, and makes nothing', async (store) => {
    await store.insert(buildRecord(1));
    await store.delete(idOf(1));
    expectNothing('update()', await store.update(idOf(1), { name: 'new', narrows: false }, 1));
    expectSame('list()', await listAll(store), []);
  }),

  ableCase(['delete', 'recordUse'], 'delete: a later recordUse makes nothing', async (store) => {
    await store.insert(buildRecord(1));
    await store.delete(idOf(1));
    await store.recordUse([{ id: idOf(1), at: buildRecord(1).createdAt, previous: false }]);
    expectNothing('findById()', await store.findById(idOf(1)));
  }),
];
