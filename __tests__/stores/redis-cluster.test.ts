import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createApiKeys } from '../../lib/index.ts';
import { buildRecord, idOf } from '../support/records.ts';
import { clusterClientKinds, type RedisCluster, startCluster } from '../support/redis-cluster.ts';
import { eventually, type OpenedRedisStore, openRedisStore } from '../support/redis-stores.ts';
import { describeWithServers, SERVER_TIMEOUT_MS } from '../support/servers.ts';

describeWithServers.each(clusterClientKinds)('a cluster of three masters, over $name', ({ name, open }) => {
  const kind = { name, open: () => open(cluster.urls) };
  let cluster: RedisCluster;
  let opened: OpenedRedisStore;
  let other: OpenedRedisStore;

  beforeAll(async () => {
    cluster = await startCluster();
  }, SERVER_TIMEOUT_MS);
  afterAll(() => cluster.stop());

  beforeEach(async () => {
    opened = await openRedisStore(kind);
    other = await openRedisStore(kind, { prefix: opened.prefix });
  });
  afterEach(() => {
    opened.close();
    other.close();
  });

  test('holds all of a store on one server', async () => {
    const before = await cluster.sizes();
    for (const number of [1, 2, 3, 4, 5]) {
      await opened.store.insert(buildRecord(number, { organization: { id: `org_${number}` } }));
      await opened.store.update(idOf(number), { enabled: false, narrows: true }, 1);
    }
    const grown = (await cluster.sizes()).map((size, index) => size - (before[index] as number));
    expect(grown.filter((count) => count !== 0)).toEqual([
      // Records, indexes of their digests and of their organizations; of their one owner, of all ids, and the log.
      5 + 5 + 5 + 1 + 1 + 1,
    ]);
  });

  test('spreads stores with different prefixes', async () => {
    const before = await cluster.sizes();
    const stores = await Promise.all(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((end) => openRedisStore(kind, { prefix: `${opened.prefix}${end}` })),
    );
    for (const { store } of stores) await store.insert(buildRecord(1));
    const after = await cluster.sizes();
    expect(after.filter((size, index) => size > (before[index] as number)).length).toBeGreaterThan(1);
    for (const { close } of stores) close();
  });

  test('tells other processes of a revocation', async () => {
    const here = createApiKeys({ store: opened.store, prefix: 'acme', cache: { ttlMs: 600_000 } });
    const there = createApiKeys({ store: other.store, prefix: 'acme', cache: { ttlMs: 600_000 } });
    const { key, apiKey } = await here.create({ name: 'CI', organization: { id: 'org_1' } });
    await eventually(async () => {
      await there.verify(key);
      expect(there.verify(key)).toMatchObject({ ok: true });
    });
    await here.revoke(apiKey.id);
    await eventually(async () =>
      expect(await there.verify(key)).toMatchObject({ ok: false, reason: 'revoked' }),
    );
    await Promise.all([here.close(), there.close()]);
  });
});
