import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { keyStoreCases, type OpenedStore, type StoreAbility } from '../../lib/testing/key-store-cases.ts';
import { SERVER_TIMEOUT_MS } from '../support/servers.ts';
import { type StartedKind, storeKinds } from './store-kinds.ts';

const ABILITIES: readonly StoreAbility[] = [
  'insertMany',
  'findMany',
  'delete',
  'recordUse',
  'watch',
  'close',
];

describe.each(storeKinds)('$name', ({ abilities, start }) => {
  let started: StartedKind | undefined;
  const open = async (): Promise<OpenedStore> => (started as StartedKind).open();
  const cases = keyStoreCases(open).filter(({ needs }) => needs === undefined || abilities.includes(needs));

  beforeAll(async () => {
    started = await start();
  }, SERVER_TIMEOUT_MS);
  afterAll(async () => {
    await started?.stop();
  });

  test('can do what it is said to be able to', async () => {
    const { store, cleanUp } = await open();
    expect(ABILITIES.filter((ability) => store[ability] !== undefined)).toEqual(abilities);
    await cleanUp?.();
  });

  // A busy machine must not fail a store: nothing here is about speed.
  test.each(cases)('$name', async ({ run }) => expect(await run()).toBeUndefined(), 30_000);
});
