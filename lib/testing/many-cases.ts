import { expectSame, expectStored, listAll } from './expectations.ts';
import { buildFullRecord, buildRecord, digestOf, idOf, numbersTo } from './sample-records.ts';
import { ableCase, type CaseDraft } from './store-case.ts';

/** As many as an import sends at once. */
const MOST = 200;

/** Of `findMany` and `insertMany`, by which an import goes faster. */
export const manyCases: readonly CaseDraft[] = [
  ableCase(
    ['insertMany'],
    'insertMany: inserts them all as they are, and answers their ids',
    async (store) => {
      const records = [buildFullRecord(1), buildRecord(2)];
      const ids = await store.insertMany(records);
      expectSame('insertMany()', [...ids].sort(), [idOf(1), idOf(2)]);
      for (const record of records) await expectStored(store, record);
      expectSame('findByDigest()', await store.findByDigest([digestOf('key 2')]), buildRecord(2));
    },
  ),

  ableCase(
    ['insertMany'],
    'insertMany: passes over a taken id and a taken digest, and takes the rest',
    async (store) => {
      for (const number of [1, 2]) await store.insert(buildRecord(number));
      const taken = [buildRecord(3, { id: idOf(1) }), buildRecord(4, { digest: digestOf('key 2') })];
      expectSame('insertMany()', await store.insertMany([...taken, buildRecord(5)]), [idOf(5)]);
      expectSame('list()', await listAll(store), [buildRecord(1), buildRecord(2), buildRecord(5)]);
    },
  ),

  ableCase(['insertMany'], 'insertMany: the second time inserts nothing', async (store) => {
    const records = numbersTo(3).map((number) => buildRecord(number));
    await store.insertMany(records);
    expectSame('insertMany()', await store.insertMany(records), []);
    expectSame('list()', await listAll(store), records);
  }),

  ableCase(['insertMany'], `insertMany: takes ${MOST}`, async (store) => {
    const records = numbersTo(MOST).map((number) => buildRecord(number));
    expectSame('the number of insertMany()', (await store.insertMany(records)).length, MOST);
    expectSame('the number in list()', (await listAll(store)).length, MOST);
  }),

  ableCase(['findMany'], 'findMany: the records that have these ids, whole, and no others', async (store) => {
    const records = [buildFullRecord(1), buildRecord(2), buildRecord(3)];
    for (const record of records) await store.insert(record);
    const found = await store.findMany([idOf(3), idOf(1), idOf(9)]);
    const inOrder = [...found].sort((one, other) => (one.id < other.id ? -1 : 1));
    expectSame('findMany()', inOrder, [buildFullRecord(1), buildRecord(3)]);
  }),
];
