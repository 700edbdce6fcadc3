import { afterEach, describe, expect, test } from '@jest/globals';
import { generateKeyPair } from 'jose';
import { type ApiKeysOptions, createApiKeys, MemoryKeyStore, type Verdict } from '../../lib/index.ts';
import { type JwtKey, jwtKeys } from '../../lib/jwt.ts';
import { makeSigner, privateJwk } from '../support/jwt-builder.ts';
import { AUDIENCE, HOUR_MS, ISSUER, keyOption, optionsWith } from '../support/jwt-options.ts';
import { closeOpenedKeys, KEY_INPUT, openKeys, START_MS } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

const signer = makeSigner('ES256');
const current = keyOption('k1', 'current', signer);

/** An application with one JWT. */
async function openJwts(keys: readonly JwtKey[] = [current], more: Partial<ApiKeysOptions> = {}) {
  return openKeys({ verifiers: [jwtKeys(optionsWith(keys))], ...more }, { kind: 'jwt' });
}

function partsOf(jwt: string): [header: object, claims: Record<string, unknown>] {
  const [header, payload] = jwt
    .split('.', 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
  return [header, payload];
}

function reasonOf(verdict: Verdict): string {
  return verdict.ok ? 'accepted' : verdict.reason;
}

describe('a new key', () => {
  test('says who issued it, for whom, which record it stands for and how long, and nothing else', async () => {
    const { key, apiKey } = await openJwts();
    const [header, claims] = partsOf(key);
    const iat = START_MS / 1000;

    expect(header).toEqual({ alg: 'ES256', typ: 'apikey+jwt', kid: 'k1' });
    expect(claims).toEqual({
      iss: ISSUER,
      aud: AUDIENCE,
      sub: apiKey.id,
      jti: apiKey.id,
      iat,
      exp: iat + 3_600,
    });
    expect(apiKey).toMatchObject({ kind: 'jwt', start: '', end: key.slice(-4) });
  });

  test('is kept by its id and its age, not by its text', async () => {
    const { store, apiKey } = await openJwts();

    expect(await store.findById(apiKey.id)).toMatchObject({ digest: `jwt:${apiKey.id}:${START_MS / 1000}` });
  });

  test('ends with its record where that is sooner, to the millisecond', async () => {
    const { apiKeys, clock } = await openJwts();
    const { key } = await apiKeys.create({
      ...KEY_INPUT,
      kind: 'jwt',
      expiresAt: new Date(START_MS + 1_500),
    });
    clock.ms = START_MS + 1_499;
    const before = await apiKeys.verify(key);
    clock.ms = START_MS + 1_500;

    expect(partsOf(key)[1]['exp']).toBe(START_MS / 1000 + 2);
    expect(before.ok).toBe(true);
    expect(reasonOf(await apiKeys.verify(key))).toBe('expired');
  });

  test('has an nbf where that is asked for, and works from then on', async () => {
    const { apiKeys, clock } = await openJwts([current], { cache: false });
    const { key } = await apiKeys.create({
      ...KEY_INPUT,
      kind: 'jwt',
      notBefore: new Date(START_MS + 1_500),
    });
    const reasons: string[] = [];
    for (const ms of [0, 1_000, 1_499, 1_500]) {
      clock.ms = START_MS + ms;
      reasons.push(reasonOf(await apiKeys.verify(key)));
    }

    expect(partsOf(key)[1]['nbf']).toBe(START_MS / 1000 + 1);
    expect(reasons).toEqual(['unknown', 'not_yet_valid', 'not_yet_valid', 'accepted']);
  });

  test.each(['ES256', 'EdDSA'] as const)('can be signed by %s', async (alg) => {
    const pair = makeSigner(alg);
    const given = { id: 'k1', alg, state: 'current' } as const;
    const { privateKey } = await generateKeyPair(alg);
    for (const key of [privateKey, privateJwk(pair)]) {
      const { apiKeys, key: jwt } = await openJwts([{ ...given, key }]);
      expect(partsOf(jwt)[0]).toMatchObject({ alg });
      expect(await apiKeys.verify(jwt)).toMatchObject({ ok: true, apiKey: { kind: 'jwt' } });
    }
  });

  test('leaves the keys that it was made with as they were', async () => {
    const key = privateJwk(signer);
    const before = JSON.stringify(key);
    const { apiKeys, key: jwt } = await openJwts([{ ...current, key }]);
    await apiKeys.verify(jwt);

    expect(JSON.stringify(key)).toBe(before);
    expect(Object.isFrozen(key)).toBe(false);
  });
});

describe('a key that was verified', () => {
  test('is answered from the cache at once, with no store call', async () => {
    const { apiKeys, key, store } = await openJwts();
    await apiKeys.ready();
    await apiKeys.verify(key);
    store.findById = () => Promise.reject(new Error('down'));
    const verdict = apiKeys.verify(key);

    expect(verdict).not.toBeInstanceOf(Promise);
    expect(verdict).toMatchObject({ ok: true, apiKey: { organization: { id: 'org_1' } } });
  });

  test('lends its place in the cache to no other text with its signature', async () => {
    const { apiKeys } = await openJwts();
    const { key } = await apiKeys.create({ ...KEY_INPUT, kind: 'jwt' });
    expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
    const [header = '', payload = '', signature = ''] = key.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const later = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp + 1 })).toString('base64url');
    expect(await apiKeys.verify([header, later, signature].join('.'))).toEqual({
      ok: false,
      reason: 'unknown',
    });
    expect(await apiKeys.verify([header, later, signature].join('.'))).toEqual({
      ok: false,
      reason: 'unknown',
    });
    expect(apiKeys.verify(key)).toMatchObject({ ok: true });
  });

  test('ends when the token says, although its record lives on', async () => {
    const { apiKeys, key, clock } = await openJwts();
    const verdicts = [await apiKeys.verify(key)];
    for (const ms of [HOUR_MS - 1, HOUR_MS, HOUR_MS + 86_400_000]) {
      clock.ms = START_MS + ms;
      verdicts.push(await apiKeys.verify(key));
    }

    expect(verdicts.map(reasonOf)).toEqual(['accepted', 'accepted', 'expired', 'expired']);
  });

  test('is refused at once when it is revoked, and says why', async () => {
    const { apiKeys, key, apiKey } = await openJwts();
    const before = await apiKeys.verify(key);
    await apiKeys.revoke(apiKey.id);

    expect(reasonOf(before)).toBe('accepted');
    expect(reasonOf(await apiKeys.verify(key))).toBe('revoked');
  });

  test('is unknown when its record was deleted', async () => {
    const { apiKeys, key, apiKey } = await openJwts();
    await apiKeys.verify(key);
    await apiKeys.delete(apiKey.id);

    expect(reasonOf(await apiKeys.verify(key))).toBe('unknown');
  });

  test('has the scopes of its record, also after they were changed', async () => {
    const { apiKeys, key, apiKey } = await openJwts();
    await apiKeys.verify(key);
    await apiKeys.update(apiKey.id, { scopes: [] });

    expect(await apiKeys.verify(key)).toMatchObject({ ok: true, apiKey: { scopes: [] } });
  });

  test('is no key where the store cannot be asked', async () => {
    const { apiKeys, key, store } = await openJwts();
    store.findById = () => Promise.reject(new Error('down'));

    await expect(apiKeys.verify(key)).rejects.toMatchObject({ code: 'temporarily_unavailable' });
  });
});

