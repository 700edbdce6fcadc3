import { type Clock, createClock } from '../clock.ts';
import { type BellLine, ChangeBell, ring } from './change-bell.ts';
import { ChangePoll, type RecentChanges } from './change-poll.ts';
import type { KeyChanged } from './key-store.ts';
import type { SqlQuery, SqlResult } from './sql-dialect.ts';
import { type Listen, ownListen } from './sql-listeners.ts';
import { maybe, readInteger, readText } from './sql-rows.ts';
import { type Statement, selectNarrowed, selectTime } from './sql-statements.ts';
import type { WatchConfig } from './sql-watch-options.ts';

export interface SqlWatchParts {
  run(statement: Statement): Promise<SqlResult>;
  /** In quotes. */
  readonly table: string;
  /** The clock of the database. */
  readonly now: string;
  readonly line: BellLine | undefined;
  readonly pollMs: number;
}

/** Beyond so many, whoever watches reads everything again instead. */
const MOST_CHANGES = 10_000;

/**
 * Tells of what is narrowed by any process. The table is what counts, in which each such change has left the time of it
 * with the change itself; a bell only says when to look, so that one that does not ring costs an interval and no more.
 */
export async function startWatch(
  { run, table, now, line, pollMs }: SqlWatchParts,
  onChange: (change: KeyChanged) => void,
): Promise<() => Promise<void>> {
  const clock: Clock = createClock();
  const read = async (since: number | undefined): Promise<RecentChanges> => {
    const statement =
      since === undefined ? selectTime(now) : selectNarrowed(table, now, since, MOST_CHANGES + 1);
    return changesOf((await run(statement)).rows);
  };
  let bell: ChangeBell | undefined;
  const poll = new ChangePoll({
    read,
    pollMs,
    clock,
    tell: (change) => tell(onChange, change),
    // A database that does not answer rings no bell, and a pool that is being closed waits for the one who listens.
    onFailure: () => bell?.reopen(),
  });
  await poll.start();
  if (line !== undefined) bell = new ChangeBell(line, clock, () => poll.look());
  return async () => {
    poll.stop();
    await bell?.close();
  };
}

type Ears = Parameters<BellLine['subscribe']>;

/** What rings for a store: the bus it was given, or in PostgreSQL NOTIFY, which those who can listen hear. */
export function openLine(
  config: WatchConfig | undefined,
  query: SqlQuery,
  listen: Listen | undefined,
  channel: string | undefined,
): { readonly line: BellLine | undefined; readonly ring: () => Promise<void> } {
  const { bus, listener } = config ?? {};
  if (bus !== undefined) return { line: bus, ring: () => ring(bus) };
  if (channel === undefined) return { line: undefined, ring: async () => undefined };
  // Not in the statement of the change: where the queue of notifications is full, that one would fail with it.
  const publish = (message: string) => query('SELECT pg_notify($1, $2)', [channel, message]);
  const hear = listener === undefined ? listen : ownListen(listener);
  const line = hear && { publish, subscribe: (...ears: Ears) => hear(channel, ...ears) };
  return { line, ring: () => ring({ publish }) };
}

function changesOf(rows: readonly object[]): RecentChanges {
  const [first] = rows;
  if (first === undefined) throw new Error('SqlKeyStore: the database did not say what time it is');
  const changed = rows.filter((row) => (row as { id?: unknown }).id != null);
  return {
    time: readInteger(first, 'database_time'),
    narrowed: changed.map((row) => ({
      id: readText(row, 'id'),
      version: readInteger(row, 'version'),
      ended: maybe(row, 'revoked_at', readInteger) !== undefined,
    })),
    isCut: changed.length > MOST_CHANGES,
  };
}

/** A listener that throws has no say in what others hear. */
function tell(onChange: (change: KeyChanged) => void, change: KeyChanged): void {
  try {
    onChange(change);
  } catch {}
}
