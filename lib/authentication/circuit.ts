import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  halfJitterGenerator,
  handleAll,
} from 'cockatiel';
import type { Clock } from '../clock.ts';
import { StoreUnavailableError } from '../errors.ts';

/** Lookups that may be with the store at one time, and those that may wait for a place. */
const MAX_AT_ONCE = 64;
const MAX_WAITING = 10_000;

const FAILURES_TO_OPEN = 5;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Spares a store that is in trouble: after 5 failures in a row it is left alone for a second, then one call tries;
 * each failed try doubles the pause, with jitter, so that many processes do not come back at one moment. It only
 * turns calls into faults: it never makes an answer.
 */
export interface Circuit {
  /** @throws StoreUnavailableError without a call, while the store rests or too many wait */
  run<T>(call: () => Promise<T>): Promise<T>;
}

export function createCircuit(clock: Clock, maxWaitMs: number): Circuit {
  const places = bulkhead(MAX_AT_ONCE, MAX_WAITING);
  let breaker = newBreaker();
  let lastSeen = clock.now();

  function see(): void {
    lastSeen = Math.max(lastSeen, clock.now());
  }

  /** cockatiel times its pause by the wall clock: set back an hour, the store would rest that much longer. */
  function minded(): ReturnType<typeof newBreaker> {
    const now = clock.now();
    if (now < lastSeen) breaker = newBreaker();
    lastSeen = now;
    return breaker;
  }

  return {
    async run(call) {
      const askedAt = clock.monotonic();
      try {
        return await places.execute(() => {
          if (clock.monotonic() - askedAt > maxWaitMs)
            throw new StoreUnavailableError('Too many look-ups wait for the key store.');
          // A pause begins when the call has failed, by what the wall clock says then.
          return minded().execute(call).finally(see);
        });
      } catch (error) {
        throw translated(error);
      }
    },
  };
}

function newBreaker() {
  return circuitBreaker(handleAll, {
    halfOpenAfter: new ExponentialBackoff({
      initialDelay: FIRST_PAUSE_MS,
      maxDelay: LONGEST_PAUSE_MS,
      // Half of each pause is certain: the default generator may draw one of no time at all.
      generator: halfJitterGenerator,
    }),
    breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
  });
}

function translated(error: unknown): unknown {
  if (error instanceof BrokenCircuitError) {
    return new StoreUnavailableError('The key store failed repeatedly and is left alone for a moment.');
  }
  if (error instanceof BulkheadRejectedError) {
    return new StoreUnavailableError('Too many look-ups wait for the key store.');
  }
  return error;
}
