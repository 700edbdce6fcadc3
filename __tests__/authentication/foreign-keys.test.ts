import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { generateAPIKey } from 'prefixed-api-key';
import * as systems from '../../examples/migrations.mjs';
import {
  createApiKeys,
  foreignKeys,
  type ImportInput,
  type KeyVerifier,
  keyRecord,
  MemoryKeyStore,
} from '../../lib/index.ts';

const hashOf = (algorithm: string, text: string, encoding: 'hex' | 'base64' | 'base64url'): string =>
  createHash(algorithm).update(text).digest(encoding);

interface System {
  readonly name: string;
  readonly verifier: KeyVerifier;
  readonly key: string;
  /** As plain JavaScript makes it of a row. */
  readonly input: object;
}

const seam = (await generateAPIKey({ keyPrefix: 'seam_demo' })) as Required<
  Awaited<ReturnType<typeof generateAPIKey>>
> & { token: string; shortToken: string; longTokenHash: string };
const salted = systems.keypal('pinch');
const unkeyKey = 'prod_3ZmTq5rUQ8HqkWJvYvYVvC';
const keypalKey = `sk_${'q7Xw'.repeat(8)}`;
const sanctumToken = 'k9Q2'.repeat(12);
const djangoKey = `AbCd1234.${'z8Yx'.repeat(8)}`;

/** Made by Better Auth 1.3.26 itself: its createApiKey over its memory adapter, and the row that it wrote. */
const betterAuthRow = {
  key: 'l1DgLm60HUMVZIbWgsWb_5jWneqgd4YdfVxrB1dEtKE',
  name: 'demo',
  start: 'QyMPfB',
  userId: 'user_1',
  enabled: true,
  expiresAt: null,
  createdAt: new Date('2026-11-20T13:14:00Z'),
};

const rows: readonly System[] = [
  {
    name: 'Unkey',
    verifier: systems.unkey.verifier,
    key: unkeyKey,
    input: systems.unkey.toImport({
      hash: hashOf('sha256', unkeyKey, 'base64'),
      name: 'CI',
      externalId: 'org_1',
      permissions: ['reports:read'],
    }),
  },
  {
    name: 'Better Auth',
    verifier: systems.betterAuth.verifier,
    key: 'QyMPfBjIJOdbiJODMxjFcreNONuVcCrlVOGukbZMbACEOFwfEKoBkSRblWUyjRoy',
    input: systems.betterAuth.toImport(betterAuthRow),
  },
  {
    name: 'keypal',
    verifier: salted.verifier,
    key: keypalKey,
    input: salted.toImport({
      keyHash: hashOf('sha256', `${keypalKey}pinch`, 'hex'),
      metadata: { name: 'CI', ownerId: 'org_1', scopes: ['reports:read'] },
    }),
  },
  {
    name: 'prefixed-api-key',
    verifier: systems.prefixedApiKey.verifier,
    key: seam.token,
    input: systems.prefixedApiKey.toImport({ ...seam, organizationId: 'org_1' }),
  },
  {
    name: 'Laravel Sanctum',
    verifier: systems.sanctum.verifier,
    key: `17|${sanctumToken}`,
    input: systems.sanctum.toImport({
      token: hashOf('sha256', sanctumToken, 'hex'),
      name: 'CI',
      abilities: ['*', 'reports:read'],
      tokenableId: 7,
      expiresAt: null,
    }),
  },
  {
    name: 'djangorestframework-api-key',
    verifier: systems.djangoRestFramework.verifier,
    key: djangoKey,
    input: systems.djangoRestFramework.toImport({
      hashedKey: `sha512$$${hashOf('sha512', djangoKey, 'hex')}`,
      name: 'CI',
      revoked: false,
      expiryDate: null,
      organizationId: 'org_1',
    }),
  },
  {
    name: 'Trainy Pluto',
    verifier: systems.pluto.verifier,
    key: 'mlps_abcdefghijklmnopqrstuvwx',
    input: systems.pluto.toImport({
      key: 'b9f3c08a9593e062f0191449643fef7ca5607e7f248f7d00f9b8a9c698804b30',
      name: 'CI',
      organizationId: 'org_123',
      userId: 'user_1',
      expiresAt: null,
      revokedAt: null,
    }),
  },
];

const peppers = [{ id: 'p1', secret: 'pepper-of-at-least-thirty-two-bytes' }];

