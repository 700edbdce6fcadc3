import type { ImportInput } from '../issuance/import-input.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { Json } from '../keys/metadata.ts';
import { cellText } from './csv.ts';
import { instantOf } from './values.ts';

/** A row that is no key; neither the reason nor the field holds anything of its values. */
export class RowProblem extends Error {
  readonly field: string;

  constructor(field: string, reason: string) {
    super(reason);
    this.field = field;
  }
}

const TIMES = ['createdAt', 'expiresAt', 'notBefore', 'lastUsedAt', 'revokedAt'] as const;

/** Any number of random bits from here on is as good: what the store holds has been let in with so many. */
const ENOUGH_BITS = 112;

/** A record as a line of an export: what {@link inputOfJson} takes, in one order always. */
export function rowOfRecord(record: KeyRecord): Record<string, unknown> {
  const { id, digest, kind, name, environment, organization, owner, scopes, enabled } = record;
  const isOfText = /^(?:hmac-)?sha(?:256|512):/.test(digest);
  return {
    id,
    digest,
    ...(isOfText ? { randomBits: ENOUGH_BITS } : undefined),
    kind,
    name,
    environment,
    organization,
    owner,
    scopes,
    enabled,
    createdAt: record.createdAt,
    createdBy: record.createdBy,
    expiresAt: record.expiresAt,
    notBefore: record.notBefore,
    lastUsedAt: record.lastUsedAt,
    revokedAt: record.revokedAt,
    revocationReason: record.revocationReason,
    start: record.start,
    end: record.end,
    metadata: record.metadata,
  };
}

/**
 * The input that a line of JSON stands for; `null` is absent. All but the times is checked by the import itself.
 *
 * @throws RowProblem
 */
export function inputOfJson(text: string): ImportInput {
  if (text.includes('\uFFFD')) throw new RowProblem('', 'holds bytes that are not UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RowProblem('', 'is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RowProblem('', 'is not an object of JSON');
  return withTimes(value as Record<string, unknown>);
}

type Place = readonly [string, string?];

interface CsvColumn {
  /** The member that it fills, or the member in a member. */
  readonly place: Place;
  read(cell: string): unknown;
  write(value: never): string;
}

const asText = { read: (cell: string): unknown => cell, write: (text: string) => text };
const asTime = { read: (cell: string): unknown => cell, write: (time: Date) => time.toISOString() };
const asWord = {
  read: (cell: string): unknown => (/^(?:true|false|\d{1,6})$/.test(cell) ? JSON.parse(cell) : cell),
  write: String,
};

/** Of a CSV file, in the order in which an export has them. */
const CSV_COLUMNS: Readonly<Record<string, CsvColumn>> = {
  id: { place: ['id'], ...asText },
  digest: { place: ['digest'], ...asText },
  randomBits: { place: ['randomBits'], ...asWord },
  kind: { place: ['kind'], ...asText },
  name: { place: ['name'], ...asText },
  environment: { place: ['environment'], ...asText },
  organizationId: { place: ['organization', 'id'], ...asText },
  organizationSlug: { place: ['organization', 'slug'], ...asText },
  ownerType: { place: ['owner', 'type'], ...asText },
  ownerId: { place: ['owner', 'id'], ...asText },
  scopes: {
    place: ['scopes'],
    read: (cell) => cell.split(/ +/).filter((scope) => scope !== ''),
    write: (scopes: readonly string[]) => scopes.join(' '),
  },
  enabled: { place: ['enabled'], ...asWord },
  createdAt: { place: ['createdAt'], ...asTime },
  createdBy: { place: ['createdBy'], ...asText },
  expiresAt: { place: ['expiresAt'], ...asTime },
  notBefore: { place: ['notBefore'], ...asTime },
  lastUsedAt: { place: ['lastUsedAt'], ...asTime },
  revokedAt: { place: ['revokedAt'], ...asTime },
  revocationReason: { place: ['revocationReason'], ...asText },
  start: { place: ['start'], ...asText },
  end: { place: ['end'], ...asText },
  metadata: {
    place: ['metadata'],
    read: readMetadata,
    write: (metadata: Readonly<Record<string, Json>>) =>
      Object.keys(metadata).length === 0 ? '' : JSON.stringify(metadata),
  },
};

export const CSV_NAMES: readonly string[] = Object.keys(CSV_COLUMNS);

/** The cells of a row of {@link rowOfRecord}; what is absent is an empty one. */
export function cellsOfRow(row: Readonly<Record<string, unknown>>): string[] {
  return Object.values(CSV_COLUMNS).map(({ place: [outer, inner], write }) => {
    const value = inner === undefined ? row[outer] : (row[outer] as Record<string, unknown>)[inner];
    return value === undefined ? '' : write(value as never);
  });
}

/**
 * @param names - of the columns, all of them in {@link CSV_NAMES}
 * @throws RowProblem
 */
export function inputOfCells(names: readonly string[], cells: readonly string[]): ImportInput {
  if (cells.length !== names.length)
    throw new RowProblem('', `has ${cells.length} cells, and the first line has ${names.length}`);
  const input: Record<string, unknown> = {};
  for (const [index, name] of names.entries()) {
    const text = cellText(cells[index] as string);
    if (text === '') continue;
    if (text.includes('\uFFFD')) throw new RowProblem(`/${name}`, 'holds bytes that are not UTF-8');
    const { place, read } = CSV_COLUMNS[name] as CsvColumn;
    put(input, place, read(text));
  }
  return withTimes(input);
}

function put(input: Record<string, unknown>, [outer, inner]: Place, value: unknown): void {
  if (inner === undefined) {
    input[outer] = value;
    return;
  }
  input[outer] = { ...(input[outer] as object | undefined), [inner]: value };
}

function readMetadata(cell: string): unknown {
  try {
    return JSON.parse(cell);
  } catch {
    throw new RowProblem('/metadata', 'is not JSON');
  }
}

/** Texts of JSON and of CSV alike have times as RFC 3339 writes them. */
function withTimes(row: Record<string, unknown>): ImportInput {
  const input: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) if (value !== null) input[name] = value;
  for (const name of TIMES) {
    const value = input[name];
    if (value === undefined) continue;
    const time = typeof value === 'string' ? instantOf(value) : undefined;
    if (time === undefined)
      throw new RowProblem(`/${name}`, 'must be a moment with its zone, such as "2027-01-31T12:00:00Z"');
    input[name] = time;
  }
  return input as unknown as ImportInput;
}
