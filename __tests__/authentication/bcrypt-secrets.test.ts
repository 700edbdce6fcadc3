import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type BcryptSecretsOptions, bcryptSecrets } from '../../lib/authentication/bcrypt-secrets.ts';
import type { BuiltInVerifier, Lookup, PairVerifier } from '../../lib/authentication/key-verifier.ts';
import { createApiKeys, type KeyRecord, keyPairs, MemoryKeyStore } from '../../lib/index.ts';
import { bcryptDigest, ID, IDS, openBcrypt, SECRET, watchComparisons } from '../support/bcrypt-bench.ts';
import { spoils } from '../support/fault-store.ts';
import { outcomeOf, settle } from '../support/key-bench.ts';
import { START_MS } from '../support/open-keys.ts';
import { buildRecord, digestOf } from '../support/records.ts';

const OUR_DIGEST = digestOf(`${ID}:${SECRET}`);

afterEach(() => {
  jest.restoreAllMocks();
});

describe('a right secret', () => {
  test.each([
    ['2a', 4, 'opaque'],
    ['2b', 4, 'pair'],
    ['2y', 4, 'opaque'],
    ['2b', 6, 'opaque'],
  ] as const)('under $%s$ of cost %d is accepted in two parts and as one text', async (tag, cost, kind) => {
    const { apiKeys, otherProcess } = openBcrypt({
      record: { kind, digest: bcryptDigest(SECRET, tag, cost) },
    });
    expect(await apiKeys.verifyPair(ID, SECRET)).toMatchObject({ ok: true, apiKey: { id: ID, kind } });
    expect(await otherProcess().apiKeys.verify(`${ID}.${SECRET}`)).toMatchObject({ ok: true });
  });

  test('is compared once, in one store call, and answered from the cache from then on', async () => {
    const { apiKeys, store } = openBcrypt();
    const comparisons = watchComparisons();
    await Promise.all([1, 2, 3].map(() => apiKeys.verifyPair(ID, SECRET)));
    expect(apiKeys.verifyPair(ID, SECRET)).toMatchObject({ ok: true });
    expect(comparisons.hashes).toHaveLength(1);
    expect([store.count('findById'), store.count('findByDigest')]).toEqual([1, 0]);
  });

  test('moves its record to a digest of ours, which no process compares by bcrypt again', async () => {
    const { apiKeys, record, otherProcess } = openBcrypt();
    await apiKeys.verifyPair(ID, SECRET);
    await settle();
    expect(await record()).toMatchObject({ digest: OUR_DIGEST, version: 2 });
    const comparisons = watchComparisons();
    const other = otherProcess();
    expect(await other.apiKeys.verifyPair(ID, SECRET)).toMatchObject({ ok: true });
    await settle();
    expect(comparisons.hashes).toEqual([]);
    expect(other.store.count('update')).toBe(0);
  });

  test('moves its record to the newest pepper, as any key', async () => {
    const peppers = [{ id: 'p1', secret: 'p'.repeat(32) }];
    const { apiKeys, record, otherProcess } = openBcrypt({ peppers });
    await apiKeys.verifyPair(ID, SECRET);
    await settle();
    expect((await record()).digest).toMatch(/^hmac-sha256:p1:/);
    expect(await outcomeOf(otherProcess().apiKeys.verifyPair(ID, SECRET))).toBe('accepted');
  });

  test.each([
    ['revoked', { revokedAt: new Date(START_MS) }],
    ['disabled', { enabled: false }],
    ['expired', { expiresAt: new Date(START_MS) }],
  ])('of a record that is %s is refused and not moved', async (reason, members) => {
    const { apiKeys, store, record } = openBcrypt({ record: members });
    expect(await outcomeOf(apiKeys.verifyPair(ID, SECRET))).toBe(reason);
    await settle();
    expect(store.count('update')).toBe(0);
    expect((await record()).digest).toMatch(/^bcrypt:/);
  });

  test.each([
    ['72 characters', 's'.repeat(72)],
    ['36 characters of two bytes', 'é'.repeat(36)],
    ['18 characters of four bytes', '🗝'.repeat(18)],
  ])('of %s is accepted', async (_case, secret) => {
    const { apiKeys } = openBcrypt({ record: { digest: bcryptDigest(secret) } });
    expect(await outcomeOf(apiKeys.verifyPair(ID, secret))).toBe('accepted');
    expect(await outcomeOf(apiKeys.verifyPair(ID, `x${secret.slice(2)}`))).toBe('unknown');
  });
});

