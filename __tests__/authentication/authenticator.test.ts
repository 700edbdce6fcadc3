import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createApiKeys, type KeyEvent, keyPairs, MemoryKeyStore } from '../../lib/index.ts';
import { FaultStore, rejects } from '../support/fault-store.ts';
import { advance, holdClocks, makeStrangeKeys, openBench, outcomeOf, PREFIX } from '../support/key-bench.ts';
import { decisionsOf, KEY_INPUT } from '../support/open-keys.ts';

afterEach(() => {
  jest.useRealTimers();
});

/** Of wrong secrets in a minute. */
const LIMIT = 20;
const from = '192.0.2.1';

async function openPair() {
  const events: KeyEvent[] = [];
  const store = new FaultStore(new MemoryKeyStore(), { without: ['watch'] });
  const onEvent = (event: KeyEvent): void => void events.push(event);
  const verifiers = [keyPairs()];
  const apiKeys = createApiKeys({ store, prefix: PREFIX, verifiers, cache: false, onEvent });
  const { key: id, secret = '' } = await apiKeys.create({ ...KEY_INPUT, kind: 'pair' });
  const ask = (with_: string): Promise<string> => outcomeOf(apiKeys.verifyPair(id, with_, { from }));
  return { apiKeys, store, events, id, secret, ask };
}

/** One after the other. */
async function times<T>(count: number, run: (number: number) => Promise<T>): Promise<Set<T>> {
  const answers = new Set<T>();
  for (let number = 0; number < count; number += 1) answers.add(await run(number));
  return answers;
}

describe('of the tries for a pair', () => {
  test('wrong secrets count, and the 21st is refused and told of', async () => {
    const { events, ask, secret } = await openPair();
    expect(await times(LIMIT, (number) => ask(`wrong${number}`))).toEqual(new Set(['unknown']));
    events.length = 0;
    expect(await ask(secret)).toBe('rate_limited');
    expect(decisionsOf(events)).toEqual([
      { type: 'decision', outcome: 'refused', cache: 'none', reason: 'rate_limited' },
    ]);
  });

  test('wrong secrets count in one text too', async () => {
    const { apiKeys, id, secret } = await openPair();
    const wrong = (number: number) => `${id}.${String(number).padStart(43, 'w')}`;
    expect(await times(LIMIT, (number) => outcomeOf(apiKeys.verify(wrong(number))))).toEqual(
      new Set(['unknown']),
    );
    expect(await outcomeOf(apiKeys.verify(`${id}.${secret}`))).toBe('rate_limited');
  });

  test('right ones do not, also where the key is refused', async () => {
    const { apiKeys, ask, id, secret } = await openPair();
    expect(await times(LIMIT + 1, () => ask(secret))).toEqual(new Set(['accepted']));
    await apiKeys.disable(id);
    expect(await times(LIMIT + 1, () => ask(secret))).toEqual(new Set(['disabled']));
    expect(await ask('wrong')).toBe('unknown');
  });

  test('those that were not answered do not', async () => {
    const { store, ask } = await openPair();
    store.always('findByDigest', rejects(new Error('down')));
    expect(await times(LIMIT + 1, (number) => ask(`lost${number}`))).toEqual(
      new Set(['temporarily_unavailable']),
    );
  });

  test('those that wait for the same answer count once', async () => {
    const { apiKeys, ask, id } = await openPair();
    const asked = Array.from({ length: LIMIT + 5 }, () =>
      outcomeOf(apiKeys.verifyPair(id, 'wrong', { from })),
    );
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['unknown']));
    expect(await times(LIMIT - 1, (number) => ask(`wrong${number}`))).toEqual(new Set(['unknown']));
    expect(await ask('another')).toBe('rate_limited');
  });
});

test('unknown keys of one text are never too many', async () => {
  const { apiKeys } = await openBench({ verifiers: [keyPairs()], cache: false });
  const keys = await makeStrangeKeys(2 * LIMIT);
  const outcomes = await times(keys.length, (number) => outcomeOf(apiKeys.verify(keys[number] ?? '')));
  expect(outcomes).toEqual(new Set(['unknown']));
});

test('a mistake of the caller is a rejection, and no decision', async () => {
  const { apiKeys, events, id } = await openPair();
  events.length = 0;
  const asked = Promise.resolve(apiKeys.verifyPair(id, 'wrong', { form: from } as never));
  await expect(asked).rejects.toBeInstanceOf(TypeError);
  expect(decisionsOf(events)).toEqual([]);
});

test('the first use of a key is written at once, and a later one within a second', async () => {
  holdClocks();
  const { apiKeys, store, key } = await openBench();
  const writes: number[] = [];
  for (const ms of [0, 60_000]) {
    await advance(ms);
    await apiKeys.verify(key);
    for (const waitedMs of [0, 999, 1]) {
      await advance(waitedMs);
      writes.push(store.count('recordUse'));
    }
  }
  expect(writes).toEqual([1, 1, 1, 1, 1, 2]);
});
