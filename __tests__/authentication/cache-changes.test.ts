import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  answers,
  createGate,
  failsAfter,
  lagsBehind,
  rejects,
  waitsAfter,
  waitsBefore,
} from '../support/fault-store.ts';
import { advance, holdClocks, type KeyBench, openBench, outcomeOf, settle } from '../support/key-bench.ts';
import { KEY_INPUT, START_MS } from '../support/open-keys.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

const DOWN = rejects(new Error('down'));

type Change = (bench: KeyBench) => Promise<unknown>;

const revoke: Change = ({ apiKeys, apiKey }) => apiKeys.revoke(apiKey.id);
const disable: Change = ({ apiKeys, apiKey }) => apiKeys.disable(apiKey.id);
const erase: Change = ({ apiKeys, apiKey }) => apiKeys.delete(apiKey.id);
const rotate: Change = ({ apiKeys, apiKey }) => apiKeys.rotate(apiKey.id, { gracePeriodMs: 0 });
const expire: Change = ({ apiKeys, apiKey }) =>
  apiKeys.update(apiKey.id, { expiresAt: new Date(Date.now() + 1) }).then(() => advance(1));
const loseScopes: Change = ({ apiKeys, apiKey }) => apiKeys.update(apiKey.id, { scopes: [] });

/** As {@link outcomeOf}, with what an accepted key may do. */
async function seenBy({ apiKeys, key }: KeyBench): Promise<string> {
  const verdict = await apiKeys.verify(key);
  return verdict.ok ? `may [${verdict.apiKey.scopes}]` : verdict.reason;
}

const NARROWING: readonly [name: string, change: Change, seen: string][] = [
  ['revoked', revoke, 'revoked'],
  ['disabled', disable, 'disabled'],
  ['deleted', erase, 'unknown'],
  ['rotated without grace', rotate, 'unknown'],
  ['given an earlier end', expire, 'expired'],
  ['left with fewer scopes', loseScopes, 'may []'],
];

describe('a change that this process made', () => {
  test.each(NARROWING)('is seen at once by a key that was cached: %s', async (_name, change, seen) => {
    const bench = await openBench();
    expect(await seenBy(bench)).toBe('may [reports:read]');
    await change(bench);
    expect(await seenBy(bench)).toBe(seen);
    expect(await seenBy(bench)).toBe(seen);
  });

  test.each(NARROWING)('wins over a read that was in flight: %s', async (_name, change, seen) => {
    const bench = await openBench();
    const gate = createGate();
    bench.store.next('findByDigest', waitsAfter(gate));
    const inFlight = seenBy(bench);
    await settle();
    await change(bench);
    gate.open();
    expect(await inFlight).toBe(seen);
    expect(await seenBy(bench)).toBe(seen);
  });

  test('wins over a read in flight for those who join it later, and they share the second read', async () => {
    const bench = await openBench();
    const gate = createGate();
    bench.store.next('findByDigest', waitsAfter(gate));
    const inFlight = [outcomeOf(bench.apiKeys.verify(bench.key))];
    await settle();
    await revoke(bench);
    for (let joined = 0; joined < 50; joined += 1) inFlight.push(outcomeOf(bench.apiKeys.verify(bench.key)));
    gate.open();
    expect(new Set(await Promise.all(inFlight))).toEqual(new Set(['revoked']));
    expect(bench.store.count('findByDigest')).toBe(2);
  });

  test('gives as well as takes: an enabled key, wider scopes and a later end work at once', async () => {
    const bench = await openBench();
    const { apiKeys, apiKey } = bench;
    await disable(bench);
    expect(await seenBy(bench)).toBe('disabled');
    await apiKeys.enable(apiKey.id);
    expect(await seenBy(bench)).toBe('may [reports:read]');
    await apiKeys.update(apiKey.id, { scopes: ['reports:*'] });
    expect(await seenBy(bench)).toBe('may [reports:*]');
    await expire(bench);
    expect(await seenBy(bench)).toBe('expired');
    await apiKeys.update(apiKey.id, { expiresAt: new Date(Date.now() + 60_000) });
    expect(await seenBy(bench)).toBe('may [reports:*]');
  });

  test('concerns no other key', async () => {
    const bench = await openBench();
    const second = await bench.apiKeys.create(KEY_INPUT);
    await bench.apiKeys.verify(second.key);
    await revoke(bench);
    expect(bench.apiKeys.verify(second.key)).toMatchObject({ ok: true });
  });

  test('is read once more where the cache is off', async () => {
    const bench = await openBench({ cache: false });
    const gate = createGate();
    bench.store.next('findByDigest', waitsAfter(gate));
    const inFlight = seenBy(bench);
    await settle();
    await revoke(bench);
    gate.open();
    expect(await inFlight).toBe('revoked');
  });
});

