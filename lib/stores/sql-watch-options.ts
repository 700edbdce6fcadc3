import { badOption, checkOptionNames, wholeNumber } from '../options.ts';
import type { ChangeBus } from './change-bus.ts';
import type { SqlDialect } from './sql-dialect.ts';
import type { PgListener } from './sql-listeners.ts';

/** How processes hear of what others have narrowed. */
export interface WatchOptions {
  /**
   * Opens a connection for LISTEN, past any pooler, which the store then keeps and ends. Absent: one client of a Pool of
   * `pg` is kept, `postgres` and PGlite open one by themselves, and others look at the table alone.
   */
  readonly listener?: (() => Promise<PgListener>) | undefined;
  /** Rings in place of LISTEN/NOTIFY; the same for all processes. */
  readonly bus?: ChangeBus | undefined;
  /** How often to look at the table where no bell has rung, in milliseconds, 50 to 2,000. @default 1000 */
  readonly pollMs?: number | undefined;
}

export interface WatchConfig {
  readonly listener: (() => Promise<PgListener>) | undefined;
  readonly bus: ChangeBus | undefined;
  readonly pollMs: number;
}

const OWNER = 'SqlKeyStore: watch';
const NAMES = ['listener', 'bus', 'pollMs'];

/** @throws TypeError for what is wrong; `undefined` where nobody is to watch */
export function readWatchOptions(value: unknown): WatchConfig | undefined {
  if (value === false) return undefined;
  const { listener, bus, pollMs } = checkOptionNames(OWNER, value === undefined ? {} : value, NAMES);
  if (listener !== undefined && typeof listener !== 'function') {
    throw badOption('SqlKeyStore', 'watch.listener', 'a function', listener);
  }
  if (bus !== undefined && !isBus(bus)) {
    throw badOption('SqlKeyStore', 'watch.bus', 'an object with publish() and subscribe()', bus);
  }
  if (listener !== undefined && bus !== undefined) {
    throw new TypeError('SqlKeyStore: watch takes a listener or a bus, but got both');
  }
  return {
    listener: listener as WatchConfig['listener'],
    bus: bus as WatchConfig['bus'],
    // A look is the heartbeat too, which is due every 2 s.
    pollMs: wholeNumber('SqlKeyStore', 'watch.pollMs', pollMs, 1_000, { min: 50, max: 2_000 }),
  };
}

/** @throws TypeError where only PostgreSQL could listen */
export function checkListener(config: WatchConfig | undefined, dialect: SqlDialect): void {
  if (config?.listener === undefined || dialect === 'postgres') return;
  throw new TypeError(
    `SqlKeyStore: watch.listener is for PostgreSQL, but the connection speaks ${dialect}: give a bus, or neither`,
  );
}

function isBus(value: unknown): value is ChangeBus {
  const { publish, subscribe } = (value ?? {}) as Partial<Record<keyof ChangeBus, unknown>>;
  return typeof publish === 'function' && typeof subscribe === 'function';
}