describe('rotation', () => {
  test('gives a later token also within one second, and tells the two apart', async () => {
    const { apiKeys, key, apiKey } = await openJwts();
    const rotated = await apiKeys.rotate(apiKey.id, { gracePeriodMs: 60_000 });
    const [old, fresh] = [await apiKeys.verify(key), await apiKeys.verify(rotated.key)];

    expect(partsOf(rotated.key)[1]['iat']).toBe(START_MS / 1000 + 1);
    expect(old).toMatchObject({ ok: true, graceUntil: new Date(START_MS + 60_000) });
    expect(fresh).toMatchObject({ ok: true, apiKey: { end: rotated.key.slice(-4) } });
    expect(fresh).not.toHaveProperty('graceUntil');
  });

  test('ends the old token with its grace', async () => {
    const { apiKeys, key, apiKey, clock } = await openJwts();
    await apiKeys.verify(key);
    clock.ms += 10_000;
    const rotated = await apiKeys.rotate(apiKey.id, { gracePeriodMs: 60_000 });
    clock.ms += 60_000;

    expect(reasonOf(await apiKeys.verify(key))).toBe('rotated');
    expect(reasonOf(await apiKeys.verify(rotated.key))).toBe('accepted');
  });

  test('without grace ends the old token at once', async () => {
    const { apiKeys, key, apiKey } = await openJwts();
    await apiKeys.verify(key);
    await apiKeys.rotate(apiKey.id, { gracePeriodMs: 0 });

    expect(reasonOf(await apiKeys.verify(key))).toBe('unknown');
  });

  test('twice ends the first token, whose grace the second took', async () => {
    const { apiKeys, key, apiKey } = await openJwts();
    const second = await apiKeys.rotate(apiKey.id);
    const third = await apiKeys.rotate(apiKey.id);
    const verdicts = [key, second.key, third.key].map((text) => apiKeys.verify(text));

    expect((await Promise.all(verdicts)).map(reasonOf)).toEqual(['unknown', 'accepted', 'accepted']);
  });

  test('is a conflict where the token would be dated further ahead than a verifier takes', async () => {
    const { apiKeys, apiKey, clock } = await openJwts();
    for (let times = 1; times <= 5; times += 1) await apiKeys.rotate(apiKey.id);

    await expect(apiKeys.rotate(apiKey.id)).rejects.toMatchObject({
      code: 'conflict',
      message: 'The key was rotated too often within a few seconds; try again later.',
    });
    clock.ms += 1_000;
    const { key } = await apiKeys.rotate(apiKey.id);
    expect(reasonOf(await apiKeys.verify(key))).toBe('accepted');
  });

  test('gives a token that ends after it begins, however soon its record does', async () => {
    const { apiKeys } = await openJwts();
    const { apiKey } = await apiKeys.create({
      ...KEY_INPUT,
      kind: 'jwt',
      expiresAt: new Date(START_MS + 500),
    });
    const { key } = await apiKeys.rotate(apiKey.id);

    expect(reasonOf(await apiKeys.verify(key))).toBe('accepted');
  });
});

