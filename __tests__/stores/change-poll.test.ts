import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createClock } from '../../lib/clock.ts';
import { ChangePoll, type RecentChanges } from '../../lib/stores/change-poll.ts';
import type { KeyChanged } from '../../lib/stores/key-store.ts';

const START = 1_800_000_000_000;
const POLL_MS = 1_000;
const OVERLAP_MS = 15_000;

/** Rows as a database would have them: visible from a time on, by that database's own clock. */
interface Row {
  readonly id: string;
  readonly version: number;
  readonly at: number;
  readonly ended?: boolean;
}

let time = START;
let rows: Row[] = [];
let asked: (number | undefined)[] = [];
let told: KeyChanged[] = [];
let failures = 0;
/** What the next looks do instead of answering. */
let faults: ((answer: RecentChanges) => Promise<RecentChanges>)[] = [];
let isCut = false;
let poll: ChangePoll;

function read(since: number | undefined): Promise<RecentChanges> {
  asked.push(since);
  const narrowed = rows.filter(({ at }) => at >= (since ?? Number.POSITIVE_INFINITY));
  const answer = {
    time,
    isCut,
    narrowed: narrowed.map(({ id, version, ended = false }) => ({ id, version, ended })),
  };
  const fault = faults.shift();
  return fault === undefined ? Promise.resolve(answer) : fault(answer);
}

const fails = (): Promise<never> => Promise.reject(new Error('down'));
const hangs = (): Promise<never> => new Promise(() => undefined);

/** The next look is answered when this is called, by what it would have found. */
function holdAnswer(changes: { isCut?: boolean } = {}): () => void {
  let answer = (): void => undefined;
  faults.push(
    (found) =>
      new Promise((resolve) => {
        answer = () => resolve({ ...found, ...changes });
      }),
  );
  return () => answer();
}

beforeEach(async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
  time = START;
  [rows, asked, told, faults, failures, isCut] = [[], [], [], [], 0, false];
  poll = new ChangePoll({
    read,
    pollMs: POLL_MS,
    clock: createClock(),
    tell: (change) => told.push(change),
    onFailure: () => {
      failures += 1;
    },
  });
});
afterEach(() => {
  poll.stop();
  jest.useRealTimers();
});

