import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { SqlKeyStore } from '../../lib/stores/sql-key-store.ts';
import { startServer } from '../../scripts/services.mjs';
import { Ear } from '../support/ear.ts';
import { buildRecord, idOf } from '../support/records.ts';
import { createDatabase, type Database, describeWithServers, SERVER_TIMEOUT_MS } from '../support/servers.ts';

const CHANNEL = 'keystile_keys_changed';
const LISTENERS = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`;
const REVOKED = { revokedAt: new Date(), narrows: true };

let database: Database;
let pool: pg.Pool;
let store: SqlKeyStore;
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  database = await createDatabase('postgres');
  pool = new pg.Pool({ connectionString: database.url, max: 5 });
  pool.on('error', () => undefined);
  store = new SqlKeyStore(pool);
  await store.migrate();
}, SERVER_TIMEOUT_MS);

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await pool.end();
  await database.drop();
});

async function listen(on: SqlKeyStore): Promise<Ear> {
  const ear = new Ear();
  ends.push(await (on.watch as NonNullable<typeof on.watch>)(ear.onChange));
  return ear;
}

async function openClient(url: string = database.url): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on('error', () => undefined);
  await client.connect();
  ends.push(() => client.end());
  return client;
}

/** The process behind the connection that listens, once there is one that is not among the known. */
async function listenerOf(client: pg.Client, known: readonly number[] = []): Promise<number> {
  for (;;) {
    const { rows } = await client.query(LISTENERS);
    const found = rows.map(({ pid }) => pid).find((pid) => !known.includes(pid));
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describeWithServers('watch over PostgreSQL', () => {
  test('tells of two writers that commit in the other order than they wrote', async () => {
    for (const number of [1, 2]) await store.insert(buildRecord(number));
    const [slow, quick] = [await openClient(), await openClient()];
    const ear = await listen(store);
    await slow.query('BEGIN');
    await quick.query('BEGIN');
    await new SqlKeyStore(slow).update(idOf(1), REVOKED, 1);
    await new SqlKeyStore(quick).update(idOf(2), REVOKED, 1);
    await quick.query('COMMIT');
    await ear.of(idOf(2));
    await ear.twoLooks();
    expect(ear.narrowed).toHaveLength(1);
    await slow.query('COMMIT');
    expect(await ear.of(idOf(1))).toEqual({ type: 'narrowed', id: idOf(1), version: 2, ended: true });
  });

  test('tells nothing of what was rolled back', async () => {
    for (const number of [1, 2]) await store.insert(buildRecord(number));
    const client = await openClient();
    const ear = await listen(store);
    await client.query('BEGIN');
    await new SqlKeyStore(client).update(idOf(1), REVOKED, 1);
    await client.query('ROLLBACK');
    await store.update(idOf(2), REVOKED, 1);
    await ear.of(idOf(2));
    expect(ear.narrowed).toHaveLength(1);
  });

  test('tells of each of many that are revoked at once', async () => {
    const many = Array.from({ length: 1_000 }, (_, number) => number);
    await Promise.all(many.map((number) => store.insert(buildRecord(number))));
    // As in another process: where all of them wait for one pool, so does whoever looks.
    const other = new pg.Pool({ connectionString: database.url });
    ends.push(() => other.end());
    const ear = await listen(new SqlKeyStore(other));
    await Promise.all(many.map((number) => store.update(idOf(number), REVOKED, 1)));
    await ear.until(() => ear.narrowed.length >= many.length);
    expect(new Set(ear.narrowed.map(({ id }) => id)).size).toBe(many.length);
  });

  test('says that it is lost where more was narrowed than it reads, and no transaction fails', async () => {
    await pool.query(`INSERT INTO keystile_keys
      SELECT 'id-' || n, 'sha256:' || n, NULL, NULL, NULL, 'opaque', 'Key', 'live', '', '', 'org_1', NULL, 'organization',
        'org_1', '[]', '{}', 1, 1, 0, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM generate_series(1, 10001) n`);
    const ear = await listen(store);
    await pool.query(`UPDATE keystile_keys SET version = 2, revoked_at = 1,
      narrowed_at = CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)`);
    await ear.until(() => ear.count('lost') > 0);
  });

  test('goes on when the connection that listens is ended, and opens another', async () => {
    for (const number of [1, 2]) await store.insert(buildRecord(number));
    const client = await openClient();
    const ear = await listen(store);
    const first = await listenerOf(client);
    await client.query('SELECT pg_terminate_backend($1)', [first]);
    await store.update(idOf(1), REVOKED, 1);
    await ear.of(idOf(1));
    await listenerOf(client, [first]);
    await store.update(idOf(2), REVOKED, 1);
    await ear.of(idOf(2));
  });

  test('makes no more than a look of what is shouted on the channel', async () => {
    await store.insert(buildRecord(1));
    const client = await openClient();
    const ear = await listen(store);
    await listenerOf(client);
    const looks = ear.count('alive');
    const start = performance.now();
    await client.query(`SELECT pg_notify($1, repeat('x', 7900) || n) FROM generate_series(1, 2000) n`, [
      CHANNEL,
    ]);
    await client.query(`SELECT pg_notify($1, $2)`, [CHANNEL, '{"id":"a","version":9,"ended":true}']);
    await client.query(`NOTIFY ${CHANNEL}`);
    await store.update(idOf(1), REVOKED, 1);
    await ear.of(idOf(1));
    expect(ear.narrowed).toHaveLength(1);
    expect(ear.count('lost')).toBe(0);
    // One for each 25 ms, those that were due anyhow, and the one that was under way.
    expect(ear.count('alive') - looks).toBeLessThan((performance.now() - start) / 20 + 3);
  });

  test('takes no client of a pool that has only one', async () => {
    const single = new pg.Pool({ connectionString: database.url, max: 1 });
    ends.push(() => single.end());
    const other = new SqlKeyStore(single, { watch: { pollMs: 50 } });
    const ear = await listen(other);
    await other.insert(buildRecord(1));
    await other.update(idOf(1), REVOKED, 1);
    await ear.of(idOf(1));
    expect((await single.query(LISTENERS)).rows).toEqual([]);
  });

  test('gives its client back when the pool is being ended', async () => {
    const other = new pg.Pool({ connectionString: database.url });
    const client = await openClient();
    await listen(new SqlKeyStore(other, { watch: { pollMs: 50 } }));
    await listenerOf(client);
    await other.end();
    expect(other.totalCount).toBe(0);
    // An echo that does not come back would bring it to light as well, 7 s later.
  }, 6_000);

  test('listens on a connection of yours, and ends it', async () => {
    let ended = 0;
    const listener = async () => {
      const client = new pg.Client(database.url);
      await client.connect();
      client.on('end', () => {
        ended += 1;
      });
      return client;
    };
    const query = async (text: string, values: readonly unknown[]) => {
      const { rows, rowCount } = await pool.query(text, [...values]);
      return { rows, affectedRows: rowCount ?? 0 };
    };
    const options = { watch: { listener, pollMs: 2_000 } };
    const ear = await listen(new SqlKeyStore({ dialect: 'postgres', query }, options));
    await store.insert(buildRecord(1));
    await listenerOf(await openClient());
    await ear.until(() => ear.count('alive') > 0);
    const looks = ear.count('alive');
    await store.update(idOf(1), REVOKED, 1);
    await ear.of(idOf(1));
    expect(ear.count('alive')).toBeLessThanOrEqual(looks + 1);
    await ends.shift()?.();
    expect(ended).toBe(1);
  });

  test('gives two tables with long names that begin alike channels of their own', async () => {
    const tables = [`${'k'.repeat(62)}a`, `${'k'.repeat(62)}b`];
    const client = await openClient();
    const known: number[] = [];
    for (const table of tables) {
      const long = new SqlKeyStore(pool, { table });
      await long.migrate();
      await listen(long);
      known.push(await listenerOf(client, known));
    }
    const { rows } = await client.query(`SELECT query FROM pg_stat_activity WHERE pid = ANY($1)`, [known]);
    expect(new Set(rows.map(({ query }) => query)).size).toBe(2);
  });
});

describeWithServers('a listener whose process at the server is stopped', () => {
  test('costs an interval, and is replaced', async () => {
    const server = await startServer('postgres');
    const own = new pg.Pool({ connectionString: server.url, max: 5 });
    own.on('error', () => undefined);
    ends.push(async () => {
      await own.end();
      await server.stop();
    });
    const stopped = new SqlKeyStore(own);
    await stopped.migrate();
    for (const number of [1, 2]) await stopped.insert(buildRecord(number));
    const client = await openClient(server.url);
    const ear = await listen(stopped);
    const first = await listenerOf(client);
    process.kill(first, 'SIGSTOP');
    ends.push(() => process.kill(first, 'SIGCONT'));
    await stopped.update(idOf(1), REVOKED, 1);
    await ear.of(idOf(1));
    // Found out by an echo that does not come back.
    await listenerOf(client, [first]);
    await stopped.update(idOf(2), REVOKED, 1);
    await ear.of(idOf(2));
    expect(ear.count('lost')).toBe(0);
  }, 60_000);
});
