import { afterAll, describe, expect, test } from '@jest/globals';
import { type SqlDialect, SqlKeyStore, type SqlQuery } from '../../lib/stores/sql-key-store.ts';
import { buildFullRecord, buildRecord, CREATED_AT, digestOf, idOf } from '../support/records.ts';
import {
  connectionKinds,
  makeTemporaryFolder,
  type OpenedConnection,
  openForTests,
  openLibsql,
  quoted,
} from '../support/sql-connections.ts';

const NO_TABLE: Readonly<Record<SqlDialect, string>> = {
  sqlite: 'no such table',
  postgres: 'does not exist',
  mysql: "doesn't exist",
};

const INDEXES: Readonly<Record<SqlDialect, string>> = {
  sqlite: `SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?`,
  postgres: 'SELECT indexname AS name FROM pg_indexes WHERE tablename = ?',
  mysql:
    'SELECT DISTINCT index_name AS name FROM information_schema.statistics ' +
    'WHERE table_schema = DATABASE() AND table_name = ?',
};

let opened: OpenedConnection;
let store: SqlKeyStore;

describe.each(connectionKinds)('SqlKeyStore over $name', (kind) => {
  openForTests(kind, (...given) => {
    [opened, store] = given;
  });

  describe('migrate', () => {
    test('may run twice and at once, and keeps what is there', async () => {
      await store.insert(buildRecord(1));
      await Promise.all([store.migrate(), new SqlKeyStore(opened.connection).migrate(), store.migrate()]);
      expect(await store.findById(idOf(1))).toStrictEqual(buildRecord(1));
    });

    test.each(['Order', 'k'.repeat(63), '_'])('makes the table %s with its indexes', async (table) => {
      await new SqlKeyStore(opened.connection, { table }).migrate();
      const rows = await opened.run(INDEXES[kind.dialect], [table]);
      const names = rows.map((row) => (row as { name: string }).name);
      const unique = { sqlite: 0, postgres: 3, mysql: 3 }[kind.dialect];
      expect(new Set(names).size).toBe(unique + 3);
      for (const name of names) expect(name.length).toBeLessThanOrEqual(63);
    });

    test('gives two tables whose long names begin alike indexes of their own', async () => {
      const tables = [`${'k'.repeat(60)}_a`, `${'k'.repeat(60)}_b`];
      for (const table of tables) await new SqlKeyStore(opened.connection, { table }).migrate();
      const counts = tables.map(async (table) => (await opened.run(INDEXES[kind.dialect], [table])).length);
      const [one, other] = await Promise.all(counts);
      expect(other).toBe(one);
    });

    test('never runs by itself', async () => {
      const other = new SqlKeyStore(opened.connection, { table: 'other_keys' });
      await expect(other.findById(idOf(1))).rejects.toThrow(NO_TABLE[kind.dialect]);
    });

    test('runs the text of schema(), which makes the table by itself', async () => {
      const table = quoted(kind.dialect, 'my_keys');
      const schema = SqlKeyStore.schema(kind.dialect, { table: 'my_keys' });
      expect(schema).toContain(`CREATE TABLE IF NOT EXISTS ${table} (`);
      for (const statement of schema.split(';\n')) if (statement !== '') await opened.run(statement);
      const own = new SqlKeyStore(opened.connection, { table: 'my_keys' });
      await own.insert(buildFullRecord(1));
      await own.migrate();
      expect(await own.findById(idOf(1))).toStrictEqual(buildFullRecord(1));
    });

    test('makes columns that refuse values of another type, and none', async () => {
      await store.insert(buildRecord(1));
      await expect(opened.run(`UPDATE keystile_keys SET expires_at = 'soon'`)).rejects.toThrow(
        /TEXT value|type bigint|integer value/,
      );
      await expect(opened.run('UPDATE keystile_keys SET scopes = NULL')).rejects.toThrow(/null/i);
      expect(await store.findById(idOf(1))).toStrictEqual(buildRecord(1));
    });

    test('gives every table its own records, and words of SQL are names', async () => {
      const other = new SqlKeyStore(opened.connection, { table: 'RETURNING' });
      await other.migrate();
      await other.insert(buildRecord(1));
      expect(await other.update(idOf(1), { name: 'new', narrows: false }, 1)).toMatchObject({ name: 'new' });
      expect(await other.delete(idOf(1))).toBe(true);
      expect(await store.findById(idOf(1))).toBeUndefined();
    });
  });

  describe('a row that cannot be read', () => {
    const secret = 'xyzzy';

    test.each([
      ['scopes', `["${secret}`],
      ['scopes', `["a", 1, "${secret}"]`],
      ['scopes', `{"${secret}":1}`],
      ['metadata', `{"a":"${secret}`],
      ['metadata', `["${secret}"]`],
      ['metadata', 'null'],
      ['kind', secret],
      ['environment', secret],
      ['owner_type', secret],
      ['enabled', 2],
      ['created_at', 8.64e15 + 1],
      ['expires_at', -8.64e15 - 1],
    ])('names the column %s and not the value: %s', async (column, value) => {
      await store.insert(buildRecord(1));
      await opened.run(`UPDATE keystile_keys SET ${column} = ?`, [value]);
      const reads = [
        store.findById(idOf(1)),
        store.findByDigest([digestOf('key 1')]),
        store.list({ limit: 1, order: 'newest' }),
        store.update(idOf(1), { narrows: false }, 1),
      ];
      for (const outcome of await Promise.allSettled(reads)) {
        const { message, stack, cause } = (outcome as PromiseRejectedResult).reason as Error;
        expect(message).toContain(`column ${column} `);
        expect(`${message}${stack}${cause}`).not.toContain(secret);
      }
    });

    test('names a previous key without an end, which would never end', async () => {
      await store.insert(buildFullRecord(1));
      await opened.run('UPDATE keystile_keys SET previous_expires_at = NULL');
      await expect(store.findById(idOf(1))).rejects.toThrow(
        'column previous_expires_at holds no whole number',
      );
    });
  });
});

