import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { KeyUse } from '../../lib/index.ts';
import {
  createGate,
  type FaultStore,
  failsAfter,
  hangs,
  rejects,
  throws,
  waitsBefore,
} from '../support/fault-store.ts';
import { advance, holdClocks, openBench, outcomeOf, settle } from '../support/key-bench.ts';
import { KEY_INPUT, START_MS } from '../support/open-keys.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

const MINUTE_MS = 60_000;

/** The uses of each call so far. */
function batches(store: FaultStore): readonly (readonly KeyUse[])[] {
  return store.asked('recordUse').map(([uses]) => uses as readonly KeyUse[]);
}

describe('last-used', () => {
  test('is recorded at once for the first use of a key, and not before the answer', async () => {
    const { apiKeys, store, key, apiKey, record } = await openBench();
    await apiKeys.verify(key);
    expect(store.count('recordUse')).toBe(0);
    await advance(0);
    expect(batches(store)).toEqual([[{ id: apiKey.id, at: new Date(START_MS), previous: false }]]);
    expect((await record()).lastUsedAt).toEqual(new Date(START_MS));
  });

  test('is recorded once in a minute, however often the key is used and read', async () => {
    const { apiKeys, store, key } = await openBench();
    for (let second = 0; second < 60; second += 1) {
      await apiKeys.verify(key);
      await advance(1_000);
    }
    expect(store.count('findByDigest')).toBe(6);
    expect(store.count('recordUse')).toBe(1);
    await apiKeys.verify(key);
    await advance(1_000);
    expect(
      batches(store)
        .flat()
        .map(({ at }) => at.getTime() - START_MS),
    ).toEqual([0, MINUTE_MS]);
  });

  test('is not recorded anew by a process that finds it fresh', async () => {
    const { apiKeys, store, memory, key, apiKey } = await openBench();
    const at = new Date(START_MS - MINUTE_MS + 5_000);
    await memory.recordUse([{ id: apiKey.id, at, previous: false }]);
    await apiKeys.verify(key);
    await advance(4_999);
    await apiKeys.verify(key);
    await advance(1);
    expect(store.count('recordUse')).toBe(0);
    await apiKeys.verify(key);
    await advance(1_000);
    expect(store.count('recordUse')).toBe(1);
  });

  test('of many keys is one call', async () => {
    const { apiKeys, store } = await openBench();
    const keys = await Promise.all(Array.from({ length: 30 }, () => apiKeys.create(KEY_INPUT)));
    await Promise.all(keys.map(({ key }) => apiKeys.verify(key)));
    await advance(0);
    expect(batches(store).map((uses) => uses.length)).toEqual([30]);
    await advance(MINUTE_MS);
    for (const { key } of keys) {
      await apiKeys.verify(key);
      await advance(10);
    }
    await advance(1_000);
    expect(batches(store).map((uses) => uses.length)).toEqual([30, 30]);
  });

  test('of the old key in its grace is kept apart from that of the new one', async () => {
    const { apiKeys, key, apiKey, record } = await openBench();
    await apiKeys.verify(key);
    await advance(0);
    const rotated = await apiKeys.rotate(apiKey.id);
    await advance(MINUTE_MS);
    await apiKeys.verify(key);
    await advance(1_000);
    expect((await record()).previous?.lastUsedAt).toEqual(new Date(START_MS + MINUTE_MS));
    expect((await record()).lastUsedAt).toEqual(new Date(START_MS));
    await advance(MINUTE_MS);
    await apiKeys.verify(rotated.key);
    await advance(1_000);
    expect((await record()).previous?.lastUsedAt).toEqual(new Date(START_MS + MINUTE_MS));
    expect((await record()).lastUsedAt?.getTime()).toBeGreaterThan(START_MS + MINUTE_MS);
  });

  test('of the old key and the new one in one minute is recorded for both', async () => {
    const { apiKeys, key, apiKey, record } = await openBench();
    const rotated = await apiKeys.rotate(apiKey.id);
    await apiKeys.verify(key);
    await apiKeys.verify(rotated.key);
    await advance(1_000);
    expect((await record()).lastUsedAt).toEqual(new Date(START_MS));
    expect((await record()).previous?.lastUsedAt).toEqual(new Date(START_MS));
  });

  test('is not recorded for a key that is refused', async () => {
    const { apiKeys, store, key, apiKey } = await openBench();
    await apiKeys.disable(apiKey.id);
    await apiKeys.verify(key);
    await advance(2_000);
    expect(store.count('recordUse')).toBe(0);
  });

  test('changes no version, so no entry is read again for it', async () => {
    const { apiKeys, store, key, record } = await openBench();
    await apiKeys.verify(key);
    await advance(1_000);
    expect((await record()).version).toBe(1);
    await apiKeys.verify(key);
    expect(store.count('findByDigest')).toBe(1);
  });

  test('is not needed: a store need not be able to record it', async () => {
    const { apiKeys, key } = await openBench({ without: ['watch', 'recordUse'] });
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
    await apiKeys.close();
  });
});

