// Whether the time of an answer tells what a refusal does not. What is compared is `verify()` itself, which is a hundred
// times as exact as what could be seen over HTTP.
import { seededRandom } from '../../bench/contest/rounds.mjs';
import { COMPARISONS } from './comparisons.mjs';
import { measure } from './measure.mjs';
import { judge } from './welch.mjs';

const RUNS = 3;
const SAMPLES = 200_000;
const FEWEST_SAMPLES = 3_000;
/** Below it, dudect sees no difference. Two of three runs have to stay there, as one in some does not for no reason. */
const MOST_ALIKE = 4.5;
/** What is planted has to be seen; with a few samples less clearly. */
const LEAST_APART = { many: 100, few: 10 };

/**
 * @param {Pick<import('../parts.mjs').Plan, 'seed' | 'scale' | 'say'>} plan
 * @returns {Promise<(import('../parts.mjs').Row & { goal: 'alike' | 'apart' | 'told' })[]>}
 */
export async function run({ seed, scale, say }) {
  const samples = Math.max(FEWEST_SAMPLES, Math.round(SAMPLES * scale));
  const rows = [];
  for (const comparison of COMPARISONS) {
    const row = await compare(comparison, samples, seededRandom(seed));
    say(`${row.name}: ${row.t.map((t) => t.toFixed(1)).join(', ')}; ${row.details}`);
    rows.push(row);
  }
  return rows;
}

async function compare({ name, open, goal, share = 1 }, samples, random) {
  const count = Math.max(FEWEST_SAMPLES / 3, Math.round(samples * share));
  const runs = [];
  for (let run = 0; run < RUNS; run += 1) {
    runs.push(judge(await measure(await open({ samples, random }), count, random)));
  }
  const { difference, median } = runs.toSorted((a, b) => a.t - b.t)[1];
  const t = runs.map((one) => one.t);
  return {
    name,
    goal,
    iterations: 2 * RUNS * count,
    t,
    details: `${nanoseconds(difference)} of ${nanoseconds(median)}${goal === 'told' ? ', not judged' : ''}`,
    problems: problemsOf(goal, t, samples),
  };
}

/** What three runs prove of a comparison. */
export function problemsOf(goal, t, samples) {
  if (goal === 'alike' && t.filter((one) => one < MOST_ALIKE).length < 2) {
    return [`the classes differ: |t| is not below ${MOST_ALIKE} in two of ${RUNS} runs`];
  }
  const least = samples < SAMPLES / 4 ? LEAST_APART.few : LEAST_APART.many;
  if (goal === 'apart' && t.some((one) => one < least)) {
    return [`a planted difference is not seen: |t| is not above ${least} in all runs`];
  }
  return [];
}

function nanoseconds(ms) {
  return `${Math.round(ms * 1e6).toLocaleString('en')} ns`;
}
