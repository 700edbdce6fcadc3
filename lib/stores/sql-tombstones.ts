import type { SqlResult } from './sql-dialect.ts';
import { readText } from './sql-rows.ts';
import { deleteTombstones, type Statement, selectTombstones } from './sql-statements.ts';

/** Long after the last process that watches has seen one. */
const KEPT_MS = 3_600_000;
const CLEARED_EVERY_MS = 60_000;
const CLEARED_AT_ONCE = 500;

/** Clears away what is left of records that were deleted long ago. */
export class SqlTombstones {
  readonly #run: (statement: Statement) => Promise<SqlResult>;
  readonly #table: string;
  readonly #now: string;
  /** The first deletion clears too: a command line does not live for a minute. */
  #clearedAt = Number.NEGATIVE_INFINITY;

  constructor(run: (statement: Statement) => Promise<SqlResult>, table: string, now: string) {
    this.#run = run;
    this.#table = table;
    this.#now = now;
  }

  /** Called after each deletion; does something at the first, and then once a minute. It never fails. */
  async clearNowAndThen(): Promise<void> {
    const at = performance.now();
    if (at - this.#clearedAt < CLEARED_EVERY_MS) return;
    this.#clearedAt = at;
    await this.clear().catch(() => undefined);
  }

  /** Looks first and deletes by id, since a DELETE by time would lock what others bury meanwhile in MySQL. */
  async clear(keptMs: number = KEPT_MS): Promise<void> {
    for (;;) {
      const { rows } = await this.#run(selectTombstones(this.#table, this.#now, keptMs, CLEARED_AT_ONCE));
      const ids = rows.map((row) => readText(row, 'id'));
      if (ids.length > 0) await this.#run(deleteTombstones(this.#table, ids));
      if (ids.length < CLEARED_AT_ONCE) return;
    }
  }
}
