import { afterEach, describe, expect, test } from '@jest/globals';
import type { Request } from 'express';
import { apiKeyAuth, getApiKey, requireScope } from '../../lib/index.ts';
import { exchange } from '../support/exchange.ts';
import { expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

describe.each(expressVersions)('that a request has passed, on $name,', ({ express }) => {
  test('cannot be handed on with its header lines', async () => {
    const { apiKeys, key } = await openKeys();
    const app = express();
    let first: Request | undefined;
    app.get('/first', apiKeyAuth(apiKeys), (req, res) => {
      first = req;
      res.json(getApiKey(req)?.organization.id);
    });
    app.get('/second', (req, res) => {
      req.rawHeaders = first?.rawHeaders ?? [];
      res.json(getApiKey(req)?.organization.id ?? 'nobody');
    });
    expect((await exchange(app, [`X-API-Key: ${key}`], { line: 'GET /first' })).body).toBe('"org_1"');
    expect((await exchange(app, [], { line: 'GET /second' })).body).toBe('"nobody"');
  });

  test('is lost with its header lines: a guard then lets nobody pass', async () => {
    const { apiKeys, key } = await openKeys();
    const app = express();
    app.use(apiKeyAuth(apiKeys), (req, _res, next) => {
      req.rawHeaders = [...req.rawHeaders];
      next();
    });
    app.get('/', requireScope('reports:read'), (_req, res) => void res.json('in'));
    expect((await exchange(app, [`X-API-Key: ${key}`], { line: 'GET /' })).status).toBe(500);
  });
});

describe.each(expressVersions)('the grammar of a header on $name', ({ express }) => {
  test('holds for a text that the cache knows by a call of verify(), too', async () => {
    const { apiKeys, store } = await openKeys({
      verifiers: [
        {
          name: 'odd',
          matches: (text) => text.startsWith('odd!'),
          examples: ['odd!1'],
          find: async (_text, lookup) => {
            const record = await lookup.byId(id);
            return record && { record };
          },
        },
      ],
    });
    const { apiKey } = await apiKeys.create({ name: 'Odd', organization: { id: 'org_1' } });
    const { id } = apiKey;
    expect(await apiKeys.verify('odd!1')).toMatchObject({ ok: true });
    expect(apiKeys.verify('odd!1')).toMatchObject({ ok: true });
    const app = express();
    app.use(apiKeyAuth(apiKeys), (_req, res) => void res.json('in'));
    for (let i = 0; i < 3; i += 1) {
      expect((await exchange(app, ['X-API-Key: odd!1'])).status).toBe(400);
    }
    expect(store.lookups).toBe(0);
  });
});
