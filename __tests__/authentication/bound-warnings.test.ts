import { expect, test } from '@jest/globals';
import {
  type CacheOptions,
  createApiKeys,
  type KeyEvent,
  type KeyLookup,
  MemoryKeyStore,
} from '../../lib/index.ts';

const SILENT: KeyLookup = { findByDigest: () => undefined };

async function warningsOf(store: KeyLookup, cache: false | CacheOptions): Promise<readonly string[]> {
  const events: KeyEvent[] = [];
  const apiKeys = createApiKeys({ store, cache, onEvent: (event) => events.push(event) });
  await apiKeys.close();
  return events.flatMap((event) => (event.type === 'warning' ? [`${event.code}: ${event.message}`] : []));
}

test.each<[string, KeyLookup, false | CacheOptions]>([
  ['the defaults, a store that watches', new MemoryKeyStore(), {}],
  ['the defaults, a store that does not', SILENT, {}],
  ['no cache', SILENT, false],
  ['entries that live for nothing', SILENT, { ttlMs: 0, staleIfErrorMs: 3_600_000 }],
  ['no entries', SILENT, { maxEntries: 0, ttlMs: 3_600_000 }],
  ['40 s with a store that watches', new MemoryKeyStore(), { ttlMs: 40_000, staleIfErrorMs: 0 }],
  ['10 s and 30 s', SILENT, { ttlMs: 10_000, staleIfErrorMs: 30_000 }],
])('nothing is said of %s', async (_, store, cache) => {
  expect(await warningsOf(store, cache)).toEqual([]);
});

const lateWithoutWatch = (ms: number) =>
  `late_without_watch: A key that another process revokes is taken here for up to ${ms} ms more: the store cannot watch, ` +
  `and cache.ttlMs is ${ms}. Set it to 10000 at most, or take a store that can watch.`;

const lateInOutage = (ms: number) =>
  `late_in_outage: While the store cannot be reached, a key that another process revokes is taken here for up to ${ms} ms: ` +
  'lower cache.ttlMs and cache.staleIfErrorMs to 40000 together.';

test.each<[string, KeyLookup, CacheOptions, readonly string[]]>([
  ['late without a watch', SILENT, { ttlMs: 10_001, staleIfErrorMs: 0 }, [lateWithoutWatch(10_001)]],
  ['late in an outage', new MemoryKeyStore(), { staleIfErrorMs: 30_001 }, [lateInOutage(40_001)]],
  [
    'both',
    SILENT,
    { ttlMs: 3_600_000, staleIfErrorMs: 3_600_000 },
    [lateWithoutWatch(3_600_000), lateInOutage(7_200_000)],
  ],
])('a warning tells what comes %s, and how late', async (_, store, cache, expected) => {
  expect(await warningsOf(store, cache)).toEqual(expected);
});
