import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { KeyEvent } from '../../lib/index.ts';
import { createGate, lagsBehind, rejects } from '../support/fault-store.ts';
import {
  advance,
  holdClocks,
  type KeyBench,
  openWatching,
  outcomeOf,
  readsAgain,
} from '../support/key-bench.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

const DOWN = rejects(new Error('down'));

/** An object of which each member can be read once. */
function throwingLater(members: object): object {
  const seen = new Set<PropertyKey>();
  return new Proxy(members, {
    get(target, name) {
      if (seen.has(name)) throw new Error('seen already');
      seen.add(name);
      return Reflect.get(target, name);
    },
  });
}

describe('a change by another process, with a store that can watch', () => {
  test.each([
    ['revoked', (bench: KeyBench) => bench.otherProcess().revoke(bench.apiKey.id), 'revoked'],
    ['disabled', (bench: KeyBench) => bench.otherProcess().disable(bench.apiKey.id), 'disabled'],
    ['deleted', (bench: KeyBench) => bench.otherProcess().delete(bench.apiKey.id), 'unknown'],
    [
      'rotated',
      (bench: KeyBench) => bench.otherProcess().rotate(bench.apiKey.id, { gracePeriodMs: 0 }),
      'unknown',
    ],
    [
      'left with fewer scopes',
      (bench: KeyBench) => bench.otherProcess().update(bench.apiKey.id, { scopes: [] }),
      'may []',
    ],
  ] as const)('is seen at once: %s', async (_name, change, seen) => {
    const bench = await openWatching();
    expect(await readsAgain(bench)).toBe(false);
    await change(bench);
    const verdict = await bench.apiKeys.verify(bench.key);
    expect(verdict.ok ? `may [${verdict.apiKey.scopes}]` : verdict.reason).toBe(seen);
  });

  test('is seen by a read that was in flight', async () => {
    const bench = await openWatching({ cache: false });
    const old = await bench.record();
    const gate = createGate();
    bench.store.next('findByDigest', async () => {
      await gate.opened;
      return old;
    });
    const inFlight = outcomeOf(bench.apiKeys.verify(bench.key));
    await bench.otherProcess().revoke(bench.apiKey.id);
    gate.open();
    expect(await inFlight).toBe('revoked');
  });

  test('that only widens makes nobody read again', async () => {
    const bench = await openWatching();
    await bench.otherProcess().update(bench.apiKey.id, { scopes: ['reports:*'] });
    expect(await readsAgain(bench)).toBe(false);
  });
});

describe('a store that lags behind what its watch has told', () => {
  test.each([
    ['an end: revoked', true, 'revoked'],
    ['no end: a fault', false, 'temporarily_unavailable'],
  ])('is asked once more, and then it is, for %s', async (_what, ended, outcome) => {
    const bench = await openWatching();
    bench.store.always('findByDigest', lagsBehind(await bench.record()));
    bench.store.tell({ type: 'narrowed', id: bench.apiKey.id, version: 2, ended });
    const before = bench.store.count('findByDigest');
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe(outcome);
    expect(bench.store.count('findByDigest')).toBe(before + 2);
  });
});

describe('a message that is wrong', () => {
  const ID = '00000000-0000-7000-8000-000000000000';

  test.each([
    ['undefined', undefined],
    ['null', null],
    ['a text', 'narrowed'],
    ['a number', 7],
    ['an array', []],
    ['no type', {}],
    ['an unknown type', { type: 'widened', id: ID }],
    ['no id', { type: 'narrowed', version: 2, ended: true }],
    ['an id that is an object', { type: 'narrowed', id: {}, version: 2, ended: true }],
    ['an id of 10,000 characters', { type: 'narrowed', id: 'a'.repeat(10_000), version: 2, ended: true }],
    ['no version', { type: 'narrowed', id: ID, ended: true }],
    ['a version that is a text', { type: 'narrowed', id: ID, version: '2', ended: true }],
    ['a version of 0', { type: 'narrowed', id: ID, version: 0, ended: true }],
    ['an endless version', { type: 'narrowed', id: ID, version: Number.POSITIVE_INFINITY, ended: true }],
    ['a version that is no number', { type: 'narrowed', id: ID, version: Number.NaN, ended: true }],
    ['an end that is a number', { type: 'narrowed', id: ID, version: 2, ended: 1 }],
    ['members that throw', new Proxy({}, { get: () => JSON.parse('{') })],
    ['members that throw when they are looked at again', throwingLater({ type: 'narrowed', id: '' })],
  ])('makes every entry be read again, once: %s', async (_what, message) => {
    const bench = await openWatching();
    bench.store.tell(message);
    expect(await readsAgain(bench)).toBe(true);
    expect(await readsAgain(bench)).toBe(false);
    expect(bench.apiKeys.verify(bench.key)).toMatchObject({ ok: true });
  });

  test.each([true, false])(
    'and tells of a version that never was blocks no key for good (ended: %p)',
    async (ended) => {
      const bench = await openWatching();
      bench.store.tell({ type: 'narrowed', id: bench.apiKey.id, version: Number.MAX_SAFE_INTEGER, ended });
      expect(await outcomeOf(bench.apiKeys.verify(bench.key))).not.toBe('accepted');
      await advance(30_000);
      expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
    },
  );

  test('about another key makes nobody read again', async () => {
    const bench = await openWatching();
    bench.store.tell({ type: 'narrowed', id: ID, version: 9, ended: true });
    expect(await readsAgain(bench)).toBe(false);
  });
});

describe('a watch that is lost', () => {
  test('makes every entry be read again before use', async () => {
    const bench = await openWatching();
    bench.store.tell({ type: 'lost' });
    expect(await readsAgain(bench)).toBe(true);
    expect(await readsAgain(bench)).toBe(false);
  });

  test('leaves entries for the outage that comes with it', async () => {
    const bench = await openWatching();
    bench.store.tell({ type: 'lost' });
    bench.store.always('findByDigest', DOWN);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
  });

  test('leaves nothing for it where staleIfErrorMs is 0', async () => {
    const bench = await openWatching({ cache: { staleIfErrorMs: 0 } });
    bench.store.tell({ type: 'lost' });
    bench.store.always('findByDigest', DOWN);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('temporarily_unavailable');
  });

  test('is told once as a warning', async () => {
    const warnings: string[] = [];
    const onEvent = (event: KeyEvent): void => {
      if (event.type === 'warning') warnings.push(event.code);
    };
    const { store } = await openWatching({ onEvent });
    for (let times = 0; times < 3; times += 1) store.tell({ type: 'lost' });
    expect(warnings).toEqual(['watch_lost']);
  });
});
