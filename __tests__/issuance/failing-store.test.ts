import { afterEach, describe, expect, test } from '@jest/globals';
import {
  type ApiKeys,
  type CreateInput,
  createApiKeys,
  type KeyChange,
  type KeyRecord,
  MemoryKeyStore,
  StoreUnavailableError,
} from '../../lib/index.ts';
import { SqlKeyStore } from '../../lib/stores/sql-key-store.ts';
import { closeManagedKeys, INPUT, managedStores, manageKeys, rejectionOf } from '../support/managed-keys.ts';
import { openLibsql } from '../support/sql-connections.ts';

/** Carries every write out, and then says, with all that it knows, that it failed. */
class UnsureStore extends MemoryKeyStore {
  isUnsure = true;

  override async insert(record: KeyRecord): Promise<void> {
    await super.insert(record);
    if (this.isUnsure) throw new Error(`connection lost at VALUES (${record.id}, ${record.digest})`);
  }

  override async update(id: string, change: KeyChange, version: number): Promise<KeyRecord | undefined> {
    const record = await super.update(id, change, version);
    if (this.isUnsure) throw new Error(`connection lost at SET digest = ${record?.digest}`);
    return record;
  }

  override async delete(id: string): Promise<boolean> {
    const deleted = await super.delete(id);
    if (this.isUnsure) throw new Error('connection lost');
    return deleted;
  }
}

/** Without `watch` the cache hears of a change from the call alone. */
function without<Store extends MemoryKeyStore>(method: 'watch' | 'delete', store: Store): Store {
  Object.defineProperty(store, method, { value: undefined });
  return store;
}

/** All that an error says, its causes included. */
function wordsOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { message, stack, cause, ...rest } = error as Error & { cause?: unknown };
  return [message, stack, JSON.stringify(rest), cause === undefined ? '' : wordsOf(cause)].join('\n');
}

const calls: readonly { name: string; method: string; call: (apiKeys: ApiKeys, id: string) => unknown }[] = [
  { name: 'create', method: 'insert', call: (apiKeys) => apiKeys.create(INPUT) },
  { name: 'get', method: 'findById', call: (apiKeys, id) => apiKeys.get(id) },
  { name: 'list', method: 'list', call: (apiKeys) => apiKeys.list() },
  { name: 'update', method: 'findById', call: (apiKeys, id) => apiKeys.update(id, { name: 'x' }) },
  { name: 'disable', method: 'findById', call: (apiKeys, id) => apiKeys.disable(id) },
  { name: 'enable', method: 'findById', call: (apiKeys, id) => apiKeys.enable(id) },
  { name: 'revoke', method: 'findById', call: (apiKeys, id) => apiKeys.revoke(id) },
  { name: 'rotate', method: 'findById', call: (apiKeys, id) => apiKeys.rotate(id) },
  { name: 'delete', method: 'findById', call: (apiKeys, id) => apiKeys.delete(id) },
];

afterEach(closeManagedKeys);

describe('a store that can only look up', () => {
  test.each(calls)('makes $name() say what is missing', async ({ method, call }) => {
    const apiKeys = createApiKeys({ store: { findByDigest: async () => undefined } });
    const error = await rejectionOf(async () => call(apiKeys, '00000000-0000-7000-8000-000000000001'));
    expect(error).toEqual(
      new TypeError(
        `This call needs a key store with ${method}(), and the one in use has none; see KeyStore.`,
      ),
    );
  });

  test('is ready, and closes', async () => {
    const apiKeys = createApiKeys({ store: { findByDigest: () => undefined } });
    await apiKeys.ready();
    await apiKeys.close();
  });

  test('makes delete() alone say what is missing where the rest is there', async () => {
    const { apiKeys } = manageKeys(without('delete', new MemoryKeyStore()));
    const { apiKey } = await apiKeys.create(INPUT);
    const error = await rejectionOf(() => apiKeys.delete(apiKey.id));
    expect(error.message).toBe(
      'This call needs a key store with delete(), and the one in use has none; see KeyStore.',
    );
    expect(await apiKeys.get(apiKey.id)).toStrictEqual(apiKey);
  });
});

describe('a store that fails after it has written', () => {
  test('makes create() reject, and gives no key away', async () => {
    const { apiKeys, store, records } = manageKeys(without('watch', new UnsureStore()));
    const error = await rejectionOf(() => apiKeys.create(INPUT));
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error).toMatchObject({
      code: 'temporarily_unavailable',
      status: 503,
      message: 'insert() failed.',
    });
    const [record] = await records();
    expect(wordsOf(error)).toContain('connection lost');
    expect(wordsOf(error)).not.toContain(record?.digest);
    store.isUnsure = false;
    const { key, apiKey } = await apiKeys.create(INPUT);
    expect(apiKey.id).not.toBe(record?.id);
    expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
  });

  test.each([
    ['revoke', (apiKeys: ApiKeys, id: string) => apiKeys.revoke(id), { reason: 'revoked' }],
    ['disable', (apiKeys: ApiKeys, id: string) => apiKeys.disable(id), { reason: 'disabled' }],
    [
      'rotate',
      (apiKeys: ApiKeys, id: string) => apiKeys.rotate(id, { gracePeriodMs: 0 }),
      { reason: 'unknown' },
    ],
    ['delete', (apiKeys: ApiKeys, id: string) => apiKeys.delete(id), { reason: 'unknown' }],
  ])('makes %s() reject, and the next request read again', async (name, call, verdict) => {
    const { apiKeys, store, records } = manageKeys(without('watch', new UnsureStore()));
    store.isUnsure = false;
    const { key, apiKey } = await apiKeys.create(INPUT);
    expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
    store.isUnsure = true;
    const error = await rejectionOf(() => call(apiKeys, apiKey.id));
    expect(error).toMatchObject({
      name: 'StoreUnavailableError',
      message: `${name === 'delete' ? 'delete' : 'update'}() failed.`,
    });
    for (const { digest } of await records()) expect(wordsOf(error)).not.toContain(digest);
    expect(await apiKeys.verify(key)).toMatchObject({ ok: false, ...verdict });
  });
});

