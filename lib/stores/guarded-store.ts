import type { Clock } from '../clock.ts';
import { DuplicateKeyError, StoreUnavailableError } from '../errors.ts';
import type { Events } from '../events.ts';
import type { MaybePromise } from './key-store.ts';
import { redactedError } from './redacted-error.ts';

export interface StoreCall<T> {
  /** The method that is called, for events and messages. */
  readonly operation: string;
  run(): MaybePromise<T>;
  /** Texts that an error of the store's may hold and nobody may see: the digests asked for. */
  readonly secrets?: readonly string[];
  /** Hears how a call ended that we had given up waiting for. */
  onLate?(outcome: { readonly value: T } | undefined): void;
}

/** Calls a store so that it always ends, in time, in a value or a {@link StoreUnavailableError}. */
export interface StoreCaller {
  call<T>(call: StoreCall<T>): Promise<T>;
}

/**
 * Every call to a user's store goes through here. Drivers wait for ever on a stopped server, so each call has our
 * own deadline; whatever a store throws or rejects with becomes one kind of error, and none of its members is
 * believed: a driver's error with `status: 401` is no refusal.
 */
export function createStoreCaller(timeoutMs: number, clock: Clock, events: Events): StoreCaller {
  function tell(operation: string, startedAt: number, error?: Error): void {
    if (!events.hears('store')) return;
    const durationMs = clock.monotonic() - startedAt;
    const outcome = {
      type: 'store',
      at: clock.now(),
      operation,
      ok: error === undefined,
      durationMs,
    } as const;
    events.emit(error === undefined ? outcome : { ...outcome, error });
  }

  return {
    async call(call) {
      const startedAt = clock.monotonic();
      try {
        const value = await withDeadline(call, timeoutMs);
        tell(call.operation, startedAt);
        return value;
      } catch (thrown) {
        const duplicate = duplicateKeyError(thrown);
        if (duplicate !== undefined) {
          tell(call.operation, startedAt);
          throw duplicate;
        }
        const error = unavailable(call, thrown);
        tell(call.operation, startedAt, error);
        throw error;
      }
    },
  };
}

class DeadlinePassed extends Error {}

/** What a call answers, or a rejection once its time is up; `run` may answer at once, or with any thenable. */
export function withDeadline<T>(call: Pick<StoreCall<T>, 'run' | 'onLate'>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const giveUp = (): void => {
      isLate = true;
      reject(new DeadlinePassed(`no answer within ${timeoutMs} ms`));
    };
    // Not at once: where the process itself was busy until now, what has arrived meanwhile has yet to be read.
    const timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
    const onValue = (value: T): void => {
      clearTimeout(timer);
      if (isLate) call.onLate?.({ value });
      else resolve(value);
    };
    const onError = (error: unknown): void => {
      clearTimeout(timer);
      if (isLate) call.onLate?.(undefined);
      else reject(error);
    };
    try {
      settle(call.run(), onValue, onError);
    } catch (error) {
      onError(error);
    }
  });
}

/** Waits for a value, a promise or a foreign thenable. One that settles twice at once cannot be believed. */
function settle<T>(
  answer: MaybePromise<T>,
  onValue: (value: T) => void,
  onError: (error: unknown) => void,
): void {
  if (answer instanceof Promise) {
    answer.then(onValue, onError);
    return;
  }
  if (!isThenable(answer)) {
    onValue(answer);
    return;
  }
  let settled = 0;
  const once = (report: () => void): void => {
    settled += 1;
    if (settled > 1) return;
    queueMicrotask(() => (settled > 1 ? onError(new Error('the answer was settled twice')) : report()));
  };
  answer.then(
    (value: T) => once(() => onValue(value)),
    (error: unknown) => once(() => onError(error)),
  );
}

function isThenable(value: unknown): value is PromiseLike<never> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/** A store plug-in may have loaded another copy of this package, so the code counts as the class does. */
function duplicateKeyError(thrown: unknown): DuplicateKeyError | undefined {
  if (thrown instanceof DuplicateKeyError) return thrown;
  if (!(thrown instanceof Error) || !('code' in thrown) || thrown.code !== 'duplicate_key') return undefined;
  const { field } = thrown as { field?: unknown };
  return field === 'id' || field === 'digest' ? new DuplicateKeyError(field) : undefined;
}

function unavailable({ operation, secrets }: StoreCall<unknown>, thrown: unknown): StoreUnavailableError {
  if (thrown instanceof DeadlinePassed) {
    return new StoreUnavailableError(`${operation}() gave ${thrown.message}.`);
  }
  const cause = redactedError(thrown, secrets);
  return new StoreUnavailableError(`${operation}() failed.`, { cause });
}
