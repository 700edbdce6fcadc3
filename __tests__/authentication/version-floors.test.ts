import { describe, expect, test } from '@jest/globals';
import { VersionFloors } from '../../lib/authentication/version-floors.ts';

const LONGEST_LIFE_MS = 40_000;
const HELD_MS = 30_000;

/** Changes of other keys are told of until the first ones have outlived every entry. */
function tellForLong(floors: VersionFloors, from: number): number {
  const times = [1, 2].map((turn) => from + turn * (LONGEST_LIFE_MS + 1));
  for (const now of times) floors.raiseTold(`other at ${now}`, 2, true, now, HELD_MS);
  return times.at(-1) as number;
}

describe('what was told of a key', () => {
  test('is forgotten once no entry from before it can decide, so that memory does not grow with each change', () => {
    const floors = new VersionFloors(LONGEST_LIFE_MS);
    const read = floors.nextRead();
    floors.raiseTold('a', 2, true, 0, HELD_MS);
    expect(floors.standing('somebody', 1, read, 0)).toBe('current');
    const now = tellForLong(floors, 0);
    // What is no longer known of any key is made up for by reading again what was read that long ago.
    expect(floors.standing('somebody', 1, read, now)).toBe('read_again');
    expect(floors.standing('somebody', 1, floors.nextRead(), now)).toBe('current');
  });

  test.each([1, 20_000, LONGEST_LIFE_MS, LONGEST_LIFE_MS + 1])('is known %d ms later', (ms) => {
    const floors = new VersionFloors(LONGEST_LIFE_MS);
    const read = floors.nextRead();
    floors.raiseTold('b', 2, true, -1, HELD_MS);
    floors.raiseTold('a', 2, true, 0, HELD_MS);
    floors.raiseTold('c', 2, true, ms, HELD_MS);
    expect(floors.standing('a', 1, read, ms)).toBe(ms < HELD_MS ? 'ended' : 'read_again');
    expect(floors.standing('somebody', 1, read, ms)).toBe('current');
  });

  test('lets no older read be believed when it is forgotten, of a key that was changed here as well either', () => {
    const floors = new VersionFloors(LONGEST_LIFE_MS);
    floors.raise('both', 1, false);
    const read = floors.nextRead();
    for (const id of ['told', 'both']) floors.raiseTold(id, 2, true, 0, HELD_MS);
    const now = tellForLong(floors, 0);
    for (const id of ['told', 'both']) expect(floors.standing(id, 1, read, now)).toBe('read_again');
  });

  test('does not take with it what this process did itself', () => {
    const floors = new VersionFloors(LONGEST_LIFE_MS);
    floors.raise('a', 2, true);
    floors.raiseTold('a', 3, true, 0, HELD_MS);
    const now = tellForLong(floors, 0);
    expect(floors.standing('a', 1, floors.nextRead(), now)).toBe('ended');
  });
});

describe('what was told again', () => {
  /** Told first at 0, of version 2. */
  function openTold(ended = false) {
    const floors = new VersionFloors(LONGEST_LIFE_MS);
    floors.raiseTold('a', 2, ended, 0, HELD_MS);
    const told = floors.generation;
    return {
      floors,
      tellAgain: (version: number, isEnded: boolean, now: number) => {
        floors.raiseTold('a', version, isEnded, now, HELD_MS);
        return floors.generation > told;
      },
    };
  }

  test.each([
    ['says the same soon after', false, 2, false, 9_999, false],
    ['says the same of an end soon after', true, 2, true, 9_999, false],
    ['says less', true, 1, false, 5, false],
    ['says the same later', false, 2, false, 10_000, true],
    ['tells of a newer version', false, 3, false, 5, true],
    ['tells of the end', false, 2, true, 5, true],
  ])(
    'makes all entries be looked at when it matters: what %s',
    (_what, first, version, ended, now, matters) => {
      expect(openTold(first).tellAgain(version, ended, now)).toBe(matters);
    },
  );

  test('is the newest version and the end, whichever came first', () => {
    const { floors, tellAgain } = openTold();
    tellAgain(3, false, 5);
    expect(floors.standing('a', 2, floors.nextRead(), 5)).toBe('below');
    tellAgain(1, true, 6);
    expect(floors.standing('a', 2, floors.nextRead(), 6)).toBe('ended');
    expect(floors.standing('a', 3, floors.nextRead(), 6)).toBe('current');
  });

  test('is held for longer', () => {
    const { floors, tellAgain } = openTold();
    tellAgain(2, false, 20_000);
    expect(floors.standing('a', 1, floors.nextRead(), 49_999)).toBe('below');
    expect(floors.standing('a', 1, floors.nextRead(), 50_000)).toBe('current');
  });

  test('is nothing where no version is told of, as of a record that is not there', () => {
    const floors = new VersionFloors(LONGEST_LIFE_MS);
    floors.raiseTold('a', 0, false, 20_000, HELD_MS);
    expect(floors.generation).toBe(0);
  });
});

