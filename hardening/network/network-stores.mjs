// Stores over each driver that has a network, with the settings that docs/stores.md advises.
import { Redis } from 'ioredis';
import { RedisKeyStore } from 'keystile/stores/redis';
import { SqlKeyStore } from 'keystile/stores/sql';
import { createPool } from 'mysql2/promise';
import pg from 'pg';
import postgres from 'postgres';
import { createClient } from 'redis';

/**
 * @typedef {object} StoreKind
 * @property {string} name
 * @property {'postgres' | 'mysql' | 'redis'} server
 * @property {boolean} letsGo - whether the driver gives up a connection on which nothing comes any more
 * @property {boolean} listens - whether it is rung for by the server itself, over a connection of its own
 * @property {(url: string, ms?: number) => Promise<{ store: SqlKeyStore | RedisKeyStore, end: () => unknown }>} open
 */

/** Until a driver gives up. */
const PATIENCE_MS = 1_000;

/** @type {readonly StoreKind[]} */
export const STORE_KINDS = [
  {
    name: 'pg-pool',
    server: 'postgres',
    letsGo: true,
    listens: true,
    async open(url, ms = PATIENCE_MS) {
      const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: ms, query_timeout: 2 * ms });
      pool.on('error', () => undefined);
      return { store: sqlStore(pool, 'keys_of_pool'), end: () => pool.end() };
    },
  },
  {
    name: 'postgres.js',
    server: 'postgres',
    letsGo: false,
    listens: true,
    async open(url, ms = PATIENCE_MS) {
      const sql = postgres(url, {
        onnotice: () => undefined,
        connect_timeout: ms / 1_000,
        backoff: (tries) => Math.min(3 ** tries / 100, ms / 1_000),
        connection: { statement_timeout: 2 * ms },
        // It asks for the types of arrays when it connects; a connection that is lost then is an unhandled rejection.
        fetch_types: false,
      });
      return { store: sqlStore(sql, 'keys_of_postgres_js'), end: () => sql.end({ timeout: 1 }) };
    },
  },
  {
    name: 'mysql2-pool',
    server: 'mysql',
    letsGo: false,
    listens: false,
    async open(url, ms = PATIENCE_MS) {
      const pool = createPool({ uri: url, connectTimeout: ms, queueLimit: 1_000 });
      return { store: sqlStore(pool, 'keys_of_pool'), end: () => pool.end() };
    },
  },
  {
    name: 'ioredis',
    server: 'redis',
    letsGo: true,
    listens: true,
    async open(url, ms = PATIENCE_MS) {
      const client = new Redis(url, { socketTimeout: 2 * ms });
      client.on('error', () => undefined);
      return { store: new RedisKeyStore(client, { prefix: 'ioredis' }), end: () => client.disconnect() };
    },
  },
  {
    name: 'node-redis',
    server: 'redis',
    // Its socketTimeout counts what is written too, so it never ends under load.
    letsGo: false,
    listens: true,
    async open(url) {
      const client = createClient({ url });
      client.on('error', () => undefined);
      await client.connect();
      return { store: new RedisKeyStore(client, { prefix: 'node-redis' }), end: () => client.destroy() };
    },
  },
];

function sqlStore(connection, table) {
  return new SqlKeyStore(connection, { table });
}