describe.each(rows)('a key of $name', ({ verifier, key, ...row }) => {
  const input = row.input as ImportInput;

  test('works after the import of its hash', async () => {
    const store = new MemoryKeyStore();
    const apiKeys = createApiKeys({ store, verifiers: [verifier] });
    expect(await apiKeys.import([input])).toEqual({ imported: 1, unchanged: 0, rejected: [] });
    const verdict = await apiKeys.verify(key);
    expect(verdict).toMatchObject({
      ok: true,
      apiKey: { organization: input.organization, name: input.name },
    });
    expect(await apiKeys.verify(`${key.slice(0, -1)}${key.endsWith('a') ? 'b' : 'a'}`)).toMatchObject({
      ok: false,
    });
  });

  test('moves to a digest of ours with its first use, and works on', async () => {
    const store = new MemoryKeyStore();
    const apiKeys = createApiKeys({ store, verifiers: [verifier], peppers });
    await apiKeys.import([input]);
    expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
    await apiKeys.close();
    const { records } = await store.list({ limit: 2, order: 'newest' });
    expect(records).toHaveLength(1);
    expect(records[0]?.digest).toMatch(/^hmac-sha256:p1:/);
    const later = createApiKeys({ store, verifiers: [verifier], peppers });
    expect(await later.verify(key)).toMatchObject({ ok: true });
  });

  test('is imported once, however often it is imported, also after it has moved', async () => {
    const store = new MemoryKeyStore();
    const apiKeys = createApiKeys({ store, verifiers: [verifier], peppers });
    await apiKeys.import([input]);
    await apiKeys.verify(key);
    await apiKeys.close();
    const again = createApiKeys({ store, verifiers: [verifier], peppers });
    expect(await again.import([input, input])).toEqual({ imported: 0, unchanged: 2, rejected: [] });
    expect((await store.list({ limit: 5, order: 'newest' })).records).toHaveLength(1);
  });

  test('costs one store call when it is unknown', async () => {
    const store = new MemoryKeyStore();
    let calls = 0;
    const counting = {
      findByDigest: (digests: readonly string[]) => {
        calls += 1;
        return store.findByDigest(digests);
      },
    };
    const apiKeys = createApiKeys({ store: counting, verifiers: [verifier], peppers });
    expect(await apiKeys.verify(key)).toEqual({ ok: false, reason: 'unknown' });
    expect(calls).toBe(1);
  });
});

describe('import', () => {
  const base: ImportInput = {
    name: 'CI',
    organization: { id: 'org_1' },
    digest: `sha256:${'A'.repeat(43)}`,
    randomBits: 128,
  };

  test.each([
    ['no random bits', { ...base, randomBits: undefined }, '/randomBits'],
    ['too few random bits', { ...base, randomBits: 111 }, '/randomBits'],
    [
      'no random bits of a keyed digest',
      { ...base, digest: `hmac-sha256:p1:${'A'.repeat(43)}`, randomBits: undefined },
      '/randomBits',
    ],
    ['the digest of a JWT under another kind', { ...base, id: 'k', digest: 'jwt:k:1' }, '/kind'],
    ['a kind without its digest', { ...base, kind: 'jwt' as const }, '/kind'],
    [
      'the digest of another JWT',
      { ...base, kind: 'jwt' as const, id: 'k', digest: 'jwt:other:1' },
      '/digest',
    ],
    ['half a bit', { ...base, randomBits: 128.5 }, '/randomBits'],
    ['a hash of another length', { ...base, digest: 'sha256:abcd' }, '/digest'],
    ['a hash of another kind', { ...base, digest: `md5:${'a'.repeat(32)}` }, '/digest'],
    ['a bcrypt hash of cost 15', { ...base, digest: `bcrypt:$2b$15$${'a'.repeat(53)}` }, '/digest'],
    ['no name', { ...base, name: '' }, '/name'],
    ['an unknown member', { ...base, ownerId: 'x' }, '/ownerId'],
    [
      'an end before its beginning',
      { ...base, expiresAt: new Date(1), notBefore: new Date(2) },
      '/expiresAt',
    ],
    ['a time that is text', { ...base, revokedAt: '2026-01-01' }, '/revokedAt'],
    ['nothing', undefined, ''],
  ])('reports a record with %s, and takes the others', async (_case, wrong, field) => {
    const apiKeys = createApiKeys({ store: new MemoryKeyStore() });
    const report = await apiKeys.import([
      wrong as ImportInput,
      { ...base, digest: `sha256:${'B'.repeat(43)}` },
    ]);
    expect(report).toMatchObject({ imported: 1, unchanged: 0, rejected: [{ index: 0, field }] });
  });

  test('takes an end that has passed, so that the record is kept and the key refused', async () => {
    const { key, digest } = {
      key: `mlps_${'k'.repeat(24)}`,
      digest: `sha256:${hashOf('sha256', `mlps_${'k'.repeat(24)}`, 'hex')}`,
    };
    const apiKeys = createApiKeys({ store: new MemoryKeyStore(), verifiers: [systems.pluto.verifier] });
    await apiKeys.import([{ ...base, digest, expiresAt: new Date(1) }]);
    expect(await apiKeys.verify(key)).toMatchObject({ ok: false, reason: 'expired' });
  });

  test('needs no random bits for a bcrypt hash, which is made for weak secrets', async () => {
    const apiKeys = createApiKeys({ store: new MemoryKeyStore() });
    const digest = `bcrypt:$2b$12$${'a'.repeat(53)}`;
    expect(await apiKeys.import([{ ...base, digest, randomBits: undefined }])).toMatchObject({
      imported: 1,
    });
  });

  test('refuses an id that is that of another organization', async () => {
    const apiKeys = createApiKeys({ store: new MemoryKeyStore() });
    const theirs = { ...base, id: 'k1', organization: { id: 'org_2' }, digest: `sha256:${'C'.repeat(43)}` };
    const report = await apiKeys.import([{ ...base, id: 'k1' }, theirs]);
    expect(report).toMatchObject({ imported: 1, rejected: [{ index: 1, field: '/id' }] });
  });

  test('refuses a digest that is that of another id', async () => {
    const apiKeys = createApiKeys({ store: new MemoryKeyStore() });
    const report = await apiKeys.import([
      { ...base, id: 'k1' },
      { ...base, id: 'k2' },
    ]);
    expect(report).toMatchObject({ imported: 1, rejected: [{ index: 1, field: '/digest' }] });
  });

  test('takes the environment of this instance where none is named', async () => {
    const store = new MemoryKeyStore();
    await createApiKeys({ store, environment: 'test' }).import([base]);
    expect((await store.list({ limit: 1, order: 'newest' })).records[0]?.environment).toBe('test');
  });

  test('ends with a store that fails, and can be begun again', async () => {
    const store = new MemoryKeyStore();
    const insert = store.insert.bind(store);
    let left = 1;
    store.insert = async (record) => {
      left -= 1;
      if (left < 0) throw new Error('disk full');
      return insert(record);
    };
    const apiKeys = createApiKeys({ store });
    const inputs = ['A', 'B', 'C'].map((letter) => ({ ...base, digest: `sha256:${letter.repeat(43)}` }));
    await expect(apiKeys.import(inputs)).rejects.toMatchObject({ code: 'temporarily_unavailable' });
    left = 10;
    expect(await apiKeys.import(inputs)).toEqual({ imported: 2, unchanged: 1, rejected: [] });
  });

  test('takes records one by one from a stream', async () => {
    async function* stream(): AsyncGenerator<ImportInput> {
      for (const letter of ['A', 'B']) yield { ...base, digest: `sha256:${letter.repeat(43)}` };
    }
    const apiKeys = createApiKeys({ store: new MemoryKeyStore() });
    expect(await apiKeys.import(stream())).toEqual({ imported: 2, unchanged: 0, rejected: [] });
  });
});

