import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createKeys, disturb, revokeAndKill, underLoad } from '../../bench/load.mjs';
import { type ApiKeys, apiKeyAuth, createApiKeys } from '../../lib/index.ts';
import type { RedisKeyStore } from '../../lib/stores/redis-key-store.ts';
import { startServer } from '../../scripts/services.mjs';
import { clientKinds } from '../support/redis-clients.ts';
import { eventually, openRedisStore, type PrivateServer } from '../support/redis-stores.ts';
import { describeWithServers, SERVER_TIMEOUT_MS } from '../support/servers.ts';

const LONG_MS = 120_000;

/** Nothing is answered out of the cache for longer than a moment, so that an outage shows. */
function createShortSighted(store: RedisKeyStore): ApiKeys {
  const cache = { ttlMs: 100, staleIfErrorMs: 0 };
  return createApiKeys({ store, prefix: 'acme', storeTimeoutMs: 500, cache });
}

describeWithServers.each(clientKinds)('while Redis fails, over $name', (kind) => {
  let server: PrivateServer;

  beforeAll(async () => {
    server = await startServer('redis', { durable: true });
  }, SERVER_TIMEOUT_MS);
  afterAll(() => server.stop(), LONG_MS);

  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });

  async function openStore(): Promise<RedisKeyStore> {
    const one = await openRedisStore(kind, { url: server.url });
    opened.push(one);
    return one.store;
  }

  function openApiKeys(store: RedisKeyStore): ApiKeys {
    const apiKeys = createShortSighted(store);
    opened.push(apiKeys);
    return apiKeys;
  }

  test(
    'a stopped one is 503, and a key is good again when it goes on',
    async () => {
      const apiKeys = openApiKeys(await openStore());
      const [good] = await createKeys(apiKeys, 1);
      const verify = async () => apiKeys.verify(good?.key as string);
      server.signal('SIGSTOP');
      await expect(verify()).rejects.toMatchObject({ code: 'temporarily_unavailable', status: 503 });
      await expect(apiKeys.revoke(good?.id as string)).rejects.toMatchObject({ status: 503 });
      server.signal('SIGCONT');
      // The revocation was given up and not taken back: it may have been carried out.
      const { ok, reason } = { reason: undefined, ...(await eventually(verify)) };
      expect([ok, reason]).toEqual(ok ? [true, undefined] : [false, 'revoked']);
    },
    LONG_MS,
  );

  test(
    'every answer is 200 or 503, while it is stopped and killed under load',
    async () => {
      const apiKeys = openApiKeys(await openStore());
      const keys = await createKeys(apiKeys, 500);
      const load = underLoad(apiKeyAuth(apiKeys), keys, 300, () => disturb(server, 800));
      const { statuses, wrong } = await load;
      expect(Object.keys(statuses).sort()).toEqual(['200', '503']);
      expect(wrong).toBe(0);
      const verify = async () => apiKeys.verify(keys[0]?.key as string);
      await expect(eventually(verify)).resolves.toMatchObject({ ok: true });
    },
    LONG_MS,
  );

  test(
    'a revocation that was acknowledged holds after kill -9',
    async () => {
      const open = async () => {
        const { store, close } = await openRedisStore(kind, { url: server.url, prefix: 'durable' });
        const apiKeys = createShortSighted(store);
        const end = async () => {
          await apiKeys.close();
          close();
        };
        return { apiKeys, close: end };
      };
      for (let round = 0; round < 3; round += 1) {
        expect(await revokeAndKill(server, open)).toBe('revoked');
      }
    },
    LONG_MS,
  );
});
