import { afterEach, describe, expect, test } from '@jest/globals';
import {
  type ApiKey,
  ApiKeyError,
  type ApiKeys,
  apiKeyAuth,
  createApiKeys,
  MemoryKeyStore,
  StoreUnavailableError,
} from '../../lib/index.ts';
import {
  type Management,
  type ManagementOptions,
  managementRouter,
} from '../../lib/management/management-router.ts';
import { operationsFor } from '../../lib/management/operations.ts';
import { expressVersions } from '../support/express-versions.ts';
import { closeManagement, openManagement, SESSIONS } from '../support/management-bench.ts';

afterEach(closeManagement);

const GOOD = SESSIONS['anna'] as Management;
const ROUTES = [
  ...operationsFor(['opaque']).map(({ method, path }) => ({ method, path: path.replace(/\/$/, '') })),
  { method: 'GET', path: '/openapi.json' },
];

describe('managementRouter', () => {
  const apiKeys = createApiKeys({ store: new MemoryKeyStore() });
  const authorize = () => undefined;

  test.each<[unknown, RegExp]>([
    [{}, /authorize must be a function .* no default, but got undefined/],
    [{ authorize: 'anna' }, /authorize must be a function/],
    [{ authorize, apiKeyscope: 'x' }, /unknown option "apiKeyscope"; did you mean "apiKeyScope"/],
    [{ authorize, apiKeyScope: 'keys:*' }, /apiKeyScope must not hold "\*"/],
    [{ authorize, apiKeyScope: '' }, /apiKeyScope must be 1 to 128/],
    [{ authorize, dialects: ['plutto'] }, /dialects must be an array of pluto, /],
    [undefined, /options must be an object/],
  ])('refuses %j', (options, message) => {
    expect(() => managementRouter(apiKeys, options as ManagementOptions)).toThrow(message);
  });

  test('refuses keys that are not those of createApiKeys()', () => {
    expect(() => managementRouter({ ...apiKeys } as ApiKeys, { authorize })).toThrow(TypeError);
  });
});

describe.each(ROUTES)('$method $path', ({ method, path }) => {
  const ask = async (authorize: ManagementOptions['authorize']) => {
    let isReady = false;
    // The bench reads the document first.
    const bench = await openManagement({
      management: { authorize: (req) => (isReady ? authorize(req) : GOOD) },
    });
    const { id } = await bench.make();
    const before = await bench.records();
    isReady = true;
    bench.events.length = 0;
    const answer = await bench.ask(method, `/keys${path.replace(':id', id)}`, {
      ...(method === 'GET' ? undefined : { body: { userId: 'user_victim' } }),
    });
    const storeCalls = bench.events.filter(({ type }) => type === 'store');
    expect([await bench.records(), storeCalls]).toEqual([before, []]);
    return { ...answer, code: answer.body.code };
  };

  test('is 401 with a challenge for nobody', async () => {
    const { status, code, headers } = await ask(() => undefined);

    expect([status, code]).toEqual([401, 'missing_credentials']);
    expect(headers.get('www-authenticate')).toBe(
      'Bearer realm="api", ApiKey realm="api", header="X-API-Key"',
    );
  });

  test.each<[string, () => never]>([
    [
      'throws',
      () => {
        throw new Error('no session store');
      },
    ],
    [
      'throws nothing at all',
      () => {
        throw undefined;
      },
    ],
  ])('is 500 where authorize %s', async (_, authorize) => {
    const { status, code, text } = await ask(authorize);

    expect([status, code, text.includes('session store')]).toEqual([500, 'server_error', false]);
  });

  test('is what a thrown ApiKeyError says', async () => {
    const { status, code, headers, body } = await ask(() => {
      throw new ApiKeyError('rate_limited', 'Slow down.', { headers: { 'Retry-After': '7' } });
    });

    expect([status, code, headers.get('retry-after'), body.detail]).toEqual([
      429,
      'rate_limited',
      '7',
      'Slow down.',
    ]);
  });
});

describe('an answer of authorize', () => {
  const { organization, grantableScopes, actor } = GOOD;
  const wrong: readonly unknown[] = [
    null,
    true,
    'org_A',
    [],
    {},
    { organization, grantableScopes },
    { organization, actor },
    { grantableScopes, actor },
    { ...GOOD, actor: '' },
    { ...GOOD, actor: 5 },
    { ...GOOD, organization: 'org_A' },
    { ...GOOD, organization: {} },
    { ...GOOD, organization: { id: '' } },
    { ...GOOD, organization: { id: 5 } },
    { ...GOOD, organization: { id: 'org A' } },
    { ...GOOD, organization: { id: 'org_A', slug: 5 } },
    { ...GOOD, organization: { id: 'org_A', name: 'A' } },
    { ...GOOD, grantableScopes: 'reports:read' },
    { ...GOOD, grantableScopes: ['*'] },
    { ...GOOD, grantableScopes: [undefined] },
    { ...GOOD, user: null },
    { ...GOOD, user: 'user_uwe' },
    { ...GOOD, user: {} },
    { ...GOOD, user: { id: undefined } },
    { ...GOOD, user: { id: 'uwe', name: 'Uwe' } },
    { ...GOOD, users: { id: 'user_uwe' } },
  ];

  test.each(wrong)('of the form %j is a 500, and the operator is told once', async (answer) => {
    let answered: unknown = GOOD;
    const bench = await openManagement({ management: { authorize: () => answered as Management } });
    answered = answer;

    const statuses = [(await bench.ask('GET', '/keys')).status, (await bench.ask('GET', '/keys')).status];

    expect(statuses).toEqual([500, 500]);
    const told = bench.events.flatMap((event) => (event.type === 'warning' ? [event.code] : []));
    expect(told).toEqual(['authorize_failed']);
  });

  test('may be a promise, and one that is rejected is a 500', async () => {
    let answered = Promise.resolve<Management | undefined>(GOOD);
    const bench = await openManagement({ management: { authorize: () => answered } });

    expect((await bench.ask('GET', '/keys')).status).toBe(200);
    answered = Promise.reject(new Error('down'));
    expect((await bench.ask('GET', '/keys')).status).toBe(500);
    answered = Promise.reject(new StoreUnavailableError('The session store is down at 10.0.0.7.'));
    const { status, text } = await bench.ask('GET', '/keys');
    expect([status, text.includes('10.0.0.7')]).toEqual([503, false]);
  });
});

