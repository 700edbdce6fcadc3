import { afterEach, describe, expect, test } from '@jest/globals';
import { type GmiOptions, gmi, validateRouter } from '../../lib/dialects.ts';
import type { CreateInput } from '../../lib/index.ts';
import { jwtKeys } from '../../lib/jwt.ts';
import { exchange } from '../support/exchange.ts';
import { expressVersions } from '../support/express-versions.ts';
import { HOUR_MS, keyOption, optionsWith } from '../support/jwt-options.ts';
import { closeOpenedKeys, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

const PATH = '/api/v1/me/api-keys/current';
const ORGANIZATION = '066daf34-08e8-40fe-a384-4248bcff5842';
const OWNER = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
const INVALID = '{"group":"api-key","code":200,"message":"Invalid API key."}';
const EXPIRED = '{"group":"api-key","code":201,"message":"Expired API key."}';
const FAULT =
  '{"group":"api-key","code":1201,"message":"Get API key encountered DB error.","traces":["DB error occurred."]}';

const UUIDS: Partial<CreateInput> = {
  organization: { id: ORGANIZATION },
  owner: { type: 'user', id: OWNER },
  scopes: ['ie_model'],
};

describe.each(expressVersions)('gmi on $name', ({ express }) => {
  async function openApp(options: GmiOptions = {}, input: Partial<CreateInput> = {}) {
    const jwt = jwtKeys(optionsWith([keyOption('k1', 'current')]));
    const keys = await openKeys({ verifiers: [jwt] }, { ...UUIDS, ...input });
    const app = express();
    app.use('/api/v1', validateRouter(keys.apiKeys, gmi(options)));
    app.use((_req, res) => void res.status(418).send('next'));
    const ask = (line = `GET ${PATH}`, text = keys.key) =>
      exchange(app, text === '' ? [] : [`Authorization: Bearer ${text}`], { line });
    return { ...keys, ask };
  }

  const good = (id: string, scope: string, type = ''): string =>
    `{"key":{"id":"${id}","scope":"${scope}","owner":{"id":"${OWNER}"}${type}},"organization":{"id":"${ORGANIZATION}"}}`;
  const MODEL_TYPE = ',"type":"ie_model"';

  test.each([
    [['ie_model'], 'ie_model', MODEL_TYPE],
    [['ce_resource'], 'ce_resource', ''],
    [['ce_resource', 'ie_model'], 'ce_resource', ''],
    [['reports:read', 'ie_model', 'ce_resource'], 'ie_model', MODEL_TYPE],
  ])('of the scopes %j tells %s', async (scopes, scope, type) => {
    const { ask, apiKey } = await openApp({}, { scopes });
    const answer = await ask();

    expect([answer.status, answer.body]).toStrictEqual([200, good(apiKey.id, scope, type)]);
  });

  test.each([[[]], [['ie_models']], [['ie_model:read']], [['reports:read']]])(
    'of the scopes %j can tell none, and says that it failed',
    async (scopes) => {
      const { ask } = await openApp({}, { scopes });
      const answer = await ask();

      expect([answer.status, answer.body]).toStrictEqual([500, FAULT]);
    },
  );

  test('asks the application for the UUID of each id that is none, and says whose it is', async () => {
    const asked: string[][] = [];
    const uuid: GmiOptions['uuid'] = (id, of) => {
      asked.push([id, of]);
      return of === 'owner' ? OWNER : ORGANIZATION;
    };
    const { apiKey, ask } = await openApp(
      { uuid },
      { organization: { id: 'org_1' }, owner: { type: 'user', id: 'user_1' } },
    );

    expect((await ask()).body).toBe(good(apiKey.id, 'ie_model', MODEL_TYPE));
    expect(asked).toStrictEqual([
      ['user_1', 'owner'],
      ['org_1', 'organization'],
    ]);
  });

  test('leaves ids alone that are UUIDs, of whatever letters', async () => {
    const { ask } = await openApp(
      {
        uuid: () => {
          throw new Error('asked');
        },
      },
      { organization: { id: ORGANIZATION.toUpperCase() } },
    );

    expect(JSON.parse((await ask()).body).organization.id).toBe(ORGANIZATION.toUpperCase());
  });

  test.each<[string, GmiOptions]>([
    ['nobody knows a UUID', {}],
    ['the application answers another text', { uuid: () => 'org-1' }],
    ['the application answers nothing', { uuid: (() => undefined) as unknown as () => string }],
    [
      'the application answers a promise that fails',
      {
        uuid: (async () => {
          throw new Error('secret detail');
        }) as unknown as () => string,
      },
    ],
    ['the application answers a promise', { uuid: (async () => ORGANIZATION) as unknown as () => string }],
    [
      'the application throws',
      {
        uuid: () => {
          throw new Error('secret detail');
        },
      },
    ],
  ])('says that it failed where an id is no UUID and %s', async (_, options) => {
    const { ask } = await openApp(options, { organization: { id: 'org_1' } });
    const answer = await ask();

    expect([answer.status, answer.body]).toStrictEqual([500, FAULT]);
  });

  test('says so too of a key that was imported under another id', async () => {
    const { apiKeys, store, ask, key } = await openApp();
    const [record] = (await store.list({ limit: 1, order: 'newest' })).records;
    await apiKeys.delete(record?.id ?? '');
    const { digest = '' } = record ?? {};
    const imported = { name: 'CI', organization: { id: ORGANIZATION }, scopes: ['ie_model'], digest };
    await apiKeys.import([{ ...imported, id: 'key_1', randomBits: 190 }]);

    expect(await apiKeys.verify(key)).toMatchObject({ ok: true, apiKey: { id: 'key_1' } });
    expect((await ask()).body).toBe(FAULT);
  });

  test('takes a JWT, until its own end', async () => {
    const { apiKeys, clock, ask } = await openApp();
    const { key, apiKey } = await apiKeys.create({ name: 'JWT', ...UUIDS, kind: 'jwt' } as CreateInput);
    const [before, broken] = [await ask(undefined, key), await ask(undefined, `${key.slice(0, -4)}AAAA`)];
    clock.ms += HOUR_MS;
    const after = await ask(undefined, key);

    expect(key).toMatch(/^eyJ/);
    expect([before.status, before.body]).toStrictEqual([200, good(apiKey.id, 'ie_model', MODEL_TYPE)]);
    expect([broken.status, broken.body]).toStrictEqual([401, INVALID]);
    expect([after.status, after.body]).toStrictEqual([401, EXPIRED]);
  });

  test('calls a key that was revoked and has expired invalid, and not expired', async () => {
    const { apiKeys, apiKey, clock, ask } = await openApp(
      {},
      { expiresAt: new Date('2026-03-01T11:00:00Z') },
    );
    clock.ms += HOUR_MS;
    const expired = await ask();
    await apiKeys.revoke(apiKey.id);

    expect([expired.body, (await ask()).body]).toStrictEqual([EXPIRED, INVALID]);
  });

  test.each([
    ['HEAD', PATH, 200, ''],
    ['POST', PATH, 405, '{"group":"request","code":405,"message":"The resource does not have this method."}'],
    ['GET', `${PATH}/`, 418, 'next'],
    ['GET', '/api/v1/me/api-keys', 418, 'next'],
  ])('answers %s %s with %i', async (method, path, status, body) => {
    const { ask } = await openApp();
    const answer = await ask(`${method} ${path}`);

    expect([answer.status, answer.body]).toStrictEqual([status, body]);
    expect(answer.values('Allow')).toStrictEqual(status === 405 ? ['GET, HEAD'] : []);
  });

  test.each([
    ['Bearer KEY', 200],
    ['bearer KEY', 200],
    ['Bearer', 401],
    ['KEY', 401],
    ['Basic KEY', 401],
    ['Token KEY', 401],
    ['Bearer KEY extra', 401],
    ['Bearer, KEY', 401],
  ])('takes the key out of Bearer and out of nothing else: %s', async (header, status) => {
    const { apiKeys, key } = await openKeys({}, UUIDS);
    const app = express();
    app.use('/api/v1', validateRouter(apiKeys, gmi()));
    const lines = [`Authorization: ${header.replace('KEY', key)}`];
    const answer = await exchange(app, lines, { line: `GET ${PATH}` });

    expect(answer.status).toBe(status);
    if (status === 401) expect(answer.body).toBe(INVALID);
  });
});

describe('gmi() refuses', () => {
  test.each([
    [{ uuids: () => '' }, 'gmi: unknown option "uuids"; did you mean "uuid"? (known: uuid)'],
    [{ uuid: 'x' }, 'gmi: uuid must be a function, but got "x"'],
  ])('%j', (options, message) => {
    expect(() => gmi(options as object)).toThrow(new TypeError(message));
  });
});
