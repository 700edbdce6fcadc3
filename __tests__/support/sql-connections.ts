import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { createClient } from '@libsql/client';
import { CompiledQuery, Kysely, MysqlDialect, PostgresDialect } from 'kysely';
import { createPool as createCallbackPool } from 'mysql2';
import { createConnection, createPool } from 'mysql2/promise';
import pg from 'pg';
import postgres from 'postgres';
import {
  type SqlConnection,
  type SqlDialect,
  SqlKeyStore,
  type SqlQuery,
} from '../../lib/stores/sql-key-store.ts';
import { createDatabase, SERVER_TIMEOUT_MS, withoutServers } from './servers.ts';

type Values = readonly (string | number | null)[];

export interface OpenedConnection {
  readonly connection: SqlConnection | { dialect: SqlDialect; query: SqlQuery };
  /** Any statement, past the store, with `?` for its values. */
  run(text: string, values?: Values): Promise<readonly object[]>;
  close(): Promise<unknown>;
}

export interface ConnectionKind {
  readonly name: string;
  readonly dialect: SqlDialect;
  /** Over a fresh database. */
  open(): Promise<OpenedConnection>;
}

/** The part of node:sqlite that the tests use; its own types come with a later Node than ours. */
interface DatabaseSync {
  prepare(text: string): {
    all(...values: unknown[]): Record<string, unknown>[];
    run(...values: unknown[]): { changes: number | bigint };
  };
  exec(text: string): void;
  close(): void;
}

interface ProcessWithModules {
  getBuiltinModule?(name: string): { DatabaseSync: new (path: string, options?: object) => DatabaseSync };
}

const nodeSqlite = (process as unknown as ProcessWithModules).getBuiltinModule?.('node:sqlite');

