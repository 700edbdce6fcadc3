/**
 * The two clocks. `now` tells wall time, in milliseconds since 1970, and is the only clock for the ends of keys;
 * `monotonic` only ever rises, whatever is done to the wall clock, but may stand still while a machine sleeps.
 * Nothing else in the package reads a clock.
 */
export interface Clock {
  now(): number;
  monotonic(): number;
}

export function createClock(now: () => number = Date.now): Clock {
  return { now, monotonic: () => performance.now() };
}
