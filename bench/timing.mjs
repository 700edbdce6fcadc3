// Whether the time of an answer tells what a refusal does not: `node bench/timing.mjs [--samples 50000] [--only bcrypt]`,
// on the build.
//
// Two classes of input are asked about in random order, and Welch's t says whether their times differ: below 4.5 in
// two of three runs is no difference that this can see. Slow samples are cut off at a hundred places, as dudect does,
// and the largest |t| counts, so that a small difference does not drown in what the machine did besides.
//
// What is compared has to be made in one way, or it differs by how it was made: every text is copied out of a buffer
// just before it is used. Nothing is cached, so that each look-up is really done. The controls plant a difference, which
// has to be seen.
import { createHash, randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';
import bcrypt from 'bcryptjs';
import { createApiKeys, foreignKeys, keyPairs, keyRecord, MemoryKeyStore } from 'keystile';
import { bcryptSecrets } from 'keystile/bcrypt';

const RUNS = 3;
/** What the classes of a comparison have to be, and in how many runs. */
const GOALS = {
  alike: { fits: ({ t }) => t < 4.5, atLeast: 2 },
  apart: { fits: ({ t }) => t > 100, atLeast: RUNS },
};
/** Where fewer are left of a class, nothing is proved. */
const FEWEST_SAMPLES = 100;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const organization = { id: 'org_1' };

const { values } = parseArgs({
  options: { samples: { type: 'string', default: '50000' }, only: { type: 'string', default: '' } },
});
const samples = Number(values.samples);
if (!Number.isInteger(samples) || samples < 1_000) {
  throw new TypeError(`--samples must be a whole number of at least 1000, but got ${values.samples}`);
}
/** A comparison by bcrypt takes a thousand times as long as a look-up. */
const bcryptSamples = Math.max(1_000, Math.round(samples / 25));

/** Each opens anew what it asks: two lists of inputs, all of one length, and how to ask. */
const comparisons = [
  { name: 'pair: unknown id / wrong secret', open: openPairs },
  { name: 'key: wrong at character 8 / 39', open: openOwnKeys },
  { name: 'foreign key: wrong at character 8 / 44', open: openForeignKeys },
  { name: 'key: unknown / revoked', open: openRevoked },
  { name: 'bcrypt: unknown id / wrong secret', open: openBcrypt, count: bcryptSamples },
  { name: 'control: the same keys twice', open: openSame },
  { name: 'control: unknown id returns early', open: openEarlyReturn, goal: 'apart' },
  { name: 'control: compare leaves early', open: openEarlyExit, goal: 'apart' },
];

console.log(`Node ${process.version}, ${samples} samples of each class, ${bcryptSamples} with bcrypt\n`);
console.log(
  `${'first / second class'.padEnd(40)} |t| of ${RUNS} runs         difference     median   verdict`,
);
let failed = 0;
for (const comparison of comparisons.filter(({ name }) => name.includes(values.only))) {
  const runs = [];
  for (let run = 0; run < RUNS; run += 1) {
    runs.push(judge(await measure(await comparison.open(), comparison.count ?? samples)));
  }
  if (!report(comparison, runs)) failed += 1;
}
console.log(failed === 0 ? '\nAll as it should be.' : `\n${failed} not as it should be.`);
process.exitCode = failed === 0 ? 0 : 1;

function report({ name, goal = 'alike' }, runs) {
  const { fits, atLeast } = GOALS[goal];
  const isGood = runs.filter(fits).length >= atLeast;
  const { difference, median } = runs.toSorted((a, b) => a.t - b.t)[Math.floor(RUNS / 2)];
  const ts = runs.map(({ t }) => t.toFixed(1).padStart(7)).join(' ');
  const verdict = `${goal}: ${isGood ? 'yes' : 'NO'}`;
  console.log(`${name.padEnd(40)} ${ts} ${nanoseconds(difference)} ${nanoseconds(median)}   ${verdict}`);
  return isGood;
}

function nanoseconds(ms) {
  return `${Math.round(ms * 1e6).toLocaleString('en')} ns`.padStart(12);
}

/** Milliseconds of each sample, by class. */
async function measure({ ask, classes, expected }, count) {
  const inputs = classes.map(packed);
  for (const [index, take] of inputs.entries()) {
    const verdict = await ask(...take());
    if (verdict?.reason !== expected[index])
      throw new Error(`expected ${expected[index]}, got ${verdict?.reason}`);
  }
  const times = inputs.map(() => new Float64Array(count));
  for (let i = -Math.min(5_000, count); i < count; i += 1) {
    // Timers and the threads of others get their turn, but not while a sample is taken.
    if (i % 32 === 0) await setImmediate();
    const isSwapped = randomInt(2) === 1;
    for (const one of isSwapped ? [1, 0] : [0, 1]) {
      const [first, second] = inputs[one]();
      const start = performance.now();
      await ask(first, second);
      const ms = performance.now() - start;
      if (i >= 0) times[one][i] = ms;
    }
  }
  return times;
}

/** Answers the inputs in turn, each as new texts of one and the same kind. */
function packed(inputs) {
  const lengths = inputs[0].map((text) => text.length);
  const bytes = Buffer.from(inputs.flat().join(''), 'latin1');
  const width = lengths[0] + (lengths[1] ?? 0);
  if (bytes.length !== width * inputs.length) throw new Error('the inputs differ in length');
  let next = 0;
  return () => {
    const at = (next++ % inputs.length) * width;
    return [bytes.latin1Slice(at, at + lengths[0]), bytes.latin1Slice(at + lengths[0], at + width)];
  };
}

/** The largest |t| of all cuts; the difference of what lies below the 80th percentile, and the median of all. */
function judge([first, second]) {
  const sorted = Float64Array.from([...first, ...second]).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const cuts = [Infinity, ...Array.from({ length: 100 }, (_, i) => at(1 - 0.5 ** ((10 * (i + 1)) / 100)))];
  const t = Math.max(...cuts.map((cut) => Math.abs(welch(moments(first, cut), moments(second, cut)))));
  const difference = moments(second, at(0.8)).mean - moments(first, at(0.8)).mean;
  return { t, difference, median: at(0.5) };
}

function moments(times, cut) {
  let n = 0;
  let mean = 0;
  let squares = 0;
  for (const time of times) {
    if (time >= cut) continue;
    n += 1;
    const delta = time - mean;
    mean += delta / n;
    squares += delta * (time - mean);
  }
  return { n, mean, variance: squares / (n - 1) };
}

function welch(a, b) {
  if (Math.min(a.n, b.n) < FEWEST_SAMPLES) return 0;
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.n + b.variance / b.n);
}

