import { type ColumnType, type DialectRules, errorAndCauses } from './sql-dialect.ts';

const TYPES: Readonly<Record<ColumnType['kind'], string>> = {
  exact: 'TEXT',
  text: 'TEXT',
  json: 'TEXT',
  integer: 'INTEGER',
  flag: 'INTEGER',
};

/** SQLite 3.37 and later: STRICT, without which a column takes values of any type, and RETURNING. */
export const sqliteDialect: DialectRules = Object.freeze({
  name: 'sqlite',
  columnType: ({ kind }: ColumnType) => TYPES[kind],
  tableOptions: ' STRICT',
  quote: (name: string) => `"${name}"`,
  indexStatements: true,
  numbersValues: false,
  skipDuplicates: ' ON CONFLICT DO NOTHING',
  updateReturns: true,
  lockRows: '',
  // unixepoch('subsec') would be shorter, and wants SQLite 3.42.
  now: 'CAST(ROUND((julianday() - 2440587.5) * 86400000) AS INTEGER)',
  isUniqueViolation,
  isBusy,
  // Both have the result code of any wrong statement.
  isMissingColumn: (error: unknown) =>
    /\bno such column\b|\bno column named\b/.test(resultCodes(error).message),
  isDuplicateColumn: (error: unknown) => /\bduplicate column name\b/.test(resultCodes(error).message),
});

function isUniqueViolation(error: unknown): boolean {
  const { names, numbers, message } = resultCodes(error);
  if (names.includes('SQLITE_CONSTRAINT_UNIQUE') || names.includes('SQLITE_CONSTRAINT_PRIMARYKEY'))
    return true;
  if (numbers.includes(2067) || numbers.includes(1555)) return true;
  // A libSQL server sends the base code only, which stands for a NOT NULL or a wrong type as well.
  return names.includes('SQLITE_CONSTRAINT') && /\bUNIQUE constraint failed\b/.test(message);
}

function isBusy(error: unknown): boolean {
  const { names, numbers } = resultCodes(error);
  // The low byte of a numeric code is the base code: 5 is SQLITE_BUSY.
  return names.some((name) => name.startsWith('SQLITE_BUSY')) || numbers.some((code) => (code & 0xff) === 5);
}

/** The drivers tell the same result code by name or by number, each under a member of its own. */
function resultCodes(error: unknown): { names: string[]; numbers: number[]; message: string } {
  const errors = errorAndCauses(error);
  const codes = errors.flatMap(({ code, extendedCode, errcode, rawCode }) => [
    code,
    extendedCode,
    errcode,
    rawCode,
  ]);
  return {
    names: codes.filter((one) => typeof one === 'string'),
    numbers: codes.filter((one) => typeof one === 'number'),
    message: errors.map(({ message }) => String(message)).join('\n'),
  };
}
