// Random texts that are no keys, in very large numbers: refused by their shape, at no cost that lasts.
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import express from 'express';
import { apiKeyAuth, createApiKeys, MemoryKeyStore } from 'keystile';
import { seededRandom } from '../../bench/contest/rounds.mjs';
import { plainRequests } from '../../bench/requests.mjs';
import { median } from '../../bench/turns.mjs';
import { startGauges } from '../gauges.mjs';
import { askAtOnce, countStatuses, REFUSAL } from './asking.mjs';
import { CountingStore } from './counting-store.mjs';
import { malformedText, PREFIX } from './key-texts.mjs';

const MOST_TEXTS = 1_000_000;
const LEAST_TEXTS = 5_000;
const BATCH = 500;
const OVER_HTTP = 0.01;
const AT_ONCE_OVER_HTTP = 20;
const GOAL_HEAP_MB = 16;
const GOAL_CPU_US = 20;

/** @param {import('../parts.mjs').Plan} plan */
export async function textFlood({ seed, scale, say }) {
  const count = Math.max(LEAST_TEXTS, Math.round(MOST_TEXTS * scale));
  const store = new CountingStore(new MemoryKeyStore());
  // For as long as the flood lasts, so that each use of the good key has to be a hit.
  const cache = { ttlMs: 3_600_000 };
  const apiKeys = createApiKeys({
    store,
    prefix: PREFIX,
    cache,
    silence: ['late_without_watch', 'late_in_outage'],
  });
  const { key } = await apiKeys.create({ name: 'good', organization: { id: 'org_1' } });
  const bench = { auth: apiKeyAuth(apiKeys), store, key, random: seededRandom(seed) };
  await Promise.all(askAtOnce(bench.auth, [key]));
  say(`${count} texts in process`);
  const rows = [await floodInProcess(bench, count, scale)];
  say('some over HTTP');
  rows.push(await floodOverHttp(bench, Math.max(200, Math.round(count * OVER_HTTP))));
  await apiKeys.close();
  return rows;
}

async function floodInProcess(bench, count, scale) {
  // Code that is still to be compiled is neither a leak nor the cost of a request.
  await oneBatch(bench);
  const gauges = startGauges();
  const heapBefore = heapInUse();
  const callsBefore = bench.store.calls;
  const sums = { cpu: [], falseAccepts: 0, falseRefusals: 0, asked: 0, problems: new Set() };
  while (sums.asked < count) await oneBatch(bench, sums);
  const heapMb = (heapInUse() - heapBefore) / 2 ** 20;
  const { rssGrowthMb } = gauges.read();
  const calls = bench.store.calls - callsBefore;
  const cpuUs = median(sums.cpu);
  const problems = [...sums.problems].slice(0, 20);
  if (calls > 0) problems.push(`${calls} store calls for texts that are no keys`);
  if (isLong(scale) && heapMb >= GOAL_HEAP_MB) problems.push(`the heap grew by ${heapMb.toFixed(1)} MB`);
  if (isLong(scale) && cpuUs > GOAL_CPU_US) problems.push(`${cpuUs.toFixed(1)} us of CPU for a text`);
  return {
    name: 'texts that are no keys, in process',
    iterations: sums.asked,
    falseAccepts: sums.falseAccepts,
    falseRefusals: sums.falseRefusals,
    rssGrowthMb,
    details: `${calls} store calls, ${cpuUs.toFixed(1)} us CPU each, heap ${heapMb.toFixed(1)} MB`,
    problems,
  };
}

/** What is measured is the middleware: the requests are made before. */
async function oneBatch({ auth, key, random }, sums = { cpu: [], problems: new Set() }) {
  const texts = Array.from({ length: BATCH }, () => malformedText(random));
  const all = plainRequests(texts);
  const bodies = new Array(BATCH);
  all.forEach(({ res }, index) => {
    res.end = (body) => {
      bodies[index] = body;
    };
  });
  const before = process.cpuUsage();
  all.forEach(({ req, res }, index) => {
    auth(req, res, () => {
      bodies[index] = 'accepted';
    });
  });
  const { user, system } = process.cpuUsage(before);
  sums.cpu.push((user + system) / BATCH);
  sums.asked += BATCH;
  texts.forEach((text, index) => {
    if (all[index].res.statusCode === 401 && bodies[index] === REFUSAL) return;
    if (bodies[index] === 'accepted') sums.falseAccepts += 1;
    sums.problems.add(`${JSON.stringify(text)} was answered ${all[index].res.statusCode} ${bodies[index]}`);
  });
  const [good] = await Promise.all(askAtOnce(auth, [key]));
  if (good.status !== 200) sums.falseRefusals += 1;
  if (good.status !== 200 || !good.wasAtOnce) sums.problems.add('the good key was no hit any more');
  await nextTurn();
}

async function floodOverHttp({ auth, store, key, random }, count) {
  const app = express();
  app.use(auth);
  app.use((_req, res) => res.sendStatus(200));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE_OVER_HTTP });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const ask = (text) => askOverHttp({ port, agent }, text);
  const texts = Array.from({ length: count }, () => malformedText(random));
  const callsBefore = store.calls;
  const answers = await Promise.all(texts.map(ask));
  const good = await Promise.all(Array.from({ length: AT_ONCE_OVER_HTTP }, () => ask(key)));
  agent.destroy();
  server.close();
  await once(server, 'close');
  const wrong = texts.filter((_, i) => answers[i].status !== 401 || answers[i].body !== REFUSAL);
  const problems = wrong.slice(0, 20).map((text) => `${JSON.stringify(text)} was not answered as it should`);
  const falseRefusals = good.filter(({ status }) => status !== 200).length;
  if (falseRefusals > 0) problems.push(`good keys: ${JSON.stringify(countStatuses(good))}`);
  if (store.calls > callsBefore) problems.push(`${store.calls - callsBefore} store calls over HTTP`);
  return {
    name: 'texts that are no keys, over HTTP',
    iterations: count,
    falseAccepts: answers.filter(({ status }) => status === 200).length,
    falseRefusals,
    details: JSON.stringify(countStatuses(answers)),
    problems,
  };
}

function askOverHttp({ port, agent }, text) {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${text}` };
    const sent = get({ port, host: '127.0.0.1', agent, headers }, (res) => {
      let body = '';
      res.setEncoding('utf8');
      res.on('data', (piece) => {
        body += piece;
      });
      res.on('end', () => resolve({ status: res.statusCode, body }));
    });
    sent.on('error', (error) => resolve({ status: error.message, body: '' }));
  });
}

function heapInUse() {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** Times and memory are judged where there is enough of them to tell a fault from noise. */
function isLong(scale) {
  return scale >= 0.1;
}
