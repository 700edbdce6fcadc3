import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  createUseRecorder,
  USE_RECORDED_EVERY_MS,
  type UseRecorder,
} from '../../lib/authentication/use-recorder.ts';
import { createClock } from '../../lib/clock.ts';
import { createEvents } from '../../lib/events.ts';
import { type KeyUse, MemoryKeyStore } from '../../lib/index.ts';
import { createStoreCaller } from '../../lib/stores/guarded-store.ts';
import { createGate, type Fault, FaultStore, waitsBefore } from '../support/fault-store.ts';
import { advance, holdClocks, settle } from '../support/key-bench.ts';
import { START_MS } from '../support/open-keys.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

const MAX_PENDING = 10_000;
const MAX_RECENT = 100_000;

function openRecorder(...faults: readonly Fault[]) {
  const store = new FaultStore(new MemoryKeyStore());
  store.next('recordUse', ...faults);
  const caller = createStoreCaller(60_000, createClock(), createEvents(undefined));
  const uses = createUseRecorder(store, caller) as UseRecorder;
  return {
    store,
    uses,
    /** Notes a use of the new key so long after the start, and answers how long after it the next one is due. */
    note(id: string, afterMs = 0, isFirst = false): number {
      return uses.note(id, false, START_MS + afterMs, isFirst) - START_MS;
    },
    /** The ids of each write so far. */
    written: () =>
      store.asked('recordUse').map(([batch]) => (batch as readonly KeyUse[]).map(({ id }) => id)),
  };
}

describe('a store that has no way to record a use', () => {
  test.each([
    ['by a member that is not there', { findByDigest: () => undefined }],
    ['by one that is undefined', { findByDigest: () => undefined, recordUse: undefined }],
  ])('is not asked to, %s', (_how, store) => {
    const caller = createStoreCaller(60_000, createClock(), createEvents(undefined));
    expect(createUseRecorder(store as never, caller)).toBeUndefined();
  });
});

describe('a write', () => {
  test('comes a second after the first use that it holds, however many follow', async () => {
    const { note, written } = openRecorder();
    note('a');
    await advance(900);
    note('b', 900);
    await advance(99);
    expect(written()).toEqual([]);
    await advance(1);
    expect(written()).toEqual([['a', 'b']]);
  });

  test('comes at once with the first use of a key, though others wait', async () => {
    const { note, written } = openRecorder();
    note('a');
    note('new', 0, true);
    await advance(0);
    expect(written()).toEqual([['a', 'new']]);
  });

  test('comes no sooner for an earlier one', async () => {
    const { note, written } = openRecorder();
    note('a');
    await advance(1_900);
    note('b', 1_900);
    await advance(999);
    expect(written()).toEqual([['a']]);
    await advance(1);
    expect(written()).toEqual([['a'], ['b']]);
  });

  test('comes a second after the one before it has ended, if uses have come meanwhile', async () => {
    const gate = createGate();
    const { note, written } = openRecorder(waitsBefore(gate));
    note('a', 0, true);
    await advance(0);
    note('b');
    await advance(5_000);
    expect(written()).toEqual([['a']]);
    gate.open();
    await settle();
    await advance(999);
    expect(written()).toEqual([['a']]);
    await advance(1);
    expect(written()).toEqual([['a'], ['b']]);
  });

  test('is of so many uses at most, and what comes beyond that is dropped', async () => {
    const { note, written } = openRecorder();
    for (let i = 0; i <= MAX_PENDING; i += 1) note(`key ${i}`);
    await advance(1_000);
    const [batch = []] = written();
    expect([batch.length, batch.at(-1)]).toEqual([MAX_PENDING, `key ${MAX_PENDING - 1}`]);
  });

  test('tells the old keys of two records apart', async () => {
    const { uses, written } = openRecorder();
    for (const id of ['a', 'b']) uses.note(id, true, START_MS, false);
    await advance(1_000);
    expect(written()).toEqual([['a', 'b']]);
  });

  test('is none where there is nothing to write', async () => {
    const { uses, store } = openRecorder();
    await uses.drain();
    expect(store.count('recordUse')).toBe(0);
  });
});

