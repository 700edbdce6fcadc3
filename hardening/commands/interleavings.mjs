// A million orders of look-ups, changes and messages: the test of a hundred thousand, over as many seeds as are wanted.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand, unexplained } from './command.mjs';

/** At scale 1; the test goes through a hundred thousand. */
const TIMES = 10;

const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  ...['--ci', '--runTestsByPath', '__tests__/interleavings.test.ts'],
];

/** @param {import('../parts.mjs').Plan} plan */
export async function run({ seed, scale, say }) {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-interleavings-'));
  const report = join(folder, 'report.json');
  const args = [...JEST, '--json', `--outputFile=${report}`, '--verbose'];
  const env = { KEYSTILE_INTERLEAVINGS: String(TIMES * scale), KEYSTILE_INTERLEAVINGS_SEED: String(seed) };
  try {
    const ran = await runCommand(args, (line) => /^ +[✓✕]/.test(line) && say(line.trim()), env);
    const rows = rowsOf(testsOf(report));
    return [...rows, ...unexplained(args, ran, rows)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** None where Jest ended before it wrote anything, which its last lines then tell. */
function testsOf(report) {
  try {
    return JSON.parse(readFileSync(report, 'utf8')).testResults.flatMap(
      ({ assertionResults }) => assertionResults,
    );
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/** One for each kind of interleavings, and one for all the tests that show what the scheduler would notice. */
function rowsOf(tests) {
  const isKind = ({ title }) => /\d interleavings/.test(title);
  const others = tests.filter((test) => !isKind(test));
  const rows = tests.filter(isKind).map(rowOf);
  if (others.length === 0) return rows;
  const problems = others.flatMap(problemsOf);
  return [...rows, { name: 'what is wrong is noticed, and only that', iterations: others.length, problems }];
}

/** The story of a wrong decision, which names its seed, stands in the message of the test. */
function rowOf(test) {
  const told = test.failureMessages.join('\n');
  return {
    name: test.title.replace(', and refuses no good key', ''),
    iterations: Number(/(\d+) interleavings/.exec(test.title)[1]),
    falseAccepts: /"falseAccepts": [1-9]|FALSE ACCEPT/.test(told) ? 1 : 0,
    falseRefusals: /"falseRefusals": [1-9]|FALSE REFUSAL/.test(told) ? 1 : 0,
    problems: problemsOf(test),
  };
}

function problemsOf({ title, status, failureMessages }) {
  return status === 'passed' ? [] : [`${title}: ${status}: ${failureMessages.join('\n')}`];
}
