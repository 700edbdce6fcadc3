// What `npm start` runs: an API with the keys of two organizations, which it keeps in an SQLite file. It needs the
// build, since it imports the package by its name, as an application does.
//
//   PORT          where it listens on 127.0.0.1; 3000 unless given, and 0 for any that is free
//   KEYSTILE_DB   the file; keystile.db in the current folder unless given
import { once } from 'node:events';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import express from 'express';
import { apiKeyAuth, createApiKeys, requireOrganization, requireScope } from 'keystile';
import { SqlKeyStore } from 'keystile/stores/sql';

const organizations = [
  { organization: { id: 'org_acme', slug: 'acme' }, scopes: ['reports:read', 'reports:write'] },
  { organization: { id: 'org_globex', slug: 'globex' }, scopes: ['reports:read'] },
];

/** As long as a call to the store may take by default: a writer that waits longer is given up anyway. */
const BUSY_TIMEOUT_MS = 1_000;

/** Requests under way when the server is stopped have this long to end. */
const DRAIN_MS = 5_000;

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main() {
  const file = process.env.KEYSTILE_DB || 'keystile.db';
  const database = await openDatabase(file);
  const store = new SqlKeyStore(database);
  await store.migrate();

  const apiKeys = createApiKeys({ store, prefix: 'demo' });
  const server = createServer(createApp(apiKeys));
  const stop = stopSignal();
  try {
    const port = await listen(server, process.env.PORT || '3000');
    showKeys(await findOrCreateKeys(apiKeys), file, `http://127.0.0.1:${port}`);
    if (!stop.aborted) await once(stop, 'abort');
  } finally {
    await close({ server, apiKeys, database });
  }
}

/** The SQLite that Node brings along from 22.13 on, else that of @libsql/client. */
async function openDatabase(file) {
  const sqlite = process.getBuiltinModule('node:sqlite');
  if (sqlite === undefined) {
    const { createClient } = await import('@libsql/client');
    return createClient({ url: pathToFileURL(file).href, timeout: BUSY_TIMEOUT_MS });
  }
  const database = new sqlite.DatabaseSync(file);
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  return database;
}

function createApp(apiKeys) {
  const reports = new Map(organizations.map(({ organization }) => [organization.id, ['Report 1']]));

  const app = express();
  app.use(apiKeyAuth(apiKeys));

  app.get('/reports', requireScope('reports:read'), (req, res) => {
    res.json({ organization: req.apiKey.organization, reports: reports.get(req.apiKey.organization.id) });
  });
  app.post('/reports', requireScope('reports:write'), (req, res) => {
    const own = reports.get(req.apiKey.organization.id);
    own.push(`Report ${own.length + 1}`);
    res.status(201).json({ reports: own });
  });
  app.get(
    '/organizations/:id/reports',
    requireOrganization((req) => req.params.id),
    requireScope('reports:read'),
    (req, res) => {
      res.json({ reports: reports.get(req.params.id) });
    },
  );
  return app;
}

async function listen(server, port) {
  if (!/^\d+$/.test(port) || Number(port) > 65_535) {
    throw new Error(`PORT must be a number from 0 to 65535, but it is "${port}".`);
  }
  server.listen(Number(port), '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new Error(`Port ${port} is taken. PORT=0 npm start takes any that is free.`);
  }
  return server.address().port;
}

/** On the first start one new key for each organization, as text; later only what is known of it. */
async function findOrCreateKeys(apiKeys) {
  const keys = [];
  for (const { organization, scopes } of organizations) {
    const { apiKeys: found } = await apiKeys.list({ organizationId: organization.id, limit: 1 });
    keys.push(
      found.length > 0
        ? { apiKey: found[0] }
        : await apiKeys.create({ name: `First key of ${organization.slug}`, organization, scopes }),
    );
  }
  return keys;
}

function showKeys([acme, globex], file, url) {
  console.log(`keystile listens on ${url}, and keeps its keys in ${file}. Ctrl-C stops it.\n`);
  for (const { key, apiKey } of [acme, globex]) {
    const { organization, start, end, scopes } = apiKey;
    const shown = key ?? `${start}...${end}`;
    console.log(`  ${organization.slug.padEnd(6)}  ${shown}  ${scopes.join(' ')}`);
  }
  if (acme.key === undefined || globex.key === undefined) {
    console.log(
      '\nThe keys of the first start are kept, and still work. Their text was shown then and is stored nowhere,' +
        `\nso it cannot be shown again. For new keys stop the server, delete ${file} and start again.\n`,
    );
    showRequest('401, no key', `${url}/reports`);
    return;
  }
  console.log('\nThis is the only time that the keys are shown. Try them:\n');
  showRequest('200, a good key', `-H "Authorization: Bearer ${acme.key}" ${url}/reports`);
  showRequest('200, in the other header', `-H "X-API-Key: ${globex.key}" ${url}/reports`);
  showRequest('403, a scope is missing', `-X POST -H "X-API-Key: ${globex.key}" ${url}/reports`);
  showRequest(
    '403, another organization',
    `-H "X-API-Key: ${globex.key}" ${url}/organizations/${acme.apiKey.organization.id}/reports`,
  );
  showRequest('401, no key', `${url}/reports`);
  showRequest('401, a mistyped key', `-H "X-API-Key: ${mistyped(acme.key)}" ${url}/reports`);
}

function showRequest(answer, request) {
  console.log(`  ${answer}:\n    curl -i ${request}\n`);
}

function mistyped(key) {
  return key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');
}

/** Aborts on the first signal; later ones change nothing, as npm hands on the Ctrl-C that we got already. */
function stopSignal() {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => controller.abort());
  return controller.signal;
}

/** In this order: no request may meet closed keys, and closing the keys writes to the database. */
async function close({ server, apiKeys, database }) {
  if (server.listening) {
    setTimeout(() => server.closeAllConnections(), DRAIN_MS).unref();
    await new Promise((resolve) => server.close(resolve));
  }
  await apiKeys.close();
  database.close();
}
