import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { seededRandom } from '../../bench/contest/rounds.mjs';
import { COMPARISONS } from '../../hardening/timing/comparisons.mjs';
import { measure } from '../../hardening/timing/measure.mjs';
import { problemsOf } from '../../hardening/timing/timing.mjs';
import { judge } from '../../hardening/timing/welch.mjs';

// Threads and timers of others get their turn in between, which on a busy machine takes its time.
jest.setTimeout(120_000);

const SAMPLES = 3_000;
const FEW = 150;

/** Times that differ by `difference` in the mean, and by up to 100 in any case. */
function timesOf(difference: number, random: () => number): [Float64Array, Float64Array] {
  const around = (mean: number): Float64Array =>
    Float64Array.from({ length: 5_000 }, () => mean + 100 * random());
  return [around(1_000), around(1_000 + difference)];
}

describe("Welch's t of two classes of times", () => {
  test.each([
    { difference: 0, least: 0, most: 4.5 },
    { difference: 5, least: 4.5, most: 25 },
    { difference: 100, least: 100, most: 1_000 },
  ])('a difference of $difference in 1,000 is between $least and $most', ({ difference, least, most }) => {
    const { t } = judge(timesOf(difference, seededRandom(7)));
    expect(t).toBeGreaterThan(least);
    expect(t).toBeLessThan(most);
  });

  test('sees through the noise of a few slow samples', () => {
    const random = seededRandom(7);
    const classes = timesOf(100, random);
    for (const times of classes) for (let i = 0; i < times.length; i += 20) times[i] = 1e6 * random();
    expect(judge(classes).t).toBeGreaterThan(100);
  });
});

describe('the times of answers', () => {
  const plan = { samples: FEW, random: seededRandom(1) };

  // That they are alike is for many samples to say, on a machine that does nothing else.
  test.each(COMPARISONS)('are taken for $name', async ({ open, share = 1 }) => {
    const count = Math.max(20, FEW * share);
    const times = await measure(await open(plan), count, plan.random);
    expect(times.map((one) => one.filter((ms) => ms > 0).length)).toEqual([count, count]);
  });

  describe.each(COMPARISONS.filter(({ goal }) => goal === 'apart'))('$name', ({ open }) => {
    let t: number;

    beforeAll(async () => {
      t = judge(await measure(await open({ ...plan, samples: SAMPLES }), SAMPLES, plan.random)).t;
    });

    test('is seen', () => {
      expect(problemsOf('apart', [t, t, t], SAMPLES)).toEqual([]);
    });
  });

  test('are not taken of answers that are not the ones that were expected', async () => {
    const ask = async (): Promise<object> => ({ ok: false, reason: 'malformed' });
    const comparison = { ask, classes: [[['a']], [['b']]], expected: ['unknown', 'unknown'] };
    await expect(measure(comparison, FEW, plan.random)).rejects.toThrow('expected unknown, got malformed');
  });
});

describe('the verdict on three runs', () => {
  test.each([
    { goal: 'alike', t: [1, 4, 9], samples: 200_000, isGood: true },
    { goal: 'alike', t: [1, 5, 9], samples: 200_000, isGood: false },
    { goal: 'apart', t: [101, 200, 300], samples: 200_000, isGood: true },
    { goal: 'apart', t: [99, 200, 300], samples: 200_000, isGood: false },
    { goal: 'apart', t: [11, 20, 30], samples: 3_000, isGood: true },
    { goal: 'apart', t: [9, 20, 30], samples: 3_000, isGood: false },
    { goal: 'told', t: [99, 99, 99], samples: 200_000, isGood: true },
  ])('$goal, |t| $t of $samples samples: $isGood', ({ goal, t, samples, isGood }) => {
    expect(problemsOf(goal, t, samples)).toHaveLength(isGood ? 0 : 1);
  });
});