describe('a store that answers nonsense', () => {
  const broken = (answer: unknown): MemoryKeyStore =>
    Object.assign(new MemoryKeyStore(), { findById: async () => answer, list: async () => answer });

  test.each([
    ['an empty object', {}],
    ['a text', 'record'],
    ['true', true],
  ])('is a fault and no answer: %s', async (_, answer) => {
    const { apiKeys } = manageKeys(broken(answer));
    for (const call of [
      () => apiKeys.get('key_1'),
      () => apiKeys.revoke('key_1'),
      () => apiKeys.delete('key_1'),
      () => apiKeys.list(),
    ]) {
      const error = await rejectionOf(call);
      expect(error).toMatchObject({ name: 'StoreUnavailableError', code: 'temporarily_unavailable' });
    }
  });

  test('is a fault too where the record is another key', async () => {
    const store = new MemoryKeyStore();
    const { apiKeys } = manageKeys(store);
    const { apiKey } = await apiKeys.create(INPUT);
    const found = await store.findById(apiKey.id);
    const { apiKeys: others } = manageKeys(broken(found));
    expect(await rejectionOf(() => others.get('key_1'))).toMatchObject({
      name: 'StoreUnavailableError',
      message: 'findById() answered with a record that cannot be used.',
    });
  });

  test.each([
    ['list() of an organization', (it: ApiKeys) => it.list({ organizationId: 'org_2' })],
    ['list() of an owner', (it: ApiKeys) => it.list({ ownerId: 'user_7', ownerType: 'user' })],
    ['revokeAll()', (it: ApiKeys) => it.revokeAll({ organizationId: 'org_2' })],
  ])('is a fault of %s where the page is of others, whose keys stay as they are', async (_, call) => {
    const store = new MemoryKeyStore();
    const { apiKeys } = manageKeys(store);
    const { key } = await apiKeys.create(INPUT);
    const page = await store.list({ limit: 10, order: 'newest' });
    const { apiKeys: others } = manageKeys(Object.assign(store, { list: async () => page }));
    const error = await rejectionOf(() => call(others));
    expect(error).toMatchObject({ name: 'StoreUnavailableError', code: 'temporarily_unavailable' });
    expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
  });

  test('answers null for a key that is not there', async () => {
    const { apiKeys } = manageKeys(broken(null));
    expect(await apiKeys.get('key_1')).toBeUndefined();
    expect(await rejectionOf(() => apiKeys.revoke('key_1'))).toMatchObject({ name: 'KeyNotFoundError' });
  });
});

describe.each(managedStores)('closed keys over $name', ({ open }) => {
  test('answer every later call with an error of the store', async () => {
    const { apiKeys } = manageKeys(await open());
    const { key, apiKey } = await apiKeys.create(INPUT);
    expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
    await apiKeys.close();
    const later = [...calls.map(({ call }) => call), () => apiKeys.verify(key), () => apiKeys.ready()];
    for (const call of later) {
      const error = await rejectionOf(async () => call(apiKeys, apiKey.id));
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(error).toMatchObject({ status: 503, message: 'These API keys are closed.' });
    }
    await rejectionOf(() => apiKeys.create('nonsense' as unknown as CreateInput));
  });

  test('write the last use that was pending', async () => {
    const { apiKeys, store, clock } = manageKeys(await open());
    const { key, apiKey } = await apiKeys.create(INPUT);
    await apiKeys.verify(key);
    await apiKeys.close();
    expect((await store.findById(apiKey.id))?.lastUsedAt).toEqual(new Date(clock.ms));
  });
});

describe('closing', () => {
  test('twice is the same as once', async () => {
    let closed = 0;
    const close = async (): Promise<void> => {
      closed += 1;
    };
    const store = Object.assign(new MemoryKeyStore(), { close });
    const { apiKeys } = manageKeys(store);
    await Promise.all([apiKeys.close(), apiKeys.close()]);
    await apiKeys.close();
    expect(closed).toBe(1);
  });

  test('leaves the connection of an SQL store open', async () => {
    const { connection, run, close } = openLibsql(':memory:');
    const store = new SqlKeyStore(connection);
    await store.migrate();
    const { apiKeys } = manageKeys(store);
    await apiKeys.create(INPUT);
    await apiKeys.close();
    expect(await run('SELECT id FROM keystile_keys')).toHaveLength(1);
    await close();
  });
});
