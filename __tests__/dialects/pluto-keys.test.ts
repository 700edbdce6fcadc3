import { createHash, createHmac } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { plutoKeys } from '../../lib/dialects.ts';
import {
  type ApiKeys,
  type ApiKeysOptions,
  createApiKeys,
  type ImportInput,
  MemoryKeyStore,
} from '../../lib/index.ts';

/** A key of the vendor's own functions, with the hash that they keep of it. */
const HASHED = {
  key: 'mlps_abcdefghijklmnopqrstuvwx',
  hash: 'b9f3c08a9593e062f0191449643fef7ca5607e7f248f7d00f9b8a9c698804b30',
};
const LEGACY = 'mlpi_abcdefghijklmnop';
const PEPPER = { id: 'p1', secret: 'a pepper of the tests, of more than 32 bytes' };
const NEW_PEPPER = { id: 'p2', secret: 'the pepper that came after it, of more than 32 bytes' };

const base = { name: 'Imported key', organization: { id: 'org_1' } };
const hashed: ImportInput = { ...base, digest: `sha256:${HASHED.hash}`, randomBits: 144 };
const legacy: ImportInput = {
  ...base,
  digest: `hmac-sha256:${PEPPER.id}:${createHmac('sha256', PEPPER.secret).update(LEGACY).digest('base64url')}`,
  randomBits: 96,
};

const opened: ApiKeys[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((apiKeys) => apiKeys.close()));
});

function open(store: MemoryKeyStore, options: Partial<ApiKeysOptions> = {}): ApiKeys {
  const apiKeys = createApiKeys({ store, verifiers: [plutoKeys()], ...options });
  opened.push(apiKeys);
  return apiKeys;
}

describe('plutoKeys', () => {
  test('finds a key by the hash that the vendor kept, and moves it to a digest of ours', async () => {
    const store = new MemoryKeyStore();
    const apiKeys = open(store, { peppers: [PEPPER] });
    await apiKeys.import([hashed]);

    expect(await apiKeys.verify(HASHED.key)).toMatchObject({ ok: true });
    await apiKeys.close();
    const { records } = await store.list({ limit: 1, order: 'newest' });
    expect(records[0]?.digest).toMatch(/^hmac-sha256:p1:/);
    expect(await open(store, { peppers: [PEPPER] }).verify(HASHED.key)).toMatchObject({ ok: true });
  });

  test('finds an older key under a pepper, also when a newer pepper has come', async () => {
    const store = new MemoryKeyStore();
    const report = await open(store, { peppers: [PEPPER] }).import([legacy]);

    expect(report).toEqual({ imported: 1, unchanged: 0, rejected: [] });
    for (const peppers of [[PEPPER], [NEW_PEPPER, PEPPER], [NEW_PEPPER]]) {
      const apiKeys = open(store, { peppers });
      expect(await apiKeys.verify(LEGACY)).toMatchObject({ ok: true });
      // What is pending is written then: the digest under the newer pepper.
      await apiKeys.close();
    }
    expect(await open(store).verify(LEGACY)).toEqual({ ok: false, reason: 'unknown' });
  });

  test('does not look for an older key under a plain digest, which its bits are too few for', async () => {
    const digest = `sha256:${createHash('sha256').update(LEGACY).digest('base64url')}`;
    const store = new MemoryKeyStore();
    const apiKeys = open(store, { peppers: [PEPPER], acceptPlainDigests: false });
    await apiKeys.import([
      { ...base, digest, randomBits: 112 },
      { ...hashed, name: 'Control' },
    ]);

    expect(await apiKeys.verify(LEGACY)).toEqual({ ok: false, reason: 'unknown' });
    expect(await apiKeys.verify(HASHED.key)).toMatchObject({ ok: true });
  });

  test.each([
    ['mlps_', true],
    ['mlpi_', true],
    ['mlps_expired_and_revoked', true],
    ['mlps_-_', true],
    [`mlps_live_${'0'.repeat(37)}`, true],
    [`mlps_live_${'0'.repeat(38)}`, false],
    [`mlps_test_${'0'.repeat(38)}`, false],
    ['MLPS_abcdefghijklmnopqrstuvwx', false],
    ['mlps', false],
    [' mlps_x', false],
    ['mlps_x y', false],
    ['mlps_x\n', false],
    ['mlpx_x', false],
    ['', false],
  ])('of %j says %s by its shape', (text, isOurs) => {
    expect(plutoKeys().matches(text)).toBe(isOurs);
  });
});

describe('the random bits that an import must name', () => {
  const peppered = (bits?: number): ImportInput => ({ ...legacy, randomBits: bits });
  const plain = (bits?: number): ImportInput => ({ ...hashed, randomBits: bits });
  const sha512: ImportInput = { ...base, digest: `sha512:${'A'.repeat(86)}`, randomBits: 96 };

  const PLAIN_RULE = 'must say how many random bits the key has, and be at least 112';
  const PLAIN_REASON = 'a plain digest of fewer could be guessed from a leaked table';
  const HINT = 'from 64 on it may be under a pepper, as "hmac-sha256:<pepper id>:<base64url>"';
  const PEPPERED =
    'must say how many random bits the key has, and be at least 64: a key of fewer could be guessed over the network';

  test.each([
    ['112 under a plain digest', plain(112)],
    ['64 under a pepper', peppered(64)],
  ])('are enough: %s', async (_, input) => {
    expect(await open(new MemoryKeyStore()).import([input])).toMatchObject({ imported: 1, rejected: [] });
  });

  test.each([
    ['111 under a plain digest', plain(111), `${PLAIN_RULE}: ${PLAIN_REASON}; ${HINT}`],
    ['64 under a plain digest', plain(64), `${PLAIN_RULE}: ${PLAIN_REASON}; ${HINT}`],
    ['63 under a plain digest', plain(63), `${PLAIN_RULE}: ${PLAIN_REASON}`],
    ['none under a plain digest', plain(), `${PLAIN_RULE}: ${PLAIN_REASON}`],
    ['96 under SHA-512', sha512, `${PLAIN_RULE}: ${PLAIN_REASON}; ${HINT}`],
    ['63 under a pepper', peppered(63), PEPPERED],
    ['none under a pepper', peppered(), PEPPERED],
    ['a half under a pepper', peppered(64.5), PEPPERED],
    ['endlessly many under a pepper', peppered(Number.POSITIVE_INFINITY), PEPPERED],
  ])('are too few: %s', async (_, input, reason) => {
    const report = await open(new MemoryKeyStore()).import([input]);

    expect(report.rejected).toEqual([{ index: 0, field: '/randomBits', reason: `/randomBits ${reason}` }]);
  });
});
