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

test.each<[string, KeyLookup, CacheOptions, readonly (readonly [string, string])[]]>([
  [
    'late without a watch',
    SILENT,
    { ttlMs: 10_001, staleIfErrorMs: 0 },
    [['late_without_watch', 'up to 10001 ms']],
  ],
  [
    'late in an outage',
    new MemoryKeyStore(),
    { staleIfErrorMs: 30_001 },
    [['late_in_outage', 'up to 40001 ms']],
  ],
  [
    'both',
    SILENT,
    { ttlMs: 3_600_000, staleIfErrorMs: 3_600_000 },
    [
      ['late_without_watch', 'up to 3600000 ms'],
      ['late_in_outage', 'up to 7200000 ms'],
    ],
  ],
])('a warning tells what comes %s, and how late', async (_, store, cache, expected) => {
  const warnings = await warningsOf(store, cache);
  expect(warnings).toHaveLength(expected.length);
  for (const [index, [code, bound]] of expected.entries()) {
    expect(warnings[index]).toContain(`${code}: `);
    expect(warnings[index]).toContain(bound);
  }
});
