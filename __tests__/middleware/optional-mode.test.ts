import { afterEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { type ApiKey, apiKeyAuth, getApiKey, requireScope } from '../../lib/index.ts';
import { challengeFields, problemOf, refusalFields } from '../support/answers.ts';
import { exchange } from '../support/exchange.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, decisionsOf, type OpenedKeys, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

function openApp(express: Express, { apiKeys }: OpenedKeys) {
  const seen: { onRequest: ApiKey | undefined; got: ApiKey | undefined; isOwn: boolean }[] = [];
  const app = express();
  app.use(apiKeyAuth(apiKeys, { mode: 'optional' }));
  app.get('/guarded', requireScope('reports:read'), (_req, res) => void res.send('secret'));
  app.get('/', (req, res) => {
    seen.push({ onRequest: req.apiKey, got: getApiKey(req), isOwn: Object.hasOwn(req, 'apiKey') });
    res.send(getApiKey(req)?.id ?? 'anonymous');
  });
  return { app, seen };
}

describe.each(expressVersions)('optional mode on $name', ({ express }) => {
  test.each<[string, Record<string, string>]>([
    ['without a key', {}],
    ['with a foreign scheme', { Authorization: 'Basic YTpi' }],
    ['with a key in a cookie', { Cookie: 'api_key=acme_live_x' }],
  ])('lets a request %s pass, with req.apiKey undefined', async (_, headers) => {
    const keys = await openKeys();
    const { app, seen } = openApp(express, keys);
    const answer = await request(app).get('/').set(headers);
    expect(answer.text).toBe('anonymous');
    expect(seen).toStrictEqual([{ onRequest: undefined, got: undefined, isOwn: true }]);
    expect(answer.headers['vary']).toBe('Authorization, X-API-Key');
    expect(answer.headers).not.toHaveProperty('cache-control');
    expect(answer.headers).not.toHaveProperty('www-authenticate');
    expect(keys.store.lookups).toBe(0);
    expect(decisionsOf(keys.events)).toStrictEqual([
      { type: 'decision', outcome: 'anonymous', cache: 'none' },
    ]);
  });

  test('puts a good key on the request', async () => {
    const keys = await openKeys();
    const { app, seen } = openApp(express, keys);
    const answer = await request(app).get('/').set('X-API-Key', keys.key);
    expect(answer.text).toBe(keys.apiKey.id);
    expect(answer.headers['cache-control']).toBe('private');
    expect(seen[0]?.got).toBe(seen[0]?.onRequest);
  });

  test.each([
    ['malformed', 401, (_key: string) => 'X-API-Key: nonsense'],
    ['mistyped', 401, (key: string) => `X-API-Key: ${key.slice(0, -2)}`],
    ['empty', 400, (_key: string) => 'X-API-Key:'],
    ['broken', 400, (key: string) => `Authorization: Bearer ${key} ${key}`],
  ])('refuses a key that is %s', async (_, status, lineOf) => {
    const keys = await openKeys();
    const { app, seen } = openApp(express, keys);
    expect((await exchange(app, [lineOf(keys.key)])).status).toBe(status);
    expect(seen).toHaveLength(0);
  });

  test('refuses a key that is revoked', async () => {
    const keys = await openKeys();
    await keys.apiKeys.revoke(keys.apiKey.id);
    const { app } = openApp(express, keys);
    expect((await request(app).get('/').set('X-API-Key', keys.key)).status).toBe(401);
  });

  test('answers 503 to a key while the store is down, and lets anonymous requests pass', async () => {
    const keys = await openKeys();
    keys.store.fault = new Error('down');
    const { app } = openApp(express, keys);
    expect((await request(app).get('/').set('X-API-Key', keys.key)).status).toBe(503);
    expect((await request(app).get('/')).text).toBe('anonymous');
  });

  test('has its guards answer an anonymous request 401 missing_credentials', async () => {
    const keys = await openKeys();
    const { app } = openApp(express, keys);
    const answer = await exchange(app, [], { line: 'GET /guarded' });
    expect(answer.status).toBe(401);
    expect(answer.body).toBe(problemOf('missing_credentials'));
    expect(answer.fields).toStrictEqual(refusalFields(answer.body, challengeFields('')));
    expect(decisionsOf(keys.events)).toStrictEqual([
      { type: 'decision', outcome: 'anonymous', cache: 'none' },
      { type: 'decision', outcome: 'refused', reason: 'missing_credentials', cache: 'none' },
    ]);
  });

  test('leaves no key of an earlier authenticator on an anonymous request', async () => {
    const outer = await openKeys();
    const app = express();
    app.use(apiKeyAuth(outer.apiKeys, { headers: ['X-Partner-Key'] }));
    app.use(openApp(express, await openKeys()).app);
    expect((await request(app).get('/').set('X-Partner-Key', outer.key)).text).toBe('anonymous');
    expect((await request(app).get('/guarded').set('X-Partner-Key', outer.key)).status).toBe(401);
  });

  test('leaves an answer alone that has begun before it', async () => {
    const { apiKeys } = await openKeys();
    const reached: string[] = [];
    const app = express();
    app.use((_req, res, next) => {
      res.write('begun, ');
      next();
      res.end('ended');
    });
    app.use(apiKeyAuth(apiKeys, { mode: 'optional' }), (req) => void reached.push(req.url));
    expect((await request(app).get('/')).text).toBe('begun, ended');
    expect(reached).toStrictEqual([]);
  });
});