describe('a wrong secret and an unknown id', () => {
  const cases: readonly [string, string, string, Partial<KeyRecord>][] = [
    ['a wrong secret', ID, 'wrong', {}],
    ['an unknown id', 'acct_2', SECRET, {}],
    ['a wrong secret of a record that has moved', ID, 'wrong', { digest: OUR_DIGEST }],
    ['a record of a kind that has no secret', ID, SECRET, { kind: 'jwt' }],
  ];

  test.each(cases)(
    '%s is unknown after one look-up and one comparison',
    async (_case, id, secret, record) => {
      const { apiKeys, store } = openBcrypt({ record });
      const comparisons = watchComparisons();
      expect(await apiKeys.verifyPair(id, secret)).toEqual({ ok: false, reason: 'unknown' });
      expect(comparisons.hashes).toHaveLength(1);
      expect([store.count('findById'), store.count('findByDigest'), store.count('update')]).toEqual([
        1, 0, 0,
      ]);
    },
  );

  test.each([
    [11, [10, 11, 11]],
    [4, [10, 4, 4]],
  ])('cost the same: an unknown id as much as the dearest hash that was met, %d', async (cost, costs) => {
    const { apiKeys } = openBcrypt({ record: { digest: bcryptDigest(SECRET, '2a', cost) } });
    const comparisons = watchComparisons();
    await apiKeys.verifyPair('acct_2', SECRET);
    await apiKeys.verifyPair(ID, 'wrong');
    await apiKeys.verifyPair('acct_3', SECRET);
    expect(comparisons.hashes.map((hash) => Number(hash.slice(4, 6)))).toEqual(costs);
    expect(comparisons.hashes.filter((hash) => hash.length !== 60)).toEqual([]);
  });

  test('are remembered for a moment, and then asked about again', async () => {
    let now = START_MS;
    const { apiKeys, store } = openBcrypt({ now: () => now });
    const comparisons = watchComparisons();
    for (const ms of [0, 4_999, 1]) {
      now += ms;
      expect(await outcomeOf(apiKeys.verifyPair(ID, 'wrong'))).toBe('unknown');
    }
    expect(comparisons.hashes).toHaveLength(2);
    expect(store.count('findById')).toBe(2);
  });

  test('do not move the record', async () => {
    const { apiKeys, record } = openBcrypt();
    await apiKeys.verifyPair(ID, 'wrong');
    await settle();
    expect((await record()).version).toBe(1);
  });
});

describe('what bcrypt would confuse', () => {
  const confused: readonly [string, string, string][] = [
    ['73 characters, of which 72 are right', ID, 's'.repeat(73)],
    ['37 characters of 74 bytes', ID, 'é'.repeat(37)],
    ['a NUL and the secret again', ID, `${'s'.repeat(5)}\0${'s'.repeat(5)}`],
    ['a NUL at the end', ID, 's\0'],
    ['a NUL alone', ID, '\0'],
    ['nothing', ID, ''],
    ['half of a surrogate pair', ID, 's\ud800'],
  ];
  const strangers: readonly [string, string, string][] = [
    ['an id of another shape', 'acct_', SECRET],
    ['an id with more before it', 'xacct_1', SECRET],
    ['an id with more behind it', 'acct_1\n', SECRET],
    ['an id without end', `acct_${'1'.repeat(251)}`, SECRET],
  ];

  test.each([...confused, ...strangers])('%s is malformed, with no store call', async (_case, id, secret) => {
    const { apiKeys, store } = openBcrypt();
    const comparisons = watchComparisons();
    expect(await outcomeOf(apiKeys.verifyPair(id, secret))).toBe('malformed');
    expect(await outcomeOf(apiKeys.verify(`${id}.${secret}`))).toBe('malformed');
    expect(store.count('findById') + store.count('findByDigest') + comparisons.hashes.length).toBe(0);
  });

  test.each(confused)('%s is not handed on to keyPairs()', async (_case, id, secret) => {
    const { apiKeys, store } = openBcrypt({ verifiers: [keyPairs()] });
    expect(await outcomeOf(apiKeys.verifyPair(id, secret))).toBe('malformed');
    expect(store.count('findById') + store.count('findByDigest')).toBe(0);
  });
});

