// What a key that the cache holds costs, by kind: `node bench/kinds.mjs`, on the build.
//
// All kinds are asked about in turns, in one process and over one cache, so that whatever the machine does meets each of
// them; the median of many turns counts. The goal is 1.2 times an opaque key at most. Texts are new for each call, as
// those of requests are.
import { performance } from 'node:perf_hooks';
import bcrypt from 'bcryptjs';
import { createApiKeys, keyPairs, MemoryKeyStore } from 'keystile';
import { bcryptSecrets } from 'keystile/bcrypt';
import { jwtKeys } from 'keystile/jwt';
import { jwtOptions } from './jwt-options.mjs';

const TURNS = 400;
const WARM_UP = 100;
const CALLS = 500;
const GOAL = 1.2;
const organization = { id: 'org_1' };

const apiKeys = createApiKeys({
  store: new MemoryKeyStore(),
  verifiers: [keyPairs(), bcryptSecrets({ ids: /^acct_\d+$/ }), jwtKeys(jwtOptions())],
  cache: { ttlMs: 3_600_000 },
});
const kinds = await makeKinds();
for (const { name, parts, verify } of kinds) {
  await verify(...parts);
  const hit = verify(...parts);
  if (hit.ok !== true) throw new Error(`${name} is not in the cache`);
}

for (let turn = -WARM_UP; turn < TURNS; turn += 1) {
  for (const kind of kinds) {
    const nanoseconds = timeOf(kind);
    if (turn >= 0) kind.times.push(nanoseconds);
  }
}

const opaque = median(kinds[0].times);
console.log(`Node ${process.version}, median of ${TURNS} turns of ${CALLS} calls\n`);
console.log(`${'kind'.padEnd(24)} characters   median    ratio`);
let failed = 0;
for (const { name, parts, times } of kinds) {
  const ratio = median(times) / opaque;
  if (ratio > GOAL) failed += 1;
  const length = String(parts.join('').length).padStart(10);
  const cost = `${Math.round(median(times))} ns`.padStart(8);
  console.log(
    `${name.padEnd(24)} ${length} ${cost} ${ratio.toFixed(2).padStart(8)}${ratio > GOAL ? '  NO' : ''}`,
  );
}
console.log(failed === 0 ? `\nAll within ${GOAL}.` : `\n${failed} above ${GOAL}.`);
process.exitCode = failed === 0 ? 0 : 1;
await apiKeys.close();

function timeOf({ parts, verify }) {
  const texts = Array.from({ length: CALLS }, () => parts.map(copied));
  const start = performance.now();
  for (const [first, second] of texts) verify(first, second);
  return ((performance.now() - start) * 1e6) / CALLS;
}

function copied(text) {
  return Buffer.from(text, 'latin1').latin1Slice();
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

async function makeKinds() {
  const input = { name: 'bench', organization };
  const opaqueKey = await apiKeys.create(input);
  const pair = await apiKeys.create({ ...input, kind: 'pair' });
  const jwt = await apiKeys.create({ ...input, kind: 'jwt' });
  const [id, secret] = ['acct_1', 'correct-horse-battery-staple'];
  await apiKeys.import([{ ...input, id, kind: 'pair', digest: `bcrypt:${bcrypt.hashSync(secret, 4)}` }]);
  const one = (text) => apiKeys.verify(text);
  const two = (first, second) => apiKeys.verifyPair(first, second);
  return [
    { name: 'opaque', parts: [opaqueKey.key], verify: one, times: [] },
    { name: 'pair, in two parts', parts: [pair.key, pair.secret], verify: two, times: [] },
    { name: 'pair, as one text', parts: [`${pair.key}.${pair.secret}`], verify: one, times: [] },
    { name: 'bcrypt, in two parts', parts: [id, secret], verify: two, times: [] },
    { name: 'bcrypt, as one text', parts: [`${id}.${secret}`], verify: one, times: [] },
    { name: 'JWT', parts: [jwt.key], verify: one, times: [] },
  ];
}
