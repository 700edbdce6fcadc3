import type { Environment, KeyKind, Owner } from '../keys/api-key.ts';
import type { KeyRecord, PreviousKey } from '../keys/key-record.ts';
import type { Json } from '../keys/metadata.ts';
import type { KeyChange } from './key-store.ts';
import type { SqlValue } from './sql-dialect.ts';
import { COLUMN_NAMES, type ColumnName } from './sql-schema.ts';

export type Cells = { [Name in ColumnName]?: SqlValue };
/** A column of the table, or what a statement calls something else. */
type CellName = ColumnName | 'database_time';
type ChangeableMember = Exclude<keyof KeyChange, 'clear' | 'narrows'>;
type ClearableMember = NonNullable<KeyChange['clear']>[number];

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The kind of a row that is no record any more. */
export const DELETED = 'deleted';

const KINDS: readonly KeyKind[] = ['opaque', 'pair', 'jwt'];
const ENVIRONMENTS: readonly Environment[] = ['live', 'test'];
const OWNER_TYPES: readonly Owner['type'][] = ['organization', 'user', 'service'];

/** How each member that can change is written; one that is forgotten does not compile. */
const WRITERS: { readonly [M in ChangeableMember]-?: (value: NonNullable<KeyChange[M]>) => Cells } = {
  digest: (digest) => ({ digest }),
  previous: ({ digest, expiresAt, lastUsedAt }) => ({
    previous_digest: digest,
    previous_expires_at: milliseconds(expiresAt),
    previous_last_used_at: lastUsedAt === undefined ? null : milliseconds(lastUsedAt),
  }),
  name: (name) => ({ name }),
  start: (start) => ({ key_start: start }),
  end: (end) => ({ key_end: end }),
  scopes: (scopes) => ({ scopes: JSON.stringify(scopes) }),
  metadata: (metadata) => ({ metadata: JSON.stringify(metadata) }),
  enabled: (enabled) => ({ enabled: enabled ? 1 : 0 }),
  updatedAt: (at) => ({ updated_at: milliseconds(at) }),
  lastUsedAt: (at) => ({ last_used_at: milliseconds(at) }),
  expiresAt: (at) => ({ expires_at: milliseconds(at) }),
  notBefore: (at) => ({ not_before: milliseconds(at) }),
  revokedAt: (at) => ({ revoked_at: milliseconds(at) }),
  revocationReason: (reason) => ({ revocation_reason: reason }),
  rotatedAt: (at) => ({ rotated_at: milliseconds(at) }),
};

const CLEARED: Readonly<Record<ClearableMember, Cells>> = {
  expiresAt: { expires_at: null },
  notBefore: { not_before: null },
  previous: { previous_digest: null, previous_expires_at: null, previous_last_used_at: null },
  revokedAt: { revoked_at: null },
};

/** Whether a row is what is left of a record that was deleted. */
export function isTombstone(row: object): boolean {
  return 'kind' in row && readText(row, 'kind') === DELETED;
}

/** The values of a new row, in the order of {@link COLUMN_NAMES}. */
export function valuesOfRecord(record: KeyRecord): readonly SqlValue[] {
  const cells: Cells = {
    id: record.id,
    kind: record.kind,
    environment: record.environment,
    organization_id: record.organization.id,
    organization_slug: record.organization.slug ?? null,
    owner_type: record.owner.type,
    owner_id: record.owner.id,
    version: record.version,
    created_at: milliseconds(record.createdAt),
    created_by: record.createdBy ?? null,
    ...cellsOf(record),
  };
  return COLUMN_NAMES.map((name) => cells[name] ?? null);
}

/** The record that a change makes of the one in a row, which has the version that the change expects. */
export function changedRecord(row: object, change: KeyChange, version: number): KeyRecord {
  return recordOfRow({ ...row, ...cellsOfChange(change), version });
}

/** The columns that a change sets, and what to. */
export function cellsOfChange(change: KeyChange): Readonly<Cells> {
  return Object.assign(cellsOf(change), ...(change.clear ?? []).map((member) => CLEARED[member]));
}

function cellsOf(members: Pick<KeyChange, ChangeableMember>): Cells {
  const cells: Cells = {};
  for (const member of Object.keys(WRITERS) as ChangeableMember[]) {
    const value = members[member];
    // The writer and the value belong to one member, which the type of a union of them cannot say.
    if (value !== undefined) Object.assign(cells, (WRITERS[member] as (value: unknown) => Cells)(value));
  }
  return cells;
}

/** A time that is none would be bound as NULL by some drivers, and NULL is "never ends". */
function milliseconds(at: Date): number {
  const time = at.getTime();
  if (Number.isInteger(time)) return time;
  throw new TypeError('SqlKeyStore: a time in the record is not a valid Date');
}

