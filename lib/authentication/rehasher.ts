import type { Clock } from '../clock.ts';
import { isDigest } from '../keys/digest.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { StoreCaller } from '../stores/guarded-store.ts';
import type { KeyLookup, KeyStore } from '../stores/key-store.ts';
import type { Matched } from './record-reader.ts';

const MAX_AT_ONCE = 8;

/** Moves a key that was just accepted from the digest it was found by to the one that new keys have. */
export type Rehasher = (record: KeyRecord, match: Matched, digest: string | undefined) => void;

/**
 * By compare-and-set, so that a change made meanwhile wins; never awaited. What fails, or finds no place, is tried
 * again when the key is next read.
 */
export function createRehasher(
  store: KeyLookup | KeyStore,
  caller: StoreCaller,
  clock: Clock,
): Rehasher | undefined {
  if (!('update' in store)) return undefined;
  const underWay = new Set<string>();
  return ({ id, version, previous }, match, digest) => {
    if (match.digest === digest || !isDigest(digest)) return;
    if (underWay.has(id) || underWay.size >= MAX_AT_ONCE) return;
    underWay.add(id);
    // An old key is written together with its last use, which is now: what was read of it may be older by then.
    const lastUsedAt = new Date(clock.now());
    const isOld = match.previous && previous !== undefined;
    const moved = isOld ? { previous: { ...previous, digest, lastUsedAt } } : { digest };
    caller
      .call({
        operation: 'update',
        secrets: [digest, match.digest],
        run: () => store.update(id, { ...moved, narrows: false }, version),
      })
      .catch(() => undefined)
      .finally(() => underWay.delete(id));
  };
}
