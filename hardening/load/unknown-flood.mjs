// Texts that only a store can tell from keys: right prefix, right checksum, and nobody's. Beside them good keys in use.
import { apiKeyAuth, createApiKeys, MemoryKeyStore } from 'keystile';
import { seededRandom } from '../../bench/contest/rounds.mjs';
import { startGauges } from '../gauges.mjs';
import { askAtOnce, countStatuses } from './asking.mjs';
import { CountingStore } from './counting-store.mjs';
import { below, PREFIX, unknownKeyText } from './key-texts.mjs';

const MOST_TEXTS = 1_000_000;
const LEAST_TEXTS = 5_000;
const GOOD_KEYS = 1_000;
const WAVE = 100;
/** What waits for a place is given up then, and a busy machine must not look like a full store. */
const STORE_TIMEOUT_MS = 60_000;
const GOAL_HIT_RATE = 0.99;
const GOAL_RSS_MB = 64;

/** As docs/architecture.md says: look-ups that are with the store at one time, and those that may wait for a place. */
const MOST_WITH_STORE = 64;
const MOST_WAITING = 10_000;
const BURST = 12_000;
/** It takes as long as a small flood. */
const LEAST_SCALE_OF_BURST = 0.02;

/** @param {import('../parts.mjs').Plan} plan */
export async function unknownFlood({ seed, scale, say }) {
  const count = Math.max(LEAST_TEXTS, Math.round(MOST_TEXTS * scale));
  say(`${count} well-formed texts beside ${GOOD_KEYS} good keys`);
  const steady = await steadyFlood(await openBench(seed), count, scale);
  if (scale < LEAST_SCALE_OF_BURST) return [steady];
  say(`${BURST} of them at once`);
  return [steady, await burst(await openBench(seed + 1))];
}

async function openBench(seed) {
  const memory = new MemoryKeyStore();
  const store = new CountingStore(memory);
  // No good key is read again for its age: that one is looked up can only mean that it was pushed out.
  const cache = { ttlMs: 3_600_000 };
  const silence = ['late_without_watch', 'late_in_outage'];
  const apiKeys = createApiKeys({ store, prefix: PREFIX, cache, silence, storeTimeoutMs: STORE_TIMEOUT_MS });
  const keys = [];
  for (let i = 0; i < GOOD_KEYS; i += 1) {
    keys.push((await apiKeys.create({ name: `Key ${i}`, organization: { id: 'org_1' } })).key);
  }
  const auth = apiKeyAuth(apiKeys);
  // All but a few, which are asked for the first time in the middle of the flood.
  const cold = keys.splice(-GOOD_KEYS / 20);
  await Promise.all(askAtOnce(auth, keys));
  store.mostAtOnce = 0;
  return { apiKeys, auth, store, keys, cold, random: seededRandom(seed) };
}

async function steadyFlood({ apiKeys, auth, store, keys, cold, random }, count, scale) {
  const sums = { unknown: {}, good: {}, hits: 0, asked: 0 };
  const gauges = startGauges();
  const missedBefore = store.missed;
  let strangers = [];
  for (let sent = 0; sent < count; sent += WAVE) {
    strangers = Array.from({ length: WAVE }, () => unknownKeyText(random));
    const used = Array.from({ length: WAVE }, () => keys[below(random, keys.length)]);
    const refused = askAtOnce(auth, strangers);
    const known = await Promise.all([...askAtOnce(auth, used), ...askAtOnce(auth, cold.splice(-1))]);
    sums.asked += WAVE;
    sums.hits += known.slice(0, WAVE).filter(({ status, wasAtOnce }) => status === 200 && wasAtOnce).length;
    add(sums.good, known);
    add(sums.unknown, await Promise.all(refused));
  }
  const { loopDelayMs, rssGrowthMb } = gauges.read();
  const misses = store.missed - missedBefore;
  const callsBefore = store.calls;
  await Promise.all(askAtOnce(auth, strangers));
  const repeated = store.calls - callsBefore;
  await apiKeys.close();

  const hitRate = sums.hits / sums.asked;
  const { unknown, good } = sums;
  const answered = (unknown[401] ?? 0) + (unknown[503] ?? 0);
  const told = `unknown keys ${JSON.stringify(unknown)}, good keys ${JSON.stringify(good)}`;
  const problems = problemsOf([
    [answered === count, `answers that are neither 401 nor 503: ${told}`],
    [(good[200] ?? 0) + (good[503] ?? 0) >= sums.asked, `good keys were refused: ${told}`],
    [hitRate >= GOAL_HIT_RATE, `only ${(hitRate * 100).toFixed(2)} % of the good keys were hits`],
    [misses <= count, `${misses} store calls for ${count} unknown keys`],
    [misses >= count * 0.9, `only ${misses} of ${count} unknown keys reached the store: no flood`],
    [store.mostAtOnce <= MOST_WITH_STORE, `${store.mostAtOnce} look-ups at one time`],
    [repeated === 0, `${repeated} of ${WAVE} keys that were just unknown were looked up again`],
    [scale < 0.1 || rssGrowthMb <= GOAL_RSS_MB, `the process grew by ${rssGrowthMb.toFixed(1)} MB`],
  ]);
  return {
    name: 'unknown keys beside good ones',
    iterations: count,
    falseAccepts: unknown[200] ?? 0,
    falseRefusals: good[401] ?? 0,
    loopDelayMs,
    rssGrowthMb,
    details:
      `hits ${(hitRate * 100).toFixed(2)} %, ${misses} store calls, ${repeated} for repeated ones, ` +
      `at most ${store.mostAtOnce} at one time; 503: ${good[503] ?? 0} good, ${unknown[503] ?? 0} unknown`,
    problems,
  };
}

/** More at once than may wait: those are told to come again, and whoever is in the cache notices nothing. */
async function burst({ apiKeys, auth, store, keys, random }) {
  const strangers = askAtOnce(
    auth,
    Array.from({ length: BURST }, () => unknownKeyText(random)),
  );
  const known = await Promise.all(askAtOnce(auth, keys));
  const counts = countStatuses(await Promise.all(strangers));
  await apiKeys.close();
  const good = countStatuses(known);
  const told = `unknown keys ${JSON.stringify(counts)}, good keys ${JSON.stringify(good)}`;
  const problems = problemsOf([
    [(counts[401] ?? 0) + (counts[503] ?? 0) === BURST, `answers that are neither 401 nor 503: ${told}`],
    [(counts[503] ?? 0) >= BURST - MOST_WITH_STORE - MOST_WAITING, `more waited than may: ${told}`],
    [good[200] === keys.length, `good keys were not all accepted: ${told}`],
    [store.mostAtOnce <= MOST_WITH_STORE, `${store.mostAtOnce} look-ups at one time`],
  ]);
  return {
    name: 'unknown keys, more than may wait',
    iterations: BURST,
    falseAccepts: counts[200] ?? 0,
    falseRefusals: good[401] ?? 0,
    details: `${JSON.stringify(counts)}, at most ${store.mostAtOnce} look-ups at one time`,
    problems,
  };
}

function add(sums, answers) {
  for (const [status, count] of Object.entries(countStatuses(answers))) {
    sums[status] = (sums[status] ?? 0) + count;
  }
}

/** @param {[isRight: boolean, problem: string][]} checks */
function problemsOf(checks) {
  return checks.filter(([isRight]) => !isRight).map(([, problem]) => problem);
}
