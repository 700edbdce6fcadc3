import { afterEach, describe, expect, test } from '@jest/globals';
import type { Request, RequestHandler } from 'express';
import request from 'supertest';
import {
  type ApiKeysOptions,
  apiKeyAuth,
  type CreateInput,
  getApiKey,
  requireAnyScope,
  requireEnvironment,
  requireOrganization,
  requireScope,
} from '../../lib/index.ts';
import { problemOf, refusalFields } from '../support/answers.ts';
import { errorCatcher } from '../support/error-catcher.ts';
import { exchange } from '../support/exchange.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, decisionsOf, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

async function openApp(
  express: Express,
  guard: RequestHandler,
  input: Partial<CreateInput> = {},
  options: Partial<ApiKeysOptions> = {},
) {
  const keys = await openKeys(options, input);
  const reached: string[] = [];
  const { failed, handler } = errorCatcher();
  const app = express();
  app.use(apiKeyAuth(keys.apiKeys));
  app.get('/organizations/:id', guard, (req, res) => {
    reached.push(req.path);
    res.send('let pass');
  });
  app.use(handler);
  const ask = (id = 'org_1') =>
    exchange(app, [`X-API-Key: ${keys.key}`], { line: `GET /organizations/${id}` });
  return { ...keys, app, ask, reached, failed };
}

type Scopes = [string, ...string[]];

