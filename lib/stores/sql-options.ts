import { badOption, checkOptionNames } from '../options.ts';
import { mysqlDialect } from './mysql-dialect.ts';
import { postgresDialect } from './postgres-dialect.ts';
import type { DialectRules, SqlDialect } from './sql-dialect.ts';
import { sqliteDialect } from './sqlite-dialect.ts';

export interface SqlKeyStoreOptions {
  /** 1 to 63 letters, digits and underscores; not a digit first. @default 'keystile_keys' */
  readonly table?: string;
  /** Only to be sure: the connection tells its dialect, and one that contradicts it is refused. */
  readonly dialect?: SqlDialect;
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

export function readOptions(options: unknown): { readonly table: string; readonly dialect: unknown } {
  const given = checkOptionNames('SqlKeyStore', options, ['table', 'dialect']);
  if (given['dialect'] !== undefined) dialectRules('SqlKeyStore', given['dialect']);
  return { table: readTable('SqlKeyStore', given), dialect: given['dialect'] };
}

/** @throws TypeError for a dialect that does not exist */
export function dialectRules(owner: string, dialect: unknown): DialectRules {
  const known = Object.keys(DIALECTS);
  if (known.includes(dialect as string)) return DIALECTS[dialect as SqlDialect];
  throw badOption(owner, 'dialect', known.map((name) => `"${name}"`).join(' or '), dialect);
}