describe('what a process did itself', () => {
  test('makes all entries be looked at, each time', () => {
    const floors = new VersionFloors(LONGEST_LIFE_MS);
    const generations = [
      () => floors.raise('a', 2, false),
      () => floors.readAllAgain(),
      () => floors.readAgain('a'),
      () => floors.readAllAgain(),
    ].map((change) => {
      change();
      return floors.generation;
    });
    expect(generations).toEqual([1, 2, 3, 4]);
  });

  test('is known of a key whose reads do not count any more, too', () => {
    const floors = new VersionFloors(LONGEST_LIFE_MS);
    const read = floors.nextRead();
    floors.raise('ended', 2, true);
    floors.raise('narrowed', 2, false);
    floors.readAllAgain();
    const standings = ['ended', 'narrowed', 'other'].map((id) => floors.standing(id, 1, read, 0));
    expect(standings).toEqual(['ended', 'below', 'read_again']);
  });
});

describe('how much is remembered', () => {
  const MAX_FLOORS = 100_000;

  test('is the last 100,000 keys that were changed here; of others, what was read before is read again', () => {
    const floors = new VersionFloors(LONGEST_LIFE_MS);
    const before = floors.nextRead();
    for (const id of ['a', 'b']) floors.raise(id, 2, false);
    const between = floors.nextRead();
    // It rises again, and so comes last.
    floors.raise('a', 2, false);
    for (let i = 2; i < MAX_FLOORS; i += 1) floors.raise(`other ${i}`, 2, false);
    expect(floors.standing('b', 1, floors.nextRead(), 0)).toBe('below');
    expect(floors.standing('somebody', 1, before, 0)).toBe('current');
    floors.raise('one more', 2, false);
    expect(floors.standing('a', 1, floors.nextRead(), 0)).toBe('below');
    expect(floors.standing('b', 1, before, 0)).toBe('read_again');
    expect(floors.standing('b', 1, between, 0)).toBe('current');
    floors.raise('and another', 2, false);
    expect(floors.standing('a', 1, between, 0)).toBe('read_again');
    expect(floors.standing('a', 1, floors.nextRead(), 0)).toBe('current');
  });

  test.each([
    [MAX_FLOORS / 2, 'current'],
    [MAX_FLOORS / 2 + 1, 'read_again'],
  ])('is half of that of what was told in a short time: %d', (count, expected) => {
    const floors = new VersionFloors(LONGEST_LIFE_MS);
    const read = floors.nextRead();
    for (let i = 0; i < count; i += 1) floors.raiseTold(`key ${i}`, 2, true, 0, HELD_MS);
    floors.raiseTold('later', 2, true, LONGEST_LIFE_MS + 1, HELD_MS);
    expect(floors.standing('somebody', 1, read, LONGEST_LIFE_MS + 1)).toBe(expected);
  });

  test.each([
    ['entries may decide', 40_000, 30_000],
    ['it is held', 30_000, 40_000],
  ])('of what was told is all for as long as %s', (_what, longestLifeMs, heldMs) => {
    for (const [stepMs, expected] of [
      [40_000, 'current'],
      [40_001, 'read_again'],
    ] as const) {
      const floors = new VersionFloors(longestLifeMs);
      const read = floors.nextRead();
      for (const turn of [0, 1, 2]) floors.raiseTold(`key ${turn}`, 2, true, turn * stepMs, heldMs);
      expect(floors.standing('somebody', 1, read, 2 * stepMs)).toBe(expected);
    }
  });
});
