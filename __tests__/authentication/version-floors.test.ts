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
