import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import { idProblem } from '../keys/fields.ts';
import type { StoreCaller } from '../stores/guarded-store.ts';
import type { KeyChanged, KeyLookup, KeyStore, MaybePromise } from '../stores/key-store.ts';
import type { LookupCache } from './lookup-cache.ts';

const SILENCE_MS = 5_000;

/** While nobody tells of changes, entries of a store that could must not grow older than its silence may last. */
const TTL_WITHOUT_WATCH_MS = SILENCE_MS;

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** How long what a watch has told is held against a store that answers with something older: a replica that lags. */
export const FLOOR_HELD_MS = 30_000;

/** Listens to a store's changes for as long as the process lives. */
export interface Watcher {
  stop(): Promise<void>;
}

export interface WatcherParts {
  readonly store: KeyLookup | KeyStore;
  readonly caller: StoreCaller;
  readonly cache: LookupCache;
  readonly clock: Clock;
  readonly events: Events;
}

/**
 * Starts to listen in the background, and again after a fault. Whenever something may have been missed (before the
 * first word, after silence, on a new start) every entry must be read again. What arrives is not trusted: it is
 * checked, and all it can do is to force reads.
 */
export function startWatcher(parts: WatcherParts): Watcher | undefined {
  const { store } = parts;
  if (!('watch' in store) || store.watch === undefined) return undefined;
  return new BackgroundWatcher(parts, store.watch.bind(store));
}

type Watch = NonNullable<KeyStore['watch']>;

class BackgroundWatcher implements Watcher {
  readonly #parts: WatcherParts;
  readonly #watch: Watch;
  #isStopped = false;
  #failures = 0;
  #heardAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopWatch: (() => MaybePromise<void>) | undefined;
  /** Each start has a number; what an earlier one still says does not count. */
  #start = 0;

  constructor(parts: WatcherParts, watch: Watch) {
    this.#parts = parts;
    this.#watch = watch;
    parts.cache.limitTtl(TTL_WITHOUT_WATCH_MS);
    this.#begin();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#start += 1;
    clearTimeout(this.#timer);
    await this.#end();
  }

  #begin(): void {
    this.#start += 1;
    const start = this.#start;
    const hear = (change: KeyChanged): void => {
      if (start === this.#start) this.#hear(readOnce(change));
    };
    const { caller, cache, clock } = this.#parts;
    caller
      .call({ operation: 'watch', run: () => this.#watch(hear), onLate: (late) => this.#quit(late?.value) })
      .then(
        (stopWatch) => {
          if (start !== this.#start) return this.#quit(stopWatch);
          this.#stopWatch = stopWatch;
          this.#failures = 0;
          this.#heardAt = clock.monotonic();
          cache.heardOfStore(SILENCE_MS);
          cache.readAllAgain();
          cache.limitTtl(Number.POSITIVE_INFINITY);
          this.#later(SILENCE_MS, () => this.#look());
          return undefined;
        },
        () => this.#beginLater(),
      );
  }

  #beginLater(): void {
    if (this.#isStopped) return;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    // Jitter, so that many processes do not come back to a recovering store at one moment.
    this.#later(pause * (0.5 + Math.random() / 2), () => this.#begin());
  }

  #look(): void {
    const leftMs = this.#heardAt + SILENCE_MS - this.#parts.clock.monotonic();
    if (leftMs > 0) {
      this.#later(leftMs, () => this.#look());
      return;
    }
    this.#lost('The store has not been heard of for 5 s; watching anew.');
    this.#parts.cache.limitTtl(TTL_WITHOUT_WATCH_MS);
    void this.#end();
    this.#start += 1;
    this.#beginLater();
  }

  #hear(change: KeyChanged): void {
    const { cache, clock } = this.#parts;
    this.#heardAt = clock.monotonic();
    if (isNarrowed(change)) cache.toldNarrowed(change.id, change.version, change.ended, FLOOR_HELD_MS);
    else if (change.type === 'lost') this.#lost('The store has lost its watch.');
    else if (change.type !== 'alive') this.#lost('The store told of a change in a form that is not known.');
    cache.heardOfStore(SILENCE_MS);
  }

  #lost(message: string): void {
    const { cache, clock, events } = this.#parts;
    cache.readAllAgain();
    events.warnOnce('watch_lost', clock.now(), message);
  }

  async #end(): Promise<void> {
    const stopWatch = this.#stopWatch;
    this.#stopWatch = undefined;
    await this.#quit(stopWatch);
  }

  /** Never rejects: there is nobody left whom it would concern. */
  async #quit(stopWatch: (() => MaybePromise<void>) | undefined): Promise<void> {
    if (stopWatch === undefined) return;
    await this.#parts.caller.call({ operation: 'watch.stop', run: stopWatch }).catch(() => undefined);
  }

  #later(ms: number, action: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, ms).unref();
  }
}

/** Each member once, so that what is checked is what counts; what cannot be read has no form that is known. */
function readOnce(change: KeyChanged): KeyChanged {
  try {
    const { type, id, version, ended } = change as KeyChanged & { readonly type: 'narrowed' };
    return { type, id, version, ended };
  } catch {
    return {} as KeyChanged;
  }
}

function isNarrowed(change: KeyChanged): change is KeyChanged & { type: 'narrowed' } {
  if (change.type !== 'narrowed') return false;
  const { id, version, ended } = change;
  return (
    idProblem(id) === undefined && Number.isSafeInteger(version) && version >= 1 && typeof ended === 'boolean'
  );
}
