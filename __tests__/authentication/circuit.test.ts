import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { answers, createGate, hangs, rejects, waitsBefore } from '../support/fault-store.ts';
import {
  advance,
  holdClocks,
  type KeyBench,
  makeStrangeKeys,
  openBench,
  outcomeOf,
  settle,
  setWallClock,
  UNKNOWN_KEY,
} from '../support/key-bench.ts';
import { START_MS } from '../support/open-keys.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

const DOWN = rejects(new Error('down'));
const UNAVAILABLE = 'temporarily_unavailable';

/** Longer than any first pause. */
const FIRST_PAUSE_IS_OVER_MS = 2_000;

async function failTimes({ apiKeys, store }: KeyBench, times: number): Promise<void> {
  store.always('findByDigest', DOWN);
  for (const strange of await makeStrangeKeys(times)) {
    expect(await outcomeOf(apiKeys.verify(strange))).toBe(UNAVAILABLE);
  }
}

describe('a store that failed 5 times in a row', () => {
  test('is left alone, and everything that would need it is a fault', async () => {
    const bench = await openBench();
    await failTimes(bench, 5);
    bench.store.heal();
    const before = bench.store.count('findByDigest');
    expect(before).toBe(5);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe(UNAVAILABLE);
    expect(await outcomeOf(bench.apiKeys.verify(UNKNOWN_KEY))).toBe(UNAVAILABLE);
    expect(bench.store.count('findByDigest')).toBe(before);
  });

  test('is not one that failed 4 times, nor one that answered in between, be it that it found nothing', async () => {
    const bench = await openBench();
    for (let round = 0; round < 3; round += 1) {
      await failTimes(bench, 4);
      bench.store.heal();
      const [strange = ''] = await makeStrangeKeys(1);
      expect(await outcomeOf(bench.apiKeys.verify(strange))).toBe('unknown');
    }
  });

  test('is not one that answered nonsense: it does answer', async () => {
    const bench = await openBench();
    bench.store.always('findByDigest', answers(true));
    for (let times = 0; times < 10; times += 1) await outcomeOf(bench.apiKeys.verify(bench.key));
    expect(bench.store.count('findByDigest')).toBe(10);
  });

  test('is bridged by entries, and known keys need it not at all', async () => {
    const bench = await openBench();
    await bench.apiKeys.verify(bench.key);
    await failTimes(bench, 5);
    expect(bench.apiKeys.verify(bench.key)).toMatchObject({ ok: true });
    await advance(10_000);
    setWallClock(START_MS + 10_000);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
  });

  test('counts hanging as failing', async () => {
    const bench = await openBench({ storeTimeoutMs: 20 });
    bench.store.always('findByDigest', hangs());
    const asked = (await makeStrangeKeys(5)).map((strange) => outcomeOf(bench.apiKeys.verify(strange)));
    await advance(20);
    expect(new Set(await Promise.all(asked))).toEqual(new Set([UNAVAILABLE]));
    await outcomeOf(bench.apiKeys.verify(bench.key));
    expect(bench.store.count('findByDigest')).toBe(5);
  });

  test('is tried by one call after a pause, and all others wait for what comes of it', async () => {
    const bench = await openBench();
    await failTimes(bench, 5);
    await advance(FIRST_PAUSE_IS_OVER_MS);
    const gate = createGate();
    bench.store.heal();
    bench.store.next('findByDigest', waitsBefore(gate));
    const asked = (await makeStrangeKeys(20)).map((strange) => outcomeOf(bench.apiKeys.verify(strange)));
    await settle();
    expect(bench.store.count('findByDigest')).toBe(6);
    gate.open();
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['unknown']));
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
  });

  test('is left alone again when that one call fails, and no call beside it was made', async () => {
    const bench = await openBench();
    await failTimes(bench, 5);
    await advance(FIRST_PAUSE_IS_OVER_MS);
    const asked = (await makeStrangeKeys(20)).map((strange) => outcomeOf(bench.apiKeys.verify(strange)));
    expect(new Set(await Promise.all(asked))).toEqual(new Set([UNAVAILABLE]));
    expect(bench.store.count('findByDigest')).toBe(6);
  });

  test('is tried again however long it was down', async () => {
    const bench = await openBench();
    await failTimes(bench, 5);
    for (let minute = 0; minute < 60; minute += 1) {
      await advance(60_000);
      const before = bench.store.count('findByDigest');
      expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe(UNAVAILABLE);
      expect(bench.store.count('findByDigest')).toBe(before + 1);
    }
    bench.store.heal();
    await advance(60_000);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
  });

  test('is not left alone for longer because the wall clock was set back', async () => {
    const bench = await openBench();
    await failTimes(bench, 5);
    bench.store.heal();
    setWallClock(START_MS - 3_600_000);
    await advance(FIRST_PAUSE_IS_OVER_MS);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
  });

  test('is not left alone for longer because the wall clock was ahead when a call failed', async () => {
    const bench = await openBench();
    await failTimes(bench, 4);
    const gate = createGate();
    bench.store.next('findByDigest', async () => {
      await gate.opened;
      throw new Error('down');
    });
    const asked = outcomeOf(bench.apiKeys.verify(UNKNOWN_KEY));
    await settle();
    setWallClock(START_MS + 3_600_000);
    gate.open();
    expect(await asked).toBe(UNAVAILABLE);
    bench.store.heal();
    setWallClock(START_MS);
    await advance(FIRST_PAUSE_IS_OVER_MS);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
  });
});

