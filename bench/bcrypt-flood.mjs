// node bench/bcrypt-flood.mjs [--seconds 15] [--rate 200] [--cost 12]: wrong bcrypt secrets at a steady rate, half of
// them for ids that exist, each from an address of its own so that no limit stops them, and beside them keys of our own
// that are not in the cache. Prints what the main thread and those keys felt of it. Needs a build.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import bcrypt from 'bcryptjs';
import { createApiKeys, keyRecord, MemoryKeyStore } from 'keystile';
import { bcryptSecrets } from 'keystile/bcrypt';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '15' },
    rate: { type: 'string', default: '200' },
    cost: { type: 'string', default: '12' },
  },
});
const [seconds, rate, cost] = [values.seconds, values.rate, values.cost].map(Number);
const maxQueue = 64;
const keysPerSecond = 100;
const tickMs = 1;

const organization = { id: 'org_1' };
const digest = `bcrypt:${bcrypt.hashSync('open sesame', bcrypt.genSaltSync(cost))}`;
const store = new MemoryKeyStore([keyRecord({ id: 'acct_0', digest, organization })]);
const apiKeys = createApiKeys({ store, verifiers: [bcryptSecrets({ ids: /^acct_\d+$/, maxQueue })] });

const keys = [];
for (let i = 0; i < seconds * keysPerSecond; i += 1) {
  keys.push((await apiKeys.create({ name: 'bench', organization })).key);
}
// So that the thread runs and the code is warm.
await apiKeys.verifyPair('acct_0', 'wrong', { from: 'warm-up' });
for (let i = 0; i < 200; i += 1)
  await apiKeys.verify((await apiKeys.create({ name: 'warm', organization })).key);

const outcomes = {};
const keyTimes = [];
let sent = 0;
let waiting = 0;
let mostWaiting = 0;
const loop = monitorEventLoopDelay({ resolution: 1 });

async function guess() {
  const number = sent;
  sent += 1;
  waiting += 1;
  const id = number % 2 === 0 ? 'acct_0' : `acct_${number}`;
  const outcome = await outcomeOf(apiKeys.verifyPair(id, `wrong ${number}`, { from: `address ${number}` }));
  waiting -= 1;
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}

/** From the moment at which the request should have been sent, so that a loop that stands still is not overlooked. */
async function useKey(dueAt) {
  const { ok } = await apiKeys.verify(keys[keyTimes.length]);
  keyTimes.push(ok ? performance.now() - dueAt : Number.POSITIVE_INFINITY);
}

async function outcomeOf(verdict) {
  try {
    return (await verdict).reason ?? 'accepted';
  } catch (error) {
    return error.code ?? 'not an ApiKeyError';
  }
}

function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

const startedAt = performance.now();
loop.enable();
let used = 0;
const pending = [];
await new Promise((resolve) => {
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - startedAt;
    if (elapsedMs >= seconds * 1000) {
      clearInterval(timer);
      resolve();
      return;
    }
    for (; sent < (elapsedMs * rate) / 1000; ) pending.push(guess());
    for (; used < (elapsedMs * keysPerSecond) / 1000 && used < keys.length; used += 1) {
      pending.push(useKey(startedAt + (used * 1000) / keysPerSecond));
    }
    // Once those who were turned away are gone.
    setImmediate(() => {
      mostWaiting = Math.max(mostWaiting, waiting);
    });
  }, tickMs);
});
loop.disable();
const elapsed = (performance.now() - startedAt) / 1000;
const heldMs = { p50: loop.percentile(50) / 1e6, p99: loop.percentile(99) / 1e6, max: loop.max / 1e6 };
const sent503 = outcomes.temporarily_unavailable ?? 0;
await Promise.all(pending);
keyTimes.sort((a, b) => a - b);

const rows = [
  ['event loop delay, p50', heldMs.p50, undefined, 'ms'],
  ['event loop delay, p99', heldMs.p99, 20, 'ms'],
  ['event loop delay, max', heldMs.max, 50, 'ms'],
  ['keys of our own, p50', percentile(keyTimes, 0.5), undefined, 'ms'],
  ['keys of our own, p99', percentile(keyTimes, 0.99), 20, 'ms'],
  // One more is being compared.
  ['secrets that wait, most', Math.max(0, mostWaiting - 1), maxQueue, ''],
];
console.log(`Node ${process.version}, cost ${cost}: ${sent} wrong secrets in ${elapsed.toFixed(1)} s`);
console.log(`answers: ${JSON.stringify(outcomes)}; ${sent503} of the 503s during the flood, at once`);
console.log(`${keyTimes.length} keys of our own, ${keyTimes.filter((ms) => ms === Infinity).length} refused`);
for (const [name, figure, limit, unit] of rows) {
  const verdict =
    limit === undefined ? '' : figure <= limit ? `ok, at most ${limit}` : `FAILED, at most ${limit}`;
  console.log(`${name.padEnd(26)} ${figure.toFixed(2).padStart(8)} ${unit.padEnd(3)} ${verdict}`);
  if (verdict.startsWith('FAILED')) process.exitCode = 1;
}
