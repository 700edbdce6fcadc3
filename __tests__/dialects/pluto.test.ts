import { afterEach, describe, expect, test } from '@jest/globals';
import { pluto, plutoKeys, validateRouter } from '../../lib/dialects.ts';
import type { ApiKeysOptions, CreateInput } from '../../lib/index.ts';
import { exchange } from '../support/exchange.ts';
import { expressVersions } from '../support/express-versions.ts';
import { isRefusedByNode } from '../support/many-headers.ts';
import { closeOpenedKeys, openKeys, START_MS } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

const VALIDATE = '/api/runs/auth/validate';
const MISSING = '{"error":"Unauthorized"}';

function refusal(message: string): string {
  return `{"error":"Unauthorized","message":"${message}"}`;
}

describe.each(expressVersions)('pluto on $name', ({ express }) => {
  async function openApp(options: Partial<ApiKeysOptions> = {}, input: Partial<CreateInput> = {}) {
    const keys = await openKeys(options, input);
    const app = express();
    app.use('/base', validateRouter(keys.apiKeys, pluto()));
    app.use((_req, res) => void res.status(418).send('next'));
    const ask = (header: string, line = `GET /base${VALIDATE}`) =>
      exchange(app, header === '' ? [] : [`Authorization: ${header}`], { line });
    return { ...keys, ask };
  }

  test.each([
    [
      'who created the key is its user',
      { createdBy: 'user_9', owner: { type: 'user', id: 'user_7' } },
      { valid: true, organization: { id: 'org_1', slug: 'acme' }, user: { id: 'user_9' } },
    ],
    [
      'the owner is the user of a key whose creator is not known',
      { owner: { type: 'service', id: 'ci' } },
      { valid: true, organization: { id: 'org_1', slug: 'acme' }, user: { id: 'ci' } },
    ],
    [
      'the id of an organization stands for a slug that it has not',
      { organization: { id: 'org_2' } },
      { valid: true, organization: { id: 'org_2', slug: 'org_2' }, user: { id: 'org_2' } },
    ],
  ] satisfies [string, Partial<CreateInput>, object][])('%s', async (_, input, body) => {
    const { key, ask } = await openApp({}, input);
    const answer = await ask(`Bearer ${key}`);

    expect([answer.status, answer.body]).toStrictEqual([200, JSON.stringify(body)]);
  });

  test.each([
    ['is not valid yet', { notBefore: new Date(START_MS + 1) }, {}],
    ['is for another environment', { environment: 'test' }, {}],
    ['has an owner who is inactive', {}, { ownerStatus: () => 'inactive' }],
  ] satisfies [string, Partial<CreateInput>, Partial<ApiKeysOptions>][])(
    'there is no such key as one that %s',
    async (_, input, options) => {
      const { key, ask } = await openApp(options, input);
      const answer = await ask(`Bearer ${key}`);

      expect([answer.status, answer.body]).toStrictEqual([401, refusal('Key not found')]);
    },
  );

  test('an old key works in its grace, and is not found when that is over', async () => {
    const { apiKeys, apiKey, key, clock, ask } = await openApp();
    await apiKeys.rotate(apiKey.id, { gracePeriodMs: 60_000 });
    const [inGrace, slug] = [await ask(`Bearer ${key}`), await ask(`Bearer ${key}`, 'POST /base/api/slug')];
    clock.ms += 60_000;
    const after = await ask(`Bearer ${key}`);

    for (const answer of [inGrace, slug]) {
      expect(answer.status).toBe(200);
      expect(answer.values('Deprecation')).toStrictEqual([`@${START_MS / 1_000}`]);
      expect(answer.values('Sunset')).toStrictEqual([new Date(START_MS + 60_000).toUTCString()]);
    }
    expect(slug.body).toBe('{"organization":{"slug":"acme"}}');
    expect([after.status, after.body]).toStrictEqual([401, refusal('Key not found')]);
    expect(after.values('Sunset')).toStrictEqual([]);
  });

  test('a key that was revoked before its end is revoked until then, and expired from then on', async () => {
    const { apiKeys, apiKey, key, clock, ask } = await openApp({}, { expiresAt: new Date(START_MS + 1_000) });
    await apiKeys.revoke(apiKey.id);
    const before = await ask(`Bearer ${key}`);
    clock.ms += 1_000;
    const after = await ask(`Bearer ${key}`);

    expect(before.body).toBe(refusal('API key has been revoked'));
    expect(after.body).toBe(refusal('API key has expired'));
  });

  test.each([
    ['GET', '/base/api/slug', 'with a good key', 404, '404 Not Found'],
    ['GET', '/base/api/slug', 'without one', 401, MISSING],
    ['DELETE', `/base${VALIDATE}`, 'with a good key', 404, '404 Not Found'],
    ['POST', '/base/api/slug/', 'with a good key', 404, '404 Not Found'],
    ['GET', `/base${VALIDATE}/`, 'without one', 401, MISSING],
    ['GET', `/base${VALIDATE}?key=x`, 'without one', 401, MISSING],
    ['GET', '/base/api/runs/auth', 'with a good key', 418, 'next'],
    ['GET', `/base/API/runs/auth/validate`, 'with a good key', 418, 'next'],
  ])('answers %s %s %s with %i', async (method, path, how, status, body) => {
    const { key, ask } = await openApp();
    const answer = await ask(how === 'without one' ? '' : `Bearer ${key}`, `${method} ${path}`);

    expect([answer.status, answer.body]).toStrictEqual([status, body]);
    if (status === 404) expect(answer.values('Content-Type')).toStrictEqual(['text/plain; charset=UTF-8']);
  });

  test('HEAD is answered as GET, for a bad key too', async () => {
    const { ask } = await openApp();
    const [get, head] = [await ask('Bearer x'), await ask('Bearer x', `HEAD /base${VALIDATE}`)];

    expect(head.body).toBe('');
    expect([head.status, head.fields]).toStrictEqual([get.status, get.fields]);
    expect(get.status).toBe(401);
  });

  test('a header that could have come twice unseen is no header', async () => {
    const keys = await openKeys();
    const app = express();
    app.use(validateRouter(keys.apiKeys, pluto()));
    const many = (count: number) => [
      `Authorization: Bearer ${keys.key}`,
      ...Array.from({ length: count }, () => 'a: b'),
    ];
    const limit = { line: `GET ${VALIDATE}`, maxHeadersCount: 40 };
    const [few, cutOff] = [await exchange(app, many(10), limit), await exchange(app, many(50), limit)];

    expect(few.status).toBe(200);
    expect(cutOff.status).toBe(isRefusedByNode(many(50), 40) ? 431 : 401);
  });

  test('a body that a parser could not read is answered by it, on its paths', async () => {
    const { apiKeys, key } = await openKeys();
    const app = express();
    app.use(express.json(), validateRouter(apiKeys, pluto()));
    app.use((_req, res) => void res.status(418).send('next'));
    const lines = [`Authorization: Bearer ${key}`, 'Content-Type: application/json'];
    const ask = (path: string) => exchange(app, lines, { line: `POST ${path}`, body: '{"a":' });

    expect((await ask('/api/slug')).body).toBe(
      '{"error":"Bad Request","message":"The body cannot be read."}',
    );
    expect((await ask('/elsewhere')).body).toContain('JSON');
  });

  describe('of keys that begin as the vendor’s', () => {
    test.each([
      ['none is there', `mlps_${'x'.repeat(24)}`, 'Key not found'],
      ['the older form is none of ours', 'mlpi_x', 'Key not found'],
      ['one has characters that no key has', 'mlps_"x"', 'Key not found'],
      ['one is longer than any that is read', `mlps_${'x'.repeat(600)}`, 'Key not found'],
      ['one begins with another letter', `mlpx_${'x'.repeat(24)}`, 'Invalid API key'],
    ])('%s', async (_, key, message) => {
      const { ask } = await openApp({ verifiers: [plutoKeys()] });

      expect((await ask(`Bearer ${key}`)).body).toBe(refusal(message));
    });

    test('new ones can be made here, under the same prefix', async () => {
      const { key, ask } = await openApp({ prefix: 'mlps', verifiers: [plutoKeys()] });
      const mistyped = `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`;

      expect(key).toMatch(/^mlps_live_/);
      expect((await ask(`Bearer ${key}`)).status).toBe(200);
      expect((await ask(`Bearer ${mistyped}`)).body).toBe(refusal('Key not found'));
    });
  });
});