describe('a record that is no record', () => {
  const tail = '.'.repeat(53);

  test.each([
    ['cost 3', `bcrypt:$2b$03$${tail}`],
    ['cost 15', `bcrypt:$2b$15$${tail}`],
    ['cost 31', `bcrypt:$2b$31$${tail}`],
    ['a character too few', `bcrypt:$2b$10$${tail.slice(1)}`],
    ['a character too many', `bcrypt:$2b$10$${tail}.`],
    ['another tag', `bcrypt:$2x$10$${tail}`],
  ])('%s is a fault of the store, and nothing is compared', async (_case, digest) => {
    const { apiKeys, store } = openBcrypt();
    const comparisons = watchComparisons();
    store.always(
      'findById',
      spoils((record) => ({ ...record, digest })),
    );
    expect(await outcomeOf(apiKeys.verifyPair(ID, SECRET))).toBe('temporarily_unavailable');
    expect(comparisons.hashes).toEqual([]);
  });
});

describe('wrong secrets for one id from one address', () => {
  test('are answered 429 after triesPerMinute, for that id and address alone', async () => {
    const { apiKeys, store } = openBcrypt({ bcrypt: { triesPerMinute: 2 } });
    const guess = (secret: string, from: string, id = ID) =>
      outcomeOf(apiKeys.verifyPair(id, secret, { from }));
    expect(await guess('wrong 1', '192.0.2.1')).toBe('unknown');
    expect(await guess('wrong 2', '192.0.2.1')).toBe('unknown');
    expect(await guess(SECRET, '192.0.2.1')).toBe('rate_limited');
    expect(store.count('findById')).toBe(2);
    expect(await guess('wrong', '192.0.2.1', 'acct_2')).toBe('unknown');
    expect(await guess(SECRET, '192.0.2.2')).toBe('accepted');
  });
});

