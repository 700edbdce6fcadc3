import { badOption, checkOptionNames } from '../options.ts';
import { mysqlDialect } from './mysql-dialect.ts';
import { postgresDialect } from './postgres-dialect.ts';
import type { DialectRules, SqlDialect } from './sql-dialect.ts';
import { readWatchOptions, type WatchConfig, type WatchOptions } from './sql-watch-options.ts';
import { sqliteDialect } from './sqlite-dialect.ts';

/** Which table holds the records, and how other processes are heard of. */
export interface SqlKeyStoreOptions {
  /** 1 to 63 letters, digits and underscores; not a digit first. @default 'keystile_keys' */
  readonly table?: string;
  /** Only to be sure: the connection tells its dialect, and one that contradicts it is refused. */
  readonly dialect?: SqlDialect;
  /** How processes hear of what others have narrowed. `false`: only when an entry of the cache is read again. @default {} */
  readonly watch?: false | WatchOptions | undefined;
}

/** A further one is a file beside `sqlite-dialect.ts` and a line here. */
const DIALECTS: { readonly [Name in SqlDialect]: DialectRules } = {
  postgres: postgresDialect,
  mysql: mysqlDialect,
  sqlite: sqliteDialect,
};

const DEFAULT_TABLE = 'keystile_keys';

/** @throws TypeError for a name that could be anything but a name: it is the only thing spliced into a statement */
export function readTable(owner: string, options: { readonly table?: unknown }): string {
  const { table = DEFAULT_TABLE } = options;
  if (typeof table === 'string' && /^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(table)) return table;
  throw badOption(
    owner,
    'table',
    'a name of 1 to 63 letters, digits and underscores that begins with no digit',
    table,
  );
}

export function readOptions(options: unknown): {
  readonly table: string;
  readonly dialect: unknown;
  readonly watch: WatchConfig | undefined;
} {
  const { table, dialect, watch } = checkOptionNames('SqlKeyStore', options, ['table', 'dialect', 'watch']);
  if (dialect !== undefined) dialectRules('SqlKeyStore', dialect);
  return { table: readTable('SqlKeyStore', { table }), dialect, watch: readWatchOptions(watch) };
}

/** @throws TypeError for a dialect that does not exist */
export function dialectRules(owner: string, dialect: unknown): DialectRules {
  const known = Object.keys(DIALECTS);
  if (known.includes(dialect as string)) return DIALECTS[dialect as SqlDialect];
  throw badOption(owner, 'dialect', known.map((name) => `"${name}"`).join(' or '), dialect);
}
