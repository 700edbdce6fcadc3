import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { LookupCache } from '../../lib/authentication/lookup-cache.ts';
import { startWatcher, type Watcher } from '../../lib/authentication/watcher.ts';
import { createClock } from '../../lib/clock.ts';
import { createEvents } from '../../lib/events.ts';
import type { KeyChanged, KeyEvent, KeyStore } from '../../lib/index.ts';
import { createStoreCaller, type StoreCall } from '../../lib/stores/guarded-store.ts';
import { createGate } from '../support/fault-store.ts';
import { advance, holdClocks, settle } from '../support/key-bench.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

const TIMEOUT_MS = 500;
const CONFIG = { maxEntries: 10, ttlMs: 10_000, staleIfErrorMs: 0, maxMisses: 10, missTtlMs: 5_000 };

function partsFor(watch: unknown) {
  const told: KeyEvent[] = [];
  const clock = createClock();
  const events = createEvents((event) => void told.push(event));
  const caller = createStoreCaller(TIMEOUT_MS, clock, events);
  const store = { findByDigest: () => undefined, watch } as never;
  return { told, parts: { store, caller, cache: new LookupCache(CONFIG, clock), clock, events } };
}

/** A watcher over a store that watches so. */
function openWatcher(watch: NonNullable<KeyStore['watch']>) {
  const { told, parts } = partsFor(watch);
  const { cache, clock } = parts;
  const watcher = startWatcher(parts) as Watcher;
  return {
    watcher,
    cache,
    told,
    operations: () => told.flatMap((event) => (event.type === 'store' ? [event.operation] : [])),
    warnings: () => told.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
    /** What is made of a read of a key's first version that begins now, after something else happened. */
    standingAfter(action: () => void): string {
      const { read } = cache.beginRead(clock.now());
      action();
      return cache.standing({ id: 'key_1', version: 1, read } as never);
    },
  };
}

describe('a store that has no way to watch', () => {
  test('is not watched, by a member that is undefined either', () => {
    expect(startWatcher(partsFor(undefined).parts)).toBeUndefined();
    const { parts } = partsFor(undefined);
    expect(startWatcher({ ...parts, store: { findByDigest: () => undefined } })).toBeUndefined();
  });
});

describe('what is asked of the store', () => {
  test('is told of under its names, and is no more than that', async () => {
    const { watcher, operations, told } = openWatcher(async () => async () => undefined);
    await settle();
    expect(operations()).toEqual(['watch']);
    await watcher.stop();
    expect(operations()).toEqual(['watch', 'watch.stop']);
    expect(told).not.toContainEqual(expect.objectContaining({ ok: false }));
  });

  test('is not to stop a watch that never began', async () => {
    const { watcher, operations } = openWatcher(() => Promise.reject(new Error('down')));
    await settle();
    await watcher.stop();
    expect(operations()).toEqual(['watch']);
  });
});

describe('a watch that begins late', () => {
  test.each([
    ['after the time-out', TIMEOUT_MS + 1],
    ['after the end', 0],
  ])('is stopped at once: %s', async (when, ms) => {
    const gate = createGate();
    let stopped = 0;
    const { watcher, operations } = openWatcher(async () => {
      await gate.opened;
      return () => {
        stopped += 1;
      };
    });
    await advance(ms);
    if (when === 'after the end') await watcher.stop();
    gate.open();
    await settle();
    expect(stopped).toBe(1);
    await watcher.stop();
    await advance(60_000);
    expect(operations()).toEqual(['watch', 'watch.stop']);
  });

  test('and fails is nobody’s concern', () => {
    const calls: StoreCall<unknown>[] = [];
    const { parts } = partsFor(async () => undefined);
    const caller = {
      call: (call: StoreCall<unknown>) => {
        calls.push(call);
        return new Promise<never>(() => undefined);
      },
    };
    startWatcher({ ...parts, caller });
    expect(() => calls[0]?.onLate?.(undefined)).not.toThrow();
    expect(calls).toHaveLength(1);
  });

  test('is not begun anew where it fails after the end', async () => {
    const gate = createGate();
    let begun = 0;
    const { watcher } = openWatcher(async () => {
      begun += 1;
      await gate.opened;
      throw new Error('down');
    });
    await watcher.stop();
    gate.open();
    await advance(60_000);
    expect(begun).toBe(1);
  });
});

test('nothing is listened to after the end, of a watch that failed to begin before it either', async () => {
  const heard: ((change: KeyChanged) => void)[] = [];
  const { watcher, standingAfter } = openWatcher((onChange) => {
    heard.push(onChange);
    return heard.length < 3 ? Promise.reject(new Error('down')) : () => undefined;
  });
  await advance(3_000);
  await watcher.stop();
  expect(heard).toHaveLength(3);
  for (const hear of heard) expect(standingAfter(() => hear({ type: 'lost' }))).toBe('current');
});

describe('what is told', () => {
  async function openHearing() {
    let hear: (change: KeyChanged) => void = () => undefined;
    const opened = openWatcher((onChange) => {
      hear = onChange;
      return () => undefined;
    });
    await settle();
    return { ...opened, hear: (change: object) => hear(change as KeyChanged) };
  }

  test('is what its type says, whatever else it holds', async () => {
    const { hear, standingAfter, warnings } = await openHearing();
    const change = { id: 'key_1', version: 9, ended: true };
    expect(standingAfter(() => hear({ type: 'alive', ...change }))).toBe('current');
    expect(warnings()).toEqual([]);
    expect(standingAfter(() => hear({ type: 'lost', ...change }))).toBe('read_again');
    expect(warnings()).toEqual(['The store has lost its watch.']);
    expect(standingAfter(() => hear({ type: 'narrowed', ...change }))).toBe('ended');
  });

  test('may be of the first version of a key', async () => {
    const { hear, standingAfter, warnings } = await openHearing();
    expect(standingAfter(() => hear({ type: 'narrowed', id: 'key_1', version: 1, ended: true }))).toBe(
      'current',
    );
    expect(standingAfter(() => hear({ type: 'narrowed', id: 'key_1', version: 0, ended: true }))).toBe(
      'read_again',
    );
    expect(warnings()).toEqual(['The store told of a change in a form that is not known.']);
  });
});