describe('what is compared', () => {
  /** Costs of the hashes, and the threads, which are not asked: a secret is right that is the cost of its hash. */
  let costs: number[] = [];
  let threads: Worker[] = [];

  beforeEach(() => {
    [costs, threads] = [[], []];
    jest.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker, question) {
      const { secret, hash } = question as { secret: string; hash: string };
      const cost = Number(hash.slice(4, 6));
      costs.push(cost);
      threads.push(this);
      queueMicrotask(() => this.emit('message', secret === `${cost}`));
    });
  });
  afterEach(() => Promise.all(threads.map((thread) => thread.terminate())));

  const hashOfCost = (cost: number) => `bcrypt:$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;
  const pairsOf = (verifier: BuiltInVerifier) => verifier.pairs as PairVerifier;

  /** What one verifier finds in records, asked one after the other. */
  function openSearch() {
    const { find } = pairsOf(bcryptSecrets({ ids: IDS }));
    return (record: KeyRecord | undefined, secret: string) => {
      const lookup = { byId: async () => record, digests: (text: string) => [digestOf(text)] };
      return find(ID, secret, lookup as unknown as Lookup);
    };
  }

  test('for an id that is unknown is as dear as the dearest hash that was met', async () => {
    const find = openSearch();
    for (const cost of [undefined, 12, 5, undefined]) {
      const record = cost === undefined ? undefined : buildRecord(1, { digest: hashOfCost(cost) });
      expect(await find(record, 'wrong')).toBeUndefined();
    }
    expect(costs).toEqual([10, 12, 5, 12]);
  });

  test("for a JWT is nobody's hash", async () => {
    const record = buildRecord(1, { kind: 'jwt', digest: hashOfCost(4) });
    expect(await openSearch()(record, '4')).toBeUndefined();
    expect(costs).toEqual([10]);
  });

  test.each([
    ['4', [4], false],
    ['5', [4, 5], true],
    ['6', [4, 5], undefined],
  ])('is the current hash, then the one in grace: %s', async (secret, compared, previous) => {
    const old = { digest: hashOfCost(5), expiresAt: new Date(START_MS) };
    const record = buildRecord(1, { digest: hashOfCost(4), previous: old });
    const found = { record, previous, rehash: digestOf(`${ID}:${secret}`) };
    expect(await openSearch()(record, secret)).toEqual(previous === undefined ? undefined : found);
    expect(costs).toEqual(compared);
  });

  test('never comes by Basic', () => {
    expect(pairsOf(bcryptSecrets({ ids: IDS })).basic).toBe(false);
  });
});

describe('options', () => {
  const ids = 'must be a regular expression from ^ to $ without the flags g, m and y, but got';

  test.each<[string, unknown, string]>([
    ['no options', undefined, 'bcryptSecrets: options must be an object, but got undefined'],
    ['no ids', {}, 'bcryptSecrets: ids must be a regular expression, but got undefined'],
    ['ids as text', { ids: '^a$' }, 'bcryptSecrets: ids must be a regular expression, but got "^a$"'],
    ['an open start', { ids: /a$/ }, `bcryptSecrets: ids ${ids} /a$/`],
    ['an open end', { ids: /^a/ }, `bcryptSecrets: ids ${ids} /^a/`],
    ['an end that is a character', { ids: /^a\$/ }, `bcryptSecrets: ids ${ids} /^a\\$/`],
    ['an alternative with an open start', { ids: /a|^b$/ }, `bcryptSecrets: ids ${ids} /a|^b$/`],
    ['an alternative with an open end', { ids: /^a$|b/ }, `bcryptSecrets: ids ${ids} /^a$|b/`],
    ['the flag g', { ids: /^a$/g }, `bcryptSecrets: ids ${ids} /^a$/g`],
    ['the flag y', { ids: /^a$/y }, `bcryptSecrets: ids ${ids} /^a$/y`],
    ['the flag m', { ids: /^a$/m }, `bcryptSecrets: ids ${ids} /^a$/m`],
    [
      'no room to wait',
      { ids: IDS, maxQueue: 0 },
      'bcryptSecrets: maxQueue must be a whole number from 1 to 10000, but got 0',
    ],
    [
      'tries that are no number',
      { ids: IDS, triesPerMinute: '20' },
      'bcryptSecrets: triesPerMinute must be a whole number from 1 to 10000, but got "20"',
    ],
    [
      'a misspelt name',
      { ids: IDS, maxQeue: 1 },
      'bcryptSecrets: unknown option "maxQeue"; did you mean "maxQueue"? (known: ids, maxQueue, triesPerMinute)',
    ],
  ])('%s are refused', (_case, options, message) => {
    expect(() => bcryptSecrets(options as BcryptSecretsOptions)).toThrow(new TypeError(message));
  });

  test.each([/^a\\$/, /^acct_\d+$/iu, /^[$]$/])('%s is taken, and undefined counts as not given', (ids) => {
    const options = {
      ids,
      maxQueue: undefined,
      triesPerMinute: undefined,
    } as unknown as BcryptSecretsOptions;
    expect(bcryptSecrets(options).name).toBe('bcrypt');
  });

  test('an alternative without an anchor of its own matches whole ids all the same', async () => {
    const { apiKeys } = openBcrypt({ bcrypt: { ids: /^acct_1|acct_2$/ } });
    expect(await outcomeOf(apiKeys.verifyPair('acct_2', 'wrong'))).toBe('unknown');
    expect(await outcomeOf(apiKeys.verifyPair('acct_10', 'wrong'))).toBe('malformed');
    expect(await outcomeOf(apiKeys.verifyPair('xacct_2', 'wrong'))).toBe('malformed');
  });

  test.each([
    ['before', (own: RegExp) => [bcryptSecrets({ ids: own }), keyPairs()]],
    ['after', (own: RegExp) => [keyPairs(), bcryptSecrets({ ids: own })]],
  ])('ids that keyPairs() makes are refused, %s it', (_case, verifiers) => {
    const build = () =>
      createApiKeys({ store: new MemoryKeyStore(), verifiers: verifiers(/^[0-9a-f-]{36}$/) });
    expect(build).toThrow(
      /^createApiKeys: verifier "pairs": its example must match it and no other verifier, but /,
    );
  });

  test('a store without findById() cannot answer', async () => {
    const store = { findByDigest: () => undefined };
    const apiKeys = createApiKeys({ store, verifiers: [bcryptSecrets({ ids: IDS })] });
    await expect(apiKeys.verifyPair(ID, SECRET)).rejects.toMatchObject({ code: 'temporarily_unavailable' });
  });
});