/** In memory where that can be had: each write of SQLite waits for the disk, and nothing here asks for that. */
const PARENT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export function makeTemporaryFolder(): { path(name: string): string; remove(): void } {
  const folder = mkdtempSync(join(PARENT, 'keystile-sql-'));
  return {
    path: (name) => join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export function openLibsql(url: string): OpenedConnection {
  const client = createClient({ url });
  return {
    connection: client,
    run: async (text, values = []) => (await client.execute({ sql: text, args: [...values] })).rows,
    close: async () => client.close(),
  };
}

async function openLibsqlFile(): Promise<OpenedConnection> {
  const folder = makeTemporaryFolder();
  const opened = openLibsql(`file:${folder.path('keys.db')}`);
  return {
    ...opened,
    async close() {
      await opened.close();
      folder.remove();
    },
  };
}

async function openOwnQuery(): Promise<OpenedConnection> {
  const opened = openLibsql(':memory:');
  const client = opened.connection as ReturnType<typeof createClient>;
  const query: SqlQuery = async (text, values) => {
    const { rows, rowsAffected } = await client.execute({ sql: text, args: [...values] });
    return { rows, affectedRows: rowsAffected };
  };
  return { ...opened, connection: { dialect: 'sqlite', query } };
}

async function openNodeSqlite(Database: new (path: string) => DatabaseSync): Promise<OpenedConnection> {
  const database = new Database(':memory:');
  return {
    connection: database,
    run: async (text, values = []) => database.prepare(text).all(...values),
    close: async () => database.close(),
  };
}

function numbered(text: string): string {
  let count = 0;
  return text.replace(/\?/g, () => `$${++count}`);
}

export async function openPgPool(): Promise<OpenedConnection> {
  const database = await createDatabase('postgres');
  const pool = new pg.Pool({ connectionString: database.url, max: 5 });
  return {
    connection: pool,
    run: async (text, values = []) => (await pool.query(numbered(text), [...values])).rows,
    async close() {
      await pool.end();
      await database.drop();
    },
  };
}

export async function openPgClient(): Promise<OpenedConnection> {
  const database = await createDatabase('postgres');
  const client = new pg.Client(database.url);
  await client.connect();
  return {
    connection: client,
    run: async (text, values = []) => (await client.query(numbered(text), [...values])).rows,
    async close() {
      await client.end();
      await database.drop();
    },
  };
}

export async function openPostgresJs(): Promise<OpenedConnection> {
  const database = await createDatabase('postgres');
  const sql = postgres(database.url, { max: 5, onnotice: () => undefined });
  return {
    connection: sql,
    run: async (text, values = []) => sql.unsafe(numbered(text), [...values]),
    async close() {
      await sql.end();
      await database.drop();
    },
  };
}

/** To make a PostgreSQL from nothing takes seconds: the first of a run is copied by all others. */
async function createPglite(): Promise<PGlite> {
  const copy = join(process.env['KEYSTILE_TEST_SERVERS'] as string, 'pglite.tar');
  if (existsSync(copy)) return PGlite.create({ loadDataDir: new Blob([readFileSync(copy)]) });
  const database = await PGlite.create();
  const dump = await database.dumpDataDir('none');
  const unfinished = `${copy}-${process.pid}`;
  writeFileSync(unfinished, Buffer.from(await dump.arrayBuffer()));
  renameSync(unfinished, copy);
  return database;
}

async function openPglite(): Promise<OpenedConnection> {
  const database = await createPglite();
  return {
    connection: database,
    run: async (text, values = []) => (await database.query<object>(numbered(text), [...values])).rows,
    close: () => database.close(),
  };
}

export async function openMysql2Pool(): Promise<OpenedConnection> {
  const database = await createDatabase('mysql');
  const pool = createPool({ uri: database.url, connectionLimit: 5 });
  return {
    connection: pool,
    run: async (text, values = []) => (await pool.query(text, [...values]))[0] as object[],
    async close() {
      await pool.end();
      await database.drop();
    },
  };
}

/** With settings that change what a driver sends and hands out. */
export async function openMysql2Connection(): Promise<OpenedConnection> {
  const database = await createDatabase('mysql');
  const connection = await createConnection({
    uri: database.url,
    flags: ['-FOUND_ROWS'],
    rowsAsArray: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    namedPlaceholders: true,
  });
  await connection.query(`SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES,ANSI_QUOTES'`);
  return {
    connection,
    run: async (sql, values = []) =>
      (await connection.query({ sql, values: [...values], rowsAsArray: false }))[0] as object[],
    async close() {
      await connection.end();
      await database.drop();
    },
  };
}

/** As docs/stores.md tells. */
function kyselyQuery(db: Kysely<unknown>): SqlQuery {
  return async (text, values) => {
    const { rows, numAffectedRows } = await db.executeQuery<object>(CompiledQuery.raw(text, [...values]));
    return { rows, affectedRows: Number(numAffectedRows ?? 0) };
  };
}

async function openKysely(dialect: 'postgres' | 'mysql'): Promise<OpenedConnection> {
  const database = await createDatabase(dialect);
  const db = new Kysely<unknown>({
    dialect:
      dialect === 'postgres'
        ? new PostgresDialect({ pool: new pg.Pool({ connectionString: database.url, max: 5 }) })
        : new MysqlDialect({ pool: createCallbackPool({ uri: database.url, connectionLimit: 5 }) }),
  });
  const query = kyselyQuery(db);
  return {
    connection: { dialect, query },
    run: async (text, values = []) =>
      (await query(dialect === 'postgres' ? numbered(text) : text, values)).rows,
    async close() {
      await db.destroy();
      await database.drop();
    },
  };
}

const embeddedKinds: readonly ConnectionKind[] = [
  { name: '@libsql/client on a file', dialect: 'sqlite', open: openLibsqlFile },
  { name: '{ dialect, query }', dialect: 'sqlite', open: openOwnQuery },
  ...(nodeSqlite === undefined
    ? []
    : [
        {
          name: 'node:sqlite',
          dialect: 'sqlite' as const,
          open: () => openNodeSqlite(nodeSqlite.DatabaseSync),
        },
      ]),
  { name: 'PGlite', dialect: 'postgres', open: openPglite },
];

const serverKinds: readonly ConnectionKind[] = [
  { name: 'a pg Pool', dialect: 'postgres', open: openPgPool },
  { name: 'a pg Client', dialect: 'postgres', open: openPgClient },
  { name: 'postgres.js', dialect: 'postgres', open: openPostgresJs },
  { name: 'Kysely on PostgreSQL', dialect: 'postgres', open: () => openKysely('postgres') },
  { name: 'a mysql2 pool', dialect: 'mysql', open: openMysql2Pool },
  { name: 'a mysql2 connection with settings of its own', dialect: 'mysql', open: openMysql2Connection },
  { name: 'Kysely on MariaDB', dialect: 'mysql', open: () => openKysely('mysql') },
];

/** Every kind that can be opened here. */
export const connectionKinds: readonly ConnectionKind[] = [
  ...embeddedKinds,
  ...(withoutServers ? [] : serverKinds),
];

const TABLES_OF: Readonly<Record<SqlDialect, string>> = {
  sqlite: `SELECT name FROM sqlite_master WHERE type = 'table'`,
  postgres: `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`,
  mysql: 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()',
};

export function quoted(dialect: SqlDialect, name: string): string {
  return dialect === 'mysql' ? `\`${name}\`` : `"${name}"`;
}

/** For the tests of one `describe`: one connection, and an empty table before each of them. */
export function openForTests(
  { dialect, open }: ConnectionKind,
  onOpen: (opened: OpenedConnection, store: SqlKeyStore) => void,
): void {
  let opened: OpenedConnection | undefined;
  beforeAll(async () => {
    opened = await open();
  }, SERVER_TIMEOUT_MS);
  afterAll(async () => {
    await opened?.close();
  });
  beforeEach(async () => {
    const { connection, run } = opened as OpenedConnection;
    for (const row of await run(TABLES_OF[dialect])) {
      const { name } = row as { name: string };
      const table = quoted(dialect, name);
      await run(name === 'keystile_keys' ? `DELETE FROM ${table}` : `DROP TABLE ${table}`);
    }
    const store = new SqlKeyStore(connection);
    await store.migrate();
    onOpen(opened as OpenedConnection, store);
  });
}
