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

/** Not by name: a database takes longer to read 27 names than to find the row. One that is missing is found out. */
const ALL = '*';

/** Two rows at most: a second one is all it takes to know that something is wrong. */
export function selectByDigest(table: string, digests: readonly string[]): Statement {
  const list = marks(digests.length);
  return {
    text: `SELECT ${ALL} FROM ${table} WHERE digest IN (${list}) OR previous_digest IN (${list}) LIMIT 2`,
    values: [...digests, ...digests],
  };
}

export function selectById(table: string, id: string): Statement {
  return { text: `SELECT ${ALL} FROM ${table} WHERE id = ?`, values: [id] };
}

/** @param skipDuplicates - what the dialect says behind it */
export function insertRecord(table: string, record: KeyRecord, skipDuplicates: string): Statement {
  const list = marks(COLUMN_NAMES.length);
  return {
    text: `INSERT INTO ${table} (${COLUMN_LIST}) VALUES (${list})${skipDuplicates}`,
    values: valuesOfRecord(record),
  };
}

export function selectVersion(table: string, id: string, version: number): Statement {
  return {
    text: `SELECT ${ALL} FROM ${table} WHERE id = ? AND version = ?`,
    values: [id, version],
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
    text: `UPDATE ${table} SET ${set} WHERE id = ? AND version = ?`,
    values: [...cells.map(([, value]) => value), id, expectedVersion],
  };
}

/** The same, and with it the record as it then is. */
export function updateReturning(...of: Parameters<typeof updateRecord>): Statement {
  const { text, values } = updateRecord(...of);
  return { text: `${text} RETURNING ${ALL}`, values };
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
    text: `SELECT ${ALL} FROM ${table}${where} ORDER BY id ${isNewestFirst ? 'DESC' : 'ASC'} LIMIT ?`,
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

/**
 * The uses of current and of previous keys in one statement.
 *
 * @param lockRows - what the dialect says to lock rows in the order of their ids: two processes that note the uses of
 *   the same keys, each in an order of its own, would wait for one another
 */
export function updateLastUsed(table: string, uses: readonly KeyUse[], lockRows: string): Statement {
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
  const list = marks(ids.length);
  const rows =
    lockRows === '' ? list : `SELECT id FROM ${table} WHERE id IN (${list}) ORDER BY id${lockRows}`;
  return {
    text: `UPDATE ${table} SET ${set} WHERE id IN (${rows}) AND revoked_at IS NULL`,
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
