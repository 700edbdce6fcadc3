import { badOption } from '../options.ts';
import type { DialectRules, SqlDialect, SqlQuery, SqlResult } from './sql-dialect.ts';
import {
  type LibsqlConnection,
  libsqlQuery,
  type Mysql2Connection,
  mysql2Query,
  type PgConnection,
  type PgliteConnection,
  type PostgresJsConnection,
  pgliteQuery,
  pgQuery,
  postgresJsQuery,
  type SqliteConnection,
  sqliteQuery,
} from './sql-drivers.ts';
import {
  type Listen,
  type PgliteListener,
  type PgPool,
  type PostgresJsListener,
  pgliteListen,
  pgPoolListen,
  postgresJsListen,
} from './sql-listeners.ts';
import { dialectRules } from './sql-options.ts';

/**
 * A connection of the user's own, known by its shape: a Pool or Client of `pg`, the `sql` of `postgres`, a PGlite, a
 * pool or connection of `mysql2/promise`, a client of `@libsql/client`, or a database of `node:sqlite` or
 * `better-sqlite3`. Any other goes in as `{ dialect, query }`.
 */
export type SqlConnection =
  | PgConnection
  | PostgresJsConnection
  | PgliteConnection
  | Mysql2Connection
  | LibsqlConnection
  | SqliteConnection;

/** A user's own function to reach a database by, with the dialect that it speaks. */
export interface SqlQueryConnection {
  readonly dialect: SqlDialect;
  readonly query: SqlQuery;
}

export interface OpenConnection {
  readonly rules: DialectRules;
  readonly query: SqlQuery;
  /** Absent where the connection cannot listen. */
  readonly listen: Listen | undefined;
}

interface Probed {
  readonly dialect: unknown;
  readonly query: SqlQuery;
  readonly listen?: Listen | undefined;
}

/** A kind of connection: the functions that it has, and those that only its look-alikes have. */
interface ConnectionKind {
  readonly has: readonly string[];
  readonly lacks: readonly string[];
  open(connection: never): Probed;
}

const KINDS: readonly ConnectionKind[] = [
  {
    has: ['unsafe'],
    lacks: [],
    open: (sql: PostgresJsConnection & PostgresJsListener) => ({
      dialect: 'postgres',
      query: postgresJsQuery(sql),
      listen: hasFunctions(sql, ['listen']) ? postgresJsListen(sql) : undefined,
    }),
  },
  {
    // Clients of the package mariadb have `batch`, and answer in another form.
    has: ['query', 'execute'],
    lacks: ['batch', 'promise'],
    open: (connection: Mysql2Connection) => ({ dialect: 'mysql', query: mysql2Query(connection) }),
  },
  {
    has: ['query', 'exec', 'execProtocol'],
    lacks: [],
    open: (database: PgliteConnection & PgliteListener) => ({
      dialect: 'postgres',
      query: pgliteQuery(database),
      listen: hasFunctions(database, ['listen']) ? pgliteListen(database) : undefined,
    }),
  },
  {
    // A `mysql` has `beginTransaction`, an `mssql` has `request`, a `slonik` has `any`.
    has: ['query', 'connect', 'end'],
    lacks: ['execute', 'beginTransaction', 'getConnection', 'request', 'any', 'batch'],
    open: (connection: PgConnection & PgPool) => ({
      dialect: 'postgres',
      query: pgQuery(connection),
      // Only a Pool counts its clients, and has one to spare.
      listen: 'totalCount' in connection ? pgPoolListen(connection) : undefined,
    }),
  },
  {
    has: ['execute', 'batch'],
    lacks: ['query'],
    open: (client: LibsqlConnection) => ({ dialect: 'sqlite', query: libsqlQuery(client) }),
  },
  {
    // `each` marks the package sqlite3, and `batch` Cloudflare's D1: both answer later, not at once.
    has: ['prepare', 'exec'],
    lacks: ['each', 'batch'],
    open: (database: SqliteConnection) => ({ dialect: 'sqlite', query: sqliteQuery(database) }),
  },
];

const KNOWN =
  'a Pool or Client of pg, the function of postgres, a PGlite, a pool or connection of mysql2/promise, a client of ' +
  '@libsql/client, a database of node:sqlite or better-sqlite3, or { dialect, query }';

/** @throws TypeError unless it is one of the known kinds, and speaks the dialect that is `expected`, if any is */
export function openConnection(connection: unknown, expected: unknown): OpenConnection {
  const { dialect, query, listen } = probe(connection);
  const rules = dialectRules('SqlKeyStore', dialect);
  if (expected !== undefined && expected !== dialect) {
    throw badOption('SqlKeyStore', 'dialect', `"${rules.name}", which this connection speaks`, expected);
  }
  return { rules, query: checked(query), listen };
}

function probe(connection: unknown): Probed {
  if (isOwnQuery(connection)) {
    return { dialect: connection.dialect, query: (text, values) => connection.query(text, values) };
  }
  if (hasFunctions(connection, ['query', 'execute', 'promise'])) {
    throw new TypeError(
      'SqlKeyStore: connection must answer with promises, but this one of mysql2 takes callbacks: ' +
        'use mysql2/promise, or give its .promise()',
    );
  }
  const kind = KINDS.find(
    ({ has, lacks }) =>
      hasFunctions(connection, has) && !lacks.some((name) => hasFunctions(connection, [name])),
  );
  // A text is most likely a URL, with a password in it.
  if (typeof connection === 'string')
    throw new TypeError(`SqlKeyStore: connection must be ${KNOWN}, but got a text`);
  if (kind === undefined) throw badOption('SqlKeyStore', 'connection', KNOWN, connection);
  return kind.open(connection as never);
}

function isOwnQuery(connection: unknown): connection is SqlQueryConnection {
  return hasFunctions(connection, ['query']) && typeof connection === 'object' && 'dialect' in connection;
}

/** The client of `postgres` is a function itself. */
function hasFunctions(value: unknown, names: readonly string[]): value is object {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}

/** An answer of another form would read as "not found" or as "taken", and that is what it must not do. */
function checked(query: SqlQuery): SqlQuery {
  return async (text, values) => {
    const result: Partial<SqlResult> | undefined = await query(text, values);
    if (Array.isArray(result?.rows) && Number.isInteger(result.affectedRows)) return result as SqlResult;
    throw new TypeError('SqlKeyStore: the connection must answer { rows: object[], affectedRows: number }');
  };
}
