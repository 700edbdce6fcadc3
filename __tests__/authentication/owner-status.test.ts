import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ApiKey, OwnerStatus } from '../../lib/index.ts';
import { advance, holdClocks, type KeyBench, openBench, outcomeOf, settle } from '../support/key-bench.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

interface OwnerBench extends KeyBench {
  readonly asked: ApiKey[];
  answer: () => unknown;
}

async function openOwned(): Promise<OwnerBench> {
  const asked: ApiKey[] = [];
  const bench: { answer: () => unknown } = { answer: () => 'active' };
  const ownerStatus = (apiKey: ApiKey): ReturnType<OwnerStatus> => {
    asked.push(apiKey);
    return bench.answer() as ReturnType<OwnerStatus>;
  };
  return Object.assign(bench, await openBench({ ownerStatus, storeTimeoutMs: 20 }), { asked });
}

describe('ownerStatus', () => {
  test.each([
    ['active', () => 'active', 'accepted'],
    ['active, by a promise', async () => 'active', 'accepted'],
    ['inactive', () => 'inactive', 'owner_inactive'],
    ['inactive, by a promise', async () => 'inactive', 'owner_inactive'],
  ])('decides: %s', async (_what, answer, outcome) => {
    const bench = await openOwned();
    bench.answer = answer;
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe(outcome);
  });

  test('is asked about the view of the key, once for as long as its entry lives', async () => {
    const bench = await openOwned();
    await Promise.all(Array.from({ length: 100 }, () => bench.apiKeys.verify(bench.key)));
    await bench.apiKeys.verify(bench.key);
    expect(bench.asked).toEqual([bench.apiKey]);
    bench.answer = () => 'inactive';
    await advance(9_999);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
    await advance(1);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('owner_inactive');
    expect(bench.apiKeys.verify(bench.key)).toMatchObject({ ok: false, reason: 'owner_inactive' });
    expect(bench.asked).toHaveLength(2);
  });

  test('stands behind revoked and disabled, and before the times', async () => {
    const bench = await openOwned();
    bench.answer = () => 'inactive';
    await bench.apiKeys.update(bench.apiKey.id, { expiresAt: new Date(Date.now() + 1) });
    await advance(1);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('owner_inactive');
    await bench.apiKeys.disable(bench.apiKey.id);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('disabled');
    await bench.apiKeys.revoke(bench.apiKey.id);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('revoked');
  });
});

const FAILURES: readonly [name: string, answer: () => unknown][] = [
  [
    'throws',
    () => {
      throw new Error('down');
    },
  ],
  ['rejects', () => Promise.reject(new Error('down'))],
  ['rejects with nothing', () => Promise.reject()],
  ['hangs', () => new Promise(() => undefined)],
];

const GARBAGE: readonly [name: string, value: unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['true', true],
  ['false', false],
  ['another text', 'ACTIVE'],
  ['an object', { status: 'active' }],
];

describe('ownerStatus that is a fault', () => {
  test.each(FAILURES)(
    'is 503 for a cold key, and bridged for one that is known: %s',
    async (_name, answer) => {
      const bench = await openOwned();
      const good = bench.answer;
      bench.answer = answer;
      const cold = outcomeOf(bench.apiKeys.verify(bench.key));
      await settle();
      await advance(20);
      expect(await cold).toBe('temporarily_unavailable');
      bench.answer = good;
      expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
      await advance(10_000);
      bench.answer = answer;
      const known = outcomeOf(bench.apiKeys.verify(bench.key));
      await settle();
      await advance(20);
      expect(await known).toBe('accepted');
    },
  );

  test.each(GARBAGE)('is 503 for a cold key and a known one: it answers %s', async (_name, value) => {
    const bench = await openOwned();
    bench.answer = () => value;
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('temporarily_unavailable');
    bench.answer = () => 'active';
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
    await advance(10_000);
    bench.answer = async () => value;
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('temporarily_unavailable');
  });

  test('does not make the store rest', async () => {
    const bench = await openOwned();
    bench.answer = () => Promise.reject(new Error('down'));
    for (let times = 0; times < 8; times += 1) await outcomeOf(bench.apiKeys.verify(bench.key));
    expect(bench.store.count('findByDigest')).toBe(8);
  });
});
