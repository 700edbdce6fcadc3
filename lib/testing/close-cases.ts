import { expectNothing, expectSame, expectStored, listAll, outcomeOf } from './expectations.ts';
import { buildFullRecord, buildRecord, digestOf, idOf, moment } from './sample-records.ts';
import { ableCase, type CaseDraft, twoClientsCase } from './store-case.ts';

export const closeCases: readonly CaseDraft[] = [
  twoClientsCase([], 'two clients: the second finds all that the first has written', async (store, other) => {
    await store.insert(buildFullRecord(1));
    await store.insert(buildRecord(2));
    await expectStored(other, buildFullRecord(1));
    expectSame('findByDigest()', await other.findByDigest([digestOf('key 2')]), buildRecord(2));
    expectSame('list()', await listAll(other), [buildFullRecord(1), buildRecord(2)]);
  }),

  twoClientsCase([], 'two clients: each reads at once what the other has changed', async (store, other) => {
    await store.insert(buildRecord(1));
    await expectStored(other, buildRecord(1));
    await other.update(idOf(1), { revokedAt: moment(1), narrows: true }, 1);
    await expectStored(store, buildRecord(1, { revokedAt: moment(1), version: 2 }));
    await store.update(idOf(1), { digest: digestOf('new'), narrows: true }, 2);
    expectNothing('by the old digest', await other.findByDigest([digestOf('key 1')]));
    const expected = { digest: digestOf('new'), revokedAt: moment(1), version: 3 };
    await expectStored(other, buildRecord(1, expected));
  }),

  twoClientsCase(
    [],
    'two clients: what the first has taken is taken for the second',
    async (store, other) => {
      await store.insert(buildRecord(1));
      const { thrown } = await outcomeOf(() => other.insert(buildRecord(2, { digest: digestOf('key 1') })));
      expectSame('code', (thrown as { code?: unknown } | undefined)?.code, 'duplicate_key');
    },
  ),

  ableCase(['close'], 'close: resolves, and a second time too', async (store) => {
    await store.insert(buildRecord(1));
    for (const time of ['first', 'second']) {
      const { thrown } = await outcomeOf(() => store.close());
      expectSame(`what the ${time} close() threw`, thrown, undefined);
    }
  }),

  ableCase(['close'], 'close: resolves in a store that was never used', async (store) => {
    const { thrown } = await outcomeOf(() => store.close());
    expectSame('what close() threw', thrown, undefined);
  }),

  ableCase(['close', 'watch'], 'close: resolves while somebody listens', async (store) => {
    const stop = await store.watch(() => undefined);
    const closing = await outcomeOf(() => store.close());
    expectSame('what close() threw', closing.thrown, undefined);
    const stopping = await outcomeOf(stop);
    expectSame('what stopping it threw', stopping.thrown, undefined);
  }),

  twoClientsCase(['close'], 'close: leaves another client as it is', async (store, other) => {
    await store.insert(buildRecord(1));
    await expectStored(other, buildRecord(1));
    await store.close();
    const { thrown } = await outcomeOf(() => other.findById(idOf(1)));
    expectSame('what findById() of the other threw', thrown, undefined);
    await expectStored(other, buildRecord(1));
  }),
];
