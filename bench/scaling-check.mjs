// node bench/scaling-check.mjs [SECONDS]: the simulation of bench/scaling.mjs held against four processes over one PostgreSQL,
// which count the look-ups of their stores and the delay of revocations by the TTL alone. It takes the built package.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createApiKeys } from 'keystile';
import { SqlKeyStore } from 'keystile/stores/sql';
import pg from 'pg';
import { startServer } from '../scripts/services.mjs';
import { simulate } from './scaling/simulation.mjs';
import { median } from './turns.mjs';

const WORKER = fileURLToPath(new URL('scaling-worker.mjs', import.meta.url));
const seconds = Number(process.argv[2] ?? 20);
const MOST_OFF = 0.1;
const REVOKED = 30;
const PLANS = [
  { skew: 1, perSecond: 200, ttlMs: 2_000, maxEntries: 10_000 },
  { skew: 0.6, perSecond: 200, ttlMs: 2_000, maxEntries: 10_000 },
  { skew: 1, perSecond: 200, ttlMs: 2_000, maxEntries: 50 },
].map((plan) => ({ processes: 4, keys: 2_000, watch: 'none', pollMs: 1_000, seconds, ...plan }));

const server = await startServer('postgres');
const pool = new pg.Pool({ connectionString: server.url });
// A server that stops ends connections that are idle.
pool.on('error', () => undefined);
const store = new SqlKeyStore(pool, { watch: false });
await store.migrate();
const apiKeys = createApiKeys({ store, prefix: 'acme' });
try {
  for (const plan of PLANS) await check(plan);
} finally {
  await apiKeys.close();
  await pool.end();
  await server.stop();
}

async function check(plan) {
  const made = [];
  for (let i = 0; i < plan.keys; i += 1) {
    const { key, apiKey } = await apiKeys.create({ name: `Key ${i}`, organization: { id: 'org_1' } });
    made.push({ key, id: apiKey.id });
  }
  const workers = await Promise.all(Array.from({ length: plan.processes }, (_, i) => startWorker(i + 1)));
  for (const worker of workers) worker.send({ type: 'begin', plan, texts: made.map(({ key }) => key) });
  await sleep(2 * plan.ttlMs);
  const counts = () => Promise.all(workers.map((worker) => ask(worker, 'count')));
  const [before, start] = [await counts(), performance.now()];
  await sleep(seconds * 1_000);
  const [after, time] = [await counts(), (performance.now() - start) / 1_000];
  const sum = (all, what) => all.reduce((total, one) => total + one[what], 0);
  const perSecond = (what) => (sum(after, what) - sum(before, what)) / time;
  const expected = simulate({ ...plan, seconds: 300, perSecond: perSecond('requests') / plan.processes });
  console.log(
    `skew ${plan.skew}, ${plan.maxEntries} entries, ${perSecond('requests').toFixed(0)} requests/s in ${plan.processes} processes`,
  );
  compare('look-ups/s', perSecond('lookUps'), expected.lookUps);
  await checkDelay(workers, made, plan);
}

/** Of the most frequent keys, so that each is asked about all the time. */
async function checkDelay(workers, made, plan) {
  const revokedAt = [];
  for (const { id } of made.slice(0, REVOKED)) {
    await apiKeys.revoke(id);
    revokedAt.push(Date.now());
  }
  await sleep(2 * plan.ttlMs);
  const answers = await Promise.all(workers.map((worker) => ask(worker, 'end')));
  for (const worker of workers) worker.disconnect();
  const delays = revokedAt.map((at, number) => {
    const last = answers.map(({ lastTaken }) => new Map(lastTaken).get(number) ?? at);
    return Math.max(0, Math.max(...last) - at);
  });
  const late = Math.max(...delays);
  console.log(
    `  revoked keys: taken ${median(delays)} ms longer (median), at most ${late} of ${plan.ttlMs} ms`,
  );
  if (late > plan.ttlMs + 100) process.exitCode = 1;
}

function compare(what, measured, simulated) {
  const off = measured / simulated - 1;
  if (Math.abs(off) > MOST_OFF) process.exitCode = 1;
  console.log(
    `  ${what}: measured ${measured.toFixed(1)}, simulated ${simulated.toFixed(1)}, ${(off * 100).toFixed(1)} % off`,
  );
}

async function startWorker(seed) {
  const worker = fork(WORKER, [server.url, String(seed)]);
  await once(worker, 'message');
  return worker;
}

async function ask(worker, type) {
  worker.send({ type });
  const [answer] = await once(worker, 'message');
  return answer;
}
