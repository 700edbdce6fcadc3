import type { KeyRecord } from '../keys/key-record.ts';
import type { KeyChange, KeyStore } from '../stores/key-store.ts';
import { expectNothing, expectSame, expectStored, isDuplicate, listAll, outcomeOf } from './expectations.ts';
import { buildRecord, buildUse, digestOf, idOf, moment, numbersTo } from './sample-records.ts';
import { type Able, ableCase, type CaseDraft, storeCase, twoClientsCase } from './store-case.ts';

type Outcome<T> = Awaited<ReturnType<typeof outcomeOf<T>>>;

/** Starts all at once and waits for all; the store's own errors are outcomes too. */
function atOnce<T>(calls: readonly (() => T)[]): Promise<readonly Outcome<T>[]> {
  return Promise.all(calls.map((call) => outcomeOf(call)));
}

function thrownBy(outcomes: readonly Outcome<unknown>[]): readonly unknown[] {
  return outcomes.flatMap(({ thrown }) => (thrown === undefined ? [] : [thrown]));
}

/** One call of several went through, and all others were refused as duplicates of this field. */
function expectOneWinner(outcomes: readonly Outcome<unknown>[], fields: readonly string[]): void {
  const thrown = thrownBy(outcomes);
  expectSame('how many went through', outcomes.length - thrown.length, 1);
  const others = thrown.filter((one) => !isDuplicate(one, fields)).map(String);
  expectSame('errors other than DuplicateKeyError', others, []);
}

/** Reads, changes, and begins anew where another change came in between; as management does. */
async function addScope(store: KeyStore, scope: string): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    const record = await store.findById(idOf(1));
    const { scopes = [], version = 0 } = record ?? {};
    if (await store.update(idOf(1), { scopes: [...scopes, scope], narrows: false }, version)) return;
  }
}

/** Of many updates with one version one wins; whoever the clients are. */
async function expectOneUpdate(stores: readonly KeyStore[]): Promise<void> {
  const [store] = stores as [KeyStore];
  await store.insert(buildRecord(1));
  const names = numbersTo(50).map((number) => `Name ${number}`);
  const outcomes = await atOnce(
    names.map((name, index) => () => {
      const client = stores[index % stores.length] as KeyStore;
      return client.update(idOf(1), { name, narrows: false }, 1);
    }),
  );
  expectSame('errors', thrownBy(outcomes).map(String), []);
  const answers = outcomes.flatMap((outcome) => ('value' in outcome && outcome.value ? [outcome.value] : []));
  expectSame('how many updates went through', answers.length, 1);
  const [winner] = answers as [KeyRecord];
  expectSame('version', winner.version, 2);
  await expectStored(store, winner);
}

/** Updates each of 20 records once, with uses that begin before it, or after it, or both. */
async function useWhileUpdated(store: Able<'recordUse'>, change: KeyChange): Promise<void> {
  for (const number of numbersTo(20)) await store.insert(buildRecord(number));
  await Promise.all(
    numbersTo(20).flatMap((number) => {
      const use = (minutes: number) => (): unknown => store.recordUse([buildUse(number, minutes)]);
      const update = (): unknown => store.update(idOf(number), change, 1);
      const orders = [
        [use(5), use(6), update],
        [use(6), update, use(5)],
        [update, use(5), use(6)],
      ];
      return (orders[number % 3] ?? []).map((call) => call());
    }),
  );
}

