/** Which SQL the statements are written in. MariaDB is `mysql`. */
export type SqlDialect = 'postgres' | 'mysql' | 'sqlite';

export type SqlValue = string | number | Uint8Array | null;

export interface SqlResult {
  /** What a SELECT or a RETURNING gave, as objects by column name. */
  readonly rows: readonly object[];
  /** How many rows any other statement has changed. */
  readonly affectedRows: number;
}

/**
 * Runs one statement, with its values bound and never written into the text. The text is in the words of the
 * database: `$1`, `$2`... stand for the values in PostgreSQL, in their order and each of them once, and `?` elsewhere.
 */
export type SqlQuery = (text: string, values: readonly SqlValue[]) => Promise<SqlResult>;

/** What a column holds. `exact` is compared byte for byte, in letter case and blanks at the end too. */
export interface ColumnType {
  readonly kind: 'exact' | 'text' | 'json' | 'integer' | 'flag';
  /** The longest text, in characters. */
  readonly length: number;
}

/** What a database says in its own way; all else is the same text for every one of them. */
export interface DialectRules {
  readonly name: SqlDialect;
  columnType(type: ColumnType): string;
  /** What follows the list of columns in CREATE TABLE. */
  readonly tableOptions: string;
  quote(name: string): string;
  /** Indexes are made by statements of their own, which may be run again; or else within CREATE TABLE. */
  readonly indexStatements: boolean;
  /** Values are `$1`, `$2`... and not `?`. */
  readonly numbersValues: boolean;
  /** Follows an INSERT, which then passes over a row that is there already; '' where it fails instead. */
  readonly skipDuplicates: string;
  /** An UPDATE can answer with the rows that it changed. */
  readonly updateReturns: boolean;
  /** Behind a SELECT, locks its rows one by one; '' where an UPDATE of many locks them in the order of their ids. */
  readonly lockRows: string;
  /** Its own clock, in whole milliseconds since 1970: one for all processes, however theirs go. */
  readonly now: string;
  /** Whether the statement failed because a value that must be unique is there already. */
  isUniqueViolation(error: unknown): boolean;
  /** Whether a statement of `migrate()` had no effect because another was at the same, and may be repeated. */
  isBusy(error: unknown): boolean;
  /** Whether a statement names a column that the table does not have. */
  isMissingColumn(error: unknown): boolean;
  /** Whether a column is there that was to be added. */
  isDuplicateColumn(error: unknown): boolean;
}

/** Query builders wrap what their driver threw; nobody wraps it deeper than this. */
const MAX_CAUSES = 4;

/** An error and the causes in it, as objects whose members are yet to be checked. */
export function errorAndCauses(error: unknown): readonly Readonly<Record<string, unknown>>[] {
  const found: Readonly<Record<string, unknown>>[] = [];
  let one: unknown = error;
  while (typeof one === 'object' && one !== null && found.length < MAX_CAUSES) {
    found.push(one as Readonly<Record<string, unknown>>);
    one = (one as { readonly cause?: unknown }).cause;
  }
  return found;
}
