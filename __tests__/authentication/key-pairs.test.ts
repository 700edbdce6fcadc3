import { describe, expect, test } from '@jest/globals';
import {
  type ApiKeyError,
  apiKeyAuth,
  createApiKeys,
  keyPairs,
  keyRecord,
  MemoryKeyStore,
  requireScope,
} from '../../lib/index.ts';
import { exchange } from '../support/exchange.ts';
import { expressVersions } from '../support/express-versions.ts';
import { FaultStore, rejects } from '../support/fault-store.ts';
import { digestOf } from '../support/records.ts';

const organization = { id: 'org_1' };
const basic = (id: string, secret: string): string =>
  `Authorization: Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

async function openPairs(options: { basic?: boolean } = {}) {
  const faults = new FaultStore(new MemoryKeyStore());
  const apiKeys = createApiKeys({ store: faults, verifiers: [keyPairs(options)] });
  const {
    key,
    secret = '',
    apiKey,
  } = await apiKeys.create({ kind: 'pair', name: 'CI', organization, scopes: ['read'] });
  return { faults, apiKeys, id: key, secret, apiKey };
}

describe('create({ kind: "pair" })', () => {
  test('gives the id as the key, a secret of 43 base62 characters, and keeps neither', async () => {
    const { faults, id, secret, apiKey } = await openPairs();
    expect(id).toBe(apiKey.id);
    expect(secret).toMatch(/^[0-9A-Za-z]{43}$/);
    expect(apiKey).toMatchObject({ kind: 'pair', start: secret.slice(0, 4), end: secret.slice(-4) });
    const record = await faults.findById(id);
    expect(JSON.stringify(record)).not.toContain(secret.slice(4, -4));
  });

  test('needs its verifier', async () => {
    const apiKeys = createApiKeys({ store: new MemoryKeyStore() });
    await expect(apiKeys.create({ kind: 'pair', name: 'CI', organization })).rejects.toThrow(
      'A key of kind "pair" needs keyPairs() in createApiKeys({ verifiers: [...] }).',
    );
    await expect(apiKeys.verifyPair('a', 'b')).rejects.toThrow(
      'verifyPair: pairs need keyPairs() or bcryptSecrets() in createApiKeys({ verifiers: [...] })',
    );
  });
});

describe('verifyPair', () => {
  test('accepts the pair, and from the cache without a promise', async () => {
    const { apiKeys, id, secret, apiKey } = await openPairs();
    expect(await apiKeys.verifyPair(id, secret)).toEqual({ ok: true, apiKey });
    expect(apiKeys.verifyPair(id, secret)).toEqual({ ok: true, apiKey });
  });

  test('asks the store once for a wrong secret as for an unknown id, and gives one answer to both', async () => {
    const { apiKeys, faults, id, secret } = await openPairs();
    const before = faults.count('findByDigest');
    const wrong = await apiKeys.verifyPair(id, `${secret.slice(1)}x`);
    expect(faults.count('findByDigest') - before).toBe(1);
    const unknown = await apiKeys.verifyPair('01890a5d-ac96-774b-bcce-b302099a8057', secret);
    expect(faults.count('findByDigest') - before).toBe(2);
    expect(faults.count('findById')).toBe(0);
    expect(wrong).toEqual({ ok: false, reason: 'unknown' });
    expect(unknown).toEqual(wrong);
  });

  test.each([
    ['no text', 1 as unknown as string, 's'],
    ['an empty id', '', 's'],
    ['an empty secret', 'id', ''],
    ['a secret that is too long', 'id', 's'.repeat(256)],
    ['a secret with NUL', 'id', 's\0'],
    ['an id beyond ASCII', 'ïd', 's'],
  ])('refuses %s without a store call', async (_case, id, secret) => {
    const { apiKeys, faults } = await openPairs();
    expect(await apiKeys.verifyPair(id, secret)).toEqual({ ok: false, reason: 'malformed' });
    expect(faults.count('findByDigest')).toBe(0);
  });

  test('tells a:b with c from a with b:c, which have one digest', async () => {
    const store = new MemoryKeyStore([
      keyRecord({ id: 'a:b', kind: 'pair', digest: digestOf('a:b:c'), organization }),
    ]);
    const apiKeys = createApiKeys({ store, verifiers: [keyPairs()] });
    expect(await apiKeys.verifyPair('a', 'b:c')).toEqual({ ok: false, reason: 'unknown' });
    expect(await apiKeys.verifyPair('a:b', 'c')).toMatchObject({ ok: true, apiKey: { id: 'a:b' } });
    expect(await apiKeys.verifyPair('a', 'b:c')).toEqual({ ok: false, reason: 'unknown' });
  });

  test('follows rotation with grace, and revocation at once', async () => {
    const { apiKeys, id, secret } = await openPairs();
    const rotated = await apiKeys.rotate(id);
    expect(await apiKeys.verifyPair(id, rotated.secret ?? '')).toMatchObject({ ok: true });
    expect(await apiKeys.verifyPair(id, secret)).toMatchObject({
      ok: true,
      graceUntil: rotated.apiKey.grace?.expiresAt,
    });
    await apiKeys.revoke(id);
    expect(await apiKeys.verifyPair(id, secret)).toMatchObject({ ok: false, reason: 'revoked' });
    expect(await apiKeys.verifyPair(id, rotated.secret ?? '')).toMatchObject({
      ok: false,
      reason: 'revoked',
    });
  });

  test('moves a pair under an older digest to the newest pepper', async () => {
    const id = 'endr+MPLCM7HUFpk5acdI';
    const store = new MemoryKeyStore([
      keyRecord({ id, kind: 'pair', digest: digestOf(`${id}:s3cret`), organization }),
    ]);
    const peppers = [{ id: 'p2', secret: 'p'.repeat(32) }];
    const apiKeys = createApiKeys({ store, peppers, verifiers: [keyPairs()] });
    expect(await apiKeys.verifyPair(id, 's3cret')).toMatchObject({ ok: true });
    await apiKeys.close();
    expect((await store.findById(id))?.digest).toMatch(/^hmac-sha256:p2:/);
  });
});

describe('wrong secrets', () => {
  async function guess(
    apiKeys: Awaited<ReturnType<typeof openPairs>>['apiKeys'],
    id: string,
    times: number,
    from: string,
  ) {
    for (let i = 0; i < times; i += 1) await apiKeys.verifyPair(id, `wrong${from}${i}`, { from });
  }

  test('the 21st for one id from one address is 429 with no store call', async () => {
    const { apiKeys, faults, id } = await openPairs();
    await guess(apiKeys, id, 20, '192.0.2.1');
    const before = faults.count('findByDigest');
    const refused = Promise.resolve(apiKeys.verifyPair(id, 'another', { from: '192.0.2.1' }));
    await expect(refused).rejects.toMatchObject({ code: 'rate_limited', status: 429 });
    const error = await refused.catch((thrown: ApiKeyError) => thrown);
    const seconds = Number((error as ApiKeyError).headers['Retry-After']);
    expect(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60).toBe(true);
    expect(faults.count('findByDigest')).toBe(before);
  });

  test('are none where the secret is right and the key is refused for something else', async () => {
    const { apiKeys, id, secret } = await openPairs();
    await apiKeys.disable(id);
    const from = '192.0.2.1';
    for (let i = 0; i < 21; i += 1) {
      expect(await apiKeys.verifyPair(id, secret, { from })).toMatchObject({ reason: 'disabled' });
      // A cached one would be no try.
      await apiKeys.enable(id);
      await apiKeys.disable(id);
    }
    await guess(apiKeys, id, 20, from);
  });

  test('count as well where a pair comes as one text', async () => {
    const { apiKeys, faults, id, secret } = await openPairs();
    const textOf = (number: number) => `${id}.${String(number).padStart(43, 'w')}`;
    for (let i = 0; i < 20; i += 1) await apiKeys.verify(textOf(i));
    const before = faults.count('findByDigest');
    const refused = Promise.resolve(apiKeys.verify(`${id}.${secret}`));
    await expect(refused).rejects.toMatchObject({ code: 'rate_limited' });
    expect(faults.count('findByDigest')).toBe(before);
  });

  test('lock out neither the id from elsewhere, nor another id, nor who is in the cache', async () => {
    const { apiKeys, id, secret } = await openPairs();
    const other = await apiKeys.create({ kind: 'pair', name: 'other', organization });
    await apiKeys.verifyPair(id, secret, { from: '192.0.2.1' });
    await guess(apiKeys, id, 20, '192.0.2.1');
    expect(await apiKeys.verifyPair(id, secret, { from: '192.0.2.1' })).toMatchObject({ ok: true });
    expect(await apiKeys.verifyPair(id, 'wrong', { from: '192.0.2.2' })).toEqual({
      ok: false,
      reason: 'unknown',
    });
    expect(await apiKeys.verifyPair(other.key, other.secret ?? '', { from: '192.0.2.1' })).toMatchObject({
      ok: true,
    });
  });

  test('count as they are tried, so that many at once do not slip through', async () => {
    const { apiKeys, faults, id, secret } = await openPairs();
    const tries = Array.from({ length: 500 }, (_, i) =>
      apiKeys.verifyPair(id, `guess${i}`, { from: '192.0.2.1' }),
    );
    const outcomes = await Promise.allSettled(tries);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
    expect(faults.count('findByDigest')).toBe(20);
    expect(await apiKeys.verifyPair(id, secret, { from: '192.0.2.2' })).toMatchObject({ ok: true });
  });

  test('are none where the secret was right, however many ask at once, or where the store failed', async () => {
    const { apiKeys, faults, id, secret } = await openPairs();
    const many = Array.from({ length: 100 }, () => apiKeys.verifyPair(id, secret, { from: '192.0.2.1' }));
    expect((await Promise.all(many)).every(({ ok }) => ok)).toBe(true);
    faults.next('findByDigest', ...Array.from({ length: 4 }, () => rejects(new Error('down'))));
    for (let i = 0; i < 4; i += 1)
      await Promise.resolve(apiKeys.verifyPair(id, `lost${i}`, { from: '192.0.2.1' })).catch(() => undefined);
    await guess(apiKeys, id, 20, '192.0.2.1');
    await expect(
      Promise.resolve(apiKeys.verifyPair(id, 'more', { from: '192.0.2.1' })),
    ).rejects.toMatchObject({ code: 'rate_limited' });
  });

  test.each([
    [{ form: '192.0.2.1' }, 'unknown option "form"; did you mean "from"?'],
    [{ from: 5 }, 'verifyPair: from must be a text, but got 5'],
  ])('are not counted by options that are wrong: %j', async (options, message) => {
    const { apiKeys, id } = await openPairs();
    await expect(Promise.resolve(apiKeys.verifyPair(id, 'wrong', options as never))).rejects.toThrow(message);
  });

  test.each([
    ['one IPv6 network of 64 bits', '2001:db8:1:2:3::1', '2001:db8:1:2:ffff:1:2:3', true],
    ['another IPv6 network', '2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['IPv4 in IPv6 form', '::ffff:192.0.2.1', '192.0.2.1', true],
    ['two spellings of one IPv6 address', '2001:db8::1', '2001:0DB8:0:0:0:0:0:1', true],
  ])('count for %s', async (_case, first, second, isSame) => {
    const { apiKeys, id } = await openPairs();
    await guess(apiKeys, id, 20, first);
    const answer = Promise.resolve(apiKeys.verifyPair(id, 'once-more', { from: second }));
    if (isSame) await expect(answer).rejects.toMatchObject({ code: 'rate_limited' });
    else expect(await answer).toEqual({ ok: false, reason: 'unknown' });
  });
});

describe.each(expressVersions)('over HTTP on $name', ({ express }) => {
  async function appWith(options: { basic?: boolean }) {
    const opened = await openPairs(options);
    const app = express();
    app.use(apiKeyAuth(opened.apiKeys));
    app.get('/', requireScope('read'), (req, res) => void res.json(req.apiKey.id));
    return { ...opened, app };
  }

  test('a pair comes as one text in any header that is read', async () => {
    const { app, id, secret } = await appWith({});
    expect((await exchange(app, [`Authorization: Bearer ${id}.${secret}`])).status).toBe(200);
    expect((await exchange(app, [`X-API-Key: ${id}.${secret}`])).status).toBe(200);
    expect((await exchange(app, [`X-API-Key: ${id}.${secret.slice(1)}x`])).status).toBe(401);
  });

  test('a pair comes by Basic where that is read', async () => {
    const { app, id, secret } = await appWith({ basic: true });
    const answer = await exchange(app, [basic(id, secret)]);
    expect([answer.status, answer.body]).toEqual([200, JSON.stringify(id)]);
    expect((await exchange(app, [basic(id, `${secret.slice(1)}x`)])).status).toBe(401);
  });

  test('Basic is a foreign scheme where it is not read, and with a user-id that is no key id', async () => {
    const { app, id, secret } = await appWith({});
    expect((await exchange(app, [basic(id, secret)])).body).toContain('missing_credentials');
    const reading = await appWith({ basic: true });
    expect((await exchange(reading.app, [basic('staging', 'password')])).body).toContain(
      'missing_credentials',
    );
    const beside = [basic('staging', 'password'), `X-API-Key: ${reading.id}.${reading.secret}`];
    expect((await exchange(reading.app, beside)).status).toBe(200);
  });

  test.each([
    ['with padding that is missing', (text: string) => text.replace(/=+$/, '')],
    ['with a character that the decoder skips', (text: string) => `${text.slice(0, 8)}-${text.slice(8)}`],
  ])('Basic in another spelling, %s, is not read', async (_case, respell) => {
    const { app, id, secret } = await appWith({ basic: true });
    const text = Buffer.from(`${id}:${secret}`).toString('base64');
    expect(respell(text)).not.toBe(text);
    expect((await exchange(app, [`Authorization: Basic ${respell(text)}`])).status).toBe(401);
  });

  test('a pair by Basic beside a key is two credentials', async () => {
    const { app, id, secret } = await appWith({ basic: true });
    const answer = await exchange(app, [basic(id, secret), `X-API-Key: ${id}.${secret}`]);
    expect([answer.status, answer.body.includes('invalid_request')]).toEqual([400, true]);
  });

  test('too many wrong secrets are 429 with Retry-After and no challenge', async () => {
    const { app, id, secret } = await appWith({ basic: true });
    for (let i = 0; i < 20; i += 1) await exchange(app, [basic(id, `${'w'.repeat(41)}${10 + i}`)]);
    const answer = await exchange(app, [basic(id, secret)]);
    expect(answer.status).toBe(429);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'rate_limited', status: 429 });
    expect(Number(answer.values('retry-after')[0])).toBeGreaterThanOrEqual(1);
    expect(answer.values('www-authenticate')).toEqual([]);
    expect(answer.values('cache-control')).toEqual(['no-store']);
  });
});
