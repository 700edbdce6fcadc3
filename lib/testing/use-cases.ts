import { expectNothing, expectSame, expectStored, listAll } from './expectations.ts';
import {
  buildFullRecord,
  buildRecord,
  buildRotatedRecord,
  buildUse,
  digestOf,
  idOf,
  moment,
  numbersTo,
} from './sample-records.ts';
import { ableCase, type CaseDraft } from './store-case.ts';

const NEEDS = ['recordUse'] as const;

export const useCases: readonly CaseDraft[] = [
  ableCase(NEEDS, 'recordUse: sets last-used, and nothing else', async (store) => {
    await store.insert(buildRotatedRecord(1));
    await store.recordUse([buildUse(1, 5)]);
    await expectStored(store, buildRotatedRecord(1, { lastUsedAt: moment(5) }));
  }),

  ableCase(NEEDS, 'recordUse: moves last-used forward', async (store) => {
    await store.insert(buildRecord(1, { lastUsedAt: moment(5) }));
    await store.recordUse([buildUse(1, 6)]);
    await expectStored(store, buildRecord(1, { lastUsedAt: moment(6) }));
  }),

  // Many processes write, each with what it saw.
  ableCase(NEEDS, 'recordUse: never moves last-used back', async (store) => {
    await store.insert(buildRecord(1, { lastUsedAt: moment(5) }));
    await store.recordUse([buildUse(1, 4)]);
    await expectStored(store, buildRecord(1, { lastUsedAt: moment(5) }));
  }),

  ableCase(NEEDS, 'recordUse: leaves the version and updatedAt alone', async (store) => {
    await store.insert(buildRotatedRecord(1, { version: 3 }));
    await store.recordUse([buildUse(1, 5), buildUse(1, 6, true)]);
    const { version, updatedAt } = (await store.findById(idOf(1))) ?? {};
    expectSame('the record', { version, updatedAt }, { version: 3, updatedAt: moment(0) });
  }),

  ableCase(NEEDS, 'recordUse: does not come in the way of an update', async (store) => {
    await store.insert(buildRecord(1));
    await store.recordUse([buildUse(1, 5)]);
    const answer = await store.update(idOf(1), { name: 'new', narrows: false }, 1);
    expectSame('update()', answer, buildRecord(1, { name: 'new', version: 2, lastUsedAt: moment(5) }));
  }),

  ableCase(NEEDS, 'recordUse: of an old key sets the last-used of that one only', async (store) => {
    const record = buildRotatedRecord(1, { lastUsedAt: moment(3) });
    await store.insert(record);
    await store.recordUse([buildUse(1, 5, true)]);
    await expectStored(store, { ...record, previous: { ...record.previous, lastUsedAt: moment(5) } });
  }),

  ableCase(NEEDS, 'recordUse: of an old key never moves back', async (store) => {
    const previous = { digest: digestOf('old key 1'), expiresAt: moment(60), lastUsedAt: moment(5) };
    await store.insert(buildRecord(1, { previous }));
    await store.recordUse([buildUse(1, 4, true)]);
    await expectStored(store, buildRecord(1, { previous }));
    await store.recordUse([buildUse(1, 6, true)]);
    await expectStored(store, buildRecord(1, { previous: { ...previous, lastUsedAt: moment(6) } }));
  }),

  ableCase(NEEDS, 'recordUse: of an old key that there is not leaves no trace', async (store) => {
    await store.insert(buildRecord(1));
    await store.recordUse([buildUse(1, 5, true)]);
    await expectStored(store, buildRecord(1));
  }),

  // What a column remembers of an old key that is gone would be taken for the next one's.
  ableCase(NEEDS, 'recordUse: of an old key that there is not is not seen at the next one', async (store) => {
    await store.insert(buildRecord(1));
    await store.recordUse([buildUse(1, 5, true)]);
    const previous = { digest: digestOf('key 1'), expiresAt: moment(60) };
    await store.update(idOf(1), { digest: digestOf('second'), previous, narrows: false }, 1);
    await expectStored(store, buildRecord(1, { digest: digestOf('second'), previous, version: 2 }));
  }),

  ableCase(NEEDS, 'recordUse: passes over revoked records', async (store) => {
    await store.insert(buildFullRecord(1));
    await store.recordUse([buildUse(1, 2_000), buildUse(1, 2_000, true)]);
    await expectStored(store, buildFullRecord(1));
  }),

  ableCase(NEEDS, 'recordUse: does not pass over disabled and expired records', async (store) => {
    await store.insert(buildRecord(1, { enabled: false, expiresAt: moment(1) }));
    await store.recordUse([buildUse(1, 5)]);
    expectSame('lastUsedAt', (await store.findById(idOf(1)))?.lastUsedAt, moment(5));
  }),

  ableCase(NEEDS, 'recordUse: passes over ids that no record has, and makes none', async (store) => {
    await store.insert(buildRecord(1));
    await store.recordUse([buildUse(2, 5)]);
    expectSame('list()', await listAll(store), [buildRecord(1)]);
  }),

  ableCase(NEEDS, 'recordUse: what is passed over does not keep back the rest', async (store) => {
    await store.insert(buildFullRecord(1));
    await store.insert(buildRecord(3));
    await store.recordUse([buildUse(1, 2_000), buildUse(2, 5), buildUse(3, 5)]);
    await expectStored(store, buildRecord(3, { lastUsedAt: moment(5) }));
  }),

  ableCase(NEEDS, 'recordUse: of several uses of one key the latest counts, in any order', async (store) => {
    await store.insert(buildRecord(1));
    await store.recordUse([buildUse(1, 5), buildUse(1, 9), buildUse(1, 7)]);
    await expectStored(store, buildRecord(1, { lastUsedAt: moment(9) }));
  }),

  ableCase(NEEDS, 'recordUse: takes current and old keys in one call', async (store) => {
    for (const number of numbersTo(2)) await store.insert(buildRotatedRecord(number));
    await store.recordUse([buildUse(1, 5, true), buildUse(2, 6), buildUse(1, 7), buildUse(2, 8, true)]);
    const expected = [
      { number: 1, current: 7, old: 5 },
      { number: 2, current: 6, old: 8 },
    ].map(({ number, current, old }) => {
      const record = buildRotatedRecord(number, { lastUsedAt: moment(current) });
      return { ...record, previous: { ...record.previous, lastUsedAt: moment(old) } };
    });
    expectSame('list()', await listAll(store), expected);
  }),

  ableCase(NEEDS, 'recordUse: takes many uses at once, each with its own time', async (store) => {
    const numbers = numbersTo(250);
    const minutes = (number: number): number => 1 + ((number * 37) % 101);
    for (const number of numbers) await store.insert(buildRecord(number));
    await store.recordUse(numbers.map((number) => buildUse(number, minutes(number))));
    const expected = numbers.map((number) => moment(minutes(number)));
    expectSame(
      'lastUsedAt',
      (await listAll(store)).map(({ lastUsedAt }) => lastUsedAt),
      expected,
    );
  }),

  ableCase(NEEDS, 'recordUse: does nothing with no uses', async (store) => {
    await store.insert(buildRecord(1));
    expectNothing('recordUse()', await store.recordUse([]));
    await expectStored(store, buildRecord(1));
  }),
];