/** As many inputs that nobody is told "too many wrong secrets". */
function inputCount() {
  return Math.ceil(samples / 6);
}

/** Records and texts of keys, made by `create()`: `stored` of them are in the store, and as many are not. */
async function makeKeys(stored, kind) {
  const source = new MemoryKeyStore();
  const maker = createApiKeys({ store: source, verifiers: [keyPairs()] });
  const records = [];
  const known = [];
  const unknown = [];
  for (let i = 0; i < 2 * stored; i += 1) {
    const { key, secret, apiKey } = await maker.create({ name: 'timing', organization, kind });
    const isKnown = i % 2 === 0;
    (isKnown ? known : unknown).push({ key, secret });
    if (isKnown) records.push(await source.findById(apiKey.id));
  }
  await maker.close();
  return { records, known, unknown };
}

function openKeys(records, verifiers = []) {
  return createApiKeys({ store: new MemoryKeyStore(records), verifiers, cache: false });
}

/** Everybody with the secret of the next one. */
function withWrongSecrets(pairs) {
  return pairs.map(({ key }, i) => [key, pairs[(i + 1) % pairs.length].secret]);
}

async function openPairs() {
  const { records, known, unknown } = await makeKeys(inputCount(), 'pair');
  const apiKeys = openKeys(records, [keyPairs()]);
  return {
    classes: [withWrongSecrets(unknown), withWrongSecrets(known)],
    expected: ['unknown', 'unknown'],
    ask: (id, secret) => apiKeys.verifyPair(id, secret),
  };
}

/**
 * Of many keys, so that no class depends on where in the store's map its few texts happen to lie. `sk_live_` are
 * characters 0 to 7, and 40 to 45 are the checksum.
 */
