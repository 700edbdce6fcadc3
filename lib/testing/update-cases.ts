import type { KeyChange } from '../stores/key-store.ts';
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

/** Every member that a change can set, each to a value that {@link buildFullRecord} does not have. */
function buildFullChange(): Required<Omit<KeyChange, 'clear' | 'narrows'>> {
  return {
    digest: digestOf('new key'),
    previous: { digest: digestOf('key 1'), expiresAt: moment(90), lastUsedAt: moment(8) },
    name: 'New name',
    start: 'acme_test_Zz0a',
    end: 'aaaa',
    scopes: ['invoices:write'],
    metadata: { plan: 'free' },
    enabled: true,
    updatedAt: moment(10),
    lastUsedAt: moment(9),
    expiresAt: moment(2_000),
    notBefore: moment(-10),
    revokedAt: moment(11),
    revocationReason: 'another reason',
    rotatedAt: moment(10),
  };
}

function clearCase(member: NonNullable<KeyChange['clear']>[number]): CaseDraft {
  return storeCase(`update: clears ${member}, and nothing else`, async (store) => {
    await store.insert(buildFullRecord(1));
    await store.update(idOf(1), { clear: [member], narrows: false }, 7);
    await expectStored(store, { ...buildFullRecord(1), [member]: undefined, version: 8 });
  });
}

