import type { KeyRecord } from '../keys/key-record.ts';
import type { KeyChange, KeyUse, ListQuery } from './key-store.ts';
import type { SqlValue } from './sql-dialect.ts';
import { cellsOfChange, valuesOfRecord } from './sql-rows.ts';
import { COLUMN_NAMES } from './sql-schema.ts';

/** One statement: `table` is the only thing spliced into its text, and comes in quotes. */
export interface Statement {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

const COLUMN_LIST = COLUMN_NAMES.join(', ');

/** Two rows at most: a second one is all it takes to know that something is wrong. */
export function selectByDigest(table: string, digests: readonly string[]): Statement {
  const list = marks(digests.length);
  return {
    text: `SELECT ${COLUMN_LIST} FROM ${table} WHERE digest IN (${list}) OR previous_digest IN (${list}) LIMIT 2`,
    values: [...digests, ...digests],
  };
}

export function selectById(table: string, id: string): Statement {
  return { text: `SELECT ${COLUMN_LIST} FROM ${table} WHERE id = ?`, values: [id] };
}

export function insertRecord(table: string, record: KeyRecord): Statement {
  const list = marks(COLUMN_NAMES.length);
  return {
    text: `INSERT INTO ${table} (${COLUMN_LIST}) VALUES (${list}) ON CONFLICT DO NOTHING`,
    values: valuesOfRecord(record),
  };
}

export function updateRecord(
  table: string,
  id: string,
  change: KeyChange,
  expectedVersion: number,
): Statement {
  const cells = Object.entries(cellsOfChange(change));
  const set = ['version = version + 1', ...cells.map(([column]) => `${column} = ?`)].join(', ');
  return {
    text: `UPDATE ${table} SET ${set} WHERE id = ? AND version = ? RETURNING ${COLUMN_LIST}`,
    values: [...cells.map(([, value]) => value), id, expectedVersion],
  };
}

export function deleteRecord(table: string, id: string): Statement {
  return { text: `DELETE FROM ${table} WHERE id = ?`, values: [id] };
}

/** One row more than the page holds, which tells whether there is a next page. */
export function selectPage(table: string, query: ListQuery): Statement {
  const isNewestFirst = query.order === 'newest';
  const conditions = listConditions(query, isNewestFirst);
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.map(({ text }) => text).join(' AND ')}`;
  return {
    text: `SELECT ${COLUMN_LIST} FROM ${table}${where} ORDER BY id ${isNewestFirst ? 'DESC' : 'ASC'} LIMIT ?`,
    values: [...conditions.flatMap(({ values }) => values), query.limit + 1],
  };
}

function listConditions(query: ListQuery, isNewestFirst: boolean): readonly Statement[] {
  return [
    condition(isNewestFirst ? 'id < ?' : 'id > ?', query.cursor),
    condition('organization_id = ?', query.organizationId),
    condition('owner_id = ?', query.ownerId),
    condition('owner_type = ?', query.ownerType),
    condition('enabled = ?', query.enabled === undefined ? undefined : Number(query.enabled)),
    condition('expires_at < ?', query.expiresBefore?.getTime()),
    condition('COALESCE(last_used_at, created_at) < ?', query.lastUsedBefore?.getTime()),
    revokedCondition(query.revoked),
  ].filter((one) => one !== undefined);
}

function condition(text: string, value: SqlValue | undefined): Statement | undefined {
  return value === undefined ? undefined : { text, values: [value] };
}

function revokedCondition(revoked: boolean | undefined): Statement | undefined {
  if (revoked === undefined) return undefined;
  return { text: revoked ? 'revoked_at IS NOT NULL' : 'revoked_at IS NULL', values: [] };
}

/** The uses of current and of previous keys in one statement, in words that every database understands. */
export function updateLastUsed(table: string, uses: readonly KeyUse[]): Statement {
  const assignments = [
    forward(
      'last_used_at',
      '',
      uses.filter((use) => !use.previous),
    ),
    forward(
      'previous_last_used_at',
      ' AND previous_digest IS NOT NULL',
      uses.filter((use) => use.previous),
    ),
  ].filter((one) => one !== undefined);
  const ids = [...new Set(uses.map((use) => use.id))];
  const set = assignments.map(({ text }) => text).join(', ');
  return {
    text: `UPDATE ${table} SET ${set} WHERE id IN (${marks(ids.length)}) AND revoked_at IS NULL`,
    values: [...assignments.flatMap(({ values }) => values), ...ids],
  };
}

/** Of several uses of one key the first arm that fits is taken, and so the latest must come first. */
function forward(column: string, onlyWhere: string, uses: readonly KeyUse[]): Statement | undefined {
  if (uses.length === 0) return undefined;
  const latestFirst = [...uses].sort((one, other) => other.at.getTime() - one.at.getTime());
  const arm = `WHEN id = ?${onlyWhere} AND (${column} IS NULL OR ${column} < ?) THEN ?`;
  return {
    text: `${column} = CASE ${latestFirst.map(() => arm).join(' ')} ELSE ${column} END`,
    values: latestFirst.flatMap(({ id, at }) => [id, at.getTime(), at.getTime()]),
  };
}

function marks(count: number): string {
  return Array.from({ length: count }, () => '?').join(', ');
}
