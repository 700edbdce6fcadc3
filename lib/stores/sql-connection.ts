import { badOption } from '../options.ts';
import type { DialectRules, SqlDialect, SqlQuery, SqlResult, SqlValue } from './sql-dialect.ts';
import { dialectRules } from './sql-options.ts';

/**
 * A connection of the user's own, known by its shape: a client of `@libsql/client`, or a database of `node:sqlite` or
 * `better-sqlite3`. Any other goes in as `{ dialect, query }`.
 */
export type SqlConnection = LibsqlConnection | SqliteConnection;

interface LibsqlConnection {
  execute(statement: { sql: string; args: SqlValue[] }): Promise<{
    readonly rows: readonly object[];
    readonly rowsAffected: number;
  }>;
  batch(...statements: never[]): Promise<unknown>;
}

interface SqliteConnection {
  prepare(text: string): SqliteStatement;
  exec(text: string): unknown;
}

interface SqliteStatement {
  all(...values: SqlValue[]): readonly unknown[];
  run(...values: SqlValue[]): { readonly changes: number | bigint };
}

/** A user's own function to reach a database by, with the dialect that it speaks. */
export interface SqlQueryConnection {
  readonly dialect: SqlDialect;
  readonly query: SqlQuery;
}

export interface OpenConnection {
  readonly rules: DialectRules;
  readonly query: SqlQuery;
}

/** Texts differ by how many digests, uses and conditions they have; the frequent ones are few. */
const MAX_PREPARED = 64;

/** @throws TypeError unless it is one of the known kinds, and speaks the dialect that is `expected`, if any is */
export function openConnection(connection: unknown, expected: unknown): OpenConnection {
  const { dialect, query } = probe(connection);
  const rules = dialectRules('SqlKeyStore', dialect);
  if (expected !== undefined && expected !== dialect) {
    throw badOption('SqlKeyStore', 'dialect', `"${rules.name}", which this connection speaks`, expected);
  }
  return { rules, query: checked(query) };
}

function probe(connection: unknown): { dialect: unknown; query: SqlQuery } {
  if (hasFunctions(connection, 'query') && 'dialect' in connection) {
    const own = connection as unknown as SqlQueryConnection;
    return { dialect: own.dialect, query: (text, values) => own.query(text, values) };
  }
  // Clients of MariaDB have `execute` and `batch` too, and `query` besides.
  if (hasFunctions(connection, 'execute', 'batch') && !hasFunctions(connection, 'query')) {
    return { dialect: 'sqlite', query: libsqlQuery(connection as unknown as LibsqlConnection) };
  }
  // `each` marks the package sqlite3, and `batch` Cloudflare's D1: both answer later, not at once.
  if (
    hasFunctions(connection, 'prepare', 'exec') &&
    !hasFunctions(connection, 'each') &&
    !hasFunctions(connection, 'batch')
  ) {
    return { dialect: 'sqlite', query: sqliteQuery(connection as unknown as SqliteConnection) };
  }
  throw badOption(
    'SqlKeyStore',
    'connection',
    'a client of @libsql/client, a database of node:sqlite or better-sqlite3, or { dialect, query }',
    connection,
  );
}

function hasFunctions(value: unknown, ...names: string[]): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}

function libsqlQuery(client: LibsqlConnection): SqlQuery {
  return async (text, values) => {
    const { rows, rowsAffected } = await client.execute({ sql: text, args: [...values] });
    return { rows, affectedRows: rowsAffected };
  };
}

function sqliteQuery(database: SqliteConnection): SqlQuery {
  const prepare = preparedStatements(database);
  return async (text, values) => {
    const statement = prepare(text);
    if (givesRows(text)) return { rows: statement.all(...values) as object[], affectedRows: 0 };
    return { rows: [], affectedRows: Number(statement.run(...values).changes) };
  };
}

/** Of our own texts only: a name in them stands in quotes, so this RETURNING with its blanks is the word of SQL. */
function givesRows(text: string): boolean {
  return text.startsWith('SELECT ') || text.includes(' RETURNING ');
}

/** Keeps the statements used last, as these drivers would otherwise compile the text at every call. */
function preparedStatements(database: SqliteConnection): (text: string) => SqliteStatement {
  const kept = new Map<string, SqliteStatement>();
  return (text) => {
    const statement = kept.get(text) ?? database.prepare(text);
    kept.delete(text);
    kept.set(text, statement);
    if (kept.size > MAX_PREPARED) kept.delete(kept.keys().next().value as string);
    return statement;
  };
}

/** An answer of another form would read as "not found" or as "taken", and that is what it must not do. */
function checked(query: SqlQuery): SqlQuery {
  return async (text, values) => {
    const result: Partial<SqlResult> | undefined = await query(text, values);
    if (Array.isArray(result?.rows) && Number.isInteger(result.affectedRows)) return result as SqlResult;
    throw new TypeError('SqlKeyStore: the connection must answer { rows: object[], affectedRows: number }');
  };
}
