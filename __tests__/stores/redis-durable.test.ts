import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createApiKeys, type KeyRecord } from '../../lib/index.ts';
import type { RedisKeyStore } from '../../lib/stores/redis-key-store.ts';
import { startServer } from '../../scripts/services.mjs';
import { buildRecord, digestOf, idOf, minutesLater } from '../support/records.ts';
import { openIoredis, openNodeRedis } from '../support/redis-clients.ts';
import { type OpenedRedisStore, openRedisStore, type PrivateServer } from '../support/redis-stores.ts';
import { describeWithServers, SERVER_TIMEOUT_MS } from '../support/servers.ts';

const VOLATILE =
  /forgets what it has acknowledged.*`appendonly yes`.*`appendfsync everysec`.*durable: false/s;

const calls: readonly { name: string; call(store: RedisKeyStore): unknown }[] = [
  { name: 'findByDigest', call: (store) => store.findByDigest([digestOf('key 1')]) },
  { name: 'findById', call: (store) => store.findById(idOf(1)) },
  { name: 'insert', call: (store) => store.insert(buildRecord(2)) },
  { name: 'update', call: (store) => store.update(idOf(1), { enabled: false, narrows: true }, 1) },
  { name: 'delete', call: (store) => store.delete(idOf(1)) },
  { name: 'list', call: (store) => store.list({ limit: 1, order: 'newest' }) },
  {
    name: 'recordUse',
    call: (store) => store.recordUse([{ id: idOf(1), at: minutesLater(1), previous: false }]),
  },
  { name: 'watch', call: (store) => store.watch(() => undefined) },
];

describeWithServers('a Redis that may lose what it acknowledges', () => {
  let server: PrivateServer;
  let opened: OpenedRedisStore;
  const kind = { name: 'ioredis', open: openIoredis };

  beforeAll(async () => {
    server = await startServer('redis', { extra: ['--appendonly', 'no'] });
    opened = await openRedisStore(kind, { url: server.url });
    await stored(buildRecord(1));
  }, SERVER_TIMEOUT_MS);

  afterEach(async () => {
    await set({ appendonly: 'no', maxmemory: '0', 'maxmemory-policy': 'noeviction' });
  });

  afterAll(async () => {
    opened.close();
    await server.stop();
  });

  async function set(settings: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(settings)) await opened.command('CONFIG', 'SET', name, value);
  }

  /** What was written before anybody asked whether it lasts. */
  async function stored(record: KeyRecord): Promise<void> {
    const careless = await openRedisStore(kind, { url: server.url, prefix: opened.prefix, durable: false });
    await careless.store.insert(record);
    careless.close();
  }

  test.each(calls)('is refused by $name, which says what to set', async ({ call }) => {
    await expect(call(opened.store)).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      message: expect.stringMatching(VOLATILE),
    });
  });

  test('is written nothing to', async () => {
    await expect(opened.store.insert(buildRecord(7))).rejects.toThrow(VOLATILE);
    await expect(opened.store.update(idOf(1), { enabled: false, narrows: true }, 1)).rejects.toThrow(
      VOLATILE,
    );
    await set({ appendonly: 'yes' });
    const { records } = await opened.store.list({ limit: 10, order: 'newest' });
    expect(records).toEqual([buildRecord(1)]);
  });

  test('is 503 and not 401 to who asks with a good key', async () => {
    const apiKeys = createApiKeys({ store: opened.store, prefix: 'acme' });
    await set({ appendonly: 'yes' });
    const { key } = await apiKeys.create({ name: 'CI', organization: { id: 'org_1' } });
    await set({ appendonly: 'no' });
    await expect(apiKeys.ready()).rejects.toMatchObject({ status: 503 });
    await expect(apiKeys.verify(key)).rejects.toMatchObject({
      status: 503,
      cause: expect.objectContaining({ message: expect.stringMatching(VOLATILE) }),
    });
    await apiKeys.close();
  });

  test('is refused again as soon as it came back without, and taken again as soon as it has', async () => {
    await set({ appendonly: 'yes' });
    expect(await opened.store.findById(idOf(1))).toEqual(buildRecord(1));
    await set({ appendonly: 'no' });
    await expect(opened.store.findById(idOf(1))).rejects.toThrow(VOLATILE);
    await set({ appendonly: 'yes' });
    expect(await opened.store.findById(idOf(1))).toEqual(buildRecord(1));
  });

  test('serves who says durable: false', async () => {
    const { store, close } = await openRedisStore(kind, { url: server.url, durable: false });
    await store.insert(buildRecord(1));
    expect(await store.findById(idOf(1))).toEqual(buildRecord(1));
    const stop = await store.watch(() => undefined);
    await stop();
    close();
  });

  test('is refused if it evicts keys when it is full, at the first call and at every change', async () => {
    await set({ appendonly: 'yes', maxmemory: '500mb', 'maxmemory-policy': 'allkeys-lru' });
    const late = await openRedisStore(kind, { url: server.url });
    await expect(late.store.findById(idOf(1))).rejects.toThrow(/maxmemory-policy noeviction.*durable: false/);
    await set({ 'maxmemory-policy': 'noeviction' });
    await late.store.insert(buildRecord(1));
    await set({ 'maxmemory-policy': 'allkeys-lfu' });
    const change = () => late.store.update(idOf(1), { enabled: false, narrows: true }, 1);
    await expect(change()).rejects.toThrow(/maxmemory-policy noeviction/);
    late.close();
  });

  test.each([
    { policy: 'volatile-lru', maxmemory: '500mb', why: 'only what has an end is evicted' },
    { policy: 'allkeys-lru', maxmemory: '0', why: 'it is never full' },
  ])('may have the policy $policy with maxmemory $maxmemory: $why', async ({ policy, maxmemory }) => {
    await set({ appendonly: 'yes', maxmemory, 'maxmemory-policy': policy });
    const { store, close } = await openRedisStore(kind, { url: server.url });
    await store.insert(buildRecord(1));
    expect(await store.findById(idOf(1))).toEqual(buildRecord(1));
    close();
  });

  test('is refused if it does not say, and says what to do', async () => {
    await set({ appendonly: 'yes' });
    await opened.command('ACL', 'SETUSER', 'silent', 'on', '>pass', '~*', '&*', '+@all', '-info');
    const url = server.url.replace('redis://', 'redis://silent:pass@');
    const silent = await openRedisStore({ name: 'redis', open: openNodeRedis }, { url });
    await expect(silent.store.findById(idOf(1))).rejects.toThrow(
      /INFO is forbidden: allow it, or.*durable: false/,
    );
    silent.close();
  });

  test('that was full still takes no half of a change', async () => {
    await set({ appendonly: 'yes' });
    const { store, command, close } = await openRedisStore(kind, { url: server.url });
    await store.insert(buildRecord(1));
    await set({ maxmemory: '1' });
    await expect(store.insert(buildRecord(2))).rejects.toThrow(/OOM/);
    await expect(store.update(idOf(1), { digest: digestOf('new'), narrows: true }, 1)).rejects.toThrow(/OOM/);
    await command('CONFIG', 'SET', 'maxmemory', '0');
    expect((await store.list({ limit: 10, order: 'oldest' })).records).toEqual([buildRecord(1)]);
    expect(await store.findByDigest([digestOf('new'), digestOf('key 2')])).toBeUndefined();
    close();
  });
});