/** Both clocks go on together. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 5) {
    time += 5;
    await jest.advanceTimersByTimeAsync(5);
  }
}

function narrowed(): readonly string[] {
  return told.flatMap((change) => (change.type === 'narrowed' ? [`${change.id}@${change.version}`] : []));
}

function count(type: KeyChanged['type']): number {
  return told.filter((change) => change.type === type).length;
}

describe('looks at what was narrowed lately', () => {
  test('are made at intervals, each a heartbeat', async () => {
    await poll.start();
    await pass(5_000);
    expect(count('alive')).toBe(5);
    expect(count('lost')).toBe(0);
  });

  test('go back behind the look before, for what is committed late', async () => {
    await poll.start();
    await pass(2_500);
    rows.push({ id: 'late', version: 2, at: time - 14_000 });
    await pass(1_000);
    expect(narrowed()).toEqual(['late@2']);
    expect(asked.at(-1)).toBeLessThanOrEqual(time - OVERLAP_MS);
  });

  test('tell what comes twice once, and what is narrowed again again', async () => {
    await poll.start();
    rows.push({ id: 'a', version: 2, at: time }, { id: 'a', version: 2, at: time });
    await pass(3_000);
    expect(narrowed()).toEqual(['a@2', 'a@2']);
    rows = [{ id: 'a', version: 3, at: time, ended: true }];
    await pass(3_000);
    expect(narrowed()).toEqual(['a@2', 'a@2', 'a@3']);
    expect(told).toContainEqual({ type: 'narrowed', id: 'a', version: 3, ended: true });
  });

  test('take a fifth of the time at most, however often the bell rings', async () => {
    const slow = (answer: RecentChanges) =>
      new Promise<RecentChanges>((resolve) => setTimeout(() => resolve(answer), 40));
    await poll.start();
    faults = Array.from({ length: 400 }, () => slow);
    asked = [];
    for (let passed = 0; passed < 4_000; passed += 5) {
      poll.look();
      await pass(5);
    }
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.length).toBeLessThanOrEqual(22);
  });

  test('find after a gap all that happened in it', async () => {
    await poll.start();
    rows.push({ id: 'early', version: 2, at: time + 100 });
    faults = Array.from({ length: 40 }, () => fails);
    await pass(40_000);
    expect(narrowed()).toEqual([]);
    await pass(2_000);
    expect(narrowed()).toEqual(['early@2']);
  });

  test('say lost where there is more than they read', async () => {
    await poll.start();
    isCut = true;
    await pass(1_000);
    expect(told.map(({ type }) => type)).toEqual(['lost', 'alive']);
  });

  test('say lost where the clock of the database is set back, and see what comes after', async () => {
    await poll.start();
    await pass(2_000);
    time -= 3_600_000;
    await pass(1_000);
    expect(count('lost')).toBe(1);
    rows.push({ id: 'a', version: 2, at: time });
    await pass(1_000);
    expect(narrowed()).toEqual(['a@2']);
    expect(count('lost')).toBe(1);
  });

  test('miss nothing where the clock of the database is set forward, or a little back', async () => {
    await poll.start();
    await pass(2_000);
    rows.push({ id: 'before', version: 2, at: time });
    time += 3_600_000;
    await pass(1_000);
    time -= 4_000;
    rows.push({ id: 'after', version: 2, at: time });
    await pass(1_000);
    expect(narrowed()).toEqual(['before@2', 'after@2']);
    expect(count('lost')).toBe(0);
  });

  test('end when they are stopped, also the one that is under way', async () => {
    await poll.start();
    const answer = holdAnswer();
    rows.push({ id: 'a', version: 2, at: time });
    await pass(1_100);
    poll.stop();
    answer();
    await pass(30_000);
    expect(told).toEqual([]);
  });
});

describe('looks that fail', () => {
  test('are no heartbeat, and make everything lost 4 s after the last good one began', async () => {
    await poll.start();
    await pass(1_000);
    faults = Array.from({ length: 10 }, () => fails);
    await pass(3_900);
    expect(count('lost')).toBe(0);
    expect(failures).toBeGreaterThanOrEqual(3);
    await pass(200);
    expect(count('lost')).toBe(1);
    expect(count('alive')).toBe(1);
    await pass(10_000);
    expect(count('lost')).toBe(1);
    expect(count('alive')).toBeGreaterThan(1);
  });

  test('and never end are given up after a second, and at most two wait at one time', async () => {
    await poll.start();
    const before = asked.length;
    faults = Array.from({ length: 100 }, () => hangs);
    await pass(30_000);
    expect(asked.length - before).toBe(2);
    expect(failures).toBeGreaterThan(10);
    expect(count('lost')).toBe(1);
  });

  test('and answer late tell nothing', async () => {
    await poll.start();
    const answer = holdAnswer({ isCut: true });
    await pass(2_500);
    const before = told.length;
    answer();
    await pass(5);
    expect(told.length).toBe(before);
  });

  test('at the start begin nothing', async () => {
    faults.push(fails);
    await expect(poll.start()).rejects.toThrow('down');
    await pass(10_000);
    expect(asked).toHaveLength(1);
  });
});

describe('a bell', () => {
  test('brings a look at once', async () => {
    await poll.start();
    await pass(500);
    rows.push({ id: 'a', version: 2, at: time });
    poll.look();
    await pass(5);
    expect(narrowed()).toEqual(['a@2']);
  });

  test('that rings during a look brings another, as that one may have been taken before', async () => {
    await poll.start();
    const answer = holdAnswer();
    await pass(1_000);
    rows.push({ id: 'a', version: 2, at: time });
    poll.look();
    answer();
    await pass(50);
    expect(narrowed()).toEqual(['a@2']);
  });

  test('that rings without end brings 40 looks a second at most', async () => {
    await poll.start();
    const before = asked.length;
    for (let ms = 0; ms < 1_000; ms += 5) {
      for (let ring = 0; ring < 100; ring += 1) poll.look();
      await pass(5);
    }
    const looks = asked.length - before;
    expect(looks).toBeLessThanOrEqual(41);
    expect(looks).toBeGreaterThan(20);
  });

  test('that rings after the end brings nothing', async () => {
    await poll.start();
    poll.stop();
    const before = asked.length;
    poll.look();
    await pass(2_000);
    expect(asked).toHaveLength(before);
  });
});
