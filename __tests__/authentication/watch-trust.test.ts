import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { rejects } from '../support/fault-store.ts';
import { advance, holdClocks, openWatching, outcomeOf } from '../support/key-bench.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

const DOWN = rejects(new Error('down'));

describe('what a watch has told', () => {
  test('lets nothing older bridge an outage, then or later', async () => {
    const bench = await openWatching({ cache: { ttlMs: 60_000, staleIfErrorMs: 600_000 } });
    bench.store.tell({ type: 'narrowed', id: bench.apiKey.id, version: 2, ended: true });
    bench.store.always('findByDigest', DOWN);
    for (const seconds of [0, 29, 2, 1, 60, 60]) {
      await advance(seconds * 1_000);
      expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('temporarily_unavailable');
    }
  });

  test.each(['before', 'after'])(
    'of a version that never was blocks no key for good, %s a change of this process',
    async (when) => {
      const bench = await openWatching();
      const bogus = { type: 'narrowed', id: bench.apiKey.id, version: Number.MAX_SAFE_INTEGER, ended: true };
      if (when === 'before') bench.store.tell(bogus);
      await bench.apiKeys.update(bench.apiKey.id, { scopes: [] });
      if (when === 'after') bench.store.tell(bogus);
      await advance(30_000);
      expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
    },
  );
});
