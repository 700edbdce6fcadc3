import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { keyPairs } from '../../lib/index.ts';
import { bcryptDigest, ID, openBcrypt, SECRET, watchComparisons } from '../support/bcrypt-bench.ts';
import { outcomeOf, settle } from '../support/key-bench.ts';
import { START_MS } from '../support/open-keys.ts';
import { digestOf } from '../support/records.ts';

const HOUR_MS = 3_600_000;
const OUR_DIGEST = digestOf(`${ID}:${SECRET}`);

afterEach(() => {
  jest.restoreAllMocks();
});

describe('after a rotation', () => {
  const pair = { kind: 'pair', record: { kind: 'pair' as const }, verifiers: [keyPairs()] };

  test('both secrets work; the old one moves in its place and keeps its grace', async () => {
    let now = START_MS;
    const bench = openBcrypt({ record: pair.record, verifiers: pair.verifiers, now: () => now });
    const { key, secret = '' } = await bench.apiKeys.rotate(ID, { gracePeriodMs: HOUR_MS });
    expect(key).toBe(ID);
    const graceUntil = new Date(START_MS + HOUR_MS);
    const comparisons = watchComparisons();
    expect(await bench.apiKeys.verifyPair(ID, secret)).toEqual({ ok: true, apiKey: expect.anything() });
    expect(comparisons.hashes).toEqual([]);
    expect(await bench.apiKeys.verifyPair(ID, SECRET)).toMatchObject({ ok: true, graceUntil });
    expect(comparisons.hashes).toHaveLength(1);
    await settle();
    const { digest, previous } = await bench.record();
    expect({ digest, previous }).toMatchObject({
      digest: digestOf(`${ID}:${secret}`),
      previous: { digest: OUR_DIGEST, expiresAt: graceUntil },
    });

    const other = bench.otherProcess();
    expect(await other.apiKeys.verifyPair(ID, SECRET)).toMatchObject({ ok: true, graceUntil });
    expect(await other.apiKeys.verifyPair(ID, secret)).not.toHaveProperty('graceUntil');
    await settle();
    expect(other.store.count('update')).toBe(0);
    expect(comparisons.hashes).toHaveLength(1);
    now += HOUR_MS;
    expect(await outcomeOf(other.apiKeys.verifyPair(ID, SECRET))).toBe('rotated');
    expect(await outcomeOf(other.apiKeys.verifyPair(ID, secret))).toBe('accepted');
  });

  test('an old secret whose grace is over is refused and not moved', async () => {
    const bench = openBcrypt({ record: pair.record, verifiers: pair.verifiers, now: () => START_MS });
    await bench.apiKeys.rotate(ID, { gracePeriodMs: 0 });
    const other = bench.otherProcess();
    expect(await other.apiKeys.verifyPair(ID, SECRET)).toMatchObject({ ok: false });
    await settle();
    expect(other.store.count('update')).toBe(0);
  });

  test('an opaque record gets a key of ours, and the old secret works in grace', async () => {
    const { apiKeys } = openBcrypt();
    const { key } = await apiKeys.rotate(ID);
    expect(await apiKeys.verify(key)).toMatchObject({ ok: true, apiKey: { id: ID } });
    expect(await apiKeys.verifyPair(ID, SECRET)).toHaveProperty('graceUntil');
  });

  test.each([
    ['the current secret', SECRET, 1, 'accepted'],
    ['the old secret', 'old one', 2, 'accepted'],
    ['a wrong secret', 'wrong', 2, 'unknown'],
  ])('%s is found where both are under bcrypt', async (_case, secret, compared, outcome) => {
    const previous = { digest: bcryptDigest('old one'), expiresAt: new Date(START_MS + HOUR_MS) };
    const { apiKeys, record } = openBcrypt({ record: { previous }, now: () => START_MS });
    const comparisons = watchComparisons();
    expect(await outcomeOf(apiKeys.verifyPair(ID, secret))).toBe(outcome);
    expect(comparisons.hashes).toHaveLength(compared);
    await settle();
    const { digest, previous: kept } = await record();
    expect([digest, kept?.digest].map((one) => one?.startsWith('bcrypt:'))).toEqual([
      secret !== SECRET,
      secret !== 'old one',
    ]);
  });
});
