import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createApiKeys, MemoryKeyStore } from '../../lib/index.ts';
import {
  answers,
  answersAtOnce,
  createGate,
  FaultStore,
  hangs,
  rejects,
  throws,
  waitsBefore,
} from '../support/fault-store.ts';
import {
  advance,
  holdClocks,
  type KeyBench,
  openWatching,
  outcomeOf,
  PREFIX,
  readsAgain,
  settle,
} from '../support/key-bench.ts';
import { KEY_INPUT } from '../support/open-keys.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

const DOWN = rejects(new Error('down'));

describe('a silent watch', () => {
  /** The store can be watched and never says a word of its own. */
  async function openSilent(): Promise<KeyBench> {
    return openWatching({ cache: { ttlMs: 3_600_000 } });
  }

  const silence = answers(async () => undefined);

  test('counts as lost after 5 s, and is begun anew', async () => {
    const memory = new MemoryKeyStore();
    const store = new FaultStore(memory);
    store.always('watch', silence);
    const apiKeys = createApiKeys({ store, prefix: PREFIX, cache: { ttlMs: 3_600_000 } });
    const { key } = await apiKeys.create(KEY_INPUT);
    await advance(300);
    store.tell({ type: 'alive' });
    await apiKeys.verify(key);
    await advance(4_999);
    expect(apiKeys.verify(key)).toMatchObject({ ok: true });
    expect(store.count('watch')).toBe(1);
    await advance(1);
    const before = store.count('findByDigest');
    await apiKeys.verify(key);
    expect(store.count('findByDigest')).toBe(before + 1);
    await advance(1_000);
    expect(store.count('watch')).toBe(2);
  });

  test('counts as lost by the first request after a sleep of the machine, before any timer has run', async () => {
    const bench = await openSilent();
    jest.setSystemTime(Date.now() + 4_999);
    expect(await readsAgain(bench)).toBe(false);
    jest.setSystemTime(Date.now() + 1);
    expect(await readsAgain(bench)).toBe(true);
    expect(await readsAgain(bench)).toBe(false);
  });

  test('is not one that only says that it is alive', async () => {
    const bench = await openSilent();
    await advance(60_000);
    expect(bench.store.count('watch')).toBe(1);
    expect(await readsAgain(bench)).toBe(false);
  });

  test('that speaks again after it was given up is not listened to', async () => {
    const store = new FaultStore(new MemoryKeyStore(), { without: ['watch'] });
    const heard: ((change: unknown) => void)[] = [];
    const stopped: number[] = [];
    Object.defineProperty(store, 'watch', {
      value: async (onChange: (change: unknown) => void) => {
        const number = heard.push(onChange);
        return async () => void stopped.push(number);
      },
    });
    const apiKeys = createApiKeys({ store, prefix: PREFIX, cache: { ttlMs: 3_600_000 } });
    const { key } = await apiKeys.create(KEY_INPUT);
    await advance(7_000);
    expect(heard).toHaveLength(2);
    expect(stopped).toEqual([1]);
    await apiKeys.verify(key);
    const [givenUp, current] = heard;
    givenUp?.({ type: 'lost' });
    expect(apiKeys.verify(key)).toMatchObject({ ok: true });
    current?.({ type: 'lost' });
    const before = store.count('findByDigest');
    await apiKeys.verify(key);
    expect(store.count('findByDigest')).toBe(before + 1);
  });
});

describe('a watch that cannot be begun', () => {
  test.each([
    ['throws', throws(undefined)],
    ['rejects', DOWN],
    ['hangs', hangs()],
  ])('is tried again, and keys work meanwhile: %s', async (_how, fault) => {
    const store = new FaultStore(new MemoryKeyStore());
    store.next('watch', fault, fault);
    const apiKeys = createApiKeys({ store, prefix: PREFIX });
    const { key, apiKey } = await apiKeys.create(KEY_INPUT);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
    await advance(6_000);
    expect(store.count('watch')).toBe(3);
    await apiKeys.verify(key);
    await store.update(apiKey.id, { enabled: false, narrows: true }, 1);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('disabled');
  });

  test('is tried more and more rarely, at least every 30 s', async () => {
    const store = new FaultStore(new MemoryKeyStore());
    store.always('watch', DOWN);
    createApiKeys({ store, prefix: PREFIX });
    await advance(60_000);
    const atFirst = store.count('watch');
    expect(atFirst).toBeLessThanOrEqual(11);
    await advance(30_000);
    const later = store.count('watch');
    expect(later).toBeGreaterThan(atFirst);
    expect(later).toBeLessThanOrEqual(atFirst + 2);
  });

  test('makes all entries be read again once it has begun, since much may have been missed', async () => {
    const store = new FaultStore(new MemoryKeyStore());
    const gate = createGate();
    store.next('watch', waitsBefore(gate));
    const apiKeys = createApiKeys({ store, prefix: PREFIX });
    const { key } = await apiKeys.create(KEY_INPUT);
    await apiKeys.verify(key);
    await apiKeys.verify(key);
    expect(store.count('findByDigest')).toBe(1);
    gate.open();
    await settle();
    await apiKeys.verify(key);
    expect(store.count('findByDigest')).toBe(2);
  });
});

describe('the end of a watch', () => {
  test('comes with close(), which waits for it', async () => {
    const store = new FaultStore(new MemoryKeyStore());
    let isStopped = false;
    store.always(
      'watch',
      answers(async () => {
        await settle();
        isStopped = true;
      }),
    );
    const apiKeys = createApiKeys({ store, prefix: PREFIX });
    await settle();
    await apiKeys.close();
    expect(isStopped).toBe(true);
    await advance(60_000);
    expect(store.count('watch')).toBe(1);
  });

  // An unhandled rejection would fail these tests, as it would end the process of an app.
  test.each([
    ['rejects', async () => Promise.reject(new Error('closed'))],
    [
      'throws',
      () => {
        throw new Error('closed');
      },
    ],
    ['is no function', undefined],
  ])('harms nobody, in time or late, when stopping it %s', async (_how, stop) => {
    for (const late of ['in time', 'after close', 'after the time-out']) {
      const store = new FaultStore(new MemoryKeyStore());
      const gate = createGate();
      store.always('watch', late === 'in time' ? answersAtOnce(stop) : () => gate.opened.then(() => stop));
      const apiKeys = createApiKeys({ store, prefix: PREFIX });
      await advance(late === 'after the time-out' ? 1_000 : 10);
      const closed = apiKeys.close();
      gate.open();
      await closed;
      await settle();
      expect(store.count('watch')).toBe(1);
    }
  });
});
