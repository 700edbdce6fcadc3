import { describe, expect, test } from '@jest/globals';
import { createGate, rejects, waitsBefore } from '../support/fault-store.ts';
import { makeStrangeKeys, openBench, outcomeOf, settle, UNKNOWN_KEY } from '../support/key-bench.ts';
import { KEY_INPUT } from '../support/open-keys.ts';

describe('many requests at one time', () => {
  test('for one cold key are one store call, and all get its verdict', async () => {
    const { apiKeys, store, key, apiKey } = await openBench();
    const verdicts = await Promise.all(Array.from({ length: 5_000 }, () => apiKeys.verify(key)));
    expect(store.count('findByDigest')).toBe(1);
    expect(verdicts).toHaveLength(5_000);
    expect(new Set(verdicts).size).toBe(1);
    expect(verdicts[0]).toEqual({ ok: true, apiKey });
  });

  test('for one unknown key are one store call', async () => {
    const { apiKeys, store } = await openBench();
    const verdicts = await Promise.all(Array.from({ length: 1_000 }, () => apiKeys.verify(UNKNOWN_KEY)));
    expect(store.count('findByDigest')).toBe(1);
    expect(verdicts.every((verdict) => !verdict.ok && verdict.reason === 'unknown')).toBe(true);
  });

  test('share a fault, and the next one asks anew', async () => {
    const { apiKeys, store, key } = await openBench();
    store.next('findByDigest', rejects(new Error('down')));
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => outcomeOf(apiKeys.verify(key))));
    expect(new Set(outcomes)).toEqual(new Set(['temporarily_unavailable']));
    expect(store.count('findByDigest')).toBe(1);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
  });

  test.each([
    ['no cache', { cache: false }],
    ['a ttlMs of 0', { cache: { ttlMs: 0 } }],
  ] as const)('share one call with %s too, and nothing outlives it', async (_what, options) => {
    const { apiKeys, store, key } = await openBench(options);
    for (const text of [key, UNKNOWN_KEY]) {
      const before = store.count('findByDigest');
      await Promise.all(Array.from({ length: 50 }, () => apiKeys.verify(text)));
      expect(store.count('findByDigest')).toBe(before + 1);
      await apiKeys.verify(text);
      expect(store.count('findByDigest')).toBe(before + 2);
    }
    store.always('findByDigest', rejects(new Error('down')));
    expect(await outcomeOf(apiKeys.verify(key))).toBe('temporarily_unavailable');
  });

  test('for different keys do not wait for one another', async () => {
    const { apiKeys, store, key } = await openBench();
    const second = await apiKeys.create(KEY_INPUT);
    const gate = createGate();
    store.next('findByDigest', waitsBefore(gate));
    const slow = outcomeOf(apiKeys.verify(key));
    expect(await outcomeOf(apiKeys.verify(second.key))).toBe('accepted');
    gate.open();
    expect(await slow).toBe('accepted');
  });
});

describe('hits and misses', () => {
  test('are kept apart: a flood of unknown keys pushes out no good one', async () => {
    const { apiKeys, store, key } = await openBench({ cache: { maxEntries: 5, maxMisses: 5 } });
    await apiKeys.verify(key);
    for (const strange of await makeStrangeKeys(200)) await apiKeys.verify(strange);
    expect(apiKeys.verify(key)).toMatchObject({ ok: true });
    expect(store.count('findByDigest')).toBe(201);
  });

  test('are bounded each by its own number', async () => {
    const { apiKeys, store, key } = await openBench({ cache: { maxEntries: 1, maxMisses: 2 } });
    const second = await apiKeys.create(KEY_INPUT);
    await apiKeys.verify(key);
    await apiKeys.verify(second.key);
    const beforeGood = store.count('findByDigest');
    await apiKeys.verify(second.key);
    expect(store.count('findByDigest')).toBe(beforeGood);
    await apiKeys.verify(key);
    expect(store.count('findByDigest')).toBe(beforeGood + 1);

    const [first = '', ...others] = await makeStrangeKeys(3);
    for (const strange of [first, ...others]) await apiKeys.verify(strange);
    const beforeStrange = store.count('findByDigest');
    for (const strange of others) await apiKeys.verify(strange);
    expect(store.count('findByDigest')).toBe(beforeStrange);
    await apiKeys.verify(first);
    expect(store.count('findByDigest')).toBe(beforeStrange + 1);
  });

  test('keep nothing where their number is 0', async () => {
    const { apiKeys, store, key } = await openBench({ cache: { maxEntries: 0, maxMisses: 0 } });
    for (const text of [key, key, UNKNOWN_KEY, UNKNOWN_KEY]) await apiKeys.verify(text);
    expect(store.count('findByDigest')).toBe(4);
  });
});

describe('look-ups of many cold keys', () => {
  test('reach the store 64 at a time, and all are answered', async () => {
    const { apiKeys, store } = await openBench({ storeTimeoutMs: 10_000 });
    const gate = createGate();
    store.always('findByDigest', waitsBefore(gate));
    const asked = (await makeStrangeKeys(300)).map((strange) => outcomeOf(apiKeys.verify(strange)));
    await settle();
    expect(store.count('findByDigest')).toBe(64);
    gate.open();
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['unknown']));
    expect(store.count('findByDigest')).toBe(300);
  });

  test('do not keep a known key waiting', async () => {
    const { apiKeys, store, key } = await openBench({ storeTimeoutMs: 10_000 });
    await apiKeys.verify(key);
    const gate = createGate();
    store.always('findByDigest', waitsBefore(gate));
    const asked = (await makeStrangeKeys(100)).map((strange) => outcomeOf(apiKeys.verify(strange)));
    expect(apiKeys.verify(key)).toMatchObject({ ok: true });
    gate.open();
    await Promise.all(asked);
  });
});

test('what is not found is read twice at most, however often a key is created meanwhile', async () => {
  const { apiKeys, store } = await openBench();
  store.always('findByDigest', async (real) => {
    const answer = await real();
    await apiKeys.create(KEY_INPUT);
    return answer;
  });
  expect(await outcomeOf(apiKeys.verify(UNKNOWN_KEY))).toBe('unknown');
  expect(store.count('findByDigest')).toBe(2);
});
