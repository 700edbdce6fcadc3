// One test, with what its file does before and after each.
import { jest } from './jest-globals.mjs';

/** A test that waits for what a mutant never does has failed. Far above what any of them takes on a busy machine. */
const TIMEOUT_MS = 5_000;

/** The real ones, whatever a test puts in their place. */
const { setTimeout, clearTimeout } = globalThis;

/**
 * Runs a test and its hooks to their end.
 *
 * @param {import('./jest-globals.mjs').Test} test
 * @returns {Promise<string | undefined>} what is wrong, if something is
 */
export async function problemOf(test) {
  const suites = suitesOf(test.suite);
  const before = suites.toReversed().flatMap((suite) => suite.before);
  const problem = await problemOfAll([...before, test.body]);
  const after = await problemOfAll(suites.flatMap((suite) => suite.after));
  jest.useRealTimers();
  return problem ?? after;
}

/** From the innermost outwards. */
function suitesOf(innermost) {
  const suites = [];
  for (let suite = innermost; suite !== undefined; suite = suite.outer) suites.push(suite);
  return suites;
}

async function problemOfAll(bodies) {
  try {
    for (const body of bodies) await withTimeout(body);
    return undefined;
  } catch (error) {
    return String(error?.stack ?? error);
  }
}

async function withTimeout(body) {
  const answer = body();
  if (typeof answer?.then !== 'function') return;
  let timer;
  const tooLate = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('It has not ended.')), TIMEOUT_MS);
  });
  await Promise.race([answer, tooLate]).finally(() => clearTimeout(timer));
}
