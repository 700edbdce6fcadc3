import { hash } from 'node:crypto';
import type { ColumnType, DialectRules } from './sql-dialect.ts';

export type ColumnName =
  | 'id'
  | 'digest'
  | 'previous_digest'
  | 'previous_expires_at'
  | 'previous_last_used_at'
  | 'kind'
  | 'name'
  | 'environment'
  | 'key_start'
  | 'key_end'
  | 'organization_id'
  | 'organization_slug'
  | 'owner_type'
  | 'owner_id'
  | 'scopes'
  | 'metadata'
  | 'enabled'
  | 'version'
  | 'created_at'
  | 'created_by'
  | 'updated_at'
  | 'last_used_at'
  | 'expires_at'
  | 'not_before'
  | 'revoked_at'
  | 'revocation_reason'
  | 'rotated_at'
  | 'narrowed_at';

interface Column {
  readonly type: ColumnType;
  readonly constraint: '' | ' NOT NULL' | ' UNIQUE' | ' NOT NULL UNIQUE' | ' NOT NULL PRIMARY KEY';
}

const exact = (length: number, constraint: Column['constraint'] = ' NOT NULL'): Column => ({
  type: { kind: 'exact', length },
  constraint,
});
const text = (length: number, constraint: Column['constraint'] = ' NOT NULL'): Column => ({
  type: { kind: 'text', length },
  constraint,
});
const json: Column = { type: { kind: 'json', length: 1_000_000 }, constraint: ' NOT NULL' };
const flag: Column = { type: { kind: 'flag', length: 1 }, constraint: ' NOT NULL' };
const integer: Column = { type: { kind: 'integer', length: 16 }, constraint: ' NOT NULL' };
const integerOrAbsent: Column = { ...integer, constraint: '' };

/**
 * Times are integers of milliseconds, and structures JSON text, so that three databases give back the same. The
 * longest digest is that of a JWT key: `jwt:`, an id of 255, `:` and 16 digits.
 */
const COLUMNS: Readonly<Record<ColumnName, Column>> = {
  id: exact(255, ' NOT NULL PRIMARY KEY'),
  digest: exact(300, ' NOT NULL UNIQUE'),
  previous_digest: exact(300, ' UNIQUE'),
  previous_expires_at: integerOrAbsent,
  previous_last_used_at: integerOrAbsent,
  kind: exact(16),
  name: text(100),
  environment: exact(16),
  key_start: text(64),
  key_end: text(64),
  organization_id: exact(255),
  organization_slug: text(255, ''),
  owner_type: exact(16),
  owner_id: exact(255),
  scopes: json,
  metadata: json,
  enabled: flag,
  version: integer,
  created_at: integer,
  created_by: text(255, ''),
  updated_at: integer,
  last_used_at: integerOrAbsent,
  expires_at: integerOrAbsent,
  not_before: integerOrAbsent,
  revoked_at: integerOrAbsent,
  revocation_reason: text(500, ''),
  rotated_at: integerOrAbsent,
  // When it was last narrowed or deleted, by the clock of the database: what those who watch look for.
  narrowed_at: integerOrAbsent,
};

/** Each with the id behind it, so that a page is read in the order of the index. */
const INDEXED: readonly ColumnName[] = ['organization_id', 'owner_id', 'narrowed_at'];

/** Tables of version 0.1 lack it. */
const ADDED: ColumnName = 'narrowed_at';

/** PostgreSQL cuts longer names, of which two may then be one. */
const MAX_NAME_LENGTH = 63;

export const COLUMN_NAMES: readonly ColumnName[] = Object.keys(COLUMNS) as ColumnName[];

/** Each may be run any number of times: what is there already stays as it is. */
export function schemaStatements(rules: DialectRules, table: string): readonly string[] {
  const name = rules.quote(table);
  const lines = COLUMN_NAMES.map((column) => {
    const { type, constraint } = COLUMNS[column];
    return `${column} ${rules.columnType(type)}${constraint}`;
  });
  const inside = rules.indexStatements ? [] : INDEXED.map(indexInside);
  const behind = rules.indexStatements
    ? INDEXED.map((column) => {
        const index = rules.quote(shortName(`${table}_${column}`));
        return `CREATE INDEX IF NOT EXISTS ${index} ON ${name} (${column}, id)`;
      })
    : [];
  const definition = [...lines, ...inside].map((line) => `  ${line}`).join(',\n');
  return [`CREATE TABLE IF NOT EXISTS ${name} (\n${definition}\n)${rules.tableOptions}`, ...behind];
}

/** Fails where the table was made by version 0.1, and then is to be followed by {@link upgradeStatement}. */
export function probeStatement(rules: DialectRules, table: string): string {
  return `SELECT ${ADDED} FROM ${rules.quote(table)} WHERE 1 = 0`;
}

export function upgradeStatement(rules: DialectRules, table: string): string {
  const index = rules.indexStatements ? '' : `, ADD ${indexInside(ADDED)}`;
  return `ALTER TABLE ${rules.quote(table)} ADD COLUMN ${ADDED} ${rules.columnType(COLUMNS[ADDED].type)}${index}`;
}

function indexInside(column: ColumnName): string {
  return `INDEX by_${column} (${column}, id)`;
}

/** Of an index, or of a channel: not longer than a name may be, and never that of another table. */
export function shortName(name: string): string {
  if (name.length <= MAX_NAME_LENGTH) return name;
  const digest = hash('sha256', name, 'hex').slice(0, 8);
  return `${name.slice(0, MAX_NAME_LENGTH - 9)}_${digest}`;
}
