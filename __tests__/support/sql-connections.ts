import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@libsql/client';
import type { SqlConnection, SqlQuery } from '../../lib/stores/sql-key-store.ts';

export interface OpenedConnection {
  readonly connection: SqlConnection | { dialect: 'sqlite'; query: SqlQuery };
  /** Any statement, past the store. */
  run(text: string, values?: readonly (string | number | null)[]): Promise<readonly object[]>;
  close(): void;
}

export interface ConnectionKind {
  readonly name: string;
  open(path: string): OpenedConnection;
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

export function openLibsql(path: string): OpenedConnection {
  const client = createClient({ url: `file:${path}` });
  return {
    connection: client,
    run: async (text, values = []) => (await client.execute({ sql: text, args: [...values] })).rows,
    close: () => client.close(),
  };
}

function openOwnQuery(path: string): OpenedConnection {
  const opened = openLibsql(path);
  const client = opened.connection as ReturnType<typeof createClient>;
  const query: SqlQuery = async (text, values) => {
    const { rows, rowsAffected } = await client.execute({ sql: text, args: [...values] });
    return { rows, affectedRows: rowsAffected };
  };
  return { ...opened, connection: { dialect: 'sqlite', query } };
}

function openNodeSqlite(Database: new (path: string) => DatabaseSync, path: string): OpenedConnection {
  const database = new Database(path);
  return {
    connection: database,
    run: async (text, values = []) => database.prepare(text).all(...values),
    close: () => database.close(),
  };
}

/** Every kind that the running Node can open. */
export const connectionKinds: readonly ConnectionKind[] = [
  { name: '@libsql/client on a file', open: openLibsql },
  { name: '@libsql/client in memory', open: () => openLibsql(':memory:') },
  { name: '{ dialect, query }', open: openOwnQuery },
  ...(nodeSqlite === undefined
    ? []
    : [{ name: 'node:sqlite', open: (path: string) => openNodeSqlite(nodeSqlite.DatabaseSync, path) }]),
];

export function makeTemporaryFolder(): { path(name: string): string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-sql-'));
  return {
    path: (name) => join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
