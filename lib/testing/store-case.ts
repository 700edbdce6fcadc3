import type { KeyStore, MaybePromise } from '../stores/key-store.ts';

/** What a store need not be able to do. */
export type StoreAbility = 'insertMany' | 'findMany' | 'delete' | 'recordUse' | 'watch' | 'close';

/** A store for one case, and how to be rid of it. */
export interface OpenedStore {
  readonly store: KeyStore;
  /** A second client of the same data, such as another process would have. Without it, cases about one pass at once. */
  reopen?(): MaybePromise<KeyStore>;
  /** Called at the end of every case, also of one that failed; closes what `open` and `reopen` have opened. */
  cleanUp?(): MaybePromise<void>;
}

/** One demand on a store, in a form that every test runner can run. */
export interface StoreCase {
  readonly name: string;
  /** The optional method that it is about. On a store without that method `run` resolves and has tested nothing. */
  readonly needs?: StoreAbility;
  /**
   * Opens a store, tries it, cleans up. Where the store is wrong it rejects: with an `AssertionError` of `node:assert`, or
   * with what the store itself threw where nothing was to be thrown.
   */
  run(): Promise<void>;
}

/** A case before it knows how to open a store. */
export interface CaseDraft {
  readonly name: string;
  readonly needs: readonly StoreAbility[];
  run(opened: OpenedStore): Promise<void>;
}

/** A store that has these optional methods. */
export type Able<A extends StoreAbility> = KeyStore & Required<Pick<KeyStore, A>>;

export function storeCase(name: string, run: (store: KeyStore) => Promise<void>): CaseDraft {
  return { name, needs: [], run: ({ store }) => run(store) };
}

/** A case that only stores with these abilities can be put to. */
export function ableCase<A extends StoreAbility>(
  needs: readonly A[],
  name: string,
  run: (store: Able<A>) => Promise<void>,
): CaseDraft {
  return { name, needs, run: ({ store }) => run(store as Able<A>) };
}

/** A case with two clients of the same data. */
export function twoClientsCase<A extends StoreAbility = never>(
  needs: readonly A[],
  name: string,
  run: (store: Able<A>, other: Able<A>) => Promise<void>,
): CaseDraft {
  return {
    name,
    needs,
    async run(opened) {
      if (opened.reopen === undefined) return;
      await run(opened.store as Able<A>, (await opened.reopen()) as Able<A>);
    },
  };
}
