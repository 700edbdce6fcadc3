// What the scripts that run checks share: running a command, running Jest, and the last line they all end with.
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json: the scripts work from any folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** No check takes this long, even on a busy machine; one that does is waiting for something that never comes. */
const TIMEOUT_MS = 1_800_000;

/** Runs a command to its end. `output` is all that it said, in the order in which each stream said it. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  const problem = result.error === undefined ? '' : `${result.error.message}\n`;
  return {
    ok: result.status === 0,
    stdout: result.stdout ?? '',
    output: `${result.stdout ?? ''}${result.stderr ?? ''}${problem}`,
  };
}

/** As `run`, for commands that go on side by side. */
export function runBeside(command, args, cwd = root) {
  const options = { cwd, encoding: 'utf8', timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      const problem = error === null ? '' : `${error.message}\n`;
      resolve({ ok: error === null, stdout, output: `${stdout}${stderr}${problem}` });
    });
  });
}

/** Seconds since `start`, a reading of `performance.now()`. */
export function secondsSince(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

/**
 * Runs all tests with one Node (its path), or those in the files whose paths match one of `only`, and counts them. Jest
 * writes to our own standard error as it goes.
 * A test file that cannot be loaded counts as one failure, and so does a run with no test in it.
 */
export function runJest(node, only = []) {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-jest-'));
  try {
    const outputFile = join(folder, 'results.json');
    const { ok } = run(
      node,
      [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
        '--ci',
        '--json',
        `--outputFile=${outputFile}`,
        ...only,
      ],
      // With --json the report goes to standard error, and standard output would repeat the whole JSON.
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    return countTests(outputFile, ok);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function countTests(outputFile, ok) {
  let results;
  try {
    results = JSON.parse(readFileSync(outputFile, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const passed = results.numPassedTests;
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  const unexplained = failed === 0 && (!ok || passed === 0) ? 1 : 0;
  return { passed, failed: failed + unexplained, skipped: results.numPendingTests + results.numTodoTests };
}

/** The sum of several counts. */
export function sum(counts) {
  return counts.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed }), {
    passed: 0,
    failed: 0,
  });
}

/** Ends a script: the counts on a line of their own, the last one, and the exit code. */
export function finish({ passed, failed }) {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
