// What is compared. Nothing is cached, so that each look-up is really done.
import { createHash } from 'node:crypto';
import bcrypt from 'bcryptjs';
import { createApiKeys, foreignKeys, keyPairs, keyRecord, MemoryKeyStore } from 'keystile';
import { bcryptSecrets } from 'keystile/bcrypt';
import { others, randomBase62, withChecksum } from '../base62.mjs';

/** A key of no unusual size: how long its scopes and names are is a difference that reading it cannot hide. */
const organization = { id: 'organization', slug: 'acme1' };
const input = { name: 'CI 01', organization, owner: { type: 'user', id: 'nobody' }, scopes: ['acme1:read'] };

/**
 * Each opens anew what it asks.
 *
 * @typedef {object} Named
 * @property {string} name
 * @property {(plan: { samples: number, random: () => number }) => Promise<import('./measure.mjs').Comparison>} open
 * @property {'alike' | 'apart' | 'told'} goal what the classes have to be; `told` is not judged
 * @property {number} [share] of the samples
 */

/** @type {readonly Named[]} */
export const COMPARISONS = [
  { name: 'key: unknown / revoked', open: openRevoked, goal: 'alike' },
  { name: 'key: unknown / revoked, of 2,000', open: openManyRevoked, goal: 'told' },
  {
    name: 'key: unknown / revoked, with what the memory store does',
    open: openRevokedInMemory,
    goal: 'told',
  },
  { name: 'key: wrong at character 8 / 39', open: openOwnKeys, goal: 'alike' },
  { name: 'foreign key: wrong at character 8 / 44', open: openForeignKeys, goal: 'alike' },
  { name: 'pair: unknown id / wrong secret', open: openPairs, goal: 'alike' },
  // It takes a thousand times as long as a look-up.
  { name: 'bcrypt: unknown id / wrong secret', open: openBcrypt, goal: 'alike', share: 1 / 25 },
  { name: 'control: the same keys twice', open: openSame, goal: 'alike' },
  { name: 'control: unknown id returns early', open: openEarlyReturn, goal: 'apart' },
  { name: 'control: compare leaves early', open: openEarlyExit, goal: 'apart' },
];

/** Records and texts of keys, made by `create()`: `stored` of them are in the store, and as many are not. */
async function makeKeys(stored, kind) {
  const source = new MemoryKeyStore();
  const maker = createApiKeys({ store: source, verifiers: [keyPairs()] });
  const records = [];
  const unknownRecords = [];
  const known = [];
  const unknown = [];
  for (let i = 0; i < 2 * stored; i += 1) {
    const { key, secret, apiKey } = await maker.create({ ...input, kind });
    const isKnown = i % 2 === 0;
    (isKnown ? known : unknown).push({ key, secret });
    (isKnown ? records : unknownRecords).push(await source.findById(apiKey.id));
  }
  await maker.close();
  return { records, known, unknown, unknownRecords };
}

function openKeys(store, verifiers = []) {
  return createApiKeys({ store, verifiers, cache: false });
}

/**
 * Finds a record for each text, and says so where it was changed alone. What a store takes to find something is its own
 * affair, and the memory store has to copy what it finds; so what is left to see is our own doing.
 */
function evenStore(changed, unchanged) {
  const inner = new MemoryKeyStore([...changed, ...unchanged]);
  return {
    async findByDigest(digests) {
      const record = await inner.findByDigest(digests);
      return record?.version === 1 ? undefined : record;
    },
  };
}

async function openRevokedOver(storeOf, stored) {
  const { records, known, unknown, unknownRecords } = await makeKeys(stored, 'opaque');
  const revoked = (version) => (record) => ({ ...record, revokedAt: new Date(), version });
  const apiKeys = openKeys(storeOf(records.map(revoked(2)), unknownRecords.map(revoked(1))));
  return {
    classes: [unknown, known].map((keys) => keys.map(({ key }) => [key])),
    expected: ['unknown', 'revoked'],
    ask: (text) => apiKeys.verify(text),
  };
}

