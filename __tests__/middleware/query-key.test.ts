import { afterEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { apiKeyAuth, type KeyEvent } from '../../lib/index.ts';
import { expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

const warningsOf = (events: readonly KeyEvent[]) => events.filter(({ type }) => type === 'warning');

describe.each(expressVersions)('a key in the query string on $name', ({ express }) => {
  test.each(['api_key', 'apikey', 'api-key', 'key', 'access_token', 'token', 'X-API-Key', 'whatever'])(
    'is not read under the name %s, and is warned of without its value',
    async (name) => {
      const { apiKeys, key, store, events } = await openKeys();
      const app = express();
      app.use(apiKeyAuth(apiKeys), (_req, res) => void res.end());
      const answer = await request(app).get(`/reports?page=2&${name}=${key}`);
      expect(answer.status).toBe(401);
      expect(answer.body).toMatchObject({ code: 'missing_credentials' });
      expect(answer.text).not.toContain(key);
      expect(store.lookups).toBe(0);
      expect(warningsOf(events)).toMatchObject([{ code: 'key_in_query' }]);
      expect(JSON.stringify(events)).not.toContain(key.slice(-30));
    },
  );

  test('is warned of once, however often it comes', async () => {
    const { apiKeys, key, events } = await openKeys();
    const app = express();
    app.use('/api', apiKeyAuth(apiKeys), (_req, res) => void res.end());
    for (let i = 0; i < 3; i += 1) await request(app).get(`/api?key=${key}`).expect(401);
    expect(warningsOf(events)).toHaveLength(1);
  });

  test('is warned of where an optional authenticator lets the request pass as anonymous', async () => {
    const { apiKeys, key, events } = await openKeys();
    const app = express();
    app.use(apiKeyAuth(apiKeys, { mode: 'optional' }), (req, res) => void res.send(String(req.apiKey)));
    expect((await request(app).get(`/?key=${key}`)).text).toBe('undefined');
    expect(warningsOf(events)).toHaveLength(1);
  });

  test.each([
    '/reports?page=2',
    '/reports?key=',
    '/reports?monkey=1',
    '/key=1',
    '/a&key=1',
    '/reports?q=acme_live_x',
  ])('is not suspected in %s', async (path) => {
    const { apiKeys, events } = await openKeys();
    const app = express();
    app.use(apiKeyAuth(apiKeys));
    await request(app).get(path).expect(401);
    expect(warningsOf(events)).toHaveLength(0);
  });

  test('is warned of beside a header that is refused unread', async () => {
    const { apiKeys, key, events } = await openKeys();
    const app = express();
    app.use(apiKeyAuth(apiKeys));
    await request(app).get(`/?key=${key}`).set('Authorization', 'Bearer a b').expect(400);
    expect(warningsOf(events)).toMatchObject([{ code: 'key_in_query' }]);
  });

  test('changes nothing for a request that has a good key in a header', async () => {
    const { apiKeys, key, events } = await openKeys();
    const app = express();
    app.use(apiKeyAuth(apiKeys), (_req, res) => void res.end());
    await request(app).get('/?key=1').set('X-API-Key', key).expect(200);
    expect(warningsOf(events)).toHaveLength(0);
  });
});
