import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createPool } from 'mysql2/promise';
import pg from 'pg';
import { type ImportInput, type KeyStore, MemoryKeyStore } from '../../lib/index.ts';
import { SqlKeyStore } from '../../lib/stores/sql-key-store.ts';
import { answers, FaultStore, rejects } from '../support/fault-store.ts';
import {
  closeManagedKeys,
  managedStores,
  manageKeys,
  operationsOf,
  rejectionOf,
} from '../support/managed-keys.ts';
import { createDatabase, SERVER_TIMEOUT_MS, withoutServers } from '../support/servers.ts';

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await closeManagedKeys();
  for (const close of closers.splice(0)) await close();
}, SERVER_TIMEOUT_MS);

const servers: readonly { name: string; open(): Promise<KeyStore> }[] = [
  {
    name: 'SqlKeyStore in PostgreSQL',
    async open() {
      const database = await createDatabase('postgres');
      const pool = new pg.Pool({ connectionString: database.url, max: 2 });
      closers.push(
        () => pool.end(),
        () => database.drop(),
      );
      const store = new SqlKeyStore(pool);
      await store.migrate();
      return store;
    },
  },
  {
    name: 'SqlKeyStore in MySQL',
    async open() {
      const database = await createDatabase('mysql');
      const pool = createPool(database.url);
      closers.push(
        () => pool.end(),
        () => database.drop(),
      );
      const store = new SqlKeyStore(pool);
      await store.migrate();
      return store;
    },
  },
];

function inputOf(number: number, members: Partial<ImportInput> = {}): ImportInput {
  const digest = `sha256:${String(number).padStart(5, '0').padEnd(43, 'A')}`;
  return { id: `k${number}`, name: 'n', organization: { id: 'org_1' }, digest, randomBits: 160, ...members };
}

function inputs(from: number, to: number): ImportInput[] {
  return Array.from({ length: to - from + 1 }, (_, index) => inputOf(from + index));
}

/** A busy machine is no fault here. */
const PATIENT = { storeTimeoutMs: 20_000 };

describe.each([...managedStores, ...(withoutServers ? [] : servers)])('an import into $name', ({ open }) => {
  let store: KeyStore;

  beforeEach(async () => {
    store = await open();
  }, SERVER_TIMEOUT_MS);

  test('brings in all of many, and finds all of them the second time', async () => {
    const { apiKeys, records } = manageKeys(store, PATIENT);
    expect(await apiKeys.import(inputs(1, 450))).toEqual({ imported: 450, unchanged: 0, rejected: [] });
    expect(await records()).toHaveLength(450);
    expect(await apiKeys.import(inputs(401, 499))).toEqual({ imported: 49, unchanged: 50, rejected: [] });
    expect(await records()).toHaveLength(499);
  });

  test('keeps to the order of the records, the first of two alike being the one that stays', async () => {
    const { apiKeys, records } = manageKeys(store, PATIENT);
    const report = await apiKeys.import([
      inputOf(1, { name: 'first' }),
      inputOf(1, { name: 'second' }),
      inputOf(2, { id: 'k3' }),
      inputOf(2),
      inputOf(4, { organization: { id: 'org_2' } }),
      inputOf(4),
      inputOf(5, { randomBits: 1 }),
    ]);
    expect(report).toMatchObject({ imported: 3, unchanged: 1 });
    expect(report.rejected.map(({ index, field }) => [index, field])).toEqual([
      [3, '/digest'],
      [5, '/id'],
      [6, '/randomBits'],
    ]);
    expect((await records()).map(({ id, name }) => [id, name])).toEqual([
      ['k1', 'first'],
      ['k3', 'n'],
      ['k4', 'n'],
    ]);
  });

  test('finds a key that has no id given by its digest', async () => {
    const { apiKeys } = manageKeys(store, PATIENT);
    const nameless = { ...inputOf(1), id: undefined };
    expect(await apiKeys.import([nameless])).toMatchObject({ imported: 1 });
    expect(await apiKeys.import([nameless, inputOf(2)])).toMatchObject({ imported: 1, unchanged: 1 });
  });

  test('two at once bring in each key once', async () => {
    const [one, other] = [manageKeys(store, PATIENT), manageKeys(store, PATIENT)];
    const reports = await Promise.all([one, other].map(({ apiKeys }) => apiKeys.import(inputs(1, 400))));
    const counts = reports.map(({ imported, unchanged, rejected }) => [
      imported + unchanged,
      rejected.length,
    ]);
    expect(counts).toEqual([
      [400, 0],
      [400, 0],
    ]);
    expect(reports.reduce((sum, { imported }) => sum + imported, 0)).toBe(400);
    expect(await one.records()).toHaveLength(400);
  });
});

describe('an import', () => {
  test('asks a store that can take many a few times only', async () => {
    const store = (await managedStores[1]?.open()) as KeyStore;
    const { apiKeys, events } = manageKeys(store);
    await apiKeys.import(inputs(1, 400));
    expect(operationsOf(events).filter((name) => name !== 'watch')).toEqual(['insertMany', 'insertMany']);
    events.length = 0;
    await apiKeys.import(inputs(1, 200));
    expect(operationsOf(events)).toEqual(['insertMany', 'findMany']);
  });

  test('goes key by key over a store that cannot, and begins no more once one has failed', async () => {
    const store = new FaultStore(new MemoryKeyStore());
    const { apiKeys, records } = manageKeys(store);
    store.next('insert', rejects(new Error('disk full')));
    const error = await rejectionOf(() => apiKeys.import(inputs(1, 100)));
    expect(error).toMatchObject({ code: 'temporarily_unavailable', cause: { message: 'disk full' } });
    expect(store.count('insert')).toBe(16);
    expect(await records()).toHaveLength(15);
    expect(await apiKeys.import(inputs(1, 100))).toEqual({ imported: 85, unchanged: 15, rejected: [] });
  });

  test('makes a key known at once that was asked for before', async () => {
    const store = (await managedStores[1]?.open()) as KeyStore;
    const { apiKeys } = manageKeys(store);
    const { key } = await manageKeys(new MemoryKeyStore()).apiKeys.create({
      name: 'n',
      organization: { id: 'o' },
    });
    expect(await apiKeys.verify(key)).toMatchObject({ ok: false, reason: 'unknown' });
    const { createHash } = await import('node:crypto');
    const digest = `sha256:${createHash('sha256').update(key).digest('hex')}`;
    await apiKeys.import([inputOf(1, { digest, randomBits: 190 })]);
    expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
  });

  test.each(['insertMany', 'findMany'] as const)('is a fault where %s() answers nonsense', async (method) => {
    const inner = new MemoryKeyStore();
    const store: KeyStore = Object.assign(new FaultStore(inner), {
      insertMany: async () => [],
      findMany: async () => [],
      [method]: answers({}),
    });
    const { apiKeys } = manageKeys(store);
    expect(await rejectionOf(() => apiKeys.import([inputOf(1)]))).toMatchObject({
      code: 'temporarily_unavailable',
    });
  });
});
