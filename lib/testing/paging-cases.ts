import type { KeyRecord } from '../keys/key-record.ts';
import type { KeyStore } from '../stores/key-store.ts';
import { expectSame, listAll } from './expectations.ts';
import { buildRecord, buildUse, idOf, moment, numberOf, numbersTo } from './sample-records.ts';
import { ableCase, type CaseDraft, storeCase } from './store-case.ts';

/** Not in the order of their ids, which is not the order in which they come back. */
async function insertShuffled(store: KeyStore, numbers: readonly number[]): Promise<void> {
  const place = (number: number): number => (number * 7) % 11;
  for (const number of numbers.toSorted((one, other) => place(one) - place(other)))
    await store.insert(buildRecord(number));
}

function numbersOf(records: readonly KeyRecord[]): readonly number[] {
  return records.map(({ id }) => numberOf(id));
}

/** The numbers of some records, out of all that came, in the order in which they came. */
function among(records: readonly KeyRecord[], numbers: readonly number[]): readonly number[] {
  return numbersOf(records).filter((number) => numbers.includes(number));
}

const EVEN = [2, 4, 6, 8, 10, 12, 14, 16, 18, 20];

export const pagingCases: readonly CaseDraft[] = [
  storeCase('list: an empty page and no cursor in an empty store', async (store) => {
    expectSame('list()', await store.list({ limit: 10, order: 'newest' }), { records: [] });
  }),

  storeCase('list: oldest is by ascending id', async (store) => {
    await insertShuffled(store, numbersTo(10));
    const { records } = await store.list({ limit: 10, order: 'oldest' });
    expectSame('order', numbersOf(records), numbersTo(10));
  }),

  storeCase('list: newest is by descending id', async (store) => {
    await insertShuffled(store, numbersTo(10));
    const { records } = await store.list({ limit: 10, order: 'newest' });
    expectSame('order', numbersOf(records), numbersTo(10).toReversed());
  }),

  storeCase('list: a page holds no more than its limit', async (store) => {
    await insertShuffled(store, numbersTo(5));
    for (const limit of [1, 2, 4]) {
      const { records } = await store.list({ limit, order: 'oldest' });
      expectSame(`at most ${limit}`, records.length <= limit, true);
    }
  }),

  storeCase('list: the cursor is the last id of a page, and absent on the last page', async (store) => {
    await insertShuffled(store, numbersTo(3));
    const first = await store.list({ limit: 2, order: 'oldest' });
    expectSame('the first cursor', first.nextCursor, first.records.at(-1)?.id);
    const all = await store.list({ limit: 50, order: 'oldest' });
    expectSame('the last cursor', all.nextCursor, undefined);
  }),

  storeCase('list: a full page that is the last has no cursor', async (store) => {
    await insertShuffled(store, numbersTo(6));
    const { nextCursor } = await store.list({ limit: 6, order: 'newest' });
    expectSame('the cursor of the only page', nextCursor, undefined);
    const last = await store.list({ limit: 3, order: 'oldest', cursor: idOf(3) });
    expectSame('the cursor of the second page', last.nextCursor, undefined);
  }),

  ...(['oldest', 'newest'] as const).map((order) =>
    storeCase(`list: pages give every record once, ${order} first`, async (store) => {
      await insertShuffled(store, numbersTo(20));
      const expected = order === 'oldest' ? numbersTo(20) : numbersTo(20).toReversed();
      for (const limit of [1, 3, 5, 19, 20, 21]) {
        expectSame(`by ${limit}`, numbersOf(await listAll(store, { limit, order })), expected);
      }
    }),
  ),

  storeCase('list: goes on after an id that no record has', async (store) => {
    await insertShuffled(store, EVEN);
    const after = await listAll(store, { order: 'oldest', cursor: idOf(7) });
    expectSame('oldest first', numbersOf(after), [8, 10, 12, 14, 16, 18, 20]);
    const before = await store.list({ limit: 50, order: 'newest', cursor: idOf(7) });
    expectSame('newest first', numbersOf(before.records), [6, 4, 2]);
  }),

  storeCase('list: an empty page after the last id', async (store) => {
    await insertShuffled(store, numbersTo(3));
    const after = await store.list({ limit: 2, order: 'oldest', cursor: idOf(3) });
    expectSame('oldest first', after, { records: [] });
    const before = await store.list({ limit: 2, order: 'newest', cursor: idOf(1) });
    expectSame('newest first', before, { records: [] });
  }),

  storeCase('list: gives whole records, as findById does', async (store) => {
    await insertShuffled(store, numbersTo(3));
    const { records } = await store.list({ limit: 3, order: 'oldest' });
    expectSame(
      'list()',
      records,
      numbersTo(3).map((number) => buildRecord(number)),
    );
  }),

  // The largest page that management asks for.
  storeCase('list: gives 500 records in one page', async (store) => {
    for (const number of numbersTo(500)) await store.insert(buildRecord(number));
    const page = await store.list({ limit: 500, order: 'oldest' });
    expectSame('list()', numbersOf(page.records), numbersTo(500));
    expectSame('the cursor', page.nextCursor, undefined);
  }),

  storeCase(
    'list: records that come meanwhile push none out of the pages, and none in twice',
    async (store) => {
      await insertShuffled(store, EVEN);
      const seen = await listAll(store, { limit: 3, order: 'oldest' }, async (page) => {
        if (page < 4) for (const number of [page, page + 20]) await store.insert(buildRecord(number * 2 - 1));
      });
      expectSame('those that were there', among(seen, EVEN), EVEN);
      expectSame('how often each came', new Set(numbersOf(seen)).size, seen.length);
    },
  ),

  ableCase(['delete'], 'list: goes on after a record that was deleted', async (store) => {
    await insertShuffled(store, numbersTo(6));
    const { nextCursor = '' } = await store.list({ limit: 3, order: 'oldest' });
    await store.delete(nextCursor);
    const { records } = await store.list({ limit: 3, order: 'oldest', cursor: nextCursor });
    expectSame('list()', numbersOf(records), [4, 5, 6]);
  }),

  ableCase(
    ['delete'],
    'list: of records that go meanwhile, those that stay come once each',
    async (store) => {
      await insertShuffled(store, numbersTo(20));
      const seen = await listAll(store, { limit: 3, order: 'newest' }, async (page) => {
        // One that was seen already and one that was not, both odd.
        await store.delete(idOf(21 - 2 * page));
        await store.delete(idOf(2 * page - 1));
      });
      expectSame('those that stay', among(seen, EVEN), EVEN.toReversed());
      expectSame('how often each came', new Set(numbersOf(seen)).size, seen.length);
    },
  ),

  // By id and by nothing that changes, or a record would move between the pages.
  storeCase('list: changes meanwhile move no record between the pages', async (store) => {
    await insertShuffled(store, numbersTo(9));
    const seen = await listAll(store, { limit: 2, order: 'oldest' }, async (page) => {
      for (const number of [page, 10 - page]) {
        const version = (await store.findById(idOf(number)))?.version ?? 0;
        const changed = { name: `Changed ${page}`, updatedAt: moment(page), narrows: false };
        await store.update(idOf(number), changed, version);
        await store.recordUse?.([buildUse(number, page)]);
      }
    });
    expectSame('list()', numbersOf(seen), numbersTo(9));
  }),
];
