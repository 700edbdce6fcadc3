// npm test: every check. One that fails does not keep the others from running.
import { finish, run, runBeside, runJest, secondsSince, sum } from './counts.mjs';

/** Scripts of package.json, so that each can be run by itself in the same way. */
const besideTheBuild = ['build', 'lint'];
/** The package is made of the build; and each of them takes one core. */
const afterTheBuild = ['types', 'dead-code', 'package'];

const checked = [];
for (const names of [besideTheBuild, afterTheBuild])
  checked.push(...(await Promise.all(names.map(runCheck))));
finish(sum([...checked, runHotPath(), runTests()]));

async function runCheck(name) {
  const start = performance.now();
  const { ok, output } = await runBeside('npm', ['run', '--silent', name]);
  report(ok, name, secondsSince(start));
  if (!ok) console.log(output);
  return ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** Before the tests: they would keep the machine busy while it measures. */
function runHotPath() {
  const start = performance.now();
  const { ok, output } = run(process.execPath, ['scripts/hot-path.mjs']);
  const [, passed = 0, failed = 1] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? [];
  report(ok, 'hot path', secondsSince(start));
  console.log(output);
  return { passed: Number(passed), failed: Number(failed) };
}

function runTests() {
  const start = performance.now();
  const { passed, failed, skipped } = runJest(process.execPath);
  const details = `${secondsSince(start)}, ${passed} passed, ${failed} failed, ${skipped} skipped`;
  report(failed === 0, 'tests', details);
  return { passed, failed };
}

function report(ok, name, details) {
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(10)} ${details}`);
}
