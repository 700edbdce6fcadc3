import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ApiKeysOptions, KeyChange, Pepper } from '../../lib/index.ts';
import { createGate, hangs, rejects, throws, waitsBefore } from '../support/fault-store.ts';
import { advance, holdClocks, type KeyBench, openBench, outcomeOf, settle } from '../support/key-bench.ts';
import { START_MS } from '../support/open-keys.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

const OLD: Pepper = { id: 'p1', secret: 'a'.repeat(32) };
const NEW: Pepper = { id: 'p2', secret: new Uint8Array(32).fill(7) };

describe('a rotated key', () => {
  test('works until its grace ends, and says until when', async () => {
    const { apiKeys, key, apiKey } = await openBench();
    const rotated = await apiKeys.rotate(apiKey.id, { gracePeriodMs: 5_000 });
    expect(await apiKeys.verify(key)).toEqual({
      ok: true,
      apiKey: rotated.apiKey,
      graceUntil: new Date(START_MS + 5_000),
    });
    const current = await apiKeys.verify(rotated.key);
    expect(current).toEqual({ ok: true, apiKey: rotated.apiKey });
    expect(current).not.toHaveProperty('graceUntil');
    await advance(5_000);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('rotated');
    expect(await outcomeOf(apiKeys.verify(rotated.key))).toBe('accepted');
  });

  test('says the same from the cache', async () => {
    const { apiKeys, key, apiKey } = await openBench();
    await apiKeys.rotate(apiKey.id);
    const verdict = await apiKeys.verify(key);
    expect(apiKeys.verify(key)).toBe(verdict);
    expect(verdict).toMatchObject({ ok: true, graceUntil: new Date(START_MS + 24 * 3_600_000) });
  });

  test('says the same to everybody, whatever somebody did to the time that it was told', async () => {
    const { apiKeys, key, apiKey } = await openBench();
    await apiKeys.rotate(apiKey.id, { gracePeriodMs: 5_000 });
    const told = (await apiKeys.verify(key)) as { graceUntil?: Date };
    told.graceUntil?.setTime(0);
    expect(await apiKeys.verify(key)).toMatchObject({ graceUntil: new Date(START_MS + 5_000) });
  });

  test('never outlives the end of its record', async () => {
    const { apiKeys, key, apiKey } = await openBench({ input: { expiresAt: new Date(START_MS + 2_000) } });
    await apiKeys.rotate(apiKey.id);
    expect(await apiKeys.verify(key)).toMatchObject({ graceUntil: new Date(START_MS + 2_000) });
    await advance(2_000);
    expect(await outcomeOf(apiKeys.verify(key))).not.toBe('accepted');
  });

  test('of two rotations ago is unknown', async () => {
    const { apiKeys, key, apiKey } = await openBench();
    const second = await apiKeys.rotate(apiKey.id);
    const third = await apiKeys.rotate(apiKey.id);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('unknown');
    expect(await outcomeOf(apiKeys.verify(second.key))).toBe('accepted');
    expect(await outcomeOf(apiKeys.verify(third.key))).toBe('accepted');
  });

  test('ends with its record, in its grace too', async () => {
    const { apiKeys, key, apiKey } = await openBench();
    const rotated = await apiKeys.rotate(apiKey.id);
    await apiKeys.verify(key);
    await apiKeys.revoke(apiKey.id);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('revoked');
    expect(await outcomeOf(apiKeys.verify(rotated.key))).toBe('revoked');
  });
});

/** A bench over keys that were made under `before`, opened again with `after`. */
async function reopened(before: Partial<ApiKeysOptions>, after: Partial<ApiKeysOptions>): Promise<KeyBench> {
  const first = await openBench(before);
  const bench = await openBench({ ...after, peppers: after.peppers ?? [] });
  await bench.memory.insert(await first.record());
  return { ...bench, key: first.key, apiKey: first.apiKey, record: async () => record(bench, first) };
}

async function record(bench: KeyBench, { apiKey }: KeyBench): ReturnType<KeyBench['record']> {
  const found = await bench.memory.findById(apiKey.id);
  if (found === undefined) throw new Error('the record is gone');
  return found;
}

async function schemeOf(bench: KeyBench): Promise<string> {
  const { digest } = await bench.record();
  return digest.slice(0, digest.lastIndexOf(':'));
}