describe('the deadline of a store call', () => {
  test('is 1 s unless storeTimeoutMs says otherwise', async () => {
    for (const [options, ms] of [
      [{}, 1_000],
      [{ storeTimeoutMs: 20 }, 20],
    ] as const) {
      const { apiKeys, store, key } = await openBench(options);
      store.next('findByDigest', hangs());
      let outcome = 'open';
      const asked = outcomeOf(apiKeys.verify(key)).then((ended) => {
        outcome = ended;
      });
      await advance(ms - 1);
      expect(outcome).toBe('open');
      await advance(1);
      await asked;
      expect(outcome).toBe(UNAVAILABLE);
    }
  });

  test('holds for every call of management and for ready() and close()', async () => {
    const bench = await openBench({ without: [], storeTimeoutMs: 20 });
    const { apiKeys, store, apiKey } = bench;
    await settle();
    for (const method of ['findByDigest', 'findById', 'insert', 'list', 'close'] as const) {
      store.always(method, hangs());
    }
    const calls: readonly Promise<unknown>[] = [
      apiKeys.ready(),
      apiKeys.get(apiKey.id),
      apiKeys.list(),
      apiKeys.revoke(apiKey.id),
      apiKeys.create({ name: 'CI', organization: { id: 'org_1' } }),
    ];
    const ended = Promise.allSettled(calls);
    await advance(20);
    for (const call of await ended) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: UNAVAILABLE, status: 503 } });
    }
  });

  test('holds for each wait: those in front of a full store know after two of them at most', async () => {
    const bench = await openBench({ storeTimeoutMs: 100 });
    bench.store.always('findByDigest', hangs());
    const asked = (await makeStrangeKeys(500)).map((strange) => outcomeOf(bench.apiKeys.verify(strange)));
    await settle();
    expect(bench.store.count('findByDigest')).toBe(64);
    await advance(200);
    expect(new Set(await Promise.all(asked))).toEqual(new Set([UNAVAILABLE]));
    expect(bench.store.count('findByDigest')).toBeLessThan(64 + 5);
  });

  test('makes no call for those whose place came too late', async () => {
    const bench = await openBench({ storeTimeoutMs: 100 });
    bench.store.always('findByDigest', async (real) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return real();
    });
    const asked = (await makeStrangeKeys(64 * 4)).map((strange) => outcomeOf(bench.apiKeys.verify(strange)));
    await advance(60);
    await advance(60);
    await advance(60);
    await advance(60);
    const outcomes = await Promise.all(asked);
    expect(outcomes.filter((outcome) => outcome === 'unknown')).toHaveLength(128);
    expect(outcomes.filter((outcome) => outcome === UNAVAILABLE)).toHaveLength(128);
    expect(bench.store.count('findByDigest')).toBe(128);
  });
});
