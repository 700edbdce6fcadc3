// Requests for a long time, while one key is rotated and one revoked each second. Nobody who ought to get in may be
// refused, nobody who ought not may get in, and the process that answers must not grow.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SqlKeyStore } from 'keystile/stores/sql';
import pg from 'pg';
import { seededRandom } from '../../bench/contest/rounds.mjs';
import { jwtOptions } from '../../bench/jwt-options.mjs';
import { zipfRanks } from '../../bench/scaling/zipf.mjs';
import { startServer } from '../../scripts/services.mjs';
import { openKeys } from './soak-api.mjs';
import { Answers, SoakKeys } from './soak-keys.mjs';
import { grown, slopeOf } from './soak-trend.mjs';

const SERVER = fileURLToPath(new URL('soak-server.mjs', import.meta.url));
const TICK_MS = 20;
const SAMPLE_MS = 10_000;
/** Until the engine has compiled what is hot. */
const SETTLING_MS = 600_000;
/**
 * So many times what a cache holds is put into it before the first sample: the table of a `Map` grows once more, by half a
 * megabyte for 10,000, when two thirds of its entries have been replaced.
 */
const FILLED_TIMES = 1.7;
/** With fewer samples, what comes and goes is not told from what stays. */
const FEWEST_SAMPLES = 12;
/** A slope over less than this is noise. */
const JUDGED_FROM_MS = 1_200_000;
const MOST_MB_PER_HOUR = 1;
const SOCKETS = 16;
/** Where so many wait for their answers, the machine has too much else to do, and no more are sent for now. */
const MOST_PENDING = 500;

/** @param {import('../parts.mjs').Plan} plan */
export async function run({ seed, scale, say }) {
  const seconds = Math.max(10, Math.round(3_600 * scale));
  const database = await startServer('postgres');
  const server = forkServer(database.url);
  const pool = new pg.Pool({ connectionString: database.url, max: 10 });
  // Without a listener, a connection that the server ends would end the process.
  pool.on('error', () => undefined);
  const store = new SqlKeyStore(pool);
  await store.migrate();
  const jwt = jwtOptions();
  const apiKeys = openKeys(store, jwt);
  try {
    const port = await server.open(jwt);
    const api = { apiKeys, port, sample: server.sample };
    const load = { keys: 10_000, seconds, perSecond: 500 };
    const soaked = await soak(api, load, { seed, say, ticks: wallTicks() });
    return rowsOf(soaked, load, await server.end());
  } finally {
    server.kill();
    await apiKeys.close();
    await pool.end();
    await database.stop();
  }
}

/**
 * @param {{ apiKeys: import('keystile').ApiKeys, port: number, sample: () => Promise<any> }} api the instance that
 *   changes keys, and the process that is asked
 * @param {{ keys: number, seconds: number, perSecond: number }} load
 * @param {{ seed: number, say: (text: string) => void, ticks: { now(): number, next(pending: Set<unknown>): Promise<void> } }} how
 */
export async function soak(
  { apiKeys, port, sample },
  { keys: count, seconds, perSecond },
  { seed, say, ticks },
) {
  const random = seededRandom(seed);
  const keys = new SoakKeys(apiKeys, random, ticks.now);
  const answers = new Answers();
  const samples = [];
  const pending = new Set();
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });
  let sent = 0;
  const launch = (promise) => {
    const one = promise
      .catch((error) => answers.problems.push(String(error?.stack)))
      .finally(() => pending.delete(one));
    pending.add(one);
  };
  const ask = async (text) => {
    sent += 1;
    const sentAt = ticks.now();
    answers.note(text, { ...(await request(port, agent, text.text)), sentAt, answeredAt: ticks.now() });
  };
  say(`making ${count} keys`);
  await keys.fill(count);
  await fillCaches(keys, count, ask);
  const nextRank = zipfRanks(count, 1, random);
  const pick = (turn) => {
    if (turn % 20 === 0) return keys.stranger();
    if (turn % 10 === 1) return keys.ended() ?? keys.current(1);
    return keys.current(nextRank());
  };
  const perTick = (perSecond * TICK_MS) / 1_000;
  const ticksOf = (ms) => ms / TICK_MS;
  for (let tick = 0; tick < ticksOf(seconds * 1_000); tick += 1) {
    if (tick % ticksOf(1_000) === 0) launch(keys.rotateOne());
    if (tick % ticksOf(1_000) === ticksOf(500)) launch(keys.revokeOne());
    for (let i = 0; i < perTick && pending.size < MOST_PENDING; i += 1) launch(ask(pick(sent)));
    if (tick % ticksOf(SAMPLE_MS) === 0)
      launch(sample().then((one) => samples.push({ ...one, at: tick * TICK_MS })));
    if (tick % ticksOf(60_000) === 0) say(`${tick / ticksOf(60_000)} min: ${lineOf(answers, samples)}`);
    await ticks.next(pending);
  }
  await Promise.all(pending);
  agent.destroy();
  return { requests: sent, counts: keys.counts, answers, samples };
}

/**
 * With more keys than a cache holds, all that will be asked for last, and with as many that are none: from here on nothing
 * is kept but in the place of something else. One stranger in four is looked up.
 */