test('a key pair is published, then signs, then only checks, and then its keys are no more', async () => {
  const [first, second] = [makeSigner('ES256'), makeSigner('EdDSA')];
  const store = new MemoryKeyStore();
  const rings = {
    published: [keyOption('a', 'current', first), keyOption('b', 'next', second)],
    signing: [keyOption('a', 'retired', first), keyOption('b', 'current', second)],
    alone: [keyOption('b', 'current', second)],
  };
  const open = (keys: readonly JwtKey[]) => createApiKeys({ store, verifiers: [jwtKeys(optionsWith(keys))] });
  const apps = { published: open(rings.published), signing: open(rings.signing), alone: open(rings.alone) };
  const old = await apps.published.create({ ...KEY_INPUT, kind: 'jwt' });
  const fresh = await apps.signing.create({ ...KEY_INPUT, kind: 'jwt' });
  const reasons: Record<string, string[]> = {};
  for (const [name, app] of Object.entries(apps)) {
    reasons[name] = [reasonOf(await app.verify(old.key)), reasonOf(await app.verify(fresh.key))];
    await app.close();
  }

  expect([old, fresh].map(({ key }) => partsOf(key)[0])).toMatchObject([
    { kid: 'a' },
    { kid: 'b', alg: 'EdDSA' },
  ]);
  expect(reasons).toEqual({
    published: ['accepted', 'accepted'],
    signing: ['accepted', 'accepted'],
    alone: ['unknown', 'accepted'],
  });
});

test.each(['opaque', 'pair'])('a record of kind "%s" is not found by a token with its id', async (kind) => {
  const { apiKeys, store, key, apiKey } = await openJwts([current], { cache: false });
  const record = await store.findById(apiKey.id);
  store.findById = async () => record && { ...record, kind: kind as 'opaque' };

  expect(reasonOf(await apiKeys.verify(key))).toBe('unknown');
});

test('a record whose digest is not that of a token, or of another id, is not found', async () => {
  const { apiKeys, store, key, apiKey } = await openJwts([current], { cache: false });
  const record = await store.findById(apiKey.id);
  for (const digest of [`sha256:${'A'.repeat(43)}`, `jwt:x${apiKey.id}:1`, `jwt:${apiKey.id}:x:1`]) {
    store.findById = async () => record && { ...record, digest };
    expect(reasonOf(await apiKeys.verify(key))).toBe('unknown');
  }
});
