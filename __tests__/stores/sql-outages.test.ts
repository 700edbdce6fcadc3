import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createPool } from 'mysql2/promise';
import pg from 'pg';
import postgres from 'postgres';
import { createKeys, disturb, revokeAndKill, underLoad } from '../../bench/load.mjs';
import { type ApiKeys, apiKeyAuth, createApiKeys } from '../../lib/index.ts';
import { SqlKeyStore } from '../../lib/stores/sql-key-store.ts';
import { startServer } from '../../scripts/services.mjs';
import { describeWithServers, SERVER_TIMEOUT_MS, type ServerName } from '../support/servers.ts';

/** A server of its own: it is stopped and killed, and what it acknowledges is on the disk. */
type Server = Awaited<ReturnType<typeof startServer>>;

interface Opened {
  readonly store: SqlKeyStore;
  close(): Promise<unknown>;
}

/** Each with the defaults of its driver: whatever waits for ever there, the deadline is ours. */
const drivers: readonly { name: string; server: ServerName; open(url: string): Opened }[] = [
  {
    name: 'a pg Pool',
    server: 'postgres',
    open(url) {
      const pool = new pg.Pool({ connectionString: url });
      pool.on('error', () => undefined);
      return { store: new SqlKeyStore(pool), close: () => pool.end() };
    },
  },
  {
    name: 'postgres.js',
    server: 'postgres',
    open(url) {
      // A connection that is being made keeps the process from ending, for 30 s by default.
      const sql = postgres(url, { onnotice: () => undefined, connect_timeout: 2 });
      return { store: new SqlKeyStore(sql), close: () => sql.end({ timeout: 1 }) };
    },
  },
  {
    name: 'a mysql2 pool',
    server: 'mysql',
    open(url) {
      const pool = createPool(url);
      return { store: new SqlKeyStore(pool), close: () => pool.end() };
    },
  },
];

const LONG_MS = 120_000;

/** Nothing is answered out of the cache for longer than a moment, so that an outage shows. */
function openApiKeys(store: SqlKeyStore): ApiKeys {
  const cache = { ttlMs: 100, staleIfErrorMs: 0 };
  return createApiKeys({ store, prefix: 'acme', storeTimeoutMs: 500, cache });
}

describeWithServers.each(['postgres', 'mysql'] as const)('while the server fails: %s', (serverName) => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer(serverName, { durable: true });
  }, SERVER_TIMEOUT_MS);

  afterAll(() => server.stop(), LONG_MS);

  const ofServer = drivers.filter((driver) => driver.server === serverName);

  test.each(ofServer)(
    'a stopped one is 503 over $name, and a key is good again when it goes on',
    async ({ open }) => {
      const { store, close } = open(server.url);
      await store.migrate();
      const apiKeys = openApiKeys(store);
      const [good] = await createKeys(apiKeys, 1);
      const verify = () => apiKeys.verify(good?.key as string);
      server.signal('SIGSTOP');
      await expect(verify()).rejects.toMatchObject({ code: 'temporarily_unavailable', status: 503 });
      await expect(apiKeys.revoke(good?.id as string)).rejects.toMatchObject({ status: 503 });
      server.signal('SIGCONT');
      await expect(eventually(verify)).resolves.toMatchObject({ ok: true });
      await apiKeys.close();
      await close();
    },
    LONG_MS,
  );

  test.each(ofServer)(
    'every answer is 200 or 503 over $name, while it is stopped and killed under load',
    async ({ open }) => {
      const { store, close } = open(server.url);
      await store.migrate();
      const apiKeys = openApiKeys(store);
      const keys = await createKeys(apiKeys, 500);
      const load = underLoad(apiKeyAuth(apiKeys), keys, 300, () => disturb(server, 800));
      const { statuses, wrong } = await load;
      expect(Object.keys(statuses).sort()).toEqual(['200', '503']);
      expect(wrong).toBe(0);
      await expect(eventually(() => apiKeys.verify(keys[0]?.key as string))).resolves.toMatchObject({
        ok: true,
      });
      await apiKeys.close();
      await close();
    },
    LONG_MS,
  );

  test(
    'a revocation that was acknowledged holds after kill -9',
    async () => {
      const [driver] = ofServer;
      const open = async () => {
        const { store, close } = (driver as (typeof drivers)[number]).open(server.url);
        await store.migrate();
        return { apiKeys: openApiKeys(store), close: () => close().catch(() => undefined) };
      };
      const outcomes: unknown[] = [];
      for (let round = 1; round <= 3; round += 1) outcomes.push(await revokeAndKill(server, open));
      expect(outcomes).toEqual(['revoked', 'revoked', 'revoked']);
    },
    LONG_MS,
  );
});

/** What it answers once it no longer fails, which the circuit breaker delays by some seconds. */
async function eventually<T>(ask: () => T | Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === 300) throw error;
      await sleep(100);
    }
  }
}
