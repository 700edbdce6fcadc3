// What the tests import as '@jest/globals' when they are shown mutants: as much of it as they use.
//
// Jest loads the whole library anew for each of its files, which for thousands of mutants takes days. Here it is loaded once
// for each process, and only the tests that come past a mutant are run, each by itself.
import { ModernFakeTimers } from '@jest/fake-timers';
import { expect } from 'expect';
import { bind } from 'jest-each';
import { ModuleMocker } from 'jest-mock';

/**
 * @typedef {object} Suite
 * @property {string} title
 * @property {Suite | undefined} outer
 * @property {(() => unknown)[]} before
 * @property {(() => unknown)[]} after
 * @property {boolean} isLeftOut - it wants something built or started first, which is too much to ask for each mutant
 *
 * @typedef {object} Test
 * @property {string} id - its whole title
 * @property {string} file
 * @property {Suite} suite
 * @property {() => unknown} body
 */

const mocker = new ModuleMocker(globalThis);
const timers = new ModernFakeTimers({ global: globalThis, config: { fakeTimers: {} } });

/** All tests of the files that were loaded, by their ids. @type {Map<string, Test>} */
export const tests = new Map();

/** The innermost `describe` whose body is running. @type {Suite} */
let suite;
let file;

/** What is loaded next are the tests of this file. */
export function openFile(path) {
  file = path;
  suite = { title: path, outer: undefined, before: [], after: [], isLeftOut: false };
}

function describe(title, body) {
  const outer = suite;
  suite = { title: `${outer.title} ${title}`, outer, before: [], after: [], isLeftOut: outer.isLeftOut };
  body();
  suite = outer;
}
describe.each = bind(describe, false);

function test(title, body) {
  if (suite.isLeftOut) return;
  const whole = `${suite.title} ${title}`;
  const id = tests.has(whole) ? `${whole} (${tests.size})` : whole;
  tests.set(id, { id, file, suite, body });
}
test.each = bind(test, false);

const leaveOut = () => {
  suite.isLeftOut = true;
};
const beforeEach = (body) => void suite.before.push(body);
const afterEach = (body) => void suite.after.push(body);

const jest = {
  fn: (implementation) => mocker.fn(implementation),
  spyOn: (object, method) => mocker.spyOn(object, method),
  restoreAllMocks: () => mocker.restoreAllMocks(),
  useFakeTimers: (options) => timers.useFakeTimers(options),
  useRealTimers: () => timers.useRealTimers(),
  setSystemTime: (ms) => timers.setSystemTime(ms),
  advanceTimersByTimeAsync: (ms) => timers.advanceTimersByTimeAsync(ms),
};

export { afterEach, beforeEach, describe, expect, jest, leaveOut as afterAll, leaveOut as beforeAll, test };
