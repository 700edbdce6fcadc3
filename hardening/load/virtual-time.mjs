// Both clocks and all timers of this process, held still until a test moves them: together, or one without the other.
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Turns of the event loop in which everything happens that waits for no timer. */
const TURNS = 2;

export class VirtualTime {
  /** What `Date.now()` says. */
  wall;
  /** What `performance.now()` says. */
  monotonic = 1_000_000;
  /** By the order in which they were set. @type {Map<object, { dueAt: number, run: () => void }>} */
  #timers = new Map();
  #real = { setTimeout, clearTimeout, now: Date.now };

  constructor(wall) {
    this.wall = wall;
    const set = (run, ms = 0, ...given) => this.#set(() => run(...given), ms);
    globalThis.setTimeout = /** @type {any} */ (set);
    globalThis.clearTimeout = /** @type {any} */ ((timer) => void this.#timers.delete(timer));
    Date.now = () => this.wall;
    const now = () => this.monotonic;
    Object.defineProperty(performance, 'now', { value: now, configurable: true, writable: true });
  }

  /** Time as it is again. */
  release() {
    globalThis.setTimeout = this.#real.setTimeout;
    globalThis.clearTimeout = this.#real.clearTimeout;
    Date.now = this.#real.now;
    Reflect.deleteProperty(performance, 'now');
    this.#timers.clear();
  }

  /** The process runs for so long, and its timers with it. */
  async advance(ms) {
    const end = this.monotonic + ms;
    await settled();
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      const [handle, { dueAt, run }] = timer;
      this.#timers.delete(handle);
      this.#pass(Math.max(0, dueAt - this.monotonic));
      run();
      await settled();
    }
    this.#pass(end - this.monotonic);
  }

  /** The process was stopped for so long: both clocks went on, and no timer has run yet. */
  freeze(ms) {
    this.#pass(ms);
  }

  /** The machine slept for so long: its monotonic clock stood still. Without sleep: somebody has set the wall clock. */
  stepWall(ms) {
    this.wall += ms;
  }

  #pass(ms) {
    this.wall += ms;
    this.monotonic += ms;
  }

  #set(run, ms) {
    const timer = { ref: () => timer, unref: () => timer, hasRef: () => false };
    this.#timers.set(timer, { dueAt: this.monotonic + Math.max(1, Math.ceil(ms)), run });
    return timer;
  }

  #next(end) {
    let first;
    for (const entry of this.#timers) {
      if (entry[1].dueAt <= end && (first === undefined || entry[1].dueAt < first[1].dueAt)) first = entry;
    }
    return first;
  }
}

export async function settled() {
  for (let turn = 0; turn < TURNS; turn += 1) await nextTurn();
}
