import type { KeyChanged, KeyLookup, KeyStore } from '../stores/key-store.ts';

/** The name of a method that a store may have. */
export type StoreMethod = keyof KeyStore;

/** Stands in for one call to the store; `real` carries it out. What it answers or throws is what the store did. */
export type Fault = (real: () => Promise<unknown>) => unknown;

type Call = (...args: unknown[]) => unknown;

interface Script {
  readonly next: Fault[];
  always: Fault | undefined;
  readonly asked: unknown[][];
}

/** As a record, so that a method that is forgotten here does not compile. */
const METHODS: { readonly [Method in StoreMethod]-?: true } = {
  findByDigest: true,
  findById: true,
  findMany: true,
  insert: true,
  insertMany: true,
  update: true,
  list: true,
  delete: true,
  recordUse: true,
  watch: true,
  close: true,
};
const METHOD_NAMES = Object.keys(METHODS) as readonly StoreMethod[];

/**
 * A store in front of a real one, which does what the real one does until a test says otherwise. A method that the real
 * one does not have is not there.
 */
export class FaultStore implements KeyStore {
  declare findByDigest: KeyStore['findByDigest'];
  declare findById: KeyStore['findById'];
  declare findMany: NonNullable<KeyStore['findMany']>;
  declare insert: KeyStore['insert'];
  declare insertMany: NonNullable<KeyStore['insertMany']>;
  declare update: KeyStore['update'];
  declare list: KeyStore['list'];
  declare delete: NonNullable<KeyStore['delete']>;
  declare recordUse: NonNullable<KeyStore['recordUse']>;
  declare watch: NonNullable<KeyStore['watch']>;
  declare close: NonNullable<KeyStore['close']>;

  readonly #scripts = new Map<StoreMethod, Script>();
  readonly #listeners = new Set<(change: KeyChanged) => void>();

  /** @param options - `without`: methods to take away, as if the store had been written without them */
  constructor(inner: KeyLookup | KeyStore, { without = [] }: { without?: readonly StoreMethod[] } = {}) {
    for (const method of METHOD_NAMES) {
      const real = (inner as unknown as Partial<Record<StoreMethod, Call>>)[method];
      if (real === undefined || without.includes(method)) continue;
      Object.defineProperty(this, method, { value: this.#guard(method, real.bind(inner)) });
    }
  }

  /** The next calls of a method, one fault for each, in that order. */
  next(method: StoreMethod, ...faults: readonly Fault[]): void {
    this.#script(method).next.push(...faults);
  }

  /** All calls of a method after those of `next()`, until `heal()`. */
  always(method: StoreMethod, fault: Fault): void {
    this.#script(method).always = fault;
  }

  /** Does again what the real store does: for these methods, or for all. */
  heal(...methods: readonly StoreMethod[]): void {
    for (const method of methods.length === 0 ? METHOD_NAMES : methods) {
      const script = this.#script(method);
      script.next.length = 0;
      script.always = undefined;
    }
  }

  /** Calls of a method so far, whatever came of them. */
  count(method: StoreMethod): number {
    return this.asked(method).length;
  }

  /** The arguments of each of those calls. */
  asked(method: StoreMethod): readonly (readonly unknown[])[] {
    return this.#script(method).asked;
  }

  /** Says something to every `watch()` that was ever begun, also to those that have ended; any value will do. */
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

/**
 * A {@link FaultStore}, to see what an application does while its store fails, hangs or lags behind.
 *
 * @param store - what it does for as long as no fault is set
 */
export function faultStore(store: KeyLookup | KeyStore): FaultStore {
  return new FaultStore(store);
}
