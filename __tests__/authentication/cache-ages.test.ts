import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { rejects } from '../support/fault-store.ts';
import {
  advance,
  holdClocks,
  type KeyBench,
  openBench,
  outcomeOf,
  setWallClock,
  UNKNOWN_KEY,
} from '../support/key-bench.ts';
import { START_MS } from '../support/open-keys.ts';

const HOUR_MS = 3_600_000;
const DOWN = rejects(new Error('down'));

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

/** A bench whose key has been read once, now. */
async function openKnown(options: Parameters<typeof openBench>[0] = {}): Promise<KeyBench> {
  const bench = await openBench(options);
  await bench.apiKeys.verify(bench.key);
  return bench;
}

async function readsDuring({ store }: KeyBench, action: () => unknown): Promise<number> {
  const before = store.count('findByDigest');
  await action();
  return store.count('findByDigest') - before;
}

describe('an entry', () => {
  test.each([
    ['10 s unless told otherwise', {}, 10_000],
    ['its ttlMs', { ttlMs: 300 }, 300],
  ])('decides for %s, and is read again at the end of that', async (_what, cache, ttlMs) => {
    const bench = await openKnown({ cache });
    await advance(ttlMs - 1);
    expect(await readsDuring(bench, () => bench.apiKeys.verify(bench.key))).toBe(0);
    await advance(1);
    expect(await readsDuring(bench, () => bench.apiKeys.verify(bench.key))).toBe(1);
  });

  test('counts its age from the beginning of its read', async () => {
    const bench = await openBench();
    bench.store.next('findByDigest', async (real) => {
      await new Promise((resolve) => setTimeout(resolve, 900));
      return real();
    });
    const asked = outcomeOf(bench.apiKeys.verify(bench.key));
    await advance(900);
    expect(await asked).toBe('accepted');
    await advance(9_099);
    expect(await readsDuring(bench, () => bench.apiKeys.verify(bench.key))).toBe(0);
    await advance(1);
    expect(await readsDuring(bench, () => bench.apiKeys.verify(bench.key))).toBe(1);
  });

  test('does not grow younger by use', async () => {
    const bench = await openKnown();
    for (let second = 1; second < 10; second += 1) {
      await advance(1_000);
      await bench.apiKeys.verify(bench.key);
    }
    await advance(1_000);
    expect(await readsDuring(bench, () => bench.apiKeys.verify(bench.key))).toBe(1);
  });

  test('grows older by the monotonic clock while the wall clock is set back an hour', async () => {
    const bench = await openKnown();
    setWallClock(START_MS - HOUR_MS);
    await advance(9_999);
    expect(await readsDuring(bench, () => bench.apiKeys.verify(bench.key))).toBe(0);
    await advance(1);
    expect(await readsDuring(bench, () => bench.apiKeys.verify(bench.key))).toBe(1);
  });

  test('is read again when the wall clock jumps an hour ahead, as after a sleep of the machine', async () => {
    const bench = await openKnown();
    setWallClock(START_MS + HOUR_MS);
    expect(await readsDuring(bench, () => bench.apiKeys.verify(bench.key))).toBe(1);
    expect(bench.apiKeys.verify(bench.key)).toMatchObject({ ok: true });
  });

  test('decides nothing while the clock tells no time', async () => {
    let now = START_MS;
    const bench = await openKnown({ now: () => now });
    now = Number.NaN;
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).not.toBe('accepted');
  });
});

describe('a miss', () => {
  test.each([
    ['5 s unless told otherwise', {}, 5_000],
    ['its missTtlMs', { missTtlMs: 250 }, 250],
  ])('is kept for %s', async (_what, cache, missTtlMs) => {
    const bench = await openBench({ cache });
    await bench.apiKeys.verify(UNKNOWN_KEY);
    await advance(missTtlMs - 1);
    expect(await readsDuring(bench, () => bench.apiKeys.verify(UNKNOWN_KEY))).toBe(0);
    await advance(1);
    expect(await readsDuring(bench, () => bench.apiKeys.verify(UNKNOWN_KEY))).toBe(1);
  });

  test('grows older while the wall clock is set back', async () => {
    const bench = await openBench();
    await bench.apiKeys.verify(UNKNOWN_KEY);
    setWallClock(START_MS - HOUR_MS);
    await advance(5_000);
    expect(await readsDuring(bench, () => bench.apiKeys.verify(UNKNOWN_KEY))).toBe(1);
  });

  test('is never served past its time, however the store fails', async () => {
    const bench = await openBench();
    await bench.apiKeys.verify(UNKNOWN_KEY);
    bench.store.always('findByDigest', DOWN);
    await advance(4_999);
    expect(await outcomeOf(bench.apiKeys.verify(UNKNOWN_KEY))).toBe('unknown');
    await advance(1);
    expect(await outcomeOf(bench.apiKeys.verify(UNKNOWN_KEY))).toBe('temporarily_unavailable');
  });
});

