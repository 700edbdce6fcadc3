// node bench/memory.mjs [KEYS]: what one cached key holds of the heap, on the build.
//
// Records as a service with many tenants has them: a name, an organization of which each has a hundred keys, a user, three
// scopes of one of twenty roles, three dates. The store makes each record when it is asked, from texts of its own, as
// a driver does; nothing but the cache keeps any of it.
import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createApiKeys, foreignKeys, keyRecord } from 'keystile';
import { copied } from './requests.mjs';

const most = Number(process.argv[2] ?? 100_000);
const ROLES = 20;
const KEYS_OF_AN_ORGANIZATION = 100;
const BYTES_GOAL = 700;
const DEFAULT_CACHE = 10_000;
const DEFAULT_GOAL = 7e6;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

let failed = 0;
// So that the code that runs is there before anything is counted.
await bytesOf(2_000);
console.log(`Node ${process.version}`);
const bytes = (await bytesOf(most)) / most;
report(`bytes for each of ${most} keys`, bytes.toFixed(0), bytes <= BYTES_GOAL, BYTES_GOAL);
const megabytes = (await bytesOf(DEFAULT_CACHE)) / 1e6;
report(`MB for ${DEFAULT_CACHE}, the default`, megabytes.toFixed(2), megabytes * 1e6 <= DEFAULT_GOAL, 7);
process.exitCode = failed === 0 ? 0 : 1;

function report(name, figure, isGood, goal) {
  if (!isGood) failed += 1;
  console.log(`${name.padEnd(34)} ${figure.padStart(6)}, at most ${goal}${isGood ? '' : '  NO'}`);
}

/** Of a cache full of so many keys, beyond what stays when it is gone. */
async function bytesOf(count) {
  const numbers = new Map(Array.from({ length: count }, (_, i) => [digestOf(textOf(i)), i]));
  const store = {
    findByDigest: async ([digest]) => recordOf(digest, numbers.get(digest)),
    recordUse: async () => undefined,
  };
  // Keys of our own would need a checksum; these are told by their shape.
  const verifiers = [
    foreignKeys({
      name: 'bench',
      matches: /key\d{40}/,
      examples: [textOf(0)],
      digests: () => [],
    }),
  ];
  const before = heapUsed();
  let apiKeys = createApiKeys({ store, verifiers, cache: { maxEntries: count, ttlMs: 3_600_000 } });
  for (let i = 0; i < count; i += 1) {
    const { ok } = await apiKeys.verify(textOf(i));
    if (!ok) throw new Error('a key was refused');
  }
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const held = heapUsed() - before;
  if (apiKeys.verify(textOf(0)).ok !== true) throw new Error('the first key is not in the cache');
  await apiKeys.close();
  apiKeys = undefined;
  return held;
}

function heapUsed() {
  for (let i = 0; i < 4; i += 1) collect();
  const { heapUsed: onHeap, arrayBuffers } = process.memoryUsage();
  return onHeap + arrayBuffers;
}

function textOf(number) {
  return `key${String(number).padStart(40, '0')}`;
}

function digestOf(text) {
  return `sha256:${createHash('sha256').update(text).digest('base64url')}`;
}

function recordOf(digest, number) {
  const tenant = Math.floor(number / KEYS_OF_AN_ORGANIZATION);
  const role = number % ROLES;
  return keyRecord({
    id: copied(`01890a5d-ac96-774b-bcce-${String(number).padStart(12, '0')}`),
    digest: copied(digest),
    name: copied(`Key number ${number}`),
    start: copied(`key${String(number).padStart(4, '0')}`),
    end: copied(String(number % 10_000).padStart(4, '0')),
    organization: { id: copied(`org_${tenant}`), slug: copied(`tenant-${tenant}`) },
    owner: { type: 'user', id: copied(`user_${Math.floor(number / 3)}`) },
    scopes: ['read', 'write', 'list'].map((verb) => copied(`role${role}:${verb}`)),
    createdAt: new Date(1_700_000_000_000 + number),
    updatedAt: new Date(1_710_000_000_000 + number),
    expiresAt: new Date(1_900_000_000_000 + number),
  });
}
