import type { RequestListener } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Request, Response } from 'express';
import request from 'supertest';
import { type ApiKey, apiKeyAuth } from '../../lib/index.ts';
import { exchange } from '../support/exchange.ts';
import { expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, decisionsOf, KEY_INPUT, openKeys, START_MS } from '../support/open-keys.ts';

const HOUR_MS = 3_600_000;

afterEach(closeOpenedKeys);

describe.each(expressVersions)('apiKeyAuth on $name', ({ express }) => {
  test.each([
    ['Authorization', 'Bearer '],
    ['Authorization', 'bearer '],
    ['X-API-Key', ''],
  ])('lets a good key in %s pass, with its ApiKey on the request (%j)', async (header, scheme) => {
    const { apiKeys, key, apiKey } = await openKeys();
    const app = express();
    app.use(apiKeyAuth(apiKeys));
    app.get('/reports', (req, res) => {
      res.json({ id: req.apiKey.id, organization: req.apiKey.organization, scopes: req.apiKey.scopes });
    });
    const answer = await request(app)
      .get('/reports')
      .set(header, scheme + key);
    expect(answer.status).toBe(200);
    expect(answer.body).toStrictEqual({
      id: apiKey.id,
      organization: { id: 'org_1', slug: 'acme' },
      scopes: ['reports:read'],
    });
  });

  test('lets nobody pass whose key turns out unknown or revoked when the store has answered', async () => {
    const { apiKeys, apiKey, key } = await openKeys();
    const unknown = (await openKeys()).key;
    await apiKeys.revoke(apiKey.id);
    const reached: string[] = [];
    const app = express();
    app.use(apiKeyAuth(apiKeys), (req) => void reached.push(req.url));
    await request(app).get('/').set('X-API-Key', unknown).expect(401);
    await request(app).get('/').set('X-API-Key', key).expect(401);
    expect(reached).toEqual([]);
  });

  test('has run next when it returns, for a key that the cache holds, and only then', async () => {
    const { apiKeys, key } = await openKeys();
    const authenticate = apiKeyAuth(apiKeys);
    const hadRun: boolean[] = [];
    const app = express();
    app.use((req, res, next) => {
      let isRun = false;
      void authenticate(req, res, () => {
        isRun = true;
        next();
      });
      hadRun.push(isRun);
    });
    app.get('/', (_req, res) => void res.end());
    for (let i = 0; i < 2; i += 1) await request(app).get('/').set('X-API-Key', key).expect(200);
    expect(hadRun).toStrictEqual([false, true]);
  });

  test('puts one property on the request, none on the response, and two header fields', async () => {
    const { apiKeys, key } = await openKeys();
    const authenticate = apiKeyAuth(apiKeys);
    const seen: object[] = [];
    const app = express();
    app.use((req, res, next) => {
      const before = [Reflect.ownKeys(req), Reflect.ownKeys(res), res.getHeaderNames()];
      void authenticate(req, res, () => {
        const after = [Reflect.ownKeys(req), Reflect.ownKeys(res), res.getHeaderNames()];
        seen.push(after.map((names, i) => names.filter((name) => !before[i]?.includes(name as string))));
        next();
      });
    });
    app.get('/', (_req, res) => void res.end());
    for (let i = 0; i < 2; i += 1) await request(app).get('/').set('X-API-Key', key).expect(200);
    expect(seen[1]).toStrictEqual([['apiKey'], [], ['vary', 'cache-control']]);
    expect(seen[0]).toStrictEqual(seen[1]);
  });

  test('gives all requests of a key the same ApiKey, frozen to the bottom and without the key', async () => {
    const { apiKeys, key } = await openKeys({}, { metadata: { plan: { name: 'pro' } } });
    const seen: ApiKey[] = [];
    const app = express();
    app.use(apiKeyAuth(apiKeys), (req, res) => {
      seen.push(req.apiKey);
      res.end();
    });
    for (let i = 0; i < 2; i += 1) await request(app).get('/').set('X-API-Key', key);
    const [first, second] = seen as [ApiKey, ApiKey];
    expect(second).toBe(first);
    const parts = [first, first.organization, first.owner, first.scopes, first.metadata];
    expect([...parts, first.metadata['plan']].every((part) => Object.isFrozen(part))).toBe(true);
    expect(JSON.stringify(first)).not.toContain(key.slice(-20));
    expect(first).not.toHaveProperty('digest');
  });

  test('decides where it is mounted: what stands before it is open, what comes after is not', async () => {
    const { apiKeys } = await openKeys();
    const app = express();
    app.get('/health', (_req, res) => void res.send('up'));
    app.use(apiKeyAuth(apiKeys));
    app.get('/reports', (_req, res) => void res.send('secret'));
    const statuses = [
      (await request(app).get('/health')).status,
      (await request(app).get('/reports')).status,
      (await request(app).get('/nowhere')).status,
    ];
    expect(statuses).toStrictEqual([200, 401, 401]);
  });

  test.each(['options', 'head', 'post', 'delete'] as const)(
    'treats %s like any other method',
    async (method) => {
      const { apiKeys, key } = await openKeys();
      const app = express();
      app.use(apiKeyAuth(apiKeys));
      app.all('/', (_req, res) => void res.status(204).end());
      expect((await request(app)[method]('/')).status).toBe(401);
      expect((await request(app)[method]('/').set('X-API-Key', key)).status).toBe(204);
    },
  );

  test('keeps two authenticators over two stores in one app apart', async () => {
    const first = await openKeys();
    const second = await openKeys();
    const app = express();
    app.use('/first', apiKeyAuth(first.apiKeys), (req, res) => void res.send(req.apiKey.id));
    app.use('/second', apiKeyAuth(second.apiKeys), (req, res) => void res.send(req.apiKey.id));
    const ask = (path: string, key: string) => request(app).get(path).set('X-API-Key', key);
    expect((await ask('/first', first.key)).text).toBe(first.apiKey.id);
    expect((await ask('/second', second.key)).text).toBe(second.apiKey.id);
    expect((await ask('/first', second.key)).status).toBe(401);
    expect((await ask('/second', first.key)).status).toBe(401);
  });

  test('leaves the key of the authenticator that ran last on the request', async () => {
    const outer = await openKeys();
    const inner = await openKeys();
    const app = express();
    app.use(apiKeyAuth(outer.apiKeys, { headers: ['X-Partner-Key'] }));
    app.use(apiKeyAuth(inner.apiKeys));
    app.get('/', (req, res) => void res.send(req.apiKey.id));
    const answer = await request(app).get('/').set({ 'X-Partner-Key': outer.key, 'X-API-Key': inner.key });
    expect(answer.text).toBe(inner.apiKey.id);
    expect(answer.headers['vary']).toBe('X-Partner-Key, Authorization, X-API-Key');
  });

  test('tells of an accepted key once, with whose it is and where the record came from', async () => {
    const { apiKeys, key, apiKey, events } = await openKeys();
    const app = express();
    app.use(apiKeyAuth(apiKeys), (_req, res) => void res.end());
    for (let i = 0; i < 2; i += 1) await request(app).get('/').set('X-API-Key', key);
    const accepted = { type: 'decision', outcome: 'accepted', keyId: apiKey.id, organizationId: 'org_1' };
    expect(decisionsOf(events)).toStrictEqual([
      { ...accepted, cache: 'miss' },
      { ...accepted, cache: 'hit' },
    ]);
  });
});

