import type { SqlQuery, SqlValue } from './sql-dialect.ts';

/** The part of each driver that is used, by shape: the package has none of them as a dependency. */
export interface LibsqlConnection {
  execute(statement: LibsqlStatement): Promise<LibsqlAnswer>;
  batch(statements: LibsqlStatement[], mode: 'write'): Promise<readonly LibsqlAnswer[]>;
}

interface LibsqlStatement {
  sql: string;
  args: SqlValue[];
}

interface LibsqlAnswer {
  readonly rows: readonly object[];
  readonly rowsAffected: number;
}

export interface SqliteConnection {
  prepare(text: string): SqliteStatement;
  exec(text: string): unknown;
}

interface SqliteStatement {
  all(...values: SqlValue[]): readonly unknown[];
  run(...values: SqlValue[]): { readonly changes: number | bigint };
}

export interface PgConnection {
  query(
    text: string,
    values: SqlValue[],
  ): Promise<{ readonly rows: readonly object[]; readonly rowCount: number | null }>;
  connect(...given: never[]): unknown;
  end(...given: never[]): unknown;
}

export interface PgliteConnection {
  query(
    text: string,
    values: SqlValue[],
  ): Promise<{ readonly rows: readonly unknown[]; readonly affectedRows?: number }>;
  exec(text: string): unknown;
  execProtocol(...given: never[]): unknown;
}

/** A function with this member. */
export interface PostgresJsConnection {
  unsafe(
    text: string,
    values: SqlValue[],
    options: { prepare: boolean },
  ): PromiseLike<readonly object[] & { readonly count: number; readonly command?: string | null }>;
}

export interface Mysql2Connection {
  query(options: Mysql2Query): Promise<[unknown, unknown]>;
  execute(options: Mysql2Query): Promise<[unknown, unknown]>;
}

interface Mysql2Query {
  sql: string;
  values: SqlValue[];
  rowsAsArray: boolean;
  nestTables: boolean;
  typeCast: boolean;
}

/** Texts differ by how many digests, uses and conditions they have; the frequent ones are few. */
const MAX_PREPARED = 64;

/**
 * Writes have a transaction of their own. A write that found the file locked stays open in the driver until it is
 * collected as garbage, and SQLite commits nothing by itself meanwhile: the next write would be answered, seen by nobody
 * else, and in the end taken back. A COMMIT fails then, and the call with it.
 */
export function libsqlQuery(client: LibsqlConnection): SqlQuery {
  return async (text, values) => {
    const statement = { sql: text, args: [...values] };
    const answers = text.startsWith('SELECT ')
      ? [await client.execute(statement)]
      : await client.batch([statement], 'write');
    const { rows, rowsAffected } = answers[0] as LibsqlAnswer;
    return { rows, affectedRows: rowsAffected };
  };
}

export function sqliteQuery(database: SqliteConnection): SqlQuery {
  const prepare = preparedStatements(database);
  return async (text, values) => {
    const statement = prepare(text);
    if (givesRows(text)) return { rows: statement.all(...values) as object[], affectedRows: 0 };
    return { rows: [], affectedRows: Number(statement.run(...values).changes) };
  };
}

/** Without a name, so that no statement is left behind on a connection that a pooler gives to somebody else. */
export function pgQuery(connection: PgConnection): SqlQuery {
  const query: SqlQuery = async (text, values) => {
    const { rows, rowCount } = await connection.query(text, [...values]);
    return { rows, affectedRows: rowCount ?? 0 };
  };
  // Only a Pool counts its clients, and has another for each query.
  return 'totalCount' in connection ? query : oneAtATime(query);
}

/** A Client of pg queues what comes while it is busy; version 8 warns of that, and version 9 will not do it any more. */
function oneAtATime(query: SqlQuery): SqlQuery {
  let last: Promise<unknown> = Promise.resolve();
  return (text, values) => {
    const next = last.then(() => query(text, values));
    last = next.catch(() => undefined);
    return next;
  };
}

export function pgliteQuery(database: PgliteConnection): SqlQuery {
  return async (text, values) => {
    const { rows, affectedRows = 0 } = await database.query(text, [...values]);
    return { rows: rows as object[], affectedRows };
  };
}

/**
 * Where a connection is lost, postgres.js 3.4 may give an answer of no rows and no command to a statement that was never
 * run; and it goes on counting rows where the lost answer ended, so that the first rows of the next one are holes.
 */
function isWhole({ length, count, command }: Awaited<ReturnType<PostgresJsConnection['unsafe']>>): boolean {
  return command !== null && (length === count || (length === 0 && command !== 'SELECT'));
}

export function postgresJsQuery(sql: PostgresJsConnection): SqlQuery {
  return async (text, values) => {
    const rows = await sql.unsafe(text, [...values], { prepare: false });
    if (!isWhole(rows)) throw new Error('the connection was lost in the middle of an answer');
    return { rows, affectedRows: rows.count ?? 0 };
  };
}

/**
 * `query()` writes the values into the text: as `X'6b6579'` where they are bytes, which means the same in every
 * character set and every `sql_mode`. An escaped text does not: under NO_BACKSLASH_ESCAPES it ends at a quote of its
 * own. `execute()` would leave a prepared statement behind on the connection.
 */
export function mysql2Query(connection: Mysql2Connection): SqlQuery {
  return async (text, values) => {
    const bytes = values.map((value) => (typeof value === 'string' ? Buffer.from(value) : value));
    // What else the pool may have been told about the form of rows.
    const form = { rowsAsArray: false, nestTables: false, typeCast: true };
    const [answer] = await connection.query({ sql: text, values: bytes, ...form });
    if (Array.isArray(answer)) return { rows: answer, affectedRows: 0 };
    return { rows: [], affectedRows: (answer as { affectedRows: number }).affectedRows };
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
