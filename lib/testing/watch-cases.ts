import { AssertionError } from 'node:assert';
import type { KeyChanged, MaybePromise } from '../stores/key-store.ts';
import { expectSame, outcomeOf } from './expectations.ts';
import { buildRecord, buildUse, digestOf, idOf, moment } from './sample-records.ts';
import { type Able, ableCase, type CaseDraft, type StoreAbility, twoClientsCase } from './store-case.ts';

/** A heartbeat is due every 2 s; a test runner's own patience is 5 s as a rule. */
const PATIENCE_MS = 3_000;

type Narrowed = KeyChanged & { readonly type: 'narrowed' };
type Watching = Able<'watch'>;

/** Somebody who listens to a store and keeps what was said. */
class Ear {
  readonly #heard: KeyChanged[] = [];
  readonly #waiting = new Set<() => void>();

  readonly onChange = (change: KeyChanged): void => {
    this.#heard.push(change);
    for (const look of this.#waiting) look();
  };

  /** What was said of one key. */
  narrowed(number: number): readonly Narrowed[] {
    return this.#heard.filter(
      (change): change is Narrowed => change.type === 'narrowed' && change.id === idOf(number),
    );
  }

  /** The first word of a change of this key; rejects when it does not come. */
  async untilNarrowed(number: number): Promise<Narrowed> {
    await this.#until(`of key ${number}`, () => this.narrowed(number).length > 0);
    return this.narrowed(number)[0] as Narrowed;
  }

  untilAlive(): Promise<void> {
    return this.#until('that the store is alive', () => this.#heard.some(({ type }) => type === 'alive'));
  }

  #until(what: string, isHeard: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        if (!isHeard()) return;
        end();
        resolve();
      };
      const timer = setTimeout(() => {
        end();
        const message = `watch() did not tell ${what} within ${PATIENCE_MS} ms`;
        reject(new AssertionError({ message, actual: this.#heard, expected: what }));
      }, PATIENCE_MS);
      this.#waiting.add(look);
      look();
    });
  }
}

type Listen = (
  store: Watching,
  ear?: { onChange(change: KeyChanged): void },
) => Promise<() => MaybePromise<void>>;

/** Gives a case a way to listen, and stops all that listens at its end. */
async function whileListening(
  run: (listen: Listen) => Promise<void>,
  ends: (() => MaybePromise<void>)[],
): Promise<void> {
  try {
    await run(async (store, ear = new Ear()) => {
      const stop = await store.watch((change) => ear.onChange(change));
      ends.push(stop);
      return stop;
    });
  } finally {
    for (const stop of ends) await stop();
  }
}

function watchCase<A extends StoreAbility = never>(
  name: string,
  run: (store: Able<A | 'watch'>, listen: Listen) => Promise<void>,
  needs: readonly A[] = [],
): CaseDraft {
  return ableCase<A | 'watch'>(['watch', ...needs], `watch: ${name}`, (store) =>
    whileListening((listen) => run(store, listen), []),
  );
}

/** Narrows a key, and waits until that is heard: whatever was to be told before it was told by then. */
async function narrowAndHear(store: Watching, ear: Ear, number: number): Promise<void> {
  await store.insert(buildRecord(number));
  await store.update(idOf(number), { scopes: [], narrows: true }, 1);
  await ear.untilNarrowed(number);
}