export const updateCases: readonly CaseDraft[] = [
  storeCase('update: sets every member that can change', async (store) => {
    await store.insert(buildFullRecord(1));
    await store.update(idOf(1), { ...buildFullChange(), narrows: true }, 7);
    await expectStored(store, { ...buildFullRecord(1), ...buildFullChange(), version: 8 });
  }),

  storeCase('update: sets members that were absent', async (store) => {
    await store.insert(buildRecord(1));
    await store.update(idOf(1), { ...buildFullChange(), narrows: true }, 1);
    await expectStored(store, { ...buildRecord(1), ...buildFullChange(), version: 2 });
  }),

  storeCase('update: answers the record as it then is', async (store) => {
    await store.insert(buildFullRecord(1));
    const answer = await store.update(idOf(1), { name: 'new', clear: ['previous'], narrows: false }, 7);
    expectSame('update()', answer, { ...buildFullRecord(1), name: 'new', previous: undefined, version: 8 });
  }),

  storeCase('update: leaves alone all that the change does not name', async (store) => {
    await store.insert(buildFullRecord(1));
    await store.update(idOf(1), { name: 'new', narrows: false }, 7);
    await expectStored(store, { ...buildFullRecord(1), name: 'new', version: 8 });
  }),

  storeCase('update: leaves all other records alone', async (store) => {
    for (const number of numbersTo(3)) await store.insert(buildRecord(number));
    await store.update(idOf(2), { name: 'new', scopes: [], narrows: true }, 1);
    expectSame('list()', await listAll(store), [
      buildRecord(1),
      buildRecord(2, { name: 'new', scopes: [], version: 2 }),
      buildRecord(3),
    ]);
  }),

  storeCase('update: raises the version by one, each time', async (store) => {
    await store.insert(buildRecord(1));
    for (const version of [1, 2, 3, 4]) {
      const answer = await store.update(idOf(1), { name: `Name ${version}`, narrows: false }, version);
      expectSame('version', answer?.version, version + 1);
    }
    await expectStored(store, buildRecord(1, { name: 'Name 4', version: 5 }));
  }),

  storeCase('update: raises the version also where the change sets nothing', async (store) => {
    await store.insert(buildRecord(1));
    await store.update(idOf(1), { narrows: true }, 1);
    await expectStored(store, buildRecord(1, { version: 2 }));
  }),

  // The clock is the caller's.
  storeCase('update: sets updatedAt to what the change says, and never by itself', async (store) => {
    await store.insert(buildRecord(1));
    await store.update(idOf(1), { name: 'one', narrows: false }, 1);
    expectSame('updatedAt', (await store.findById(idOf(1)))?.updatedAt, moment(0));
    await store.update(idOf(1), { name: 'two', updatedAt: moment(5), narrows: false }, 2);
    expectSame('updatedAt', (await store.findById(idOf(1)))?.updatedAt, moment(5));
  }),

  storeCase('update: nothing for a version that is past, and changes nothing', async (store) => {
    await store.insert(buildFullRecord(1));
    expectNothing('update()', await store.update(idOf(1), { name: 'new', narrows: true }, 6));
    await expectStored(store, buildFullRecord(1));
  }),

  storeCase('update: nothing for a version that is not there yet, and changes nothing', async (store) => {
    await store.insert(buildFullRecord(1));
    expectNothing('update()', await store.update(idOf(1), { name: 'new', narrows: true }, 8));
    await expectStored(store, buildFullRecord(1));
  }),

  storeCase('update: the second of two with one version changes nothing', async (store) => {
    await store.insert(buildRecord(1));
    await store.update(idOf(1), { name: 'first', narrows: false }, 1);
    expectNothing('update()', await store.update(idOf(1), { scopes: [], narrows: true }, 1));
    await expectStored(store, buildRecord(1, { name: 'first', version: 2 }));
  }),

  storeCase('update: nothing for an id that no record has, and makes none', async (store) => {
    await store.insert(buildRecord(1));
    expectNothing('update()', await store.update(idOf(2), { name: 'new', narrows: false }, 1));
    expectSame('list()', await listAll(store), [buildRecord(1)]);
  }),

  ...(['expiresAt', 'notBefore', 'previous', 'revokedAt'] as const).map(clearCase),

  storeCase('update: clears several members at once', async (store) => {
    await store.insert(buildFullRecord(1));
    await store.update(idOf(1), { clear: ['notBefore', 'expiresAt'], narrows: false }, 7);
    const cleared = { notBefore: undefined, expiresAt: undefined, version: 8 };
    await expectStored(store, { ...buildFullRecord(1), ...cleared });
  }),

  storeCase('update: clears what is absent already', async (store) => {
    await store.insert(buildRecord(1));
    const answer = await store.update(idOf(1), { clear: ['expiresAt', 'previous'], narrows: false }, 1);
    expectSame('update()', answer, buildRecord(1, { version: 2 }));
  }),

  storeCase('update: a name in `clear` wins over a value for it', async (store) => {
    await store.insert(buildFullRecord(1));
    await store.update(idOf(1), { expiresAt: moment(1), clear: ['expiresAt'], narrows: false }, 7);
    await expectStored(store, { ...buildFullRecord(1), expiresAt: undefined, version: 8 });
  }),

  storeCase('update: a member that is undefined stays as it is', async (store) => {
    await store.insert(buildFullRecord(1));
    const open = { name: undefined, scopes: undefined, expiresAt: undefined, clear: undefined } as object;
    await store.update(idOf(1), { ...open, enabled: true, narrows: false }, 7);
    await expectStored(store, { ...buildFullRecord(1), enabled: true, version: 8 });
  }),

  storeCase('update: takes false, no text and empty lists for values', async (store) => {
    await store.insert(buildRecord(1, { metadata: { plan: 'pro' } }));
    const empty = { enabled: false, start: '', end: '', scopes: [], metadata: {} };
    await store.update(idOf(1), { ...empty, narrows: true }, 1);
    await expectStored(store, buildRecord(1, { ...empty, version: 2 }));
  }),

  storeCase('update: replaces metadata and scopes whole', async (store) => {
    await store.insert(buildFullRecord(1));
    const replaced = { metadata: { limits: { perHour: 1 } }, scopes: ['invoices:read'] };
    await store.update(idOf(1), { ...replaced, narrows: true }, 7);
    await expectStored(store, { ...buildFullRecord(1), ...replaced, version: 8 });
  }),

  storeCase('update: a new previous key has nothing of the one before it', async (store) => {
    await store.insert(buildFullRecord(1));
    const previous = { digest: digestOf('key 1'), expiresAt: moment(90) };
    await store.update(idOf(1), { digest: digestOf('third'), previous, narrows: true }, 7);
    await expectStored(store, { ...buildFullRecord(1), digest: digestOf('third'), previous, version: 8 });
  }),

  storeCase('update: refuses a digest that is taken, and changes nothing', async (store) => {
    for (const number of numbersTo(2)) await store.insert(buildRecord(number));
    const change = { name: 'new', digest: digestOf('key 1'), narrows: false };
    await expectDuplicate('update()', () => store.update(idOf(2), change, 1), ['digest']);
    expectSame('list()', await listAll(store), [buildRecord(1), buildRecord(2)]);
  }),

  storeCase('update: refuses a previous digest that is taken, and changes nothing', async (store) => {
    for (const number of numbersTo(2)) await store.insert(buildRotatedRecord(number));
    const previous = { digest: digestOf('old key 1'), expiresAt: moment(90) };
    const change = { name: 'new', previous, narrows: false };
    await expectDuplicate('update()', () => store.update(idOf(2), change, 1), ['digest']);
    expectSame('list()', await listAll(store), [buildRotatedRecord(1), buildRotatedRecord(2)]);
  }),

  storeCase('update: a record may be given its own digests again', async (store) => {
    await store.insert(buildRotatedRecord(1));
    const { digest, previous } = buildRotatedRecord(1);
    await store.update(idOf(1), { digest, previous, narrows: false }, 1);
    await expectStored(store, buildRotatedRecord(1, { version: 2 }));
  }),

  storeCase('update: a digest that is given up is free for another record', async (store) => {
    await store.insert(buildRecord(1));
    await store.update(idOf(1), { digest: digestOf('second'), narrows: true }, 1);
    const next = buildRecord(2, { digest: digestOf('key 1') });
    await store.insert(next);
    expectSame('findByDigest()', await store.findByDigest([digestOf('key 1')]), next);
  }),
];
