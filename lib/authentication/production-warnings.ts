import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { Pepper } from '../keys/digest.ts';
import type { KeyLookup, KeyStore } from '../stores/key-store.ts';
import { isVolatile } from '../stores/volatile.ts';

/** Warns of what is well in a test and should not be in production. Whether this is production, the caller knows. */
export function warnOfProduction(
  { store, peppers }: { readonly store: KeyLookup | KeyStore; readonly peppers: readonly Pepper[] },
  clock: Clock,
  events: Events,
): void {
  if (isVolatile(store)) {
    const message = 'Keys are kept in memory: they end with this process, and no other process knows them.';
    events.warnOnce('memory_store_in_production', clock.now(), message);
  }
  if (peppers.length === 0) {
    const message = 'There are no peppers: whoever can write to the table of keys can add keys of their own.';
    events.warnOnce('no_pepper', clock.now(), message);
  }
}