describe.each(expressVersions)('a key in its grace period on $name', ({ express }) => {
  test('says since when it is deprecated and when it stops, and then stops', async () => {
    const { apiKeys, key, apiKey, clock } = await openKeys();
    const app = express();
    app.use(apiKeyAuth(apiKeys), (req, res) => void res.send(req.apiKey.id));
    const ask = (text: string) => request(app).get('/').set('X-API-Key', text);
    clock.ms = START_MS + 1_999;
    const rotated = await apiKeys.rotate(apiKey.id, { gracePeriodMs: HOUR_MS });

    const old = await ask(key);
    expect(old.text).toBe(apiKey.id);
    expect(old.headers['deprecation']).toBe(`@${START_MS / 1_000 + 1}`);
    expect(old.headers['sunset']).toBe('Sun, 01 Mar 2026 11:00:01 GMT');

    const fresh = await ask(rotated.key);
    expect(fresh.text).toBe(apiKey.id);
    expect(fresh.headers).not.toHaveProperty('deprecation');
    expect(fresh.headers).not.toHaveProperty('sunset');

    clock.ms += HOUR_MS - 1;
    expect((await ask(key)).status).toBe(200);
    clock.ms += 1;
    const late = await ask(key);
    expect(late.status).toBe(401);
    expect(late.headers).not.toHaveProperty('sunset');
  });

  test('says so from the cache too', async () => {
    const { apiKeys, key, apiKey, store } = await openKeys();
    const app = express();
    app.use(apiKeyAuth(apiKeys), (_req, res) => void res.end());
    await apiKeys.rotate(apiKey.id, { gracePeriodMs: HOUR_MS });
    const first = await request(app).get('/').set('X-API-Key', key);
    const { lookups } = store;
    const second = await request(app).get('/').set('X-API-Key', key);
    expect(store.lookups).toBe(lookups);
    expect(second.headers['sunset']).toBe('Sun, 01 Mar 2026 11:00:00 GMT');
    expect(second.headers['deprecation']).toBe(first.headers['deprecation']);
  });

  test('shows no sign of a grace period when there was none', async () => {
    const { apiKeys } = await openKeys();
    const { key } = await apiKeys.create({ ...KEY_INPUT, expiresAt: new Date(START_MS + HOUR_MS) });
    const app = express();
    app.use(apiKeyAuth(apiKeys), (_req, res) => void res.end());
    const { headers } = await request(app).get('/').set('X-API-Key', key).expect(200);
    expect(headers).not.toHaveProperty('deprecation');
    expect(headers).not.toHaveProperty('sunset');
  });
});

describe('apiKeyAuth without Express', () => {
  test.each<[string, object | undefined]>([
    ['a plain server', undefined],
    ['a framework with applications of another kind', {}],
  ])('lets a good key pass in %s, and refuses others', async (_, application) => {
    const { apiKeys, key } = await openKeys();
    const authenticate = apiKeyAuth(apiKeys);
    const listener: RequestListener = (req, res) => {
      Object.assign(req, { app: application });
      authenticate(req as Request, res as Response, () => res.end('let pass'));
    };
    expect((await exchange(listener, [`X-API-Key: ${key}`])).body).toBe('let pass');
    expect((await exchange(listener, [])).status).toBe(401);
  });
});
