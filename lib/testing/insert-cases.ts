import type { KeyRecord } from '../keys/key-record.ts';
import { expectDuplicate, expectNothing, expectSame, expectStored, listAll } from './expectations.ts';
import {
  buildFullRecord,
  buildRecord,
  buildRotatedRecord,
  digestOf,
  idOf,
  moment,
  numbersTo,
} from './sample-records.ts';
import { type CaseDraft, storeCase } from './store-case.ts';

const OLD_DIGEST_OF_1 = { digest: digestOf('old key 1'), expiresAt: moment(90) };

export const insertCases: readonly CaseDraft[] = [
  storeCase('findById: nothing in an empty store', async (store) => {
    expectNothing('findById()', await store.findById(idOf(1)));
  }),

  storeCase('findById: nothing under an id that no record has', async (store) => {
    await store.insert(buildRecord(1));
    expectNothing('findById()', await store.findById(idOf(2)));
  }),

  storeCase('insert: a record with every member comes back as it was', async (store) => {
    await store.insert(buildFullRecord(1));
    await expectStored(store, buildFullRecord(1));
  }),

  storeCase('insert: what is absent stays absent', async (store) => {
    await store.insert(buildRecord(1));
    await expectStored(store, buildRecord(1));
  }),

  // `expiresAt: undefined` is how an object is written with a member left open.
  storeCase('insert: a member that is undefined is absent', async (store) => {
    const open = { expiresAt: undefined, previous: undefined, createdBy: undefined } as object;
    await store.insert({ ...buildRecord(1), ...open });
    await expectStored(store, buildRecord(1));
  }),

  storeCase('insert: keeps the version that is given', async (store) => {
    await store.insert(buildRecord(1, { version: 41 }));
    expectSame('version', (await store.findById(idOf(1)))?.version, 41);
  }),

  storeCase('insert: refuses an id that is taken, and keeps the record that has it', async (store) => {
    await store.insert(buildRecord(1));
    const second = buildRecord(2, { id: idOf(1) });
    await expectDuplicate('insert()', () => store.insert(second), ['id']);
    await expectStored(store, buildRecord(1));
  }),

  storeCase('insert: refuses a digest that is taken, and keeps the record that has it', async (store) => {
    await store.insert(buildRecord(1));
    const second = buildRecord(2, { digest: digestOf('key 1') });
    await expectDuplicate('insert()', () => store.insert(second), ['digest']);
    expectSame('findByDigest()', await store.findByDigest([digestOf('key 1')]), buildRecord(1));
  }),

  storeCase('insert: refuses a previous digest that is the previous one of another', async (store) => {
    await store.insert(buildRotatedRecord(1));
    const second = buildRecord(2, { previous: OLD_DIGEST_OF_1 });
    await expectDuplicate('insert()', () => store.insert(second), ['digest']);
    expectSame('findByDigest()', await store.findByDigest([digestOf('old key 1')]), buildRotatedRecord(1));
  }),

  storeCase('insert: refuses where id and digest are both taken', async (store) => {
    await store.insert(buildRecord(1));
    await expectDuplicate('insert()', () => store.insert(buildRecord(1, { name: 'new' })), ['id', 'digest']);
    await expectStored(store, buildRecord(1));
  }),

  // A revoked key is kept for audit, and must not be made anew under its old text.
  storeCase('insert: a revoked record still holds its digest', async (store) => {
    await store.insert(buildFullRecord(1));
    const second = buildRecord(2, { digest: digestOf('key 1') });
    await expectDuplicate('insert()', () => store.insert(second), ['digest']);
  }),

  storeCase('insert: one that is refused leaves nothing behind', async (store) => {
    await store.insert(buildRotatedRecord(1));
    const refused: readonly KeyRecord[] = [
      buildRecord(2, { digest: digestOf('key 1') }),
      buildRecord(3, { previous: OLD_DIGEST_OF_1 }),
      buildRecord(4, { id: idOf(1) }),
    ];
    for (const record of refused)
      await expectDuplicate('insert()', () => store.insert(record), ['id', 'digest']);
    for (const number of [2, 3]) expectNothing('findById()', await store.findById(idOf(number)));
    for (const text of ['key 3', 'key 4'])
      expectNothing('findByDigest()', await store.findByDigest([digestOf(text)]));
    expectSame('list()', await listAll(store), [buildRotatedRecord(1)]);
  }),

  // Some databases hold a second NULL for a duplicate.
  storeCase("insert: records without a previous key do not stand in each other's way", async (store) => {
    for (const number of numbersTo(3)) await store.insert(buildRecord(number));
    expectSame(
      'list()',
      await listAll(store),
      numbersTo(3).map((number) => buildRecord(number)),
    );
  }),
];
