// A store over each kind of server, with the settings that docs/stores.md advises.
import { Redis } from 'ioredis';
import { RedisKeyStore } from 'keystile/stores/redis';
import { SqlKeyStore } from 'keystile/stores/sql';
import { createPool } from 'mysql2/promise';
import pg from 'pg';

export function openStore(name, url) {
  if (name === 'redis') return openRedisStore(url);
  const pool =
    name === 'postgres'
      ? new pg.Pool({ connectionString: url, connectionTimeoutMillis: 1_000, query_timeout: 2_000 })
      : createPool({ uri: url, connectTimeout: 1_000 });
  // Without a listener, a connection that breaks while it is idle would end the process.
  pool.on('error', () => undefined);
  return { store: new SqlKeyStore(pool), pool, close: () => pool.end().catch(() => undefined) };
}

function openRedisStore(url) {
  const client = new Redis(url);
  client.on('error', () => undefined);
  return { store: new RedisKeyStore(client), close: async () => client.disconnect() };
}