describe('the next use of a key', () => {
  test('is due a minute after the one that is noted, and is noted anew from then on', async () => {
    const { note, written } = openRecorder(waitsBefore(createGate()));
    expect(note('a')).toBe(USE_RECORDED_EVERY_MS);
    expect(note('b', 500)).toBe(500 + USE_RECORDED_EVERY_MS);
    expect(note('a', 600)).toBe(USE_RECORDED_EVERY_MS);
    expect(note('b', 600)).toBe(500 + USE_RECORDED_EVERY_MS);
    expect(note('a', USE_RECORDED_EVERY_MS - 1)).toBe(USE_RECORDED_EVERY_MS);
    expect(note('a', USE_RECORDED_EVERY_MS)).toBe(2 * USE_RECORDED_EVERY_MS);
    expect(note('b', USE_RECORDED_EVERY_MS + 1)).toBe(500 + USE_RECORDED_EVERY_MS);
    expect(written()).toEqual([]);
  });

  test('is noted anew once the store has taken the last, since it is then read there', async () => {
    const { note } = openRecorder();
    note('taken');
    await advance(1_000);
    note('waiting', 1_000);
    expect(note('taken', 1_001)).toBe(1_001 + USE_RECORDED_EVERY_MS);
    expect(note('waiting', 1_001)).toBe(1_000 + USE_RECORDED_EVERY_MS);
  });

  test('is noted anew after a minute has ended in between, too', async () => {
    const { note } = openRecorder();
    note('a', 0);
    note('taken', 59_000);
    note('b', 60_000);
    await advance(1_000);
    expect(note('taken', 60_001)).toBe(60_001 + USE_RECORDED_EVERY_MS);
  });

  test('is not noted twice in one moment', async () => {
    const gate = createGate();
    const { note, written } = openRecorder(waitsBefore(gate));
    note('a', 0, true);
    await advance(0);
    note('a');
    gate.open();
    await settle();
    await advance(5_000);
    expect(written()).toEqual([['a']]);
  });

  test.each([
    ['in one moment', 0],
    ['after each other', 1],
  ])('is known however many others come %s', (_how, stepMs) => {
    const { note } = openRecorder();
    note('a');
    for (const turn of [1, 2, 3, 4]) note(`other ${turn}`, turn * stepMs);
    expect(note('a', 10)).toBe(USE_RECORDED_EVERY_MS);
  });

  test('is noted anew where the clock was set back', () => {
    const { note } = openRecorder();
    note('a', 1_000);
    expect(note('a', 500)).toBe(500 + USE_RECORDED_EVERY_MS);
  });

  test('is noted anew where the clock was set back, and forward again', () => {
    const { note } = openRecorder();
    note('a', 1_000);
    for (const back of [999, 998]) note(`at ${back}`, back);
    expect(note('a', 1_001)).toBe(1_001 + USE_RECORDED_EVERY_MS);
  });

  test('is noted anew where the clock was set back after a minute, and forward again', () => {
    const { note } = openRecorder();
    note('first');
    note('a', USE_RECORDED_EVERY_MS);
    for (const back of [1, 2]) note(`back ${back}`, USE_RECORDED_EVERY_MS - back);
    expect(note('a', USE_RECORDED_EVERY_MS + 1)).toBe(2 * USE_RECORDED_EVERY_MS + 1);
  });

  test('is noted anew where a hundred thousand others came since, so that memory does not grow', () => {
    const { note } = openRecorder();
    note('a', 1_000);
    for (let i = 0; i < MAX_RECENT; i += 1) note(`other ${i}`, 1_000);
    // What was the newer half is the older one now, and the next that room is made for drops it.
    note('set back', 999);
    expect(note('a', 1_001)).toBe(1_001 + USE_RECORDED_EVERY_MS);
  });
});