describe('SqlKeyStore on a file', () => {
  const folder = makeTemporaryFolder();
  const url = (name: string) => `file:${folder.path(name)}`;

  afterAll(() => folder.remove());

  test('keeps its records when the database is opened anew', async () => {
    const before = openLibsql(url('anew'));
    await new SqlKeyStore(before.connection).migrate();
    await new SqlKeyStore(before.connection).insert(buildFullRecord(1));
    await before.close();
    const after = openLibsql(url('anew'));
    expect(await new SqlKeyStore(after.connection).findById(idOf(1))).toStrictEqual(buildFullRecord(1));
    await after.close();
  });

  test('migrates over many connections at once', async () => {
    const connections = Array.from({ length: 8 }, () => openLibsql(url('at-once')));
    await Promise.all(connections.map(({ connection }) => new SqlKeyStore(connection).migrate()));
    for (const { close } of connections) await close();
  });

  test.each<[string, (it: SqlKeyStore) => Promise<unknown>]>([
    ['a digest', (it) => it.findByDigest(['a', 'b'])],
    ['an id', (it) => it.findById('a')],
    ['a page', (it) => it.list({ limit: 1, order: 'newest', cursor: 'b' })],
    [
      'a page of an organization',
      (it) => it.list({ limit: 1, order: 'newest', organizationId: 'a', cursor: 'b' }),
    ],
    ['a page of an owner', (it) => it.list({ limit: 1, order: 'oldest', ownerId: 'a' })],
    ['a record to update', (it) => it.update('a', { narrows: false }, 1)],
    ['records that were used', (it) => it.recordUse([{ id: 'a', at: CREATED_AT, previous: false }])],
  ])('reaches %s by an index, reading and sorting no more than that', async (_, call) => {
    const { connection, run, close } = openLibsql(':memory:');
    await new SqlKeyStore(connection).migrate();
    let plan: readonly object[] = [];
    const query: SqlQuery = async (text, values) => {
      plan = await run(`EXPLAIN QUERY PLAN ${text}`, values as string[]);
      return { rows: [], affectedRows: 0 };
    };
    await call(new SqlKeyStore({ dialect: 'sqlite', query }));
    await close();
    const steps = plan.map((step) => (step as { detail: string }).detail);
    expect(steps.join()).toContain('SEARCH');
    expect(steps.filter((step) => /^SCAN|TEMP B-TREE/.test(step))).toEqual([]);
  });
});
