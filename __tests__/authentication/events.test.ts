import { channel } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createApiKeys, type KeyEvent, keyPairs, MemoryKeyStore } from '../../lib/index.ts';
import { lagsBehind, rejects } from '../support/fault-store.ts';
import {
  advance,
  type BenchOptions,
  holdClocks,
  type KeyBench,
  makeStrangeKeys,
  openBench,
  outcomeOf,
  PREFIX,
  UNKNOWN_KEY,
} from '../support/key-bench.ts';
import { decisionsOf, KEY_INPUT, START_MS } from '../support/open-keys.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

async function openHeard(options: BenchOptions = {}): Promise<KeyBench & { readonly events: KeyEvent[] }> {
  const events: KeyEvent[] = [];
  const bench = await openBench({ onEvent: (event) => events.push(event), ...options });
  return { ...bench, events };
}

function ofType(events: readonly KeyEvent[], type: KeyEvent['type']): KeyEvent[] {
  return events.filter((event) => event.type === type);
}

describe('a decision', () => {
  test('is told with where it came from and whose key it was', async () => {
    const { apiKeys, store, events, key, apiKey } = await openHeard();
    const whose = { keyId: apiKey.id, organizationId: 'org_1' };
    await apiKeys.verify(key);
    await apiKeys.verify(key);
    await apiKeys.verify('malformed');
    await apiKeys.verify(UNKNOWN_KEY);
    await apiKeys.verify(UNKNOWN_KEY);
    await advance(10_000);
    store.next('findByDigest', rejects(new Error('down')), rejects(new Error('down')));
    await apiKeys.verify(key);
    await outcomeOf(apiKeys.verify(UNKNOWN_KEY));
    await apiKeys.disable(apiKey.id);
    await apiKeys.verify(key);
    expect(decisionsOf(events)).toEqual([
      { type: 'decision', outcome: 'accepted', cache: 'miss', ...whose },
      { type: 'decision', outcome: 'accepted', cache: 'hit', ...whose },
      { type: 'decision', outcome: 'refused', cache: 'none', reason: 'malformed' },
      { type: 'decision', outcome: 'refused', cache: 'miss', reason: 'unknown' },
      { type: 'decision', outcome: 'refused', cache: 'hit', reason: 'unknown' },
      { type: 'decision', outcome: 'accepted', cache: 'stale', ...whose },
      { type: 'decision', outcome: 'unavailable', cache: 'miss', reason: 'temporarily_unavailable' },
      { type: 'decision', outcome: 'refused', cache: 'miss', reason: 'disabled', ...whose },
    ]);
  });

  test('of what is no key, or no pair, is told as one that nothing was asked for', async () => {
    const { apiKeys, events, store } = await openHeard({ verifiers: [keyPairs()] });
    // What a body parser may make of `key[]=x`: it has a length, as a text has.
    const list = ['x'] as unknown as string;
    await apiKeys.verify(list);
    await apiKeys.verify('x'.repeat(513));
    await apiKeys.verify('\0');
    await apiKeys.verifyPair(list, 'secret');
    await apiKeys.verifyPair('id', list);
    await apiKeys.verifyPair('x'.repeat(513), 'secret');
    await apiKeys.verifyPair('id', 'x'.repeat(513));
    await apiKeys.verifyPair('no id', 'secret');
    const malformed = { type: 'decision', outcome: 'refused', cache: 'none', reason: 'malformed' };
    expect(decisionsOf(events)).toEqual(Array(8).fill(malformed));
    expect(store.count('findByDigest')).toBe(0);
  });

  test('is told of a pair as of a key', async () => {
    const { apiKeys, events } = await openHeard({ verifiers: [keyPairs()] });
    const { key, secret = '', apiKey } = await apiKeys.create({ ...KEY_INPUT, kind: 'pair' });
    for (const one of [secret, secret, 'wrong', 'wrong']) await apiKeys.verifyPair(key, one);
    const whose = { keyId: apiKey.id, organizationId: 'org_1' };
    expect(decisionsOf(events)).toEqual([
      { type: 'decision', outcome: 'accepted', cache: 'miss', ...whose },
      { type: 'decision', outcome: 'accepted', cache: 'hit', ...whose },
      { type: 'decision', outcome: 'refused', cache: 'miss', reason: 'unknown' },
      { type: 'decision', outcome: 'refused', cache: 'hit', reason: 'unknown' },
    ]);
  });

  test('is told with the time of the clock and how long it took', async () => {
    const { apiKeys, store, events, key } = await openHeard();
    await advance(1_000);
    store.next('findByDigest', async (real) => {
      await new Promise((resolve) => setTimeout(resolve, 250));
      return real();
    });
    const asked = outcomeOf(apiKeys.verify(key));
    await advance(250);
    expect(await asked).toBe('accepted');
    expect(ofType(events, 'decision')).toMatchObject([{ at: START_MS + 1_250, durationMs: 250 }]);
  });

  test('by what is known of a newer version is told with the key that the store still answers with', async () => {
    const { apiKeys, store, events, key, apiKey, record } = await openHeard();
    store.always('findByDigest', lagsBehind(await record()));
    await apiKeys.revoke(apiKey.id);
    const verdict = await apiKeys.verify(key);
    expect(verdict).toMatchObject({ ok: false, reason: 'revoked', apiKey: { id: apiKey.id, version: 1 } });
    const whose = { keyId: apiKey.id, organizationId: 'org_1' };
    expect(decisionsOf(events)).toEqual([
      { type: 'decision', outcome: 'refused', cache: 'miss', reason: 'revoked', ...whose },
    ]);
  });
});

