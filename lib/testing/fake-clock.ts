import { badOption } from '../options.ts';

/** A clock for `createApiKeys({ now })` that stands still until a test moves it. */
export interface FakeClock {
  /** Milliseconds since 1970; to be handed over as it is: `createApiKeys({ store, now: clock.now })`. */
  readonly now: () => number;
  /** @throws TypeError unless it is a whole number of milliseconds, 0 or more */
  advance(ms: number): void;
  /** To any time, earlier ones too. */
  set(time: number | Date): void;
}

const START = Date.UTC(2026, 0, 1);

/**
 * A clock that stands still until it is moved, for `createApiKeys({ now: clock.now })`.
 *
 * @param start - milliseconds since 1970, or a date; 2026-01-01T00:00:00Z unless it is given
 */
export function fakeClock(start: number | Date = START): FakeClock {
  let at = timeOf('start', start);
  return Object.freeze({
    now: () => at,
    advance(ms: number) {
      if (!Number.isInteger(ms) || ms < 0) throw badOption('fakeClock', 'advance', 'whole milliseconds', ms);
      at += ms;
    },
    set(time: number | Date) {
      at = timeOf('set', time);
    },
  });
}

function timeOf(name: string, time: number | Date): number {
  const at = typeof time === 'number' ? time : time.getTime();
  if (Number.isInteger(at)) return at;
  throw badOption('fakeClock', name, 'a date, or whole milliseconds since 1970', time);
}
