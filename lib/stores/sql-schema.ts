import type { DialectRules } from './sql-dialect.ts';

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
  | 'rotated_at';

interface Column {
  readonly type: 'text' | 'integer';
  readonly constraint: '' | ' NOT NULL' | ' UNIQUE' | ' NOT NULL UNIQUE' | ' NOT NULL PRIMARY KEY';
}

const text: Column = { type: 'text', constraint: ' NOT NULL' };
const integer: Column = { type: 'integer', constraint: ' NOT NULL' };
const textOrAbsent: Column = { type: 'text', constraint: '' };
const integerOrAbsent: Column = { type: 'integer', constraint: '' };

/** Times are integers of milliseconds, and structures JSON text, so that three databases give back the same. */
const COLUMNS: Readonly<Record<ColumnName, Column>> = {
  id: { type: 'text', constraint: ' NOT NULL PRIMARY KEY' },
  digest: { type: 'text', constraint: ' NOT NULL UNIQUE' },
  previous_digest: { type: 'text', constraint: ' UNIQUE' },
  previous_expires_at: integerOrAbsent,
  previous_last_used_at: integerOrAbsent,
  kind: text,
  name: text,
  environment: text,
  key_start: text,
  key_end: text,
  organization_id: text,
  organization_slug: textOrAbsent,
  owner_type: text,
  owner_id: text,
  scopes: text,
  metadata: text,
  enabled: integer,
  version: integer,
  created_at: integer,
  created_by: textOrAbsent,
  updated_at: integer,
  last_used_at: integerOrAbsent,
  expires_at: integerOrAbsent,
  not_before: integerOrAbsent,
  revoked_at: integerOrAbsent,
  revocation_reason: textOrAbsent,
  rotated_at: integerOrAbsent,
};

export const COLUMN_NAMES: readonly ColumnName[] = Object.keys(COLUMNS) as ColumnName[];

/** Each may be run any number of times: what is there already stays as it is. */
export function schemaStatements(rules: DialectRules, table: string): readonly string[] {
  const columns = COLUMN_NAMES.map((name) => {
    const { type, constraint } = COLUMNS[name];
    return `  ${name} ${rules.types[type]}${constraint}`;
  });
  return [
    `CREATE TABLE IF NOT EXISTS ${rules.quote(table)} (\n${columns.join(',\n')}\n)${rules.tableOptions}`,
    createIndex(rules, table, 'organization_id'),
    createIndex(rules, table, 'owner_id'),
  ];
}

/** With the id, so that a page of them is read in the order of the index. */
function createIndex(rules: DialectRules, table: string, column: ColumnName): string {
  const index = rules.quote(`${table}_${column}`);
  return `CREATE INDEX IF NOT EXISTS ${index} ON ${rules.quote(table)} (${column}, id)`;
}
