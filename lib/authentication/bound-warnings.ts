import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { KeyLookup, KeyStore } from '../stores/key-store.ts';
import type { CacheConfig } from './lookup-cache.ts';

/** What a revoked key may be taken for elsewhere: by a process that hears nothing, and by one that cannot reach the store. */
const LONGEST_TTL_MS = 10_000;
const LONGEST_AGE_MS = 40_000;

/** Warns of options under which a change by another process is noticed later than this package promises. */
export function warnOfLateChanges(
  store: KeyLookup | KeyStore,
  { maxEntries, ttlMs, staleIfErrorMs }: CacheConfig,
  clock: Clock,
  events: Events,
): void {
  if (maxEntries === 0 || ttlMs === 0) return;
  const watches = 'watch' in store && store.watch !== undefined;
  if (!watches && ttlMs > LONGEST_TTL_MS) {
    const message =
      `A key that another process revokes is taken here for up to ${ttlMs} ms more: the store cannot watch, and ` +
      `cache.ttlMs is ${ttlMs}. Set it to ${LONGEST_TTL_MS} at most, or take a store that can watch.`;
    events.warnOnce('late_without_watch', clock.now(), message);
  }
  if (ttlMs + staleIfErrorMs > LONGEST_AGE_MS) {
    const message =
      `While the store cannot be reached, a key that another process revokes is taken here for up to ` +
      `${ttlMs + staleIfErrorMs} ms: lower cache.ttlMs and cache.staleIfErrorMs to ${LONGEST_AGE_MS} together.`;
    events.warnOnce('late_in_outage', clock.now(), message);
  }
}