export const watchCases: readonly CaseDraft[] = [
  watchCase('tells of an update that narrows, with the new version', async (store, listen) => {
    const ear = new Ear();
    await store.insert(buildRecord(1));
    await listen(store, ear);
    await store.update(idOf(1), { scopes: [], narrows: true }, 1);
    const expected = { type: 'narrowed', id: idOf(1), version: 2, ended: false };
    expectSame('the change', await ear.untilNarrowed(1), expected);
  }),

  watchCase('tells of a revocation that the key has ended', async (store, listen) => {
    const ear = new Ear();
    await store.insert(buildRecord(1, { version: 4 }));
    await listen(store, ear);
    await store.update(idOf(1), { revokedAt: moment(9), narrows: true }, 4);
    const expected = { type: 'narrowed', id: idOf(1), version: 5, ended: true };
    expectSame('the change', await ear.untilNarrowed(1), expected);
  }),

  // Other processes believe only records that are at least of the version told.
  watchCase(
    'tells of a delete that the key has ended, with a version above its last',
    async (store, listen) => {
      const ear = new Ear();
      await store.insert(buildRecord(1, { version: 4 }));
      await listen(store, ear);
      await store.delete(idOf(1));
      const { ended, version } = await ear.untilNarrowed(1);
      expectSame('the change', { ended, isAbove: version > 4 }, { ended: true, isAbove: true });
    },
    ['delete'],
  ),

  watchCase('does not tell of an update that does not narrow', async (store, listen) => {
    const ear = new Ear();
    await store.insert(buildRecord(1));
    await listen(store, ear);
    await store.update(idOf(1), { name: 'new', narrows: false }, 1);
    await narrowAndHear(store, ear, 2);
    expectSame('what was told', ear.narrowed(1), []);
  }),

  watchCase('does not tell of an insert', async (store, listen) => {
    const ear = new Ear();
    await listen(store, ear);
    await store.insert(buildRecord(1, { revokedAt: moment(1) }));
    await narrowAndHear(store, ear, 2);
    expectSame('what was told', ear.narrowed(1), []);
  }),

  watchCase('does not tell of an update that found nothing, or was refused', async (store, listen) => {
    const ear = new Ear();
    await store.insert(buildRecord(1));
    await store.insert(buildRecord(2));
    await listen(store, ear);
    await store.update(idOf(1), { scopes: [], narrows: true }, 9);
    await store.update(idOf(3), { scopes: [], narrows: true }, 1);
    await outcomeOf(() => store.update(idOf(1), { digest: digestOf('key 2'), narrows: true }, 1));
    await narrowAndHear(store, ear, 4);
    expectSame('what was told', [...ear.narrowed(1), ...ear.narrowed(3)], []);
  }),

  watchCase(
    'does not tell of a use',
    async (store, listen) => {
      const ear = new Ear();
      await store.insert(buildRecord(1));
      await listen(store, ear);
      await store.recordUse([buildUse(1, 5)]);
      await narrowAndHear(store, ear, 2);
      expectSame('what was told', ear.narrowed(1), []);
    },
    ['recordUse'],
  ),

  watchCase('what is told of can be read', async (store, listen) => {
    await store.insert(buildRecord(1));
    const ear = new Ear();
    const reads: Promise<unknown>[] = [];
    const onChange = (change: KeyChanged): void => {
      if (change.type === 'narrowed') reads.push(Promise.resolve(store.findById(change.id)));
      ear.onChange(change);
    };
    await listen(store, { onChange });
    await store.update(idOf(1), { scopes: [], narrows: true }, 1);
    await ear.untilNarrowed(1);
    expectSame('findById()', await reads[0], buildRecord(1, { scopes: [], version: 2 }));
  }),

  watchCase('says within 3 s that it is alive', async (store, listen) => {
    const ear = new Ear();
    await listen(store, ear);
    await ear.untilAlive();
  }),

  watchCase('tells all who listen', async (store, listen) => {
    const ears = [new Ear(), new Ear()];
    for (const ear of ears) await listen(store, ear);
    await store.insert(buildRecord(1));
    await store.update(idOf(1), { scopes: [], narrows: true }, 1);
    for (const ear of ears) await ear.untilNarrowed(1);
  }),

  watchCase(
    'tells nothing more to one who stopped, and goes on telling the others',
    async (store, listen) => {
      const [stopped, other] = [new Ear(), new Ear()];
      const stop = await listen(store, stopped);
      await listen(store, other);
      await stop();
      await narrowAndHear(store, other, 1);
      expectSame('what was told', stopped.narrowed(1), []);
    },
  ),

  watchCase('may be stopped twice', async (store, listen) => {
    const ear = new Ear();
    const stop = await listen(store, ear);
    await listen(store, ear);
    await stop();
    const { thrown } = await outcomeOf(stop);
    expectSame('the second stop', thrown, undefined);
    await narrowAndHear(store, ear, 1);
  }),

  watchCase('a listener that throws spoils neither the write nor what others hear', async (store, listen) => {
    const ear = new Ear();
    const onChange = (change: KeyChanged): void => {
      if (change.type === 'narrowed') throw new Error('a listener of the conformance cases throws');
    };
    await store.insert(buildRecord(1));
    await listen(store, { onChange });
    await listen(store, ear);
    const { thrown } = await outcomeOf(() => store.update(idOf(1), { scopes: [], narrows: true }, 1));
    expectSame('what update() threw', thrown, undefined);
    await ear.untilNarrowed(1);
  }),

  twoClientsCase(['watch'], 'watch: tells of what another client does', (store, other) =>
    whileListening(async (listen) => {
      const ear = new Ear();
      await store.insert(buildRecord(1));
      await listen(store, ear);
      await other.update(idOf(1), { scopes: [], narrows: true }, 1);
      expectSame('the version told', (await ear.untilNarrowed(1)).version, 2);
    }, []),
  ),
];
