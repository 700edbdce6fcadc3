// Whether the tests would notice: `npm run test:faults`, or `node scripts/plant-faults.mjs [part of a name]`.
//
// Plants one fault at a time in a copy of lib/, runs the test files that ought to catch it, and says which tests did.
// Where the code has changed so that a fault cannot be planted any more, that is an error, and it has to be written anew.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finish, root, run, secondsSince, sum } from './counts.mjs';
import { FAULTS } from './faults.mjs';

/** What tests read, beside the packages. */
const NEEDED = ['lib', '__tests__', 'scripts', 'docs', 'examples'];

const wanted = FAULTS.filter(({ name }) => name.includes(process.argv[2] ?? ''));
if (wanted.length === 0) throw new Error(`no fault is called "${process.argv[2]}"`);

const copy = mkdtempSync(join(tmpdir(), 'keystile-faults-'));
try {
  copyTree();
  finish(sum([checkUnharmed(), ...wanted.map(plant)]));
} finally {
  rmSync(copy, { recursive: true, force: true });
}

function copyTree() {
  const files = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isFile());
  for (const name of [...files.map((entry) => entry.name), ...NEEDED]) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/** A test that fails without a fault would seem to catch every one. */
function checkUnharmed() {
  const { failed, problem } = runTests([...new Set(wanted.flatMap(({ tests }) => tests))]);
  if (problem === undefined && failed.length === 0) return { passed: 1, failed: 0 };
  console.log(`FAILED      without any fault\n${problem ?? failed.map((name) => `  ${name}`).join('\n')}`);
  return { passed: 0, failed: 1 };
}

function plant({ name, file, from, to, tests }) {
  const start = performance.now();
  const path = join(copy, 'lib', file);
  const source = readFileSync(path, 'utf8');
  const places = source.split(from).length - 1;
  if (places !== 1) {
    console.log(
      `ERROR       ${name}\n  its text stands ${places} times in lib/${file}, and must stand there once`,
    );
    return { passed: 0, failed: 1 };
  }
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
  const { failed, problem } = runTests(tests);
  writeFileSync(path, source);
  return report(name, failed, problem, secondsSince(start));
}

function report(name, caughtBy, problem, time) {
  if (problem !== undefined) console.log(`ERROR       ${name}\n${problem}`);
  else if (caughtBy.length === 0) console.log(`NOT CAUGHT  ${name}`);
  else {
    const others = caughtBy.length === 1 ? '' : `, and ${caughtBy.length - 1} more`;
    console.log(`caught      ${name} (${time})\n  by ${caughtBy[0]}${others}`);
  }
  const isCaught = problem === undefined && caughtBy.length > 0;
  return isCaught ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** The names of the tests that failed. A file that does not even load has tested nothing. */
function runTests(names) {
  const outputFile = join(copy, 'results.json');
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const { output } = run(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      jest,
      ...['--ci', '--json', `--outputFile=${outputFile}`],
      ...['--runTestsByPath', ...names.map((name) => `__tests__/${name}.test.ts`)],
    ],
    { cwd: copy },
  );
  let results;
  try {
    results = JSON.parse(readFileSync(outputFile, 'utf8'));
  } catch {
    return { failed: [], problem: output };
  }
  rmSync(outputFile);
  const broken = results.testResults.filter(({ assertionResults }) => assertionResults.length === 0);
  if (broken.length > 0 || results.testResults.length !== names.length) {
    return { failed: [], problem: broken.map(({ message }) => message).join('\n') || output };
  }
  const failed = results.testResults.flatMap(({ name: path, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName }) => `${path.slice(path.indexOf('__tests__/'))}: ${fullName}`),
  );
  return { failed, problem: undefined };
}
