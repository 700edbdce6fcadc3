// The stores of bench/revocation.mjs, a row for each: how a process opens one, how late it may be, and what can be done to
// what tells of changes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@libsql/client';
import { RedisKeyStore, redisBus } from 'keystile/stores/redis';
import { SqlKeyStore } from 'keystile/stores/sql';
import { createPool } from 'mysql2/promise';
import pg from 'pg';
import { createClient as createRedis } from 'redis';
import { startServer } from '../scripts/services.mjs';

const POLL_MS = 1_000;
const POLL_GOAL = { max: POLL_MS + 500 };
const FAULT_EVERY_MS = 100;

/** `goal` in milliseconds; `faults` by name, each answers what ends it; with a fault 5 s are allowed. */
export const KINDS = {
  postgres: {
    start: () => startServer('postgres'),
    open: (url) => openPostgres(url, {}),
    goal: { p99: 100, max: 1_000 },
    faults: { cut: cutListeners, flooded: floodListeners, stopped: stopListeners },
  },
  'postgres-poll': {
    start: () => startServer('postgres'),
    open: (url) => openPostgres(url, { max: 1 }),
    goal: POLL_GOAL,
    faults: {},
  },
  mariadb: { start: () => startServer('mysql'), open: openMysql, goal: POLL_GOAL, faults: {} },
  'mariadb-bus': {
    start: startWithBus,
    open: openMysqlWithBus,
    goal: { p99: 100, max: 1_000 },
    faults: { cut: cutSubscribers, flooded: floodSubscribers, stopped: stopRedis },
  },
  redis: {
    start: () => startServer('redis', { durable: true }),
    open: openRedis,
    goal: { p99: 100, max: 1_000 },
    faults: { cut: cutSubscribers, flooded: floodSubscribers },
  },
  sqlite: { start: makeFile, open: openSqlite, goal: POLL_GOAL, faults: {} },
};

function openPostgres(url, options) {
  const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: 1_000, ...options });
  pool.on('error', () => undefined);
  return { store: new SqlKeyStore(pool), close: () => pool.end() };
}

function openMysql(url) {
  const pool = createPool({ uri: url, connectTimeout: 1_000 });
  return { store: new SqlKeyStore(pool), close: () => pool.end() };
}

async function openRedis(url) {
  const client = await connectRedis(url);
  return { store: new RedisKeyStore(client), close: () => client.destroy() };
}

async function openMysqlWithBus(urls) {
  const [url, redisUrl] = urls.split(' ');
  const pool = createPool({ uri: url, connectTimeout: 1_000 });
  const client = await connectRedis(redisUrl);
  const close = async () => {
    await pool.end();
    client.destroy();
  };
  return { store: new SqlKeyStore(pool, { watch: { bus: redisBus(client) } }), close };
}

async function connectRedis(url) {
  const client = createRedis({ url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function startWithBus() {
  const [mysql, redis] = await Promise.all([startServer('mysql'), startServer('redis')]);
  return {
    url: `${mysql.url} ${redis.url}`,
    redis,
    stop: () => Promise.all([mysql.stop(), redis.stop()]),
  };
}

function openSqlite(url) {
  const client = createClient({ url, timeout: 1_000 });
  return {
    store: new SqlKeyStore(client),
    prepare: () => client.execute('PRAGMA journal_mode = WAL'),
    close: () => client.close(),
  };
}

function makeFile() {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-revocation-'));
  return {
    url: `file:${join(folder, 'keys.db')}`,
    stop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

// ---- what is done to those who listen in PostgreSQL ------------------------------------------------------------------

const LISTENERS = `SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`;

/** Ends each connection that listens, again and again. */
function cutListeners(url) {
  return againAndAgain(url, (client) =>
    client.query(`SELECT pg_terminate_backend(pid) FROM (${LISTENERS}) l`),
  );
}

/** Notifies as fast as a connection can, in messages that mean nothing and in messages that mean to look. */
async function floodListeners(url) {
  const client = new pg.Client(url);
  await client.connect();
  let isOver = false;
  let sent = 0;
  const flood = (async () => {
    while (!isOver) {
      await client.query(
        `SELECT pg_notify('keystile_keys_changed', 'changed ' || n || ' ' || $1) FROM generate_series(1, 50) n`,
        [String(sent)],
      );
      sent += 50;
    }
  })();
  return async () => {
    isOver = true;
    await flood;
    await client.end();
    return `${sent} messages`;
  };
}

/** Stops the process behind each connection that listens, also of those that are opened later. */
async function stopListeners(url) {
  const stopped = new Set();
  const end = await againAndAgain(url, async (client) => {
    const { rows } = await client.query(LISTENERS);
    for (const { pid } of rows) {
      if (stopped.has(pid)) continue;
      stopped.add(pid);
      process.kill(pid, 'SIGSTOP');
    }
  });
  return async () => {
    await end();
    for (const pid of stopped) {
      try {
        process.kill(pid, 'SIGCONT');
      } catch {}
    }
    return `${stopped.size} backends`;
  };
}

async function againAndAgain(url, act) {
  const client = new pg.Client(url);
  await client.connect();
  await act(client);
  let last = Promise.resolve();
  const timer = setInterval(() => {
    last = last.then(() => act(client));
  }, FAULT_EVERY_MS);
  return async () => {
    clearInterval(timer);
    await last;
    await client.end();
  };
}

// ---- and to those who listen in Redis --------------------------------------------------------------------------------

async function cutSubscribers(urls) {
  const client = await connectRedis(redisUrlOf(urls));
  const timer = setInterval(() => {
    client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']).catch(() => undefined);
  }, FAULT_EVERY_MS);
  return async () => {
    clearInterval(timer);
    client.destroy();
  };
}

async function floodSubscribers(urls) {
  const client = await connectRedis(redisUrlOf(urls));
  const channels = await client.sendCommand(['PUBSUB', 'CHANNELS']);
  let isOver = false;
  let sent = 0;
  const flood = (async () => {
    while (!isOver) {
      const messages = Array.from({ length: 50 }, (_, n) => `changed ${sent + n}`);
      await Promise.all(
        channels.flatMap((channel) => messages.map((message) => client.publish(channel, message))),
      );
      sent += 50;
      // Faster, and it is this process that has no time left.
      await sleep(5);
    }
  })();
  return async () => {
    isOver = true;
    await flood;
    client.destroy();
    return `${sent} messages on ${channels.length} channels`;
  };
}

async function stopRedis(_urls, { redis }) {
  redis.signal('SIGSTOP');
  return async () => redis.signal('SIGCONT');
}

function redisUrlOf(urls) {
  return urls.split(' ').at(-1);
}
