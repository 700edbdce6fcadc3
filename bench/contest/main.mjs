// npm run bench [-- --quick] [--node 24] [--publish] [--out FOLDER] [--only ID,ID] [--parts in-process,burst,loopback,memory]
//
// keystile beside what else there is for API keys in Express, by the processor, over loopback, with a cold key and in
// memory; see docs/performance.md. Each contender has a process of its own, with Express alone in it as the measure.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { createApiKeys, MemoryKeyStore } from 'keystile';
import { installNode } from '../../scripts/node-versions.mjs';
import { startServer } from '../../scripts/services.mjs';
import { measureBursts } from './burst.mjs';
import { CONTENDERS, KEYS, LEFT_OUT } from './contenders.mjs';
import { Field } from './field.mjs';
import { measureInProcess } from './in-process.mjs';
import { measureLoopback } from './loopback.mjs';
import { currentLoad, describeMachine, versionsOf } from './machine.mjs';
import { measureMemory } from './memory-of-keys.mjs';
import { installPeers } from './peers-folder.mjs';
import { conditionsOf, writeResults } from './publish.mjs';
import { asText, tablesOf } from './tables.mjs';
import { startWorker } from './workers.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
    out: { type: 'string' },
    node: { type: 'string' },
    only: { type: 'string' },
    parts: { type: 'string', default: 'in-process,burst,loopback,memory' },
  },
});

const FULL = {
  inProcess: { rounds: 100, warmUp: 60 },
  burst: { count: 5_000, repeats: 3 },
  loopback: { rounds: 5, milliseconds: 1_000, connections: 16 },
  memory: { keys: 100_000 },
};
const QUICK = {
  inProcess: { rounds: 13, warmUp: 20 },
  burst: { count: 2_000, repeats: 1 },
  loopback: { rounds: 1, milliseconds: 500, connections: 16 },
  memory: { keys: 20_000 },
};
/** Whether all of it runs, for the tests; the figures are worth nothing. */
const SMOKE = {
  inProcess: { rounds: 1, warmUp: 1 },
  burst: { count: 200, repeats: 1 },
  loopback: { rounds: 1, milliseconds: 50, connections: 2 },
  memory: { keys: 1_000 },
};

if (values.node !== undefined && !process.version.startsWith(`v${values.node}.`)) {
  process.exitCode = runUnder(values.node);
} else {
  await measure(amountsOf(values));
}

function amountsOf({ smoke, quick }) {
  if (smoke) return SMOKE;
  return quick ? QUICK : FULL;
}

function runUnder(major) {
  const node = installNode(major);
  if (node === undefined) {
    console.error(`Node ${major} cannot be installed.`);
    return 1;
  }
  return spawnSync(node.path, process.argv.slice(1), { stdio: 'inherit' }).status ?? 1;
}

async function measure(amounts) {
  const begin = currentLoad();
  const parts = new Set(values.parts.split(','));
  const wanted = values.only?.split(',');
  const leftOut = [...LEFT_OUT];
  const some = CONTENDERS.filter(({ id }) => wanted?.includes(id) ?? true);
  const postgres = some.some(({ needs }) => needs === 'postgres') ? await openPostgres(leftOut) : undefined;
  const opened = await openAll(available(some, postgres, leftOut), postgres?.url, leftOut);
  const field = new Field(opened, leftOut);
  const found = {};
  try {
    if (parts.has('in-process'))
      found.inProcess = await measureInProcess(field, amounts.inProcess, teller('In process: round'));
    if (parts.has('burst'))
      found.burst = await measureBursts(field, amounts.burst, teller('A cold key asked for at once:'));
    if (parts.has('loopback'))
      found.loopback = await measureLoopback(field, amounts.loopback, teller('Over loopback: round'));
  } finally {
    for (const { worker } of field.running) worker.close();
    await postgres?.stop();
  }
  let memory;
  if (parts.has('memory')) {
    teller('Memory:')(`${amounts.memory.keys} keys`);
    memory = { keys: amounts.memory.keys, figures: measureMemory(amounts.memory) };
  }
  finishLine();
  report({
    machine: describeMachine(),
    load: { begin, end: currentLoad() },
    isQuick: amounts !== FULL,
    isPinned: found.loopback?.isPinned,
    versions: versionsOf(packagesOf(field.running)),
    leftOut,
    contenders: field.running.map(({ id, name, kind }) => ({
      id,
      name,
      kind,
      inProcess: found.inProcess?.get(id),
      burst: found.burst?.get(id),
      loopback: found.loopback?.figures.get(id),
    })),
    memory,
  });
}

function report(results) {
  console.log(`\n${conditionsOf(results)}\n`);
  for (const table of tablesOf(results)) console.log(asText(table));
  for (const { name, why } of results.leftOut) console.log(`Left out: ${name} (${why})`);
  console.log(`\nWritten: ${writeResults(results, values).join(', ')}`);
}

// ---- who takes part ----------------------------------------------------------------------------------------------

async function openPostgres(leftOut) {
  try {
    return await startServer('postgres');
  } catch (error) {
    leftOut.push({ name: 'PostgreSQL', why: error.message });
    return undefined;
  }
}

function available(some, postgres, leftOut) {
  const needsPeers = ({ kind, needs }) => kind === 'peer' || needs === 'sqlite';
  const arePeersThere = !some.some(needsPeers) || installPeers();
  if (!arePeersThere) leftOut.push({ name: 'all that needs bench/peers', why: 'it could not be installed' });
  return some.filter((one) => {
    if (needsPeers(one)) return arePeersThere;
    return one.needs !== 'postgres' || postgres !== undefined;
  });
}

/** Two at a time, as most of it is loading and signing. One that cannot be opened does not end the run. */
async function openAll(candidates, postgresUrl, leftOut) {
  const texts = await makeTexts();
  const tell = teller('Opening');
  const opened = new Map();
  const queue = [...candidates];
  const openSome = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      tell(next.name);
      const worker = await startWorker(next.id);
      try {
        opened.set(next.id, { ...next, worker, ...(await worker.ask('open', { texts, postgresUrl })) });
      } catch (error) {
        worker.close();
        leftOut.push({ name: next.name, why: error.message.split('\n')[0] });
      }
    }
  };
  await Promise.all([openSome(), openSome()]);
  return candidates.flatMap(({ id }) => opened.get(id) ?? []);
}

/** The keys that all are asked about who take the text of another. */
async function makeTexts() {
  const apiKeys = createApiKeys({ store: new MemoryKeyStore(), prefix: 'acme' });
  const texts = [];
  for (let i = 0; i < KEYS; i += 1) {
    const { key } = await apiKeys.create({ name: `Key ${i}`, organization: { id: 'org_1' } });
    texts.push(key);
  }
  await apiKeys.close();
  return texts;
}

function packagesOf(running) {
  const own = ['keystile', 'express', 'lru-cache'].map((name) => [name, import.meta.url]);
  const others = running.flatMap(({ packages = [], home }) => packages.map((name) => [name, home.href]));
  return new Map([...own, ...others]);
}

// ---- progress ----------------------------------------------------------------------------------------------------

/** One line that is written over on a terminal; elsewhere a line for each step, no more than one in ten seconds. */
function teller(what) {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (detail) => {
    const now = performance.now();
    const line = `[${(now / 1_000).toFixed(0).padStart(4)} s] ${what} ${detail}`;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
    else if (now - toldAt > 10_000) {
      console.error(line);
      toldAt = now;
    }
  };
}

function finishLine() {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}
