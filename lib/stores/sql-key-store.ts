import { setTimeout as sleep } from 'node:timers/promises';
import { DuplicateKeyError } from '../errors.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import { checkOptionNames } from '../options.ts';
import { withDeadline } from './guarded-store.ts';
import type { KeyChange, KeyChanged, KeyPage, KeyStore, KeyUse, ListQuery } from './key-store.ts';
import { openConnection, type SqlConnection, type SqlQueryConnection } from './sql-connection.ts';
import type { DialectRules, SqlDialect, SqlQuery, SqlResult } from './sql-dialect.ts';
import { dialectRules, readOptions, readTable, type SqlKeyStoreOptions } from './sql-options.ts';
import { changedRecord, isTombstone, readText, recordOfRow } from './sql-rows.ts';
import { probeStatement, schemaStatements, shortName, upgradeStatement } from './sql-schema.ts';
import {
  buryRecord,
  insertRecord,
  insertRecords,
  type Statement,
  selectByDigest,
  selectById,
  selectByIds,
  selectPage,
  selectSame,
  selectVersion,
  updateLastUsed,
  updateRecord,
  updateReturning,
} from './sql-statements.ts';

import { SqlTombstones } from './sql-tombstones.ts';
import { openLine, startWatch } from './sql-watch.ts';
import { checkListener } from './sql-watch-options.ts';

export type { ChangeBus } from './change-bus.ts';
export type { SqlConnection } from './sql-connection.ts';
export type { SqlDialect, SqlQuery } from './sql-dialect.ts';
export type { PgListener } from './sql-listeners.ts';
export type { SqlKeyStoreOptions } from './sql-options.ts';
export type { WatchOptions } from './sql-watch-options.ts';

/** Uses in one statement; each takes up to four of the values that a statement can bind. */
const USES_PER_STATEMENT = 100;

/** Of many records at once, while others insert the same. */
const INSERT_ATTEMPTS = 10;