describe.each(expressVersions)('guards on $name', ({ express }) => {
  test.each<[number, string[], Scopes]>([
    [200, ['a:read'], ['a:read']],
    [200, ['a:read', 'b:read', 'c'], ['a:read', 'b:read']],
    [403, ['a:read'], ['a:read', 'b:read']],
    [403, ['a:read'], ['a:write']],
    [403, ['a:read'], ['a']],
    [403, ['a'], ['a:read']],
    [403, ['a:read'], ['A:read']],
    [403, ['a:reader'], ['a:read']],
    [403, ['a:read'], ['a:reader']],
    [403, [], ['a:read']],
    [200, ['a:*'], ['a:read']],
    [200, ['a:*'], ['a:read:own']],
    [200, ['a:b:*'], ['a:b:c']],
    [200, ['a:*', 'b:*'], ['a:read', 'b:read']],
    [403, ['a:*'], ['a']],
    [403, ['a:*'], ['a:']],
    [403, ['a:*'], ['ab:read']],
    [403, ['a:b:*'], ['a:c']],
    [403, ['a:*'], ['a:read', 'b:read']],
  ])(
    'requireScope answers %d to a key with %j where the route demands %j',
    async (status, granted, demanded) => {
      const { ask, reached } = await openApp(express, requireScope(...demanded), { scopes: granted });
      expect((await ask()).status).toBe(status);
      expect(reached).toHaveLength(status === 200 ? 1 : 0);
    },
  );

  test.each<[number, string[], Scopes]>([
    [200, ['a:read'], ['a:read', 'b:read']],
    [200, ['b:read'], ['a:read', 'b:read']],
    [200, ['b:*'], ['a:read', 'b:read']],
    [403, ['c:read'], ['a:read', 'b:read']],
    [403, [], ['a:read', 'b:read']],
  ])(
    'requireAnyScope answers %d to a key with %j where the route names %j',
    async (status, granted, named) => {
      const { ask, reached } = await openApp(express, requireAnyScope(...named), { scopes: granted });
      const answer = await ask();
      expect(answer.status).toBe(status);
      expect(reached).toHaveLength(status === 200 ? 1 : 0);
      expect(answer.values('WWW-Authenticate')[0]).toBe(
        status === 200 ? undefined : 'Bearer realm="api", error="insufficient_scope", scope="a:read b:read"',
      );
    },
  );

  test.each<[number, string, (req: Request) => string | undefined]>([
    [200, 'is the key’s', (req) => req.params['id'] as string],
    [403, 'is another', () => 'org_2'],
    [403, 'is the key’s in other case', () => 'ORG_1'],
    [403, 'is the key’s slug', () => 'acme'],
    [403, 'is the beginning of the key’s', () => 'org_'],
    [403, 'is not there', () => undefined],
    [403, 'is empty', () => ''],
    [403, 'comes as a promise', (async () => 'org_1') as unknown as () => string],
  ])('requireOrganization answers %d where the organization of the request %s', async (status, _, id) => {
    const { ask, reached } = await openApp(express, requireOrganization(id));
    expect((await ask()).status).toBe(status);
    expect(reached).toHaveLength(status === 200 ? 1 : 0);
  });

  test('requireOrganization answers 500 where its callback throws, and nobody gets past it', async () => {
    const guard = requireOrganization(() => {
      throw new Error('secret detail');
    });
    const { ask, reached, failed } = await openApp(express, guard);
    const answer = await ask();
    expect(answer.status).toBe(500);
    expect(answer.body).toBe(problemOf('server_error'));
    expect(answer.fields).toStrictEqual(refusalFields(answer.body));
    expect({ reached, failed }).toStrictEqual({ reached: [], failed: [] });
  });

  test.each([
    [200, 'live', 'live'],
    [200, 'test', 'test'],
    [403, 'live', 'test'],
    [403, 'test', 'live'],
  ] as const)('requireEnvironment answers %d to a %s key on a route for %s', async (status, of, demanded) => {
    const both = { environments: ['live', 'test'] } as const;
    const { ask, reached } = await openApp(express, requireEnvironment(demanded), { environment: of }, both);
    expect((await ask()).status).toBe(status);
    expect(reached).toHaveLength(status === 200 ? 1 : 0);
  });

  test('decide one after the other, and the first that refuses answers', async () => {
    const { apiKeys, key } = await openKeys();
    const app = express();
    app.use(apiKeyAuth(apiKeys));
    app.use(requireScope('reports:read'), requireEnvironment('live'));
    app.get(
      '/',
      requireOrganization(() => 'org_2'),
      requireScope('reports:write'),
    );
    const answer = await request(app).get('/').set('X-API-Key', key);
    expect(answer.body).toMatchObject({ status: 403, code: 'forbidden' });
  });

  test('ask the store nothing', async () => {
    const { ask, store } = await openApp(express, requireScope('reports:read'));
    await ask();
    const { lookups } = store;
    await ask();
    expect(store.lookups).toBe(lookups);
  });

  test('tell of what they refuse, with whose key it was', async () => {
    const { ask, events, apiKey } = await openApp(express, requireScope('reports:write'));
    await ask();
    const whose = { keyId: apiKey.id, organizationId: 'org_1' };
    expect(decisionsOf(events)).toStrictEqual([
      { type: 'decision', outcome: 'accepted', cache: 'miss', ...whose },
      { type: 'decision', outcome: 'refused', reason: 'insufficient_scope', cache: 'none', ...whose },
    ]);
  });

  test('tell nothing of what they let pass', async () => {
    const { ask, events } = await openApp(express, requireScope('reports:read'));
    await ask();
    expect(decisionsOf(events)).toHaveLength(1);
  });

  test('answer in the voice of the authenticator that ran last', async () => {
    const outer = await openKeys();
    const inner = await openKeys();
    const app = express();
    app.use(apiKeyAuth(outer.apiKeys, { realm: 'outer', headers: ['X-Partner-Key'] }));
    app.get('/outer', requireScope('admin'));
    app.use(apiKeyAuth(inner.apiKeys, { realm: 'inner', headers: ['X-Inner-Key'] }));
    app.get('/inner', requireScope('admin'));
    const challengesOf = async (path: string) => {
      const lines = [`X-Partner-Key: ${outer.key}`, `X-Inner-Key: ${inner.key}`];
      return (await exchange(app, lines, { line: `GET ${path}` })).values('WWW-Authenticate');
    };
    expect(await challengesOf('/outer')).toStrictEqual(['ApiKey realm="outer", header="X-Partner-Key"']);
    expect(await challengesOf('/inner')).toStrictEqual(['ApiKey realm="inner", header="X-Inner-Key"']);
  });

  test('answer 500 themselves where the clock fails them', async () => {
    let isBroken = false;
    const now = () => {
      if (isBroken) throw new Error('no time');
      return 1_800_000_000_000;
    };
    const breakClock: RequestHandler = (_req, _res, next) => {
      isBroken = true;
      next();
    };
    const { apiKeys, key } = await openKeys({ now });
    const { failed, handler } = errorCatcher();
    const app = express();
    app.use(apiKeyAuth(apiKeys), breakClock, requireScope('admin'));
    app.use(handler);
    const answer = await exchange(app, [`X-API-Key: ${key}`]);
    expect(answer.body).toBe(problemOf('server_error'));
    expect(failed).toStrictEqual([]);
  });
});

describe.each(expressVersions)('getApiKey on $name', ({ express }) => {
  test('answers the key of the request, and undefined where no authenticator ran', async () => {
    const { apiKeys, key } = await openKeys();
    const got: unknown[] = [];
    const app = express();
    app.use((req, _res, next) => {
      (req as { apiKey?: unknown }).apiKey = { id: 'not ours' };
      got.push(getApiKey(req));
      next();
    });
    app.use(apiKeyAuth(apiKeys), (req, res) => {
      got.push(getApiKey(req) === req.apiKey, req.apiKey.organization.id);
      res.end();
    });
    await request(app).get('/').set('X-API-Key', key);
    expect(got).toStrictEqual([undefined, true, 'org_1']);
  });
});
