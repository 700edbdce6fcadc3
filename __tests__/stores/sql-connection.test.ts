import { describe, expect, test } from '@jest/globals';
import { createPool } from 'mysql2';
import pg from 'pg';
import { type SqlConnection, SqlKeyStore, type SqlQuery } from '../../lib/stores/sql-key-store.ts';

describe('misuse of SqlKeyStore', () => {
  const query: SqlQuery = async () => ({ rows: [], affectedRows: 0 });
  const sqlite = { dialect: 'sqlite', query } as const;
  const build = (connection: unknown, options?: unknown) => () =>
    new SqlKeyStore(connection as SqlConnection, options as Record<string, never>);
  const call = () => undefined;

  test.each([
    ['undefined', undefined, 'undefined'],
    ['an address', 'postgres://me:pw@host/db', 'a text'],
    ['an empty object', {}, 'an object'],
    ['a function', call, 'a function'],
    ['a query without a dialect', { query: call }, 'an object'],
    ['a pool of mysql', { query: call, getConnection: call, end: call }, 'an object'],
    ['a connection of mysql', { query: call, connect: call, end: call, beginTransaction: call }, 'an object'],
    ['a pool of mariadb', { query: call, execute: call, batch: call, getConnection: call }, 'an object'],
    ['a pool of mssql', { query: call, connect: call, request: call, batch: call, end: call }, 'an object'],
    ['a pool of slonik', { query: call, connect: call, end: call, any: call }, 'an object'],
    ['a database of sqlite3', { prepare: call, exec: call, each: call, all: call }, 'an object'],
    ['a D1 database', { prepare: call, exec: call, batch: call }, 'an object'],
  ])('refuses %s as connection, and lists what it knows', (_, connection, got) => {
    expect(build(connection)).toThrow(
      new TypeError(
        'SqlKeyStore: connection must be a Pool or Client of pg, the function of postgres, a PGlite, a pool or ' +
          'connection of mysql2/promise, a client of @libsql/client, a database of node:sqlite or better-sqlite3, ' +
          `or { dialect, query }, but got ${got}`,
      ),
    );
  });

  test('says what to do with a pool of mysql2 that takes callbacks, and takes its promise()', async () => {
    const pool = createPool({ uri: 'mysql://root@127.0.0.1:1/keys' });
    expect(build(pool)).toThrow(
      new TypeError(
        'SqlKeyStore: connection must answer with promises, but this one of mysql2 takes callbacks: ' +
          'use mysql2/promise, or give its .promise()',
      ),
    );
    expect(build(pool.promise(), { dialect: 'mysql' })).not.toThrow();
    await pool.promise().end();
  });

  test('says which dialect a connection speaks, where another is named', () => {
    const pool = new pg.Pool();
    expect(build(pool, { dialect: 'mysql' })).toThrow(
      'SqlKeyStore: dialect must be "postgres", which this connection speaks, but got "mysql"',
    );
    expect(build(pool, { dialect: 'postgres' })).not.toThrow();
  });

  test.each([['oracle'], ['MySQL'], ['toString'], [undefined]])('says that %j is no dialect', (name) => {
    const got = name === undefined ? 'undefined' : `"${name}"`;
    const message = `dialect must be "postgres" or "mysql" or "sqlite", but got ${got}`;
    expect(build({ dialect: name, query })).toThrow(new TypeError(`SqlKeyStore: ${message}`));
    expect(() => SqlKeyStore.schema(name as 'sqlite')).toThrow(
      new TypeError(`SqlKeyStore.schema: ${message}`),
    );
    if (name !== undefined)
      expect(build(sqlite, { dialect: name })).toThrow(new TypeError(`SqlKeyStore: ${message}`));
  });

  test.each([
    'keys; DROP TABLE users',
    'keys"',
    '"keys"',
    '`keys`',
    "keys' OR '1'='1",
    'public.keys',
    'keys--',
    'keys/**/',
    'keys\n',
    'keys\0',
    '1keys',
    'kéys',
    '',
    ' ',
    'k'.repeat(64),
    null,
    7,
    ['keys'],
  ])('refuses the table %j', (table) => {
    const demand =
      'table must be a name of 1 to 63 letters, digits and underscores that begins with no digit';
    expect(build(sqlite, { table })).toThrow(TypeError);
    expect(build(sqlite, { table })).toThrow(`SqlKeyStore: ${demand}, but got `);
    expect(() => SqlKeyStore.schema('sqlite', { table: table as string })).toThrow(
      `SqlKeyStore.schema: ${demand}`,
    );
  });

  test.each(['keys', '_', 'Keys_2', 'k'.repeat(63)])('takes the table %j', (table) => {
    expect(build(sqlite, { table, dialect: 'sqlite' })).not.toThrow();
  });

  test('names the option that was meant', () => {
    expect(build(sqlite, { tabel: 'keys' })).toThrow(
      'SqlKeyStore: unknown option "tabel"; did you mean "table"? (known: table, dialect, watch)',
    );
    expect(() => SqlKeyStore.schema('sqlite', { dialect: 'sqlite' } as object)).toThrow(
      'unknown option "dialect"',
    );
    expect(build(sqlite, null)).toThrow('SqlKeyStore: options must be an object, but got null');
  });

  test('reads its options once and writes to none', async () => {
    const options = Object.freeze({ table: 'keys' });
    expect(build(Object.freeze({ ...sqlite }), options)).not.toThrow();
  });
});