describe('foreignKeys', () => {
  test('takes the pattern for the whole text, whatever anchors it has', () => {
    const { matches } = foreignKeys({ name: 'x', matches: /a|bc/g, examples: ['a'], digests: () => [] });
    expect(['a', 'bc', 'a', 'ab', 'xbc', 'a\n'].map((text) => matches(text))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test('refuses a shape that takes in our own keys', () => {
    const greedy = foreignKeys({ name: 'greedy', matches: /.*/, examples: ['abc'], digests: () => [] });
    expect(() => createApiKeys({ store: new MemoryKeyStore(), verifiers: [greedy] })).toThrow(
      /verifier "keystile": its example must match it and no other verifier/,
    );
  });

  test('refuses an example that it does not match', () => {
    const wrong = foreignKeys({ name: 'wrong', matches: /abc/, examples: ['abd'], digests: () => [] });
    expect(() => createApiKeys({ store: new MemoryKeyStore(), verifiers: [wrong] })).toThrow(
      /"abd" matches none/,
    );
  });
});

describe('foreignKeys() refuses', () => {
  const whole = { name: 'old', matches: /^old$/, examples: ['old'], digests: () => [] };

  test.each<[string, object, string]>([
    [
      'a name that it does not know',
      { ...whole, example: 'old' },
      'unknown option "example"; did you mean "examples"? (known: name, matches, examples, characters, digests)',
    ],
    ['no name', { ...whole, name: undefined }, 'name must be a text, but got undefined'],
    ['an empty name', { ...whole, name: '' }, 'name must be a text, but got ""'],
    ['a number as name', { ...whole, name: 5 }, 'name must be a text, but got 5'],
    [
      'a list of digests',
      { ...whole, digests: [] },
      'digests must be a function of the key, but got an array of 0',
    ],
    [
      'a text as pattern',
      { ...whole, matches: '^old$' },
      'matches must be a regular expression, but got "^old$"',
    ],
  ])('%s', (_, given, message) => {
    expect(() => foreignKeys(given as Parameters<typeof foreignKeys>[0])).toThrow(
      new TypeError(`foreignKeys: ${message}`),
    );
  });
});

test("a key of another kind is nobody's here, whatever its digest", async () => {
  const digest = `sha256:${hashOf('sha256', 'old', 'base64url')}`;
  const options = { name: 'old', matches: /^old$/, examples: ['old'], digests: () => [digest] };
  for (const [kind, ok] of [
    ['pair', false],
    ['opaque', true],
  ] as const) {
    const record = keyRecord({ id: 'k1', kind, digest, organization: { id: 'org_1' } });
    const store = new MemoryKeyStore([record]);
    const apiKeys = createApiKeys({ store, verifiers: [foreignKeys(options)] });
    expect(await apiKeys.verify('old')).toMatchObject({ ok });
  }
});