const CLOSING_MS = 1_000;

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
  /** Tells those who listen to look, after a change that narrows. */
  readonly #ring: () => Promise<void>;
  /** Rings, and what clears old deletions away. A pool that is ended meanwhile drops them; postgres.js hangs on. */
  readonly #underWay = new Set<Promise<void>>();
  readonly #tombstones: SqlTombstones;
  /**
   * Tells of what any process narrows: by a look at the table at least every `pollMs`, and where a bell rings at once.
   * Absent with `watch: false`.
   */
  readonly watch?: (onChange: (change: KeyChanged) => void) => Promise<() => Promise<void>>;

  constructor(connection: SqlConnection | SqlQueryConnection, options: SqlKeyStoreOptions = {}) {
    const { table, dialect, watch } = readOptions(options);
    const { rules, query, listen } = openConnection(connection, dialect);
    checkListener(watch, rules.name);
    this.#query = query;
    this.#rules = rules;
    this.#tableName = table;
    this.#table = rules.quote(table);
    const run = (statement: Statement): Promise<SqlResult> => this.#run(statement);
    this.#tombstones = new SqlTombstones(run, this.#table, rules.now);
    const channel = rules.name === 'postgres' ? shortName(`${table}_changed`) : undefined;
    const { line, ring } = openLine(watch, query, listen, channel);
    this.#ring = ring;
    if (watch === undefined) return;
    const parts = { run, table: this.#table, now: rules.now, line, pollMs: watch.pollMs };
    this.watch = (onChange) => startWatch(parts, onChange);
  }

  /** The text that {@link SqlKeyStore.migrate} runs, for a migration of your own. */
  static schema(dialect: SqlDialect, options: { readonly table?: string } = {}): string {
    const owner = 'SqlKeyStore.schema';
    checkOptionNames(owner, options, ['table']);
    const statements = schemaStatements(dialectRules(owner, dialect), readTable(owner, options));
    return statements.map((statement) => `${statement};\n`).join('');
  }

  /**
   * Makes the table and its indexes where they are not there yet, and adds what a table of version 0.1 lacks. Safe to run
   * twice, and by many at once.
   */
  async migrate(): Promise<void> {
    const [table, ...indexes] = schemaStatements(this.#rules, this.#tableName);
    await this.#runWhenFree(table as string);
    await this.#upgrade();
    for (const index of indexes) await this.#runWhenFree(index);
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

  async findMany(ids: readonly string[]): Promise<readonly KeyRecord[]> {
    if (ids.length === 0) return [];
    const { rows } = await this.#run(selectByIds(this.#table, ids));
    return rows.filter((row) => !isTombstone(row)).map(recordOfRow);
  }

  async insertMany(records: readonly KeyRecord[]): Promise<readonly string[]> {
    if (records.length === 0) return [];
    const { skipDuplicates } = this.#rules;
    if (skipDuplicates === '') return this.#insertAbsent(records);
    const { rows } = await this.#run(insertRecords(this.#table, records, `${skipDuplicates} RETURNING id`));
    return rows.map((row) => (row as { readonly id: string }).id);
  }

  async update(id: string, change: KeyChange, expectedVersion: number): Promise<KeyRecord | undefined> {
    try {
      const changed = this.#rules.updateReturns
        ? await this.#updateReturning(id, change, expectedVersion)
        : await this.#readAndUpdate(id, change, expectedVersion);
      if (changed !== undefined && change.narrows) this.#tell();
      return changed;
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

  /** Leaves a row with the id and nothing else, for those who watch; later ones are cleared away some time after. */
  async delete(id: string): Promise<boolean> {
    const { affectedRows } = await this.#run(buryRecord(this.#table, this.#rules.now, id));
    if (affectedRows === 0) return false;
    this.#tell();
    this.#finishLater(this.#tombstones.clearNowAndThen());
    return true;
  }

  async recordUse(uses: readonly KeyUse[]): Promise<void> {
    for (let start = 0; start < uses.length; start += USES_PER_STATEMENT) {
      const some = uses.slice(start, start + USES_PER_STATEMENT);
      await this.#run(updateLastUsed(this.#table, some, this.#rules.lockRows));
    }
  }

  /** Lets what is being told be told: a pool that is ended next would drop it. The connection stays open. */
  async close(): Promise<void> {
    await withDeadline({ run: () => Promise.all(this.#underWay) }, CLOSING_MS).catch(() => undefined);
  }

  /** What nobody waits for but `close()`. */
  #finishLater(work: Promise<void>): void {
    const finished = work.finally(() => this.#underWay.delete(finished));
    this.#underWay.add(finished);
  }

  #tell(): void {
    this.#finishLater(this.#ring());
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

  /**
   * Where an INSERT fails as a whole for one duplicate: those that are there already are left out. Another process may
   * come in between, or the two may lock each other out; then it is looked again.
   */
  async #insertAbsent(records: readonly KeyRecord[]): Promise<readonly string[]> {
    for (let attempt = 1; ; attempt += 1) {
      const { rows } = await this.#run(selectSame(this.#table, records));
      const taken = new Set(rows.flatMap((row) => [readText(row, 'id'), readText(row, 'digest')]));
      const absent = records.filter(({ id, digest }) => !taken.has(id) && !taken.has(digest));
      try {
        if (absent.length > 0) await this.#run(insertRecords(this.#table, absent, ''));
        return absent.map(({ id }) => id);
      } catch (error) {
        const mayPass = this.#rules.isUniqueViolation(error) || this.#rules.isBusy(error);
        if (!mayPass || attempt === INSERT_ATTEMPTS) throw error;
      }
    }
  }

  async #updateReturning(id: string, change: KeyChange, version: number): Promise<KeyRecord | undefined> {
    const { rows } = await this.#run(updateReturning(this.#table, this.#rules.now, id, change, version));
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
    if (row === undefined || isTombstone(row)) return undefined;
    const changed = changedRecord(row, change, version + 1);
    const { affectedRows } = await this.#run(updateRecord(this.#table, this.#rules.now, id, change, version));
    return affectedRows === 0 ? undefined : changed;
  }

  async #run({ text, values }: Statement): Promise<SqlResult> {
    try {
      return await this.#query(this.#rules.numbersValues ? numbered(text) : text, values);
    } catch (error) {
      if (!this.#rules.isMissingColumn(error)) throw error;
      const problem = `table ${this.#tableName} lacks a column of this version`;
      throw new Error(`SqlKeyStore: ${problem}: run migrate(), or a migration of yours`, { cause: error });
    }
  }

  async #upgrade(): Promise<void> {
    const { isMissingColumn, isDuplicateColumn } = this.#rules;
    try {
      await this.#runWhenFree(probeStatement(this.#rules, this.#tableName));
    } catch (probed) {
      if (!isMissingColumn(probed)) throw probed;
      await this.#runWhenFree(upgradeStatement(this.#rules, this.#tableName)).catch((error: unknown) => {
        // Another process has added it in between.
        if (!isDuplicateColumn(error)) throw error;
      });
    }
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
  return row === undefined || isTombstone(row) ? undefined : recordOfRow(row);
}