describe('while the store fails', () => {
  test.each([
    ['for 40 s in all unless told otherwise', {}, 40_000],
    ['for ttlMs and staleIfErrorMs', { ttlMs: 1_000, staleIfErrorMs: 500 }, 1_500],
    ['for ttlMs alone where staleIfErrorMs is 0', { staleIfErrorMs: 0 }, 10_000],
  ])('an entry bridges it %s', async (_what, cache, bridgedMs) => {
    const { apiKeys, store, key } = await openKnown({ cache });
    store.always('findByDigest', DOWN);
    await advance(bridgedMs - 1);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
    await advance(1);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('temporarily_unavailable');
  });

  test('an entry bridges no longer for a wall clock that was set back', async () => {
    const { apiKeys, store, key } = await openKnown();
    store.always('findByDigest', DOWN);
    setWallClock(START_MS - HOUR_MS);
    await advance(39_999);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
    await advance(1);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('temporarily_unavailable');
  });

  test('an entry bridges nothing once the wall clock has jumped past its time', async () => {
    const { apiKeys, store, key } = await openKnown();
    store.always('findByDigest', DOWN);
    setWallClock(START_MS + HOUR_MS);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('temporarily_unavailable');
  });

  test('a key that is not known is a fault', async () => {
    const { apiKeys, store, key } = await openBench();
    store.always('findByDigest', DOWN);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('temporarily_unavailable');
  });

  test('a key still ends on time', async () => {
    const { apiKeys, store, key } = await openKnown({ input: { expiresAt: new Date(START_MS + 15_000) } });
    store.always('findByDigest', DOWN);
    await advance(14_999);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
    await advance(1);
    expect(await outcomeOf(apiKeys.verify(key))).not.toBe('accepted');
  });

  test('what was fetched fresh again counts from then', async () => {
    const { apiKeys, store, key } = await openKnown();
    await advance(30_000);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
    store.always('findByDigest', DOWN);
    await advance(39_999);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
  });
});

describe('the ends of a key', () => {
  test('count while it is cached: its expiry is the first moment at which it is refused', async () => {
    const { apiKeys, key } = await openKnown({ input: { expiresAt: new Date(START_MS + 3_000) } });
    await advance(2_999);
    expect(apiKeys.verify(key)).toMatchObject({ ok: true });
    await advance(1);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('expired');
  });

  test('are read again when they come, since another process may have moved them', async () => {
    const bench = await openKnown({ input: { expiresAt: new Date(START_MS + 3_000) } });
    await bench.otherProcess().update(bench.apiKey.id, { expiresAt: new Date(START_MS + HOUR_MS) });
    await advance(3_000);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
  });

  test('count while it is cached: it becomes valid on time, with no store call', async () => {
    const bench = await openBench({ input: { notBefore: new Date(START_MS + 3_000) } });
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('not_yet_valid');
    await advance(2_999);
    expect(bench.apiKeys.verify(bench.key)).toMatchObject({ ok: false, reason: 'not_yet_valid' });
    await advance(1);
    expect(bench.apiKeys.verify(bench.key)).toMatchObject({ ok: true });
    expect(bench.store.count('findByDigest')).toBe(1);
  });

  test('count while it is cached: a rotated key stops when its grace ends', async () => {
    const bench = await openBench();
    await bench.apiKeys.rotate(bench.apiKey.id, { gracePeriodMs: 3_000 });
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
    await advance(2_999);
    expect(bench.apiKeys.verify(bench.key)).toMatchObject({ ok: true });
    await advance(1);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('rotated');
  });

  test('follow the wall clock when it is set back: what had expired works again', async () => {
    const { apiKeys, key } = await openKnown({ input: { expiresAt: new Date(START_MS + 3_000) } });
    await advance(3_000);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('expired');
    setWallClock(START_MS);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
  });
});
