import type { KeyRecord } from '../keys/key-record.ts';
import type { StoreCaller } from '../stores/guarded-store.ts';
import type { KeyLookup, KeyStore } from '../stores/key-store.ts';
import type { Matched } from './record-reader.ts';

const MAX_AT_ONCE = 8;

/** Moves a key that was just accepted from the digest it was found by to the one that new keys have. */
export type Rehasher = (record: KeyRecord, match: Matched, digest: string) => void;

/**
 * By compare-and-set, so that a change made meanwhile wins; never awaited. What fails, or finds no place, is tried
 * again when the key is next read.
 */
export function createRehasher(store: KeyLookup | KeyStore, caller: StoreCaller): Rehasher | undefined {
  if (!('update' in store)) return undefined;
  const underWay = new Set<string>();
  return ({ id, version, previous }, match, digest) => {
    if (match.digest === digest || underWay.has(id) || underWay.size >= MAX_AT_ONCE) return;
    underWay.add(id);
    const moved =
      match.previous && previous !== undefined ? { previous: { ...previous, digest } } : { digest };
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