describe('a change that failed', () => {
  const FAILED: readonly [name: string, change: Change, method: 'update' | 'delete', seen: string][] = [
    ['revoke', revoke, 'update', 'revoked'],
    ['disable', disable, 'update', 'disabled'],
    ['rotate', rotate, 'update', 'unknown'],
    ['update', loseScopes, 'update', 'may []'],
    ['delete', erase, 'delete', 'unknown'],
  ];

  test.each(FAILED)('and was not carried out makes this process read again: %s', async (...row) => {
    const [, change, method] = row;
    const bench = await openBench();
    await bench.apiKeys.verify(bench.key);
    bench.store.next(method, DOWN);
    await expect(change(bench)).rejects.toMatchObject({ status: 503 });
    expect(await seenBy(bench)).toBe('may [reports:read]');
    expect(bench.store.count('findByDigest')).toBe(2);
  });

  test.each(FAILED)('and was carried out all the same counts at once: %s', async (...row) => {
    const [, change, method, seen] = row;
    const bench = await openBench();
    await bench.apiKeys.verify(bench.key);
    bench.store.next(method, failsAfter(new Error('connection lost')));
    await expect(change(bench)).rejects.toMatchObject({ status: 503 });
    expect(await seenBy(bench)).toBe(seen);
  });

  test.each(FAILED)('by a time-out counts when it is carried out late: %s', async (...row) => {
    const [, change, method, seen] = row;
    const bench = await openBench();
    const gate = createGate();
    bench.store.next(method, waitsBefore(gate));
    const changed = expect(change(bench)).rejects.toMatchObject({ status: 503 });
    await advance(1_000);
    await changed;
    expect(await seenBy(bench)).toBe('may [reports:read]');
    gate.open();
    await settle();
    expect(await seenBy(bench)).toBe(seen);
  });

  test.each(FAILED)('by a time-out, and fails late, leaves the key as it is: %s', async (...row) => {
    const [, change, method] = row;
    const bench = await openBench();
    const gate = createGate();
    bench.store.next(method, async () => {
      await gate.opened;
      throw new Error('rolled back');
    });
    const changed = expect(change(bench)).rejects.toMatchObject({ status: 503 });
    await advance(1_000);
    await changed;
    gate.open();
    await settle();
    expect(await seenBy(bench)).toBe('may [reports:read]');
  });

  test.each(FAILED)('lets no older entry bridge the outage: %s', async (...row) => {
    const [, change, method] = row;
    const bench = await openBench();
    await bench.apiKeys.verify(bench.key);
    bench.store.always(method, failsAfter(new Error('connection lost')));
    bench.store.always('findByDigest', DOWN);
    await expect(change(bench)).rejects.toMatchObject({ status: 503 });
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('temporarily_unavailable');
    await advance(35_000);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('temporarily_unavailable');
  });
});

describe('a store that lags behind a change of this process', () => {
  test.each([
    ['revoked, which the key then is', revoke, 'revoked'],
    ['deleted, which is revoked as well', erase, 'revoked'],
    ['disabled, and nobody knows', disable, 'temporarily_unavailable'],
    ['left with fewer scopes, and nobody knows', loseScopes, 'temporarily_unavailable'],
  ] as const)('is asked once more, and no more: %s', async (_name, change, outcome) => {
    const bench = await openBench();
    const old = await bench.record();
    await bench.apiKeys.verify(bench.key);
    await change(bench);
    bench.store.always('findByDigest', lagsBehind(old));
    const before = bench.store.count('findByDigest');
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe(outcome);
    expect(bench.store.count('findByDigest')).toBe(before + 2);
    await advance(3_600_000);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe(outcome);
  });

  test('does not push out what was read of the newer version', async () => {
    const bench = await openBench();
    const old = await bench.record();
    await loseScopes(bench);
    expect(await seenBy(bench)).toBe('may []');
    await advance(10_000);
    bench.store.next('findByDigest', lagsBehind(old), lagsBehind(old));
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('temporarily_unavailable');
    bench.store.next('findByDigest', DOWN);
    expect(await seenBy(bench)).toBe('may []');
  });

  test('is believed when it has caught up by the second time', async () => {
    const bench = await openBench();
    const old = await bench.record();
    await loseScopes(bench);
    bench.store.next('findByDigest', lagsBehind(old));
    expect(await seenBy(bench)).toBe('may []');
  });
});

describe('a key that was not found', () => {
  test('is looked for again after anything was inserted here', async () => {
    const bench = await openBench();
    bench.store.next('findByDigest', answers(undefined));
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('unknown');
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('unknown');
    await bench.apiKeys.create(KEY_INPUT);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
  });

  test('is looked for again when something was inserted while it was looked for', async () => {
    const bench = await openBench();
    const gate = createGate();
    bench.store.next('findByDigest', async () => {
      await gate.opened;
      return undefined;
    });
    const inFlight = outcomeOf(bench.apiKeys.verify(bench.key));
    await bench.apiKeys.create(KEY_INPUT);
    gate.open();
    expect(await inFlight).toBe('accepted');
    expect(bench.store.count('findByDigest')).toBe(2);
  });

  test('is looked for again after an insert that failed, since it may have come to be', async () => {
    const bench = await openBench();
    bench.store.next('findByDigest', answers(null));
    await bench.apiKeys.verify(bench.key);
    bench.store.next('insert', failsAfter(new Error('connection lost')));
    await expect(bench.apiKeys.create(KEY_INPUT)).rejects.toMatchObject({ status: 503 });
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
  });
});

describe('a change by another process, with a store that cannot watch', () => {
  test.each(NARROWING)('is seen after ttlMs and no later: %s', async (_name, change, seen) => {
    const bench = await openBench();
    const other = { ...bench, apiKeys: bench.otherProcess() };
    expect(await seenBy(other)).toBe('may [reports:read]');
    await change(bench);
    await advance(START_MS + 9_999 - Date.now());
    expect(await seenBy(other)).toBe('may [reports:read]');
    await advance(1);
    expect(await seenBy(other)).toBe(seen);
  });
});
