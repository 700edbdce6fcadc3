// A small program of somebody who installed keystile. scripts/consumers.mjs compiles it against the packed tarball,
// as an ES module and as CommonJS, and runs it; that is why it has no top-level await and no test in it.
import type { AddressInfo } from 'node:net';
import express from 'express';
import { apiKeyAuth, createApiKeys, MemoryKeyStore, requireScope } from 'keystile';
import { SqlKeyStore } from 'keystile/stores/sql';

async function main(): Promise<void> {
  const apiKeys = createApiKeys({ store: new MemoryKeyStore(), prefix: 'acme' });
  const app = express();
  app.use(apiKeyAuth(apiKeys));
  app.get('/reports', requireScope('reports:read'), (req, res) => {
    const organization: string = req.apiKey.organization.id;
    res.json({ organization });
  });
  app.get('/admin', requireScope('admin'), (_req, res) => {
    res.json({});
  });

  const { key, apiKey } = await apiKeys.create({
    name: 'CI',
    organization: { id: 'org_1', slug: 'acme' },
    scopes: ['reports:read'],
  });
  const start: string = apiKey.start;
  const ddl: string = SqlKeyStore.schema('sqlite', { table: 'app_keys' });

  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close', ...headers } });

  const answered = await get('/reports', { authorization: `Bearer ${key}` });
  const body: unknown = await answered.json();
  const anonymous = await get('/reports');
  const forbidden = await get('/admin', { 'x-api-key': key });
  server.close();
  await apiKeys.close();

  process.stdout.write(
    JSON.stringify({
      withKey: answered.status,
      body,
      withoutKey: anonymous.status,
      withoutScope: forbidden.status,
      keyStartsAsShown: key.startsWith(start),
      schemaNamesTable: ddl.includes('app_keys'),
    }),
  );
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
