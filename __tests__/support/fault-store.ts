import type { KeyRecord } from '../../lib/index.ts';
import type { Fault } from '../../lib/testing/fault-store.ts';

export { type Fault, FaultStore, type StoreMethod } from '../../lib/testing/fault-store.ts';

/*
 * Faults for a FaultStore:
 *
 *   nothing is done          throws(value) rejects(value) hangs()
 *   another answer           answers(value) answersAtOnce(value) answersThenable(value) settlesTwice(first, second)
 *   the real answer, spoilt  spoils(change) lagsBehind(record)
 *   the real thing, timed    waitsBefore(gate) waitsAfter(gate) failsAfter(value)
 */

export function throws(value: unknown): Fault {
  return () => {
    throw value;
  };
}

export function rejects(value: unknown): Fault {
  return () => Promise.reject(value);
}

export function hangs(): Fault {
  return () => new Promise(() => undefined);
}

export function answers(value: unknown): Fault {
  return () => Promise.resolve(value);
}

export function answersAtOnce(value: unknown): Fault {
  return () => value;
}

/** An object with `then`, which is no promise. */
export function answersThenable(value: unknown): Fault {
  return () => thenable((resolve) => resolve(value));
}

/** A thenable that calls back twice; an `Error` goes to the second callback, anything else to the first. */
export function settlesTwice(first: unknown, second: unknown): Fault {
  return () =>
    thenable((resolve, reject) => {
      for (const value of [first, second]) (value instanceof Error ? reject : resolve)(value);
    });
}

/** The real answer, after something was done to it. */
export function spoils(change: (record: KeyRecord) => unknown): Fault {
  return async (real) => change((await real()) as KeyRecord);
}

/** A replica on which later changes have not arrived. */
export function lagsBehind(record: KeyRecord): Fault {
  return answers(record);
}

/** Carries the call out when the gate opens. */
export function waitsBefore(gate: Gate): Fault {
  return async (real) => {
    await gate.opened;
    return real();
  };
}

/** Carries the call out at once, and answers when the gate opens. */
export function waitsAfter(gate: Gate): Fault {
  return async (real) => {
    const answer = await real();
    await gate.opened;
    return answer;
  };
}

/** Carries the call out and then fails, as a connection does that breaks after the commit. */
export function failsAfter(value: unknown): Fault {
  return async (real) => {
    await real();
    throw value;
  };
}

export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function createGate(): Gate {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

type Settle = (value: unknown) => void;

function thenable(run: (resolve: Settle, reject: Settle) => void): object {
  // Spelt as a member, since a literal with `then` is what a linter takes for a mistake.
  return Object.defineProperty({}, 'then', { value: run });
}
