// node bench/hit.mjs [--turns 600] [--requests light|plain|express]: what a key that the cache holds adds to a request, in process, on the build.
//
// The measure is the least that such a cache can cost: one SHA-256 of the text and one look-up in an lru-cache. Beside
// it are a prototype that does what a middleware has to (finds the header, hashes, looks up, checks the end, puts the
// key on the request, checks a scope) and ours, by layers. All are asked in turns, over the same 1,000 keys in random
// order; a ratio is the median of the ratios of single turns. Once with requests
// that have next to nothing behind their faces, so that ours is measured alone, once with requests of node:http and once
// with those that Express has prepared (see requests.mjs), each in a process of its own.
import { spawnSync } from 'node:child_process';
import { hash, randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { apiKeyAuth, createApiKeys, MemoryKeyStore, requireScope } from 'keystile';
import { LRUCache } from 'lru-cache';
import { copied, expressRequests, lightRequests, plainRequests } from './requests.mjs';
import { median, quantile, timeInTurns } from './turns.mjs';

const { values } = parseArgs({
  options: { turns: { type: 'string', default: '600' }, requests: { type: 'string' } },
});
if (values.requests === undefined) {
  const runs = ['light', 'plain', 'express'].map((kind) => {
    const args = [
      ...process.execArgv,
      fileURLToPath(import.meta.url),
      '--turns',
      values.turns,
      '--requests',
      kind,
    ];
    return spawnSync(process.execPath, args, { stdio: 'inherit' }).status;
  });
  process.exit(runs.every((status) => status === 0) ? 0 : 1);
}
const requestsFor = {
  light: lightRequests,
  plain: plainRequests,
  express: expressRequests,
}[values.requests];
const turns = Number(values.turns);
if (!Number.isInteger(turns) || turns < 10)
  throw new TypeError('--turns must be a whole number of at least 10');

const KEYS = 1_000;
const CALLS = 100;
const SCOPE = 'reports:read';
const organization = { id: 'org_1', slug: 'acme' };

const store = new MemoryKeyStore();
const apiKeys = createApiKeys({ store, cache: { ttlMs: 3_600_000 } });
const keys = [];
for (let i = 0; i < KEYS; i += 1) {
  const { key } = await apiKeys.create({ name: `Key ${i}`, organization, scopes: ['users:read', SCOPE] });
  await apiKeys.verify(key);
  keys.push(key);
}
const auth = apiKeyAuth(apiKeys);
const guard = requireScope(SCOPE);
const prototype = createPrototype();
/** Set by the last of a chain, so that nothing can be left out. */
let passed = 0;

const ways = [
  { name: 'SHA-256 and look-up', prepare: texts, run: runEach((text) => prototype.find(text)) },
  { name: 'a prototype', prepare: requests, run: runChain(prototype.auth, prototype.guard) },
  { name: 'keystile, with guard', prepare: requests, run: runChain(auth, guard), goal: 1.5 },
  { name: 'keystile, no guard', prepare: requests, run: runChain(auth) },
  { name: 'keystile, verify()', prepare: texts, run: runEach((text) => apiKeys.verify(text).ok) },
  { name: 'two empty middlewares', prepare: requests, run: runChain(pass, pass) },
  { name: 'a malformed key', prepare: malformed, run: runRefused(auth) },
];
const times = await timeInTurns(ways, { turns, warmUp: Math.min(200, turns), calls: CALLS });
const least = times.get('SHA-256 and look-up');
console.log(
  `Node ${process.version}, ${values.requests} requests, ${turns} turns of ${CALLS} calls, ns for one\n`,
);
console.log(`${''.padEnd(24)}  median      p10      p90    ratio`);
let failed = 0;
for (const { name, goal } of ways) {
  const all = times.get(name);
  const ratio = median(all.map((time, turn) => time / least[turn]));
  const isTooSlow = goal !== undefined && ratio > goal;
  if (isTooSlow) failed += 1;
  const figures = [median(all), quantile(all, 0.1), quantile(all, 0.9)].map((ns) =>
    ns.toFixed(0).padStart(8),
  );
  console.log(
    `${name.padEnd(24)}${figures.join(' ')} ${ratio.toFixed(2).padStart(8)}${isTooSlow ? '  NO' : ''}`,
  );
}
const hit = times.get('keystile, with guard');
tell('a malformed key to a hit', median(times.get('a malformed key').map((time, i) => time / hit[i])), 2);
tell('a miss, us beyond its store', await microsecondsOfMiss(), 100);
console.log(failed === 0 ? '\nAll within their goals.' : `\n${failed} beyond their goals.`);
process.exitCode = failed === 0 ? 0 : 1;
await apiKeys.close();

function tell(name, figure, goal) {
  if (figure > goal) failed += 1;
  console.log(`${name}: ${figure.toFixed(2)}, at most ${goal}${figure > goal ? '  NO' : ''}`);
}

function createPrototype() {
  const cache = new LRUCache({ max: 10_000 });
  for (const key of keys) {
    const apiKey = Object.freeze({ scopes: Object.freeze(['users:read', SCOPE]) });
    cache.set(hash('sha256', key, 'base64url'), { apiKey, expiresAt: Number.POSITIVE_INFINITY });
  }
  const find = (text) => cache.get(hash('sha256', text, 'base64url'));
  return {
    find,
    auth(req, _res, next) {
      const { rawHeaders } = req;
      for (let i = 0; i < rawHeaders.length; i += 2) {
        if (rawHeaders[i] !== 'Authorization') continue;
        const entry = find(rawHeaders[i + 1].slice(7));
        if (entry === undefined || Date.now() >= entry.expiresAt) throw new Error('refused');
        req.apiKey = entry.apiKey;
        next();
        return;
      }
    },
    guard(req, _res, next) {
      if (!req.apiKey.scopes.includes(SCOPE)) throw new Error('refused');
      next();
    },
  };
}

function texts() {
  return Array.from({ length: CALLS }, () => copied(keys[randomInt(KEYS)]));
}

function requests() {
  return requestsFor(texts());
}

/** Whole but for one character, which the checksum tells. */
function malformed() {
  return requestsFor(
    texts().map((text) => `${text.slice(0, 20)}${text[20] === 'x' ? 'y' : 'x'}${text.slice(21)}`),
  );
}

function pass(_req, _res, next) {
  next();
}

function done() {
  passed += 1;
}

/** As Express does, each layer has a `next` of its own. */
function runChain(first, second) {
  const run =
    second === undefined
      ? (req, res) => first(req, res, done)
      : (req, res) => first(req, res, () => second(req, res, done));
  return (inputs) => {
    passed = 0;
    for (const { req, res } of inputs) run(req, res);
    if (passed !== CALLS) throw new Error(`${passed} of ${CALLS} have passed`);
  };
}

function runEach(ask) {
  return (inputs) => {
    passed = 0;
    for (const text of inputs) if (ask(text)) passed += 1;
    if (passed !== CALLS) throw new Error(`${passed} of ${CALLS} have passed`);
  };
}

/** Without the writing of the answer, which Node does. */
function runRefused(first) {
  return (inputs) => {
    for (const { res } of inputs) res.end = done;
    passed = 0;
    for (const { req, res } of inputs) first(req, res, done);
    if (passed !== CALLS) throw new Error(`${passed} of ${CALLS} were answered`);
  };
}

/** Of a key that nobody has asked for, over a store that answers at once: nearly all of it is ours. */
async function microsecondsOfMiss() {
  const cold = createApiKeys({ store, cache: { maxEntries: 0, ttlMs: 0 } });
  const all = [];
  for (let round = 0; round < 3_000; round += 1) {
    const text = copied(keys[randomInt(KEYS)]);
    const start = performance.now();
    await cold.verify(text);
    all.push((performance.now() - start) * 1_000);
  }
  await cold.close();
  return median(all.slice(1_000));
}
