import { type ColumnType, type DialectRules, errorAndCauses } from './sql-dialect.ts';

/** `COLLATE "C"`: compared and sorted by bytes, whatever the collation of the database. */
const TYPES: Readonly<Record<ColumnType['kind'], string>> = {
  exact: 'TEXT COLLATE "C"',
  text: 'TEXT',
  json: 'TEXT',
  integer: 'BIGINT',
  flag: 'SMALLINT',
};

const UNIQUE_VIOLATION = '23505';
const MISSING_COLUMN = '42703';
const DUPLICATE_COLUMN = '42701';

/**
 * IF NOT EXISTS looks first and makes later: who comes second is told of a duplicate table (42P07), object (42710) or
 * row of the catalogue (23505, or "tuple concurrently updated" as XX000); 40P01 is a deadlock.
 */
const BUSY = ['42P07', '42710', UNIQUE_VIOLATION, 'XX000', '40P01', '55P03'];

/** PostgreSQL 12 and later. */
export const postgresDialect: DialectRules = Object.freeze({
  name: 'postgres',
  columnType: ({ kind }: ColumnType) => TYPES[kind],
  tableOptions: '',
  quote: (name: string) => `"${name}"`,
  indexStatements: true,
  numbersValues: true,
  skipDuplicates: ' ON CONFLICT DO NOTHING',
  updateReturns: true,
  lockRows: ' FOR NO KEY UPDATE',
  now: 'CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)',
  isUniqueViolation: (error: unknown) => hasCode(error, [UNIQUE_VIOLATION]),
  isBusy: (error: unknown) => hasCode(error, BUSY),
  isMissingColumn: (error: unknown) => hasCode(error, [MISSING_COLUMN]),
  isDuplicateColumn: (error: unknown) => hasCode(error, [DUPLICATE_COLUMN]),
});

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return errorAndCauses(error).some(({ code }) => codes.includes(code as string));
}