/** Whoever wants to know of one key has to ask for it again and again, and so it is near in memory. */
function openRevoked() {
  return openRevokedOver(evenStore, 50);
}

/** What was noted of so many ended keys is no more in the nearest memory. */
function openManyRevoked() {
  return openRevokedOver(evenStore, 2_000);
}

function openRevokedInMemory() {
  return openRevokedOver((records) => new MemoryKeyStore(records), 50);
}

/**
 * Of many keys, so that no class depends on where in the store's map its few texts happen to lie. `sk_live_` are
 * characters 0 to 7, and 40 to 45 are the checksum.
 */
async function openOwnKeys({ samples }) {
  const { records, known } = await makeKeys(manyOf(samples), 'opaque');
  const apiKeys = openKeys(new MemoryKeyStore(records));
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

function manyOf(samples) {
  return Math.min(1_000, Math.ceil(samples / 10));
}

async function openForeignKeys({ samples, random }) {
  const digest = (text) => `sha256:${createHash('sha256').update(text).digest('base64url')}`;
  const good = Array.from({ length: manyOf(samples) }, () => `zz_${randomBase62(45, random)}`);
  const records = good.map((text, i) => keyRecord({ id: `zz${i}`, digest: digest(text), organization }));
  const shape = {
    name: 'zz',
    matches: /zz_[0-9A-Za-z]{45}/,
    examples: good,
    digests: (text) => [digest(text)],
  };
  const apiKeys = openKeys(new MemoryKeyStore(records), [foreignKeys(shape)]);
  return {
    classes: [8, 44].map((at) => good.flatMap((key) => others(key, at).map((text) => [text]))),
    expected: ['unknown', 'unknown'],
    ask: (text) => apiKeys.verify(text),
  };
}

/** So many that nobody is told "too many wrong secrets". */
async function openPairs({ samples }) {
  const { records, known, unknown } = await makeKeys(Math.ceil(samples / 6), 'pair');
  const apiKeys = openKeys(new MemoryKeyStore(records), [keyPairs()]);
  return {
    classes: [withWrongSecrets(unknown), withWrongSecrets(known)],
    expected: ['unknown', 'unknown'],
    ask: (id, secret) => apiKeys.verifyPair(id, secret),
  };
}

/** Everybody with the secret of the next one. */
function withWrongSecrets(pairs) {
  return pairs.map(({ key }, i) => [key, pairs[(i + 1) % pairs.length].secret]);
}

async function openBcrypt() {
  const ids = Array.from({ length: 200 }, (_, i) => String(100_000 + i));
  const records = ids
    .filter((_, i) => i % 2 === 0)
    .map((id) => keyRecord({ id, organization, digest: `bcrypt:${bcrypt.hashSync(`right ${id}`, 4)}` }));
  const shape = { ids: /^\d{6}$/, triesPerMinute: 10_000 };
  const apiKeys = openKeys(new MemoryKeyStore(records), [bcryptSecrets(shape)]);
  const inputsOf = (rest) => ids.filter((_, i) => i % 2 === rest).map((id) => [id, `wrong ${id}`]);
  // The first hash that is met tells what an unknown id has to cost.
  await apiKeys.verifyPair(ids[0], 'wrong');
  return {
    classes: [inputsOf(1), inputsOf(0)],
    expected: ['unknown', 'unknown'],
    ask: (id, secret) => apiKeys.verifyPair(id, secret),
  };
}

async function openSame(plan) {
  const { ask, classes, expected } = await openOwnKeys(plan);
  return { ask, expected, classes: [classes[0], classes[0]] };
}

/** What an early return for an unknown id would do to the comparison of pairs. */
async function openEarlyReturn(plan) {
  const { ask, classes, expected } = await openPairs(plan);
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