/** @throws Error that names the column, and never its value, where a row holds what no record can */
export function recordOfRow(row: object): KeyRecord {
  return present<KeyRecord>({
    id: readText(row, 'id'),
    digest: readText(row, 'digest'),
    previous: readPrevious(row),
    kind: readOneOf(row, 'kind', KINDS),
    name: readText(row, 'name'),
    environment: readOneOf(row, 'environment', ENVIRONMENTS),
    start: readText(row, 'key_start'),
    end: readText(row, 'key_end'),
    organization: present({
      id: readText(row, 'organization_id'),
      slug: maybe(row, 'organization_slug', readText),
    }),
    owner: { type: readOneOf(row, 'owner_type', OWNER_TYPES), id: readText(row, 'owner_id') },
    scopes: readScopes(row),
    metadata: readMetadata(row),
    enabled: readFlag(row, 'enabled'),
    version: readInteger(row, 'version'),
    createdAt: readTime(row, 'created_at'),
    createdBy: maybe(row, 'created_by', readText),
    updatedAt: readTime(row, 'updated_at'),
    lastUsedAt: maybe(row, 'last_used_at', readTime),
    expiresAt: maybe(row, 'expires_at', readTime),
    notBefore: maybe(row, 'not_before', readTime),
    revokedAt: maybe(row, 'revoked_at', readTime),
    revocationReason: maybe(row, 'revocation_reason', readText),
    rotatedAt: maybe(row, 'rotated_at', readTime),
  });
}

function readPrevious(row: object): PreviousKey | undefined {
  if (cell(row, 'previous_digest') === null) return undefined;
  return present<PreviousKey>({
    digest: readText(row, 'previous_digest'),
    expiresAt: readTime(row, 'previous_expires_at'),
    lastUsedAt: maybe(row, 'previous_last_used_at', readTime),
  });
}

/** Leaves out the members that are absent. */
function present<T extends object>(members: { readonly [M in keyof T]-?: T[M] | undefined }): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}

/** A column that is missing altogether is not an absent value: a record without its end would never end. */
function cell(row: object, column: CellName): unknown {
  const value = (row as Readonly<Record<string, unknown>>)[column];
  if (value === undefined) throw unreadable(column, 'is missing');
  return value;
}

export function maybe<T>(
  row: object,
  column: CellName,
  read: (row: object, column: CellName) => T,
): T | undefined {
  return cell(row, column) === null ? undefined : read(row, column);
}

/** Text that is kept as bytes, as in MySQL, comes as bytes. */
export function readText(row: object, column: CellName): string {
  const value = cell(row, column);
  if (typeof value === 'string') return value;
  if (ArrayBuffer.isView(value)) return readBytes(value as Uint8Array, column);
  throw unreadable(column, 'holds no text');
}

function readBytes(bytes: Uint8Array, column: CellName): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw unreadable(column, 'holds no UTF-8');
  }
}

function readOneOf<T extends string>(row: object, column: ColumnName, allowed: readonly T[]): T {
  const value = readText(row, column) as T;
  if (allowed.includes(value)) return value;
  throw unreadable(column, `holds none of ${allowed.join(', ')}`);
}

/** Drivers hand out an integer of 64 bits as a number, a bigint or a string. */
export function readInteger(row: object, column: CellName): number {
  const value = cell(row, column);
  const isDigits = typeof value === 'string' && /^-?\d+$/.test(value);
  const number =
    typeof value === 'number' || typeof value === 'bigint' || isDigits ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw unreadable(column, 'holds no whole number');
}

function readFlag(row: object, column: ColumnName): boolean {
  const value = readInteger(row, column);
  if (value === 0 || value === 1) return value === 1;
  throw unreadable(column, 'holds neither 0 nor 1');
}

function readTime(row: object, column: CellName): Date {
  const time = new Date(readInteger(row, column));
  if (!Number.isNaN(time.getTime())) return time;
  throw unreadable(column, 'holds no time');
}

function readScopes(row: object): readonly string[] {
  const value = readJson(row, 'scopes');
  if (Array.isArray(value) && value.every((scope) => typeof scope === 'string')) return value;
  throw unreadable('scopes', 'holds no JSON array of text');
}

function readMetadata(row: object): Readonly<Record<string, Json>> {
  const value = readJson(row, 'metadata');
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, Json>;
  throw unreadable('metadata', 'holds no JSON object');
}

function readJson(row: object, column: ColumnName): unknown {
  const text = readText(row, column);
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    throw unreadable(column, 'holds no JSON');
  }
}

function unreadable(column: CellName, problem: string): Error {
  return new Error(`SqlKeyStore: a row cannot be read: column ${column} ${problem}`);
}