const MOVES: readonly [name: string, before: Partial<ApiKeysOptions>, after: Partial<ApiKeysOptions>][] = [
  ['an older pepper', { peppers: [OLD] }, { peppers: [NEW, OLD] }],
  ['no pepper', {}, { peppers: [NEW] }],
];

describe('a key that is kept under', () => {
  test.each(MOVES)('%s is found, and moves to the newest pepper by one conditional write', async (...row) => {
    const [, before, after] = row;
    const bench = await reopened(before, after);
    const { version } = await bench.record();
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
    await settle();
    expect(await schemeOf(bench)).toBe('hmac-sha256:p2');
    expect(bench.store.asked('update')).toHaveLength(1);
    expect(bench.store.asked('update')[0]).toEqual([
      bench.apiKey.id,
      { digest: (await bench.record()).digest, narrows: false },
      version,
    ]);
    await advance(10_000);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
    expect(bench.store.count('update')).toBe(1);
  });

  test.each(MOVES)('%s is answered before it has moved', async (_name, before, after) => {
    const bench = await reopened(before, after);
    bench.store.always('update', hangs());
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
  });

  test.each(MOVES)('%s is answered alike when it cannot move, and moves later', async (...row) => {
    const [, before, after] = row;
    const bench = await reopened(before, after);
    bench.store.next('update', rejects(new Error('read only')), throws(undefined));
    for (let times = 0; times < 3; times += 1) {
      expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
      await advance(10_000);
    }
    expect(await schemeOf(bench)).toBe('hmac-sha256:p2');
  });

  test('a withdrawn pepper is unknown', async () => {
    const bench = await reopened({ peppers: [OLD] }, { peppers: [NEW] });
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('unknown');
  });

  test('another secret of the same pepper id is unknown', async () => {
    const bench = await reopened({ peppers: [OLD] }, { peppers: [{ ...OLD, secret: 'b'.repeat(32) }] });
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('unknown');
  });

  test('no pepper is unknown where plain digests are not accepted, and is not asked for', async () => {
    const bench = await reopened({}, { peppers: [NEW], acceptPlainDigests: false });
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('unknown');
    const digests = bench.store.asked('findByDigest')[0]?.[0] as readonly string[];
    expect(digests).toHaveLength(1);
    expect(digests[0]).toMatch(/^hmac-sha256:p2:/);
  });

  test('no pepper, and there is none, is plain, and stays where it is', async () => {
    const bench = await reopened({}, { acceptPlainDigests: false });
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
    expect(bench.store.count('update')).toBe(0);
  });

  test.each(['revoke', 'disable'] as const)('an older pepper does not move after %s', async (end) => {
    const bench = await reopened({ peppers: [OLD] }, { peppers: [NEW, OLD] });
    await bench.apiKeys[end](bench.apiKey.id);
    const before = bench.store.count('update');
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe(`${end}d`);
    await settle();
    expect(bench.store.count('update')).toBe(before);
    expect(await schemeOf(bench)).toBe('hmac-sha256:p1');
  });

  test('an older pepper loses no change that was made while it moved', async () => {
    const bench = await reopened({ peppers: [OLD] }, { peppers: [NEW, OLD] });
    const gate = createGate();
    bench.store.next('update', waitsBefore(gate));
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
    await bench.apiKeys.revoke(bench.apiKey.id);
    gate.open();
    await settle();
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('revoked');
    expect((await bench.record()).revokedAt).toEqual(new Date(START_MS));
  });

  test('an older pepper, and is in its grace, moves in its own place', async () => {
    const first = await openBench({ peppers: [OLD] });
    const rotated = await first.apiKeys.rotate(first.apiKey.id);
    const old = await first.record();
    const bench = await openBench({ peppers: [NEW, OLD] });
    await bench.memory.insert(old);
    expect(await bench.apiKeys.verify(first.key)).toMatchObject({
      ok: true,
      graceUntil: old.previous?.expiresAt,
    });
    await settle();
    const change = bench.store.asked('update')[0]?.[1] as KeyChange;
    expect(change.previous?.digest).toMatch(/^hmac-sha256:p2:/);
    expect(change.previous?.expiresAt).toEqual(old.previous?.expiresAt);
    expect(change).not.toHaveProperty('digest');
    expect(await outcomeOf(bench.apiKeys.verify(rotated.key))).toBe('accepted');
  });
});