export const concurrencyCases: readonly CaseDraft[] = [
  storeCase('at once: of 50 updates with one version one goes through', (store) => expectOneUpdate([store])),

  twoClientsCase(
    [],
    'at once: of 50 updates by two clients with one version one goes through',
    (store, other) => expectOneUpdate([store, other]),
  ),

  storeCase('at once: no change is lost where all try until they go through', async (store) => {
    await store.insert(buildRecord(1, { scopes: [] }));
    const scopes = numbersTo(20).map((number) => `scope:${number}`);
    await Promise.all(scopes.map((scope) => addScope(store, scope)));
    const record = await store.findById(idOf(1));
    expectSame('scopes', record?.scopes.toSorted(), scopes.toSorted());
    expectSame('version', record?.version, 21);
  }),

  storeCase('at once: updates of 50 records do not come in the way of each other', async (store) => {
    const numbers = numbersTo(50);
    for (const number of numbers) await store.insert(buildRecord(number));
    await Promise.all(
      numbers.map((number) => store.update(idOf(number), { name: `New ${number}`, narrows: false }, 1)),
    );
    const expected = numbers.map((number) => buildRecord(number, { name: `New ${number}`, version: 2 }));
    expectSame('list()', await listAll(store), expected);
  }),

  storeCase('at once: of 20 inserts with one digest one goes through', async (store) => {
    const digest = digestOf('the one');
    const inserts = numbersTo(20).map((number) => () => store.insert(buildRecord(number, { digest })));
    expectOneWinner(await atOnce(inserts), ['digest']);
    expectSame('how many records there are', (await listAll(store)).length, 1);
    const found = await store.findByDigest([digest]);
    expectSame('list()', await listAll(store), [found]);
  }),

  storeCase('at once: of 20 inserts with one id one goes through', async (store) => {
    const inserts = numbersTo(20).map(
      (number) => () => store.insert(buildRecord(1, { digest: digestOf(`digest ${number}`) })),
    );
    expectOneWinner(await atOnce(inserts), ['id']);
    expectSame('how many records there are', (await listAll(store)).length, 1);
  }),

  storeCase('at once: of 10 updates to one digest one goes through', async (store) => {
    for (const number of numbersTo(10)) await store.insert(buildRecord(number));
    const change = { digest: digestOf('the one'), narrows: false };
    expectOneWinner(
      await atOnce(numbersTo(10).map((number) => () => store.update(idOf(number), change, 1))),
      ['digest'],
    );
    const changed = (await listAll(store)).filter(({ digest }) => digest === change.digest);
    expectSame('how many have it', changed.length, 1);
  }),

  storeCase(
    'at once: a reader sees a record before or after a change, and nothing between',
    async (store) => {
      await store.insert(buildRecord(1, { name: 'Version 1' }));
      const versions = numbersTo(30);
      const reading = versions.map(() => store.findById(idOf(1)));
      for (const version of versions) {
        const next = version + 1;
        const change = { name: `Version ${next}`, scopes: [`version:${next}`], narrows: false };
        const writing = store.update(idOf(1), change, version);
        reading.push(store.findById(idOf(1)), store.findByDigest([digestOf('key 1')]));
        await writing;
      }
      for (const record of await Promise.all(reading)) {
        const version = record?.version ?? 0;
        const scopes = version === 1 ? ['reports:read'] : [`version:${version}`];
        expectSame('what was read', record, buildRecord(1, { name: `Version ${version}`, scopes, version }));
      }
    },
  ),

  ableCase(['recordUse'], 'at once: recordUse takes nothing back of an update', async (store) => {
    const changed = { name: 'new', scopes: [], lastUsedAt: moment(6), version: 2 };
    const { name, scopes } = changed;
    await useWhileUpdated(store, { name, scopes, narrows: true });
    const expected = numbersTo(20).map((number) => buildRecord(number, changed));
    expectSame('list()', await listAll(store), expected);
  }),

  ableCase(['recordUse'], 'at once: recordUse takes no revocation back', async (store) => {
    await useWhileUpdated(store, { revokedAt: moment(7), narrows: true });
    const revoked = (await listAll(store)).map(({ revokedAt, version }) => ({ revokedAt, version }));
    const expected = numbersTo(20).map(() => ({ revokedAt: moment(7), version: 2 }));
    expectSame('list()', revoked, expected);
  }),

  ableCase(['recordUse'], 'at once: of 50 uses of one key the latest is kept', async (store) => {
    await store.insert(buildRecord(1));
    const minutes = numbersTo(50).map((number) => (number * 37) % 53);
    await Promise.all(minutes.map((minute) => store.recordUse([buildUse(1, minute)])));
    await expectStored(store, buildRecord(1, { lastUsedAt: moment(Math.max(...minutes)) }));
  }),

  ableCase(['delete'], 'at once: of 20 deletes of one record one says true', async (store) => {
    await store.insert(buildRecord(1));
    const answers = await Promise.all(numbersTo(20).map(() => store.delete(idOf(1))));
    expectSame('how many said true', answers.filter((answer) => answer === true).length, 1);
  }),

  ableCase(['delete'], 'at once: what is deleted is not brought back by a write', async (store) => {
    for (const number of numbersTo(20)) await store.insert(buildRecord(number));
    await atOnce<unknown>(
      numbersTo(20).flatMap((number) => [
        () => store.update(idOf(number), { name: 'new', narrows: false }, 1),
        () => store.delete(idOf(number)),
        () => store.recordUse?.([buildUse(number, 5)]),
        () => store.update(idOf(number), { name: 'newer', narrows: false }, 2),
      ]),
    );
    expectSame('list()', await listAll(store), []);
    expectNothing('findByDigest()', await store.findByDigest([digestOf('key 1')]));
  }),
];