describe('a store call', () => {
  test('is told with its name and how it ended', async () => {
    const { apiKeys, store, events, key } = await openHeard();
    store.next('findByDigest', rejects(new Error('down')));
    await outcomeOf(apiKeys.verify(key));
    await apiKeys.verify(key);
    await advance(0);
    expect(ofType(events, 'store')).toEqual([
      { type: 'store', at: START_MS, operation: 'insert', ok: true, durationMs: 0 },
      {
        type: 'store',
        at: START_MS,
        operation: 'findByDigest',
        ok: false,
        durationMs: 0,
        error: expect.objectContaining({ code: 'temporarily_unavailable' }),
      },
      { type: 'store', at: START_MS, operation: 'findByDigest', ok: true, durationMs: 0 },
      { type: 'store', at: START_MS, operation: 'recordUse', ok: true, durationMs: 0 },
    ]);
  });

  test('that ran into its deadline took as long as that', async () => {
    const { apiKeys, store, events } = await openHeard();
    store.next('findByDigest', () => new Promise(() => undefined));
    const asked = expect(apiKeys.ready()).rejects.toMatchObject({ status: 503 });
    await advance(1_000);
    await asked;
    expect(ofType(events, 'store').at(-1)).toMatchObject({
      ok: false,
      durationMs: 1_000,
      at: START_MS + 1_000,
    });
  });
});

describe('a change', () => {
  test('is told to the audit with the names of what changed, and not what did not change', async () => {
    const { apiKeys, events, apiKey } = await openHeard();
    await apiKeys.update(apiKey.id, { scopes: [], expiresAt: new Date(START_MS + 1_000) });
    await apiKeys.disable(apiKey.id);
    await apiKeys.disable(apiKey.id);
    await apiKeys.revoke(apiKey.id, { reason: 'leaked' });
    await apiKeys.delete(apiKey.id);
    const common = { type: 'audit', at: START_MS, keyId: apiKey.id, organizationId: 'org_1' };
    const audit = ofType(events, 'audit');
    expect(audit).toMatchObject([
      { ...common, action: 'create' },
      { ...common, action: 'update' },
      { ...common, action: 'disable', changed: ['enabled'] },
      { ...common, action: 'revoke' },
      { ...common, action: 'delete' },
    ]);
    const changedBy = audit.map((event) => new Set((event as { changed: readonly string[] }).changed));
    expect(changedBy[1]).toEqual(new Set(['scopes', 'expiresAt']));
    expect(changedBy[3]).toEqual(new Set(['revokedAt', 'revocationReason']));
  });

  test('that failed is not told to the audit', async () => {
    const { apiKeys, store, events, apiKey } = await openHeard();
    store.next('update', rejects(new Error('down')));
    await expect(apiKeys.revoke(apiKey.id)).rejects.toMatchObject({ status: 503 });
    expect(ofType(events, 'audit')).toHaveLength(1);
  });
});