async function openOwnKeys() {
  const { records, known } = await makeKeys(1_000, 'opaque');
  const apiKeys = openKeys(records);
  const wrongAt =
    (at) =>
    ({ key }) =>
      others(key, at).map((text) => [withChecksum(text.slice(0, -6))]);
  return {
    classes: [8, 39].map((at) => known.flatMap(wrongAt(at))),
    expected: ['unknown', 'unknown'],
    ask: (text) => apiKeys.verify(text),
  };
}

async function openForeignKeys() {
  const digest = (text) => `sha256:${createHash('sha256').update(text).digest('base64url')}`;
  const good = Array.from({ length: 1_000 }, () => `zz_${randomBase62(45)}`);
  const records = good.map((text, i) => keyRecord({ id: `zz${i}`, digest: digest(text), organization }));
  const shape = {
    name: 'zz',
    matches: /zz_[0-9A-Za-z]{45}/,
    examples: good,
    digests: (text) => [digest(text)],
  };
  const apiKeys = openKeys(records, [foreignKeys(shape)]);
  return {
    classes: [8, 44].map((at) => good.flatMap((key) => others(key, at).map((text) => [text]))),
    expected: ['unknown', 'unknown'],
    ask: (text) => apiKeys.verify(text),
  };
}

async function openRevoked() {
  const { records, known, unknown } = await makeKeys(2_000, 'opaque');
  const apiKeys = openKeys(records.map((record) => ({ ...record, revokedAt: new Date(0) })));
  return {
    classes: [unknown, known].map((keys) => keys.map(({ key }) => [key])),
    expected: ['unknown', 'revoked'],
    ask: (text) => apiKeys.verify(text),
  };
}

async function openBcrypt() {
  const ids = Array.from({ length: 200 }, (_, i) => String(100_000 + i));
  const records = ids
    .filter((_, i) => i % 2 === 0)
    .map((id) => keyRecord({ id, organization, digest: `bcrypt:${bcrypt.hashSync(`right ${id}`, 4)}` }));
  const shape = { ids: /^\d{6}$/, triesPerMinute: 10_000 };
  const apiKeys = openKeys(records, [bcryptSecrets(shape)]);
  const inputsOf = (rest) => ids.filter((_, i) => i % 2 === rest).map((id) => [id, `wrong ${id}`]);
  // The first hash that is met tells what an unknown id has to cost.
  await apiKeys.verifyPair(ids[0], 'wrong');
  return {
    classes: [inputsOf(1), inputsOf(0)],
    expected: ['unknown', 'unknown'],
    ask: (id, secret) => apiKeys.verifyPair(id, secret),
  };
}

async function openSame() {
  const { ask, classes, expected } = await openOwnKeys();
  return { ask, expected, classes: [classes[0], classes[0]] };
}

/** What an early return for an unknown id would do to the first comparison. */
async function openEarlyReturn() {
  const { ask, classes, expected } = await openPairs();
  const ids = new Set(classes[1].map(([id]) => id));
  const refused = Object.freeze({ ok: false, reason: 'unknown' });
  return { classes, expected, ask: async (id, secret) => (ids.has(id) ? ask(id, secret) : refused) };
}

/** What a compare that leaves at the first difference tells, with nothing around it. */
async function openEarlyExit() {
  const good = `zz_${'a1B2c3D4e'.repeat(5)}`;
  const refused = Object.freeze({ ok: false, reason: 'unknown' });
  return {
    classes: [8, 44].map((at) => others(good, at).map((text) => [text])),
    expected: ['unknown', 'unknown'],
    ask(text) {
      for (let i = 0; i < good.length; i += 1) if (text[i] !== good[i]) return refused;
      return undefined;
    },
  };
}

function randomBase62(length) {
  return Array.from({ length }, () => BASE62[randomInt(62)]).join('');
}

/** All texts that differ from one at one place, by another letter or digit. */
function others(text, at) {
  return [...BASE62]
    .filter((character) => character !== text[at])
    .map((character) => text.slice(0, at) + character + text.slice(at + 1));
}

function withChecksum(body) {
  let rest = crc32(body);
  let digits = '';
  for (let i = 0; i < 6; i += 1) {
    digits = BASE62[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return body + digits;
}
