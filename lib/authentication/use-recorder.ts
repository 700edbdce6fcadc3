import type { StoreCaller } from '../stores/guarded-store.ts';
import type { KeyLookup, KeyStore, KeyUse } from '../stores/key-store.ts';

/** For one key. */
export const USE_RECORDED_EVERY_MS = 60_000;
const GATHER_MS = 1_000;
const MAX_PENDING = 10_000;

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
  const notedAt = new Map<string, number>();
  let pending = new Map<string, KeyUse>();
  let writing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const uses = [...pending.values()];
    pending = new Map();
    if (uses.length === 0) return writing;
    const write = () => caller.call({ operation: 'recordUse', run: () => recordUse(uses) });
    // One after the other: a slow store gets larger batches, not more of them.
    writing = writing.then(write).catch(() => undefined);
    return writing;
  }

  /** The map is in order of time, so what is a minute old stands in front. */
  function forgetOld(now: number): void {
    for (const [slot, at] of notedAt) {
      if (notedAt.size <= MAX_PENDING && now - at < USE_RECORDED_EVERY_MS) return;
      notedAt.delete(slot);
    }
  }

  function gather(isUrgent: boolean): void {
    if (timer !== undefined && !isUrgent) return;
    clearTimeout(timer);
    timer = setTimeout(flush, isUrgent ? 0 : GATHER_MS).unref();
  }

  return {
    note(id, previous, now, isFirst) {
      const slot = previous ? `${id} previous` : id;
      const last = notedAt.get(slot);
      // A `last` in the future comes of a clock that was set back.
      const isRecent = last !== undefined && now >= last && now - last < USE_RECORDED_EVERY_MS;
      if (isRecent) return last + USE_RECORDED_EVERY_MS;
      forgetOld(now);
      notedAt.delete(slot);
      notedAt.set(slot, now);
      if (pending.size < MAX_PENDING) pending.set(slot, { id, at: new Date(now), previous });
      gather(isFirst);
      return now + USE_RECORDED_EVERY_MS;
    },
    drain: flush,
  };
}