async function fillCaches(keys, count, ask) {
  const passing = await keys.passing(Math.ceil((FILLED_TIMES - 1) * count));
  const strangers = Array.from({ length: 4 * FILLED_TIMES * count }, () => keys.stranger());
  const waiting = [...keys.texts, ...passing, ...strangers];
  while (waiting.length > 0) await Promise.all(waiting.splice(-100).map(ask));
}

function lineOf({ accepted, refused, unavailable, problems }, samples) {
  const { heapUsed = 0, rss = 0 } = samples.at(-1) ?? {};
  const sizes = `heap ${megabytes(heapUsed)} MB, RSS ${megabytes(rss)} MB`;
  return `${accepted} accepted, ${refused} refused, ${unavailable} unavailable, ${problems.length} wrong; ${sizes}`;
}

/** By the wall clock; what the machine was late with is caught up on. */
function wallTicks() {
  let due = performance.now();
  return {
    now: Date.now,
    async next() {
      due += TICK_MS;
      await sleep(Math.max(0, due - performance.now()));
    },
  };
}

function request(port, agent, text) {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${text}` };
    const sent = get({ port, host: '127.0.0.1', agent, headers }, (res) => {
      let body = '';
      res.setEncoding('utf8');
      res.on('data', (chunk) => {
        body += chunk;
      });
      res.on('end', () => resolve({ status: res.statusCode, id: JSON.parse(body).id }));
    });
    sent.on('error', (error) => resolve({ status: error.code, id: undefined }));
  });
}

function forkServer(url) {
  const child = fork(SERVER, [url], { execArgv: ['--expose-gc'] });
  const ended = once(child, 'exit');
  const answer = async (type, message) => {
    child.send(message);
    for (;;) {
      const [heard] = await Promise.race([
        once(child, 'message'),
        ended.then(() => Promise.reject(new Error('the server ended'))),
      ]);
      if (heard.type === type) return heard;
    }
  };
  return {
    kill: () => child.kill('SIGKILL'),
    open: async (jwt) => (await answer('open', { jwt })).port,
    sample: async () => (await answer('sample', { type: 'sample' })).sample,
    /** What it did not close keeps it alive. */
    async end() {
      child.send({ type: 'end' });
      const isOver = await Promise.race([ended.then(() => true), sleep(10_000, false)]);
      return isOver ? [] : ['the server did not end by itself once all was closed'];
    },
  };
}

/** @returns {import('../parts.mjs').Row[]} */
function rowsOf({ requests, counts, answers, samples }, { seconds, perSecond }, leftOpen) {
  return [
    trafficRow(requests, counts, answers, { seconds, perSecond }),
    processRow(samples, seconds, leftOpen),
  ];
}

export function trafficRow(requests, { rotated, revoked }, answers, { seconds, perSecond }) {
  const { accepted, refused, unavailable, falseAccepts, falseRefusals, latestMs } = answers;
  const problems = [...answers.problems];
  if (unavailable > 0) problems.push(`${unavailable} requests were answered 503 while nothing was down`);
  return {
    name: `${perSecond} requests/s for ${(seconds / 60).toFixed(1)} min`,
    iterations: requests,
    falseAccepts,
    falseRefusals,
    details:
      `${accepted} accepted, ${refused} refused, ${unavailable} unavailable; ${rotated} rotations, ${revoked} revocations; ` +
      `last accepted ${Math.max(0, latestMs)} ms after its end`,
    problems,
  };
}

function processRow(samples, seconds, leftOpen) {
  const settled = samples.filter(({ at }) => at >= SETTLING_MS);
  const judged = settled.length >= 3 ? settled : samples;
  const points = judged.map(({ at, heapUsed }) => ({ x: at / 3_600_000, y: heapUsed / 2 ** 20 }));
  const { slope, standardError } = slopeOf(points);
  const problems = [...leftOpen, ...samples.flatMap(({ incidents }) => incidents)];
  if (seconds * 1_000 >= JUDGED_FROM_MS && slope >= MOST_MB_PER_HOUR) {
    problems.push(`the heap grows by ${slope.toFixed(2)} MB an hour`);
  }
  for (const kind of judged.length >= FEWEST_SAMPLES ? ['handles', 'listeners'] : []) {
    const names = grown(judged.map((sample) => sample[kind]));
    if (names.length > 0) problems.push(`more and more ${kind}: ${names.join(', ')}`);
  }
  const last = judged.at(-1);
  return {
    name: 'the process that answers',
    iterations: samples.length,
    loopDelayMs: Math.max(...samples.map(({ loopDelayMs }) => loopDelayMs)),
    rssGrowthMb: (last.rss - judged[0].rss) / 2 ** 20,
    details:
      `heap ${megabytes(judged[0].heapUsed)} to ${megabytes(last.heapUsed)} MB, ${slope.toFixed(2)} +/- ${standardError.toFixed(2)} MB/h; ` +
      `handles ${JSON.stringify(last.handles)}; listeners ${JSON.stringify(last.listeners)}`,
    problems,
  };
}

function megabytes(bytes) {
  return (bytes / 2 ** 20).toFixed(2);
}
