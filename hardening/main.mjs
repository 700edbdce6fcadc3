// The long attack, fault and soak tests: `npm run test:hardening -- [PART...] [--seed N] [--scale 0.02] [--json FILE] [--list]`.
//
// Each part runs in a process of its own, so that no part pays for the garbage of another. The seed is printed; the same
// seed makes the same choices. The tests of `npm test` run most parts too, at a small scale.
import { fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PARTS } from './parts.mjs';
import { asTable } from './table.mjs';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    scale: { type: 'string', default: '1' },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});
if (values.list) list();
else await runAll(chosenParts(positionals), planOf(values));

function list() {
  for (const [name, { minutes, shows }] of Object.entries(PARTS)) {
    console.log(`${name.padEnd(15)} about ${String(minutes).padStart(2)} min   ${shows}`);
  }
}

function chosenParts(names) {
  const unknown = names.filter((name) => !Object.hasOwn(PARTS, name));
  if (unknown.length > 0) {
    const known = Object.keys(PARTS).join(', ');
    throw new TypeError(`there is no part called ${unknown.join(' or ')}; the parts are ${known}`);
  }
  return names.length === 0 ? Object.keys(PARTS) : names;
}

function planOf(values) {
  const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new TypeError(`--seed must be a whole number from 0 to ${2 ** 32 - 1}, but got ${values.seed}`);
  }
  const scale = Number(values.scale);
  if (!(scale > 0 && scale <= 100)) {
    throw new TypeError(`--scale must be a number above 0 and at most 100, but got ${values.scale}`);
  }
  return { seed, scale };
}

async function runAll(names, plan) {
  console.log(`Node ${process.version}, --seed ${plan.seed} --scale ${plan.scale}\n`);
  const results = [];
  for (const name of names) {
    console.log(`--- ${name}: ${PARTS[name].shows}`);
    results.push({ part: name, ...(await runPart(name, plan)) });
  }
  console.log(`\n${asTable(results)}\n`);
  const problems = results.flatMap(({ part, rows }) =>
    rows.flatMap((row) => row.problems.map((problem) => `${part}, ${row.name}: ${problem}`)),
  );
  for (const problem of problems) console.log(problem);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ node: process.version, ...plan, results }, null, 2)}\n`);
  }
  const bad = results.flatMap(({ rows }) => rows).filter((row) => row.problems.length > 0).length;
  const good = results.flatMap(({ rows }) => rows).length - bad;
  console.log(`${good} passed, ${bad} failed, --seed ${plan.seed}`);
  process.exitCode = bad === 0 && good > 0 ? 0 : 1;
}

/** The rows of a part. One that ends without an answer has one row, which says so. */
async function runPart(name, plan) {
  const start = performance.now();
  let rows;
  const child = fork(WORKER, [PARTS[name].file, JSON.stringify(plan)], { execArgv: ['--expose-gc'] });
  child.once('message', (message) => {
    rows = message.rows;
  });
  const how = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`its process ended with ${signal ?? code} and no answer`));
  });
  rows ??= [{ name, iterations: 0, problems: [how] }];
  return { seconds: Math.round((performance.now() - start) / 1000), rows };
}
