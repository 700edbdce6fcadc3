import type { KeyRecord } from '../keys/key-record.ts';
import type { KeyChange, KeyUse, ListQuery } from './key-store.ts';
import type { SqlValue } from './sql-dialect.ts';
import { type Cells, cellsOfChange, DELETED, valuesOfRecord } from './sql-rows.ts';
import { COLUMN_NAMES } from './sql-schema.ts';

/** One statement: `table` is the only thing spliced into its text, and comes in quotes. */
export interface Statement {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

const COLUMN_LIST = COLUMN_NAMES.join(', ');

/** Not by name: a database takes longer to read 27 names than to find the row. One that is missing is found out. */
const ALL = '*';

/** What is left of a record that was deleted, beside its id. */
const TOMBSTONE: Cells = {
  previous_digest: null,
  previous_expires_at: null,
  previous_last_used_at: null,
  kind: DELETED,
  name: '',
  environment: '',
  key_start: '',
  key_end: '',
  organization_id: '',
  organization_slug: null,
  owner_type: '',
  owner_id: '',
  scopes: '[]',
  metadata: '{}',
  enabled: 0,
  created_by: null,
  last_used_at: null,
  expires_at: null,
  not_before: null,
  revocation_reason: null,
  rotated_at: null,
};

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

/** @param then - what follows the rows: what the dialect does about duplicates, and which of them come back */
export function insertRecords(table: string, records: readonly KeyRecord[], then: string): Statement {
  const row = `(${marks(COLUMN_NAMES.length)})`;
  return {
    text: `INSERT INTO ${table} (${COLUMN_LIST}) VALUES ${records.map(() => row).join(', ')}${then}`,
    values: records.flatMap(valuesOfRecord),
  };
}

export function selectByIds(table: string, ids: readonly string[]): Statement {
  return { text: `SELECT ${ALL} FROM ${table} WHERE id IN (${marks(ids.length)})`, values: ids };
}

/** All whose id or digest one of these records has. */
export function selectSame(table: string, records: readonly KeyRecord[]): Statement {
  const list = marks(records.length);
  return {
    text: `SELECT ${ALL} FROM ${table} WHERE id IN (${list}) OR digest IN (${list})`,
    values: [...records.map(({ id }) => id), ...records.map(({ digest }) => digest)],
  };
}

export function selectVersion(table: string, id: string, version: number): Statement {
  return {
    text: `SELECT ${ALL} FROM ${table} WHERE id = ? AND version = ?`,
    values: [id, version],
  };
}

/** @param now - the clock of the database, by which a change that narrows is found by those who watch */
export function updateRecord(
  table: string,
  now: string,
  id: string,
  change: KeyChange,
  expectedVersion: number,
): Statement {
  const cells = Object.entries(cellsOfChange(change));
  const trace = change.narrows ? [`narrowed_at = ${now}`] : [];
  const set = ['version = version + 1', ...trace, ...cells.map(([column]) => `${column} = ?`)];
  return {
    text: `UPDATE ${table} SET ${set.join(', ')} WHERE id = ? AND version = ?`,
    values: [...cells.map(([, value]) => value), id, expectedVersion],
  };
}

/** The same, and with it the record as it then is. */
export function updateReturning(...of: Parameters<typeof updateRecord>): Statement {
  const { text, values } = updateRecord(...of);
  return { text: `${text} RETURNING ${ALL}`, values };
}

/**
 * Erases all but the id and leaves a tombstone, since a row that is gone could not be found by those who watch. Its
 * version is above all that may have been read.
 */
export function buryRecord(table: string, now: string, id: string): Statement {
  const cells = Object.entries({ ...TOMBSTONE, digest: `${DELETED}:${id}` });
  const set = ['version = version + 1', `narrowed_at = ${now}`, `revoked_at = ${now}`];
  set.push(...cells.map(([column]) => `${column} = ?`));
  return {
    text: `UPDATE ${table} SET ${set.join(', ')} WHERE id = ? AND kind <> ?`,
    values: [...cells.map(([, value]) => value), id, DELETED],
  };
}

/** Tombstones that were made longer than so many milliseconds ago; by the index on organizations, whose ids are never ''. */
export function selectTombstones(table: string, now: string, ageMs: number, limit: number): Statement {
  return {
    text: `SELECT id FROM ${table} WHERE organization_id = ? AND kind = ? AND narrowed_at < ${now} - ? LIMIT ?`,
    values: ['', DELETED, ageMs, limit],
  };
}

export function deleteTombstones(table: string, ids: readonly string[]): Statement {
  return {
    text: `DELETE FROM ${table} WHERE id IN (${marks(ids.length)}) AND kind = ?`,
    values: [...ids, DELETED],
  };
}

/** The time by the database, and nothing else. */
export function selectTime(now: string): Statement {
  return { text: `SELECT ${now} AS database_time`, values: [] };
}

/** What was narrowed at or after a time, beside the time it is now; one row with no id where nothing was. */
export function selectNarrowed(table: string, now: string, since: number, limit: number): Statement {
  const columns = 'clock.database_time, changed.id, changed.version, changed.revoked_at';
  return {
    text:
      `SELECT ${columns} FROM (SELECT ${now} AS database_time) clock ` +
      `LEFT JOIN ${table} changed ON changed.narrowed_at >= ? LIMIT ?`,
    values: [since, limit],
  };
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
    condition('kind <> ?', DELETED),
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