describe.each(expressVersions)('with an API key, on $name', ({ express }) => {
  const authorize: ManagementOptions['authorize'] = (req) =>
    req.get('x-session') === 'anna'
      ? GOOD
      : { ...GOOD, actor: (req.apiKey as ApiKey | undefined)?.id ?? 'nobody' };

  async function statusWith(
    scopes: readonly string[],
    management: Partial<ManagementOptions> = {},
    headers = {},
  ) {
    const bench = await openManagement({
      express,
      management: { authorize, ...management },
      before: (apiKeys) => [apiKeyAuth(apiKeys, { mode: 'optional', realm: 'ours', headers: ['X-Key'] })],
    });
    const { key } = await bench.make({ scopes });
    return bench.ask('POST', '/keys', { body: { name: 'x' }, headers: { 'x-key': key, ...headers } });
  }

  test.each([
    [['keys:manage'], 201],
    [['keys:*'], 201],
    [[], 403],
    [['keys:validate'], 403],
    [['keys'], 403],
    [['reports:*', 'files:read'], 403],
  ])('of scopes %j, the answer is %i', async (scopes, status) => {
    expect((await statusWith(scopes)).status).toBe(status);
  });

  test('the challenge is that of the authenticator', async () => {
    const { status, body, headers } = await statusWith(['files:read']);

    expect([status, body.code]).toEqual([403, 'insufficient_scope']);
    expect(headers.get('www-authenticate')).toBe('ApiKey realm="ours", header="X-Key"');
  });

  test('another scope may be demanded', async () => {
    const management = { apiKeyScope: 'admin:keys' };

    expect((await statusWith(['keys:manage'], management)).status).toBe(403);
    expect((await statusWith(['admin:keys'], management)).status).toBe(201);
  });

  test('a session beside the key does not help it', async () => {
    expect((await statusWith(['files:read'], {}, { 'x-session': 'anna' })).status).toBe(403);
  });

  test('an anonymous request is for authorize to judge', async () => {
    const bench = await openManagement({
      express,
      before: (apiKeys) => [apiKeyAuth(apiKeys, { mode: 'optional', realm: 'ours' })],
    });

    expect((await bench.ask('GET', '/keys')).status).toBe(200);
    const { status, headers } = await bench.ask('GET', '/keys', { as: 'nobody' });
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer realm="ours", /);
  });

  test('a key of other keys, by their own authenticator, is one too', async () => {
    const others = createApiKeys({ store: new MemoryKeyStore() });
    const { key } = await others.create({ name: 'x', organization: { id: 'org_A' }, scopes: ['files:read'] });
    const bench = await openManagement({
      express,
      before: () => [apiKeyAuth(others, { mode: 'optional' })],
    });

    const { status } = await bench.ask('GET', '/keys', { headers: { 'x-api-key': key } });

    expect(status).toBe(403);
    await others.close();
  });

  test.each([
    [{ scopes: ['files:read'] }, 403],
    [{}, 403],
    ['a text', 403],
    [{ scopes: ['keys:manage'] }, 200],
    [null, 200],
  ])(
    'that an authenticator unknown here has put on the request as %j, the answer is %i, also where ours let it pass as anonymous',
    async (apiKey, status) => {
      let put: unknown;
      let isOursBefore = false;
      const bench = await openManagement({
        express,
        before: (apiKeys) => [
          (req, res, next) => {
            if (isOursBefore) apiKeyAuth(apiKeys, { mode: 'optional' })(req, res, next);
            else next();
          },
          (req, _res, next) => {
            (req as { apiKey: unknown }).apiKey = put;
            next();
          },
        ],
      });
      put = apiKey;

      expect((await bench.ask('GET', '/keys')).status).toBe(status);
      isOursBefore = true;
      expect((await bench.ask('GET', '/keys')).status).toBe(status);
    },
  );

  test('what is put on the request does not help a key that passed an authenticator', async () => {
    const bench = await openManagement({
      express,
      before: (apiKeys) => [
        apiKeyAuth(apiKeys, { mode: 'optional' }),
        (req, _res, next) => {
          (req as { apiKey: unknown }).apiKey = { scopes: ['keys:manage'] };
          next();
        },
      ],
    });
    const { key } = await bench.make({ scopes: ['files:read'] });

    expect((await bench.ask('GET', '/keys', { headers: { 'x-api-key': key } })).status).toBe(403);
  });
});
