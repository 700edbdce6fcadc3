import type { KeyRecord } from '../keys/key-record.ts';
import type { KeyStore } from '../stores/key-store.ts';
import { expectSame, listAll, outcomeOf } from './expectations.ts';
import {
  buildRecord,
  buildRotatedRecord,
  buildUse,
  digestOf,
  idOf,
  moment,
  numbersTo,
} from './sample-records.ts';
import { ableCase, type CaseDraft, storeCase } from './store-case.ts';

/** Ours have the numbers 1 to 4, theirs 11 to 14. All else that can be alike is alike. */
function buildTenants(): { readonly ours: readonly KeyRecord[]; readonly theirs: readonly KeyRecord[] } {
  const alike = { name: 'CI', owner: { type: 'user', id: 'user_7' }, expiresAt: moment(100) } as const;
  const build = (number: number, id: string): KeyRecord =>
    buildRotatedRecord(number, { ...alike, organization: { id, slug: 'acme' }, lastUsedAt: moment(1) });
  return {
    ours: numbersTo(4).map((number) => build(number, 'org_1')),
    theirs: numbersTo(4).map((number) => build(number + 10, 'org_10')),
  };
}

/** Does something to our records, and demands that theirs are after it, to the last member, what they were. */
async function expectTheirsUntouched(
  store: KeyStore,
  write: (ours: readonly KeyRecord[]) => Promise<unknown>,
): Promise<void> {
  const { ours, theirs } = buildTenants();
  for (const record of [...ours, ...theirs]) await store.insert(record);
  await write(ours);
  expectSame('their list', await listAll(store, { organizationId: 'org_10' }), theirs);
  for (const record of theirs) {
    expectSame('by id', await store.findById(record.id), record);
    expectSame('by digest', await store.findByDigest([record.digest]), record);
  }
}

export const tenantCases: readonly CaseDraft[] = [
  storeCase('tenants: an insert leaves the records of another organization alone', (store) =>
    expectTheirsUntouched(store, async () => {
      await store.insert(buildRecord(5, { owner: { type: 'user', id: 'user_7' }, name: 'CI' }));
    }),
  ),

  storeCase('tenants: an insert that is refused leaves the records of another organization alone', (store) =>
    expectTheirsUntouched(store, async () => {
      await outcomeOf(() => store.insert(buildRecord(5, { digest: digestOf('key 11') })));
      await outcomeOf(() => store.insert(buildRecord(6, { id: idOf(12) })));
      await outcomeOf(() => store.insert(buildRotatedRecord(13)));
    }),
  ),

  storeCase('tenants: updates leave the records of another organization alone', (store) =>
    expectTheirsUntouched(store, async (ours) => {
      for (const { id } of ours)
        await store.update(id, { name: 'new', scopes: [], metadata: { a: 1 }, narrows: true }, 1);
    }),
  ),

  storeCase('tenants: a rotation leaves the records of another organization alone', (store) =>
    expectTheirsUntouched(store, async () => {
      const previous = { digest: digestOf('key 1'), expiresAt: moment(90) };
      await store.update(
        idOf(1),
        { digest: digestOf('new'), previous, rotatedAt: moment(9), narrows: true },
        1,
      );
    }),
  ),

  storeCase('tenants: revoking and clearing leave the records of another organization alone', (store) =>
    expectTheirsUntouched(store, async () => {
      const reason = { revokedAt: moment(9), revocationReason: 'leaked' };
      await store.update(idOf(1), { ...reason, enabled: false, narrows: true }, 1);
      await store.update(idOf(2), { clear: ['expiresAt', 'previous'], narrows: false }, 1);
    }),
  ),

  storeCase('tenants: updates that are refused leave the records of another organization alone', (store) =>
    expectTheirsUntouched(store, async () => {
      await store.update(idOf(1), { name: 'new', narrows: false }, 5);
      await outcomeOf(() =>
        store.update(idOf(2), { digest: digestOf('key 11'), name: 'new', narrows: false }, 1),
      );
    }),
  ),

  storeCase('tenants: many writes at once leave the records of another organization alone', (store) =>
    expectTheirsUntouched(store, async (ours) => {
      const writes = ours.flatMap(({ id }) =>
        numbersTo(5).map((number) => store.update(id, { name: `Name ${number}`, narrows: true }, 1)),
      );
      await Promise.all([...writes, ...numbersTo(5).map((number) => store.insert(buildRecord(20 + number)))]);
    }),
  ),

  ableCase(['delete'], 'tenants: delete leaves the records of another organization alone', (store) =>
    expectTheirsUntouched(store, async (ours) => {
      for (const { id } of ours) await store.delete(id);
    }),
  ),

  ableCase(['recordUse'], 'tenants: recordUse leaves the records of another organization alone', (store) =>
    expectTheirsUntouched(store, () =>
      Promise.resolve(store.recordUse([buildUse(1, 9), buildUse(2, 9, true), buildUse(3, 9)])),
    ),
  ),

  storeCase('tenants: a list of one organization holds nothing of another, on no page', async (store) => {
    const { ours, theirs } = buildTenants();
    for (const record of [...ours, ...theirs]) await store.insert(record);
    for (const limit of [1, 3, 50]) {
      for (const order of ['oldest', 'newest'] as const) {
        const listed = await listAll(store, { organizationId: 'org_1', ownerId: 'user_7', limit, order });
        expectSame(`by ${limit}, ${order}`, listed, order === 'oldest' ? ours : ours.toReversed());
      }
    }
    const afterTheirs = await store.list({
      organizationId: 'org_1',
      limit: 9,
      order: 'newest',
      cursor: idOf(14),
    });
    expectSame('after an id of theirs', afterTheirs.records, ours.toReversed());
  }),
];