describe('a store that cannot record a use', () => {
  test.each([
    ['throws', throws(undefined)],
    ['rejects', rejects(new Error('down'))],
    ['hangs', hangs()],
    ['fails after it was done', failsAfter(new Error('connection lost'))],
  ])('changes no answer, and is asked again a minute later: %s', async (_how, fault) => {
    const { apiKeys, store, key, record } = await openBench();
    store.next('recordUse', fault);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
    await advance(5_000);
    expect(apiKeys.verify(key)).toMatchObject({ ok: true });
    expect(store.count('recordUse')).toBe(1);
    await advance(MINUTE_MS);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
    await advance(1_000);
    expect(store.count('recordUse')).toBe(2);
    expect((await record()).lastUsedAt).toEqual(new Date(START_MS + MINUTE_MS + 5_000));
  });

  test('is not asked at every request where nothing is cached', async () => {
    const { apiKeys, store, key } = await openBench({ cache: false });
    store.always('recordUse', rejects(new Error('down')));
    for (let times = 0; times < 10; times += 1) {
      await apiKeys.verify(key);
      await advance(2_000);
    }
    expect(store.count('findByDigest')).toBe(10);
    expect(store.count('recordUse')).toBe(1);
  });

  test('does not keep look-ups from the store, however often it fails', async () => {
    const { apiKeys, store } = await openBench();
    store.always('recordUse', rejects(new Error('down')));
    for (let times = 0; times < 10; times += 1) {
      const { key } = await apiKeys.create(KEY_INPUT);
      expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
      await advance(1_000);
    }
    expect(store.count('recordUse')).toBe(10);
  });

  test('for being slow gets one call at a time', async () => {
    const { apiKeys, store, key } = await openBench({ storeTimeoutMs: 30_000 });
    const gate = createGate();
    store.next('recordUse', waitsBefore(gate));
    await apiKeys.verify(key);
    await advance(0);
    for (let times = 0; times < 3; times += 1) {
      const second = await apiKeys.create(KEY_INPUT);
      await apiKeys.verify(second.key);
      await advance(1_000);
    }
    expect(store.count('recordUse')).toBe(1);
    gate.open();
    await advance(1_000);
    expect(batches(store).flat()).toHaveLength(4);
  });

  test('for many first uses gathers in few calls while one is slow', async () => {
    const bench = await openBench();
    const others = await Promise.all(
      Array.from({ length: 40 }, () => bench.apiKeys.create({ name: 'x', organization: { id: 'o' } })),
    );
    const gate = createGate();
    bench.store.next('recordUse', waitsBefore(gate));
    for (const { key } of others) {
      await bench.apiKeys.verify(key);
      await advance(1);
    }
    expect(bench.store.count('recordUse')).toBe(1);
    gate.open();
    await settle();
    await advance(1_000);
    expect(bench.store.count('recordUse')).toBe(2);
  });

  test('does not bring back a key that was revoked meanwhile', async () => {
    const { apiKeys, store, key, apiKey, record } = await openBench();
    const gate = createGate();
    store.next('recordUse', waitsBefore(gate));
    await apiKeys.verify(key);
    await advance(0);
    await apiKeys.revoke(apiKey.id);
    gate.open();
    await settle();
    expect(await record()).toMatchObject({ revokedAt: new Date(START_MS) });
    expect(await record()).not.toHaveProperty('lastUsedAt');
    expect(await outcomeOf(apiKeys.verify(key))).toBe('revoked');
  });
});

describe('close()', () => {
  test('writes the uses that are still pending, and closes the store after that', async () => {
    const { apiKeys, store, key, record } = await openBench({ without: ['watch'] });
    await apiKeys.verify(key);
    expect(store.count('recordUse')).toBe(0);
    await apiKeys.close();
    expect((await record()).lastUsedAt).toEqual(new Date(START_MS));
    await advance(MINUTE_MS);
    expect(store.count('recordUse')).toBe(1);
  });

  test('waits for a write that is under way', async () => {
    const { apiKeys, store, key } = await openBench();
    const gate = createGate();
    store.next('recordUse', waitsBefore(gate));
    await apiKeys.verify(key);
    await advance(0);
    let isClosed = false;
    const closed = apiKeys.close().then(() => {
      isClosed = true;
    });
    await settle();
    expect(isClosed).toBe(false);
    gate.open();
    await closed;
    expect(isClosed).toBe(true);
  });

  test('ends although the store does not take the uses', async () => {
    const { apiKeys, store, key } = await openBench();
    store.always('recordUse', hangs());
    await apiKeys.verify(key);
    const closed = apiKeys.close();
    await advance(1_000);
    await expect(closed).resolves.toBeUndefined();
  });
});
