import type { KeyChanged, KeyLookup, KeyRecord, KeyStore } from '../../lib/index.ts';

/**
 * A key store between a test and a real one, which behaves as the real one does until it is told otherwise.
 *
 *   const store = new FaultStore(new MemoryKeyStore());
 *   store.next('findByDigest', rejects(new Error('down')), hangs());   // the next two calls, in that order
 *   store.always('findByDigest', throws(undefined));                   // all calls after those, until heal()
 *   store.heal();                                                      // itself again; `heal(method)` for one
 *   store.count('findByDigest');                                       // calls so far, whatever came of them
 *   store.asked('recordUse');                                          // their arguments
 *   store.tell({ type: 'lost' });                                      // to all who watch; any value will do
 *
 * A fault gets the call that it stands in for and decides whether, when and how often it is carried out:
 *
 *   nothing is done          throws(value) rejects(value) hangs()
 *   another answer           answers(value) answersAtOnce(value) answersThenable(value) settlesTwice(first, second)
 *   the real answer, spoilt  spoils(change) lagsBehind(record)
 *   the real thing, timed    waitsBefore(gate) waitsAfter(gate) failsAfter(value)
 *
 * `without` takes methods away, as if the store had been written without them. A method that the inner store does
 * not have is not there either.
 */
export class FaultStore implements KeyStore {
  declare findByDigest: KeyStore['findByDigest'];
  declare findById: KeyStore['findById'];
  declare insert: KeyStore['insert'];
  declare update: KeyStore['update'];
  declare list: KeyStore['list'];
  declare delete: NonNullable<KeyStore['delete']>;
  declare recordUse: NonNullable<KeyStore['recordUse']>;
  declare watch: NonNullable<KeyStore['watch']>;
  declare close: NonNullable<KeyStore['close']>;

  readonly #scripts = new Map<StoreMethod, Script>();
  readonly #listeners = new Set<(change: KeyChanged) => void>();

  constructor(inner: KeyLookup | KeyStore, { without = [] }: { without?: readonly StoreMethod[] } = {}) {
    for (const method of METHODS) {
      const real = (inner as unknown as Partial<Record<StoreMethod, Call>>)[method];
      if (real === undefined || without.includes(method)) continue;
      Object.defineProperty(this, method, { value: this.#guard(method, real.bind(inner)) });
    }
  }

  next(method: StoreMethod, ...faults: readonly Fault[]): void {
    this.#script(method).next.push(...faults);
  }

  always(method: StoreMethod, fault: Fault): void {
    this.#script(method).always = fault;
  }

  heal(...methods: readonly StoreMethod[]): void {
    for (const method of methods.length === 0 ? METHODS : methods) {
      const script = this.#script(method);
      script.next.length = 0;
      script.always = undefined;
    }
  }

  count(method: StoreMethod): number {
    return this.asked(method).length;
  }

  asked(method: StoreMethod): readonly (readonly unknown[])[] {
    return this.#script(method).asked;
  }

  /** Says something to every watch that was ever begun, also to those that have ended. */
  tell(message: unknown): void {
    for (const listener of this.#listeners) listener(message as KeyChanged);
  }

  #guard(method: StoreMethod, real: Call): Call {
    const script = this.#script(method);
    return (...args) => {
      script.asked.push(args);
      if (method === 'watch') this.#listeners.add(args[0] as (change: KeyChanged) => void);
      const fault = script.next.shift() ?? script.always;
      return fault === undefined ? real(...args) : fault(async () => real(...args));
    };
  }

  #script(method: StoreMethod): Script {
    const script = this.#scripts.get(method) ?? { next: [], always: undefined, asked: [] };
    this.#scripts.set(method, script);
    return script;
  }
}

export type StoreMethod = keyof KeyStore;

/** Stands in for a call; `real` carries it out. */
export type Fault = (real: () => Promise<unknown>) => unknown;

type Call = (...args: unknown[]) => unknown;

interface Script {
  readonly next: Fault[];
  always: Fault | undefined;
  readonly asked: unknown[][];
}

const METHODS: readonly StoreMethod[] = [
  'findByDigest',
  'findById',
  'insert',
  'update',
  'list',
  'delete',
  'recordUse',
  'watch',
  'close',
];

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
