import { pathToFileURL } from 'node:url';
import type { SqlConnection } from '../stores/sql-connection.ts';
import type { Loaded, Packages } from './packages.ts';
import type { StoreAddress } from './store-address.ts';
import { RefusedError } from './usage-error.ts';

export interface OpenConnection {
  readonly connection: SqlConnection;
  readonly driver: Loaded;
  close(): Promise<void>;
}

const BUSY_MS = 5_000;
const CONNECT_MS = 10_000;
const POOL_SIZE = 8;

/** What a driver needs to be told; the packages have no types here, as none of them need be installed. */
type Opened = Omit<OpenConnection, 'driver'>;
type Opener = (exports: never, target: string) => Promise<Opened>;

interface Drivers {
  /** In the order in which they are tried. */
  readonly openers: Readonly<Record<string, Opener>>;
  readonly advice: string;
}

const DRIVERS: Readonly<Record<Exclude<StoreAddress['kind'], 'redis'>, Drivers>> = {
  sqlite: {
    openers: { 'node:sqlite': nodeSqlite, 'better-sqlite3': betterSqlite, '@libsql/client': libsql },
    advice:
      'Node.js 22.13 or later, or the package better-sqlite3 or @libsql/client: npm install @libsql/client',
  },
  postgres: { openers: { pg, postgres: postgresJs }, advice: 'the package pg or postgres: npm install pg' },
  mysql: { openers: { 'mysql2/promise': mysql2 }, advice: 'the package mysql2: npm install mysql2' },
};

/** @throws RefusedError that names what to install where there is no driver */
export async function connectSql(
  { kind, target, shown }: StoreAddress,
  packages: Packages,
  cwd: string,
): Promise<OpenConnection> {
  const { openers, advice } = DRIVERS[kind as keyof typeof DRIVERS];
  const driver = packages.first(...Object.keys(openers));
  if (driver === undefined) throw new RefusedError(`${shown} needs ${advice} (looked for in ${cwd}).`);
  const open = openers[driver.name] as Opener;
  return { ...(await open(driver.exports as never, target)), driver };
}

interface SqliteDatabase {
  exec(text: string): unknown;
  close(): unknown;
}

async function nodeSqlite(
  { DatabaseSync }: { DatabaseSync: new (path: string) => SqliteDatabase },
  path: string,
): Promise<Opened> {
  return sqlite(new DatabaseSync(path));
}

async function betterSqlite(Database: new (path: string) => SqliteDatabase, path: string): Promise<Opened> {
  return sqlite(new Database(path));
}

function sqlite(database: SqliteDatabase): Opened {
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  return { connection: database as unknown as SqlConnection, close: async () => void database.close() };
}

interface LibsqlModule {
  createClient(options: { url: string }): { execute(text: string): Promise<unknown>; close(): void };
}

async function libsql({ createClient }: LibsqlModule, path: string): Promise<Opened> {
  const client = createClient({ url: pathToFileURL(path).href });
  await client.execute(`PRAGMA busy_timeout = ${BUSY_MS}`);
  return { connection: client as unknown as SqlConnection, close: async () => client.close() };
}

interface PgModule {
  readonly Pool: new (
    options: object,
  ) => { on(event: 'error', heard: () => void): unknown; end(): Promise<void> };
}

async function pg({ Pool }: PgModule, url: string): Promise<Opened> {
  const pool = new Pool({ connectionString: url, max: POOL_SIZE, connectionTimeoutMillis: CONNECT_MS });
  // Of a client that breaks while it is idle; who uses it next is told all the same.
  pool.on('error', () => undefined);
  return { connection: pool as unknown as SqlConnection, close: () => pool.end() };
}

type PostgresJs = ((url: string, options: object) => { end(): Promise<void> }) & { default?: PostgresJs };

async function postgresJs(exports: PostgresJs, url: string): Promise<Opened> {
  const connect = exports.default ?? exports;
  const options = { max: POOL_SIZE, connect_timeout: CONNECT_MS / 1_000, onnotice: () => undefined };
  const sql = connect(url, options);
  return { connection: sql as unknown as SqlConnection, close: () => sql.end() };
}

interface Mysql2Module {
  createPool(options: object): { end(): Promise<void> };
}

async function mysql2({ createPool }: Mysql2Module, url: string): Promise<Opened> {
  const pool = createPool({ uri: url, connectionLimit: POOL_SIZE, connectTimeout: CONNECT_MS });
  return { connection: pool as unknown as SqlConnection, close: () => pool.end() };
}
