import type { DialectRules } from './sql-dialect.ts';

/** How the drivers tell the same result code: by name or by number, each under a member of its own. */
interface SqliteError {
  readonly code?: unknown;
  readonly extendedCode?: unknown;
  readonly errcode?: unknown;
  readonly rawCode?: unknown;
  readonly message?: unknown;
}

/** SQLite 3.37 and later: STRICT, without which a column takes values of any type, and RETURNING. */
export const sqliteDialect: DialectRules = Object.freeze({
  name: 'sqlite',
  types: Object.freeze({ text: 'TEXT', integer: 'INTEGER' }),
  tableOptions: ' STRICT',
  quote: (name: string) => `"${name}"`,
  isUniqueViolation,
  isBusy,
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

function resultCodes(error: unknown): { names: string[]; numbers: number[]; message: string } {
  if (typeof error !== 'object' || error === null) return { names: [], numbers: [], message: '' };
  const { code, extendedCode, errcode, rawCode, message } = error as SqliteError;
  const codes = [code, extendedCode, errcode, rawCode];
  return {
    names: codes.filter((one) => typeof one === 'string'),
    numbers: codes.filter((one) => typeof one === 'number'),
    message: String(message),
  };
}