describe('refusals', () => {
  test('of texts of our own shape are told at most once for a start and minute', async () => {
    const { apiKeys, events, key, apiKey } = await openHeard();
    await apiKeys.revoke(apiKey.id);
    for (let times = 0; times < 100; times += 1) await apiKeys.verify(key);
    for (let times = 0; times < 7; times += 1) await apiKeys.verify(UNKNOWN_KEY);
    await apiKeys.verify(`${UNKNOWN_KEY.slice(0, -1)}X`);
    expect(ofType(events, 'refusals')).toEqual([]);
    await advance(60_000);
    expect(ofType(events, 'refusals')).toEqual([
      { type: 'refusals', at: START_MS + 60_000, start: apiKey.start, count: 100 },
      { type: 'refusals', at: START_MS + 60_000, start: 'acme_live_0000', count: 8 },
    ]);
    await advance(600_000);
    expect(ofType(events, 'refusals')).toHaveLength(2);
    await apiKeys.verify(key);
    await advance(60_000);
    expect(ofType(events, 'refusals')).toHaveLength(3);
  });

  test('are not told of accepted keys, nor of faults, nor of texts that another made', async () => {
    const { apiKeys, store, events, key } = await openHeard();
    await apiKeys.verify(key);
    store.next('findByDigest', rejects(new Error('down')));
    await outcomeOf(apiKeys.verify(UNKNOWN_KEY));
    for (const text of ['', 'secret', UNKNOWN_KEY.replace('acme', 'other'), 'a'.repeat(600)]) {
      await apiKeys.verify(text);
    }
    await advance(60_000);
    expect(ofType(events, 'refusals')).toEqual([]);
  });

  test('that are still to be told are told by close()', async () => {
    const { apiKeys, events } = await openHeard();
    await apiKeys.verify(UNKNOWN_KEY);
    await apiKeys.close();
    expect(ofType(events, 'refusals')).toMatchObject([{ start: 'acme_live_0000', count: 1 }]);
  });

  test('are of a bounded number of starts, whoever makes them up', async () => {
    const { apiKeys, events } = await openHeard({ cache: { maxMisses: 0 } });
    for (const strange of await makeStrangeKeys(1_200)) await apiKeys.verify(strange);
    await advance(60_000);
    const told = ofType(events, 'refusals').length;
    expect(told).toBeGreaterThan(900);
    expect(told).toBeLessThanOrEqual(1_000);
  });
});

describe('whoever listens', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('logger is down');
      },
    ],
    [
      'throws undefined',
      () => {
        throw undefined;
      },
    ],
  ])('changes nothing when it %s', async (_how, onEvent) => {
    const { apiKeys, store, key, apiKey } = await openBench({ onEvent });
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
    expect(apiKeys.verify(key)).toMatchObject({ ok: true });
    expect(await outcomeOf(apiKeys.verify(UNKNOWN_KEY))).toBe('unknown');
    await apiKeys.revoke(apiKey.id);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('revoked');
    store.next('findByDigest', rejects(new Error('down')));
    await expect(apiKeys.ready()).rejects.toMatchObject({ status: 503 });
    await advance(60_000);
    await apiKeys.close();
  });

  test('may subscribe to a channel for each kind, without onEvent', async () => {
    const heard: [name: string, type: string][] = [];
    const names = ['decision', 'store', 'audit', 'warning'].map((name) => `keystile:${name}`);
    const subscribers = names.map((name) => {
      const onMessage = (event: unknown): void => {
        heard.push([name, (event as KeyEvent).type]);
      };
      channel(name).subscribe(onMessage);
      return () => channel(name).unsubscribe(onMessage);
    });
    try {
      const { apiKeys, store } = await openBench({ without: [] });
      await advance(0);
      await apiKeys.verify(UNKNOWN_KEY);
      store.tell({ type: 'lost' });
      await apiKeys.close();
    } finally {
      for (const unsubscribe of subscribers) unsubscribe();
    }
    const kinds = new Set(heard.map((pair) => pair.join(' ')));
    expect(kinds).toEqual(
      new Set([
        'keystile:decision decision',
        'keystile:store store',
        'keystile:audit audit',
        'keystile:warning warning',
        'keystile:warning refusals',
      ]),
    );
  });

  test('makes the only difference: while nobody does, a hit reads the clock once and no more', async () => {
    const now = jest.fn(() => START_MS);
    const store = new MemoryKeyStore();
    const apiKeys = createApiKeys({ store, prefix: PREFIX, now });
    const { key } = await apiKeys.create({ name: 'CI', organization: { id: 'org_1' } });
    await apiKeys.verify(key);
    now.mockClear();
    const monotonic = jest.spyOn(performance, 'now');
    expect(apiKeys.verify(key)).toMatchObject({ ok: true });
    expect(now).toHaveBeenCalledTimes(1);
    expect(monotonic).toHaveBeenCalledTimes(1);

    const heard = jest.fn();
    channel('keystile:decision').subscribe(heard);
    try {
      expect(apiKeys.verify(key)).toMatchObject({ ok: true });
    } finally {
      channel('keystile:decision').unsubscribe(heard);
    }
    expect(heard).toHaveBeenCalledTimes(1);
    expect(now).toHaveBeenCalledTimes(3);
    monotonic.mockRestore();
  });
});
