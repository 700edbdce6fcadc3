import { setTimeout as sleep } from 'node:timers/promises';
import { DuplicateKeyError } from '../errors.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import { checkOptionNames } from '../options.ts';
import type { KeyChange, KeyPage, KeyStore, KeyUse, ListQuery } from './key-store.ts';
import { openConnection, type SqlConnection, type SqlQueryConnection } from './sql-connection.ts';
import type { DialectRules, SqlDialect, SqlQuery, SqlResult } from './sql-dialect.ts';
import { dialectRules, readOptions, readTable, type SqlKeyStoreOptions } from './sql-options.ts';
import { changedRecord, recordOfRow } from './sql-rows.ts';
import { schemaStatements } from './sql-schema.ts';
import {
  deleteRecord,
  insertRecord,
  type Statement,
  selectByDigest,
  selectById,
  selectPage,
  selectVersion,
  updateLastUsed,
  updateRecord,
  updateReturning,
} from './sql-statements.ts';

export type { SqlConnection } from './sql-connection.ts';
export type { SqlDialect, SqlQuery } from './sql-dialect.ts';
export type { SqlKeyStoreOptions } from './sql-options.ts';

/** Uses in one statement; each takes up to four of the values that a statement can bind. */
const USES_PER_STATEMENT = 100;

const MIGRATION_ATTEMPTS = 40;
const MIGRATION_PAUSE_MS = 50;

/**
 * Keeps records in one table of an SQL database, over a connection of yours, which stays open.
 * The table is made by {@link SqlKeyStore.migrate}, or by your own migration from {@link SqlKeyStore.schema}.
 */
export class SqlKeyStore implements KeyStore {
  readonly #query: SqlQuery;
  readonly #rules: DialectRules;
  readonly #tableName: string;
  /** In quotes, so that `order` and the like are names as well. */
  readonly #table: string;

  constructor(connection: SqlConnection | SqlQueryConnection, options: SqlKeyStoreOptions = {}) {
    const { table, dialect } = readOptions(options);
    const { rules, query } = openConnection(connection, dialect);
    this.#query = query;
    this.#rules = rules;
    this.#tableName = table;
    this.#table = rules.quote(table);
  }

  /** The text that {@link SqlKeyStore.migrate} runs, for a migration of your own. */
  static schema(dialect: SqlDialect, options: { readonly table?: string } = {}): string {
    const owner = 'SqlKeyStore.schema';
    checkOptionNames(owner, options, ['table']);
    const statements = schemaStatements(dialectRules(owner, dialect), readTable(owner, options));
    return statements.map((statement) => `${statement};\n`).join('');
  }

  /** Makes the table and its indexes where they are not there yet. Safe to run twice, and by many at once. */
  async migrate(): Promise<void> {
    for (const text of schemaStatements(this.#rules, this.#tableName)) await this.#runWhenFree(text);
  }

  async findByDigest(digests: readonly string[]): Promise<KeyRecord | undefined> {
    if (digests.length === 0) return undefined;
    const { rows } = await this.#run(selectByDigest(this.#table, digests));
    if (rows.length > 1) throw new Error('SqlKeyStore: two records for one text');
    return firstRecord(rows);
  }

  async findById(id: string): Promise<KeyRecord | undefined> {
    const { rows } = await this.#run(selectById(this.#table, id));
    return firstRecord(rows);
  }

  async insert(record: KeyRecord): Promise<void> {
    if (await this.#wasInserted(record)) return;
    const { rows } = await this.#run(selectById(this.#table, record.id));
    throw new DuplicateKeyError(rows.length === 0 ? 'digest' : 'id');
  }

  async update(id: string, change: KeyChange, expectedVersion: number): Promise<KeyRecord | undefined> {
    try {
      return this.#rules.updateReturns
        ? await this.#updateReturning(id, change, expectedVersion)
        : await this.#readAndUpdate(id, change, expectedVersion);
    } catch (error) {
      // Digests are all that a change can set and that must be unique.
      throw this.#rules.isUniqueViolation(error) ? new DuplicateKeyError('digest') : error;
    }
  }

  async list(query: ListQuery): Promise<KeyPage> {
    const { rows } = await this.#run(selectPage(this.#table, query));
    const records = rows.slice(0, query.limit).map(recordOfRow);
    const last = records.at(-1);
    if (rows.length <= query.limit || last === undefined) return { records };
    return { records, nextCursor: last.id };
  }

  async delete(id: string): Promise<boolean> {
    const { affectedRows } = await this.#run(deleteRecord(this.#table, id));
    return affectedRows > 0;
  }

  async recordUse(uses: readonly KeyUse[]): Promise<void> {
    for (let start = 0; start < uses.length; start += USES_PER_STATEMENT) {
      const some = uses.slice(start, start + USES_PER_STATEMENT);
      await this.#run(updateLastUsed(this.#table, some, this.#rules.lockRows));
    }
  }

  async #wasInserted(record: KeyRecord): Promise<boolean> {
    const { skipDuplicates, isUniqueViolation } = this.#rules;
    try {
      const { affectedRows } = await this.#run(insertRecord(this.#table, record, skipDuplicates));
      return affectedRows === 1;
    } catch (error) {
      if (isUniqueViolation(error)) return false;
      throw error;
    }
  }

  async #updateReturning(id: string, change: KeyChange, version: number): Promise<KeyRecord | undefined> {
    const { rows } = await this.#run(updateReturning(this.#table, id, change, version));
    return firstRecord(rows);
  }

  /**
   * Where an UPDATE answers no rows. The record is read before and not after: if the conditional write that follows
   * succeeds, it was this version that it changed, and what came of it is known. Read after, it might be changed
   * again or gone, and a write that was made would be taken for one that was not.
   */
  async #readAndUpdate(id: string, change: KeyChange, version: number): Promise<KeyRecord | undefined> {
    const { rows } = await this.#run(selectVersion(this.#table, id, version));
    const [row] = rows;
    if (row === undefined) return undefined;
    const changed = changedRecord(row, change, version + 1);
    const { affectedRows } = await this.#run(updateRecord(this.#table, id, change, version));
    return affectedRows === 0 ? undefined : changed;
  }

  #run({ text, values }: Statement): Promise<SqlResult> {
    return this.#query(this.#rules.numbersValues ? numbered(text) : text, values);
  }

  /** Waits while another process is at the same: a connection without a busy timeout gives up at once. */
  async #runWhenFree(text: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#query(text, []);
        return;
      } catch (error) {
        if (attempt === MIGRATION_ATTEMPTS || !this.#rules.isBusy(error)) throw error;
        await sleep(MIGRATION_PAUSE_MS);
      }
    }
  }
}

/** Our own texts hold no other question mark: the name of a table has none. */
function numbered(text: string): string {
  let count = 0;
  return text.replace(/\?/g, () => {
    count += 1;
    return `$${count}`;
  });
}

function firstRecord(rows: readonly object[]): KeyRecord | undefined {
  const [row] = rows;
  return row === undefined ? undefined : recordOfRow(row);
}
