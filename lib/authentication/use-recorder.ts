import type { StoreCaller } from '../stores/guarded-store.ts';
import type { KeyLookup, KeyStore, KeyUse } from '../stores/key-store.ts';

/** For one key. */
export const USE_RECORDED_EVERY_MS = 60_000;
const GATHER_MS = 1_000;
const MAX_PENDING = 10_000;
const MAX_RECENT = 100_000;

/**
 * Keeps last-used up to date without costing a request anything: at most one write for a key and minute, many keys
 * in one call, none awaited, and the first use of a key at once, since somebody may be watching for it. A write that
 * fails is dropped; the next use, a minute later, makes up for it.
 */
export interface UseRecorder {
  /** @returns the wall time from which the next use is due */
  note(id: string, previous: boolean, now: number, isFirst: boolean): number;
  /** Writes what is still pending, once. */
  drain(): Promise<void>;
}

export function createUseRecorder(store: KeyLookup | KeyStore, caller: StoreCaller): UseRecorder | undefined {
  if (!('recordUse' in store) || store.recordUse === undefined) return undefined;
  const recordUse = store.recordUse.bind(store);
  const recent = new RecentUses();
  let pending = new Map<string, KeyUse>();
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  /** One write at a time: while a slow store is busy, uses gather for the next. */
  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (writing !== undefined || pending.size === 0) return;
    const uses = [...pending.values()];
    pending = new Map();
    writing = caller
      .call({ operation: 'recordUse', run: () => recordUse(uses) })
      // Whoever reads one of these keys now reads its last use, too.
      .then(() => recent.forget(uses.map(slotOf)))
      .catch(() => undefined)
      .then(() => {
        writing = undefined;
        if (pending.size > 0) gather(false);
      });
  }

  function gather(isUrgent: boolean): void {
    if (timer !== undefined && !isUrgent) return;
    clearTimeout(timer);
    timer = setTimeout(flush, isUrgent ? 0 : GATHER_MS).unref();
  }

  return {
    note(id, previous, now, isFirst) {
      const slot = slotOf({ id, previous });
      const last = recent.lastOf(slot, now);
      if (last !== undefined) return last + USE_RECORDED_EVERY_MS;
      recent.note(slot, now);
      if (pending.size < MAX_PENDING) pending.set(slot, { id, at: new Date(now), previous });
      gather(isFirst);
      return now + USE_RECORDED_EVERY_MS;
    },
    async drain() {
      await writing;
      flush();
      await writing;
      clearTimeout(timer);
    },
  };
}

function slotOf({ id, previous }: Pick<KeyUse, 'id' | 'previous'>): string {
  return previous ? `${id} previous` : id;
}

/**
 * The uses of the last minute that the store may not know of, in two maps: when a minute is over the older one is
 * thrown away whole, which costs nothing for each key.
 */
class RecentUses {
  #older = new Map<string, number>();
  #newer = new Map<string, number>();
  #turnedAt = Number.NEGATIVE_INFINITY;
  /** From which times are counted in the maps: small integers need no object of their own. */
  #firstAt = Number.NaN;

  lastOf(slot: string, now: number): number | undefined {
    // NaN where none is known, which no comparison holds for. One in the future comes of a clock that was set back.
    const last = (this.#newer.get(slot) ?? this.#older.get(slot) ?? Number.NaN) + this.#firstAt;
    return now >= last && now - last < USE_RECORDED_EVERY_MS ? last : undefined;
  }

  forget(slots: readonly string[]): void {
    for (const slot of slots) {
      this.#newer.delete(slot);
      this.#older.delete(slot);
    }
  }

  note(slot: string, now: number): void {
    const isOver = now < this.#turnedAt || now - this.#turnedAt >= USE_RECORDED_EVERY_MS;
    if (isOver || this.#newer.size >= MAX_RECENT) {
      this.#older = this.#newer;
      this.#newer = new Map();
      this.#turnedAt = now;
    }
    if (!Number.isFinite(this.#firstAt)) this.#firstAt = now;
    this.#newer.set(slot, now - this.#firstAt);
  }
}
