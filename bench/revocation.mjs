// node bench/revocation.mjs [KIND...]: how long a key is still taken after its change was written, by four other processes that
// ask about it every millisecond. 200 revocations for each kind of store and each fault, and 40 of each other change that
// narrows. It takes the built package: npm run build.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createApiKeys } from 'keystile';
import { KINDS } from './revocation-kinds.mjs';

const WORKER = fileURLToPath(new URL('revocation-worker.mjs', import.meta.url));
const PROCESSES = 4;
const AT_ONCE = 10;
const REVOCATIONS = Number(process.env.REVOCATIONS ?? 200);
const OTHERS = REVOCATIONS / 5;
const PATIENCE_MS = 60_000;
const FAULT_GOAL = { max: 5_000 };
const DAY_MS = 86_400_000;

/** What narrows a key, and still lets it be found. */
const CHANGES = {
  revoke: (apiKeys, id) => apiKeys.revoke(id),
  'fewer scopes': (apiKeys, id) => apiKeys.update(id, { scopes: ['a'] }),
  disable: (apiKeys, id) => apiKeys.disable(id),
  'earlier expiry': (apiKeys, id) => apiKeys.update(id, { expiresAt: new Date(Date.now() + DAY_MS) }),
  'rotate, no grace': (apiKeys, id) => apiKeys.rotate(id, { gracePeriodMs: 0 }),
  delete: (apiKeys, id) => apiKeys.delete(id),
};

let failed = 0;
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(KINDS);
console.log(`${PROCESSES} processes, Node ${process.version}; times in ms after the change was written`);
console.log(
  `${'store'.padEnd(14)} ${'change'.padEnd(17)} ${'fault'.padEnd(9)} count      p50      p99      max`,
);
for (const name of names) await measure(name);
process.exitCode = failed === 0 ? 0 : 1;

async function measure(name) {
  const kind = KINDS[name];
  const server = await kind.start();
  try {
    await measureOn(name, kind, server);
  } finally {
    await server.stop();
  }
}

async function measureOn(name, kind, server) {
  const { store, prepare, close } = await kind.open(server.url);
  await prepare?.();
  await store.migrate?.();
  const apiKeys = createApiKeys({ store, prefix: 'acme' });
  const workers = await Promise.all(Array.from({ length: PROCESSES }, () => openWorker(name, server.url)));
  const context = { name, apiKeys, workers };
  // Until all of them listen: what they miss before is found by a look.
  await sleep(2_000);
  for (const change of Object.keys(CHANGES)) {
    await report(context, change, 'none', change === 'revoke' ? REVOCATIONS : OTHERS, kind.goal);
  }
  for (const [fault, begin] of Object.entries(kind.faults)) {
    const end = await begin(server.url, server);
    await sleep(500);
    await report(context, 'revoke', fault, REVOCATIONS, FAULT_GOAL);
    const told = await end();
    if (told !== undefined) console.log(`${''.padEnd(14)} (${told})`);
    // Until those who were cut off listen again.
    await sleep(20_000);
  }
  if (Object.keys(kind.faults).length > 0) await report(context, 'revoke', 'healed', OTHERS, kind.goal);
  for (const worker of workers) await worker.close();
  await apiKeys.close();
  await close();
}

async function report(context, change, fault, count, goal) {
  const times = [];
  while (times.length < count) times.push(...(await changeSome(context, CHANGES[change])));
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => percentile(times, share));
  const isGood = max <= goal.max && p99 <= (goal.p99 ?? goal.max);
  if (!isGood) failed += 1;
  const figures = [p50, p99, max].map((ms) => ms.toFixed(1).padStart(8)).join(' ');
  const head = `${context.name.padEnd(14)} ${change.padEnd(17)} ${fault.padEnd(9)}`;
  const wanted = `max ${goal.max}${goal.p99 === undefined ? '' : `, p99 ${goal.p99}`}`;
  console.log(`${head} ${String(times.length).padStart(5)} ${figures}  ${isGood ? 'ok' : 'NO'} (${wanted})`);
}

/** Changes a few keys that every process has taken, each at a moment of its own; answers how long each was taken. */
async function changeSome({ apiKeys, workers }, change) {
  const keys = [];
  const expiresAt = new Date(Date.now() + 7 * DAY_MS);
  for (let number = 0; number < AT_ONCE; number += 1) {
    const input = { name: 'bench', organization: { id: 'org_1' }, scopes: ['a', 'b'], expiresAt };
    const { key, apiKey } = await apiKeys.create(input);
    keys.push({ number, key, id: apiKey.id, version: apiKey.version });
  }
  const asking = workers.map((worker) => worker.ask(keys));
  await Promise.all(asking.map(({ taken }) => taken));
  const writtenAt = await Promise.all(
    keys.map(async ({ id }) => {
      await sleep(Math.random() * 1_000);
      await change(apiKeys, id);
      return process.hrtime.bigint();
    }),
  );
  const lastAt = await Promise.all(asking.map(({ over }) => over));
  return keys.map(({ number }) => {
    const latest = Math.max(...lastAt.map((ends) => Number(ends.get(number) - writtenAt[number])));
    return Math.max(0, latest / 1e6);
  });
}

async function openWorker(name, url) {
  const child = fork(WORKER, [name, url]);
  const [{ type }] = await once(child, 'message');
  if (type !== 'open') throw new Error('the process did not open its store');
  return {
    ask(keys) {
      const taken = collect(child, 'taken', keys.length);
      const over = collect(child, 'over', keys.length);
      child.send({ type: 'ask', keys });
      return { taken, over };
    },
    async close() {
      child.send({ type: 'close' });
      await once(child, 'exit');
    },
  };
}

/** What a process tells of each key, by number. */
function collect(child, type, count) {
  return new Promise((resolve, reject) => {
    const found = new Map();
    const timer = setTimeout(() => {
      reject(new Error(`only ${found.size} of ${count} keys were ${type} within ${PATIENCE_MS} ms`));
    }, PATIENCE_MS);
    const hear = (message) => {
      if (message.type !== type) return;
      found.set(message.number, BigInt(message.lastAt ?? 0));
      if (found.size < count) return;
      clearTimeout(timer);
      child.off('message', hear);
      resolve(found);
    };
    child.on('message', hear);
  });
}

function percentile(numbers, share) {
  return numbers.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(numbers.length * share) - 1)];
}
