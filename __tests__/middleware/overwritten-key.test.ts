import { describe, expect, test } from '@jest/globals';
import type { Request } from 'express';
import { apiKeyAuth, createApiKeys, getApiKey, MemoryKeyStore, requireScope } from '../../lib/index.ts';
import { exchange } from '../support/exchange.ts';
import { expressVersions } from '../support/express-versions.ts';

describe.each(expressVersions)('what an application puts on req.apiKey, on $name', ({ express }) => {
  test('decides nothing', async () => {
    const apiKeys = createApiKeys({ store: new MemoryKeyStore() });
    const { key } = await apiKeys.create({ name: 'CI', organization: { id: 'org_1' }, scopes: ['read'] });
    const app = express();
    app.use(apiKeyAuth(apiKeys, { mode: 'optional' }));
    app.use((req, _res, next) => {
      (req as { apiKey: unknown }).apiKey = { scopes: ['admin'], organization: { id: 'org_2' } };
      next();
    });
    app.get('/admin', requireScope('admin'), (_req, res) => void res.json('in'));
    app.get('/who', (req: Request, res) => void res.json(getApiKey(req)?.organization.id ?? 'nobody'));
    expect((await exchange(app, [], { line: 'GET /admin' })).status).toBe(401);
    expect((await exchange(app, [`X-API-Key: ${key}`], { line: 'GET /admin' })).status).toBe(403);
    expect((await exchange(app, [], { line: 'GET /who' })).body).toBe('"nobody"');
    expect((await exchange(app, [`X-API-Key: ${key}`], { line: 'GET /who' })).body).toBe('"org_1"');
  });
});
