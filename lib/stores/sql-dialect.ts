export type SqlDialect = 'postgres' | 'mysql' | 'sqlite';

export type SqlValue = string | number | Uint8Array | null;

export interface SqlResult {
  /** What a SELECT or a RETURNING gave, as objects by column name. */
  readonly rows: readonly object[];
  /** How many rows any other statement has changed. */
  readonly affectedRows: number;
}

/** Runs one statement with `?` for its values, which are bound and never written into the text. */
export type SqlQuery = (text: string, values: readonly SqlValue[]) => Promise<SqlResult>;

/** What a database says in its own way; all else is the same text for every one of them. */
export interface DialectRules {
  readonly name: SqlDialect;
  /** Column types by what they hold. Text is compared byte for byte; integers hold milliseconds since 1970. */
  readonly types: { readonly text: string; readonly integer: string };
  /** What follows the list of columns in CREATE TABLE. */
  readonly tableOptions: string;
  quote(name: string): string;
  /** Whether the statement failed because a value that must be unique is there already. */
  isUniqueViolation(error: unknown): boolean;
  /** Whether the statement had no effect because another writer held the database, and may be repeated. */
  isBusy(error: unknown): boolean;
}
