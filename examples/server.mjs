// What `npm start` runs: an API with the keys of two organizations, which it keeps in an SQLite file. Beside it, the
// same keys answer in the formats of five vendors, and to OAuth's introspection. It needs the build, since it imports
// the package by its name, as an application does.
//
//   PORT          where it listens on 127.0.0.1; 3000 unless given, and 0 for any that is free
//   KEYSTILE_DB   the file; keystile.db in the current folder unless given
import { once } from 'node:events';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import express from 'express';
import { apiKeyAuth, createApiKeys, keyPairs, requireOrganization, requireScope } from 'keystile';
import { endor, gmi, introspection, pluto, timbrix, validateRouter, workos } from 'keystile/dialects';
import { SqlKeyStore } from 'keystile/stores/sql';

/** Their ids are UUIDs, since GMI Cloud has no other. */
const acme = { id: '9d2f1c52-6c0f-4b8e-9a43-0c1de2a6f7b1', slug: 'acme' };
const globex = { id: '4a7be0d3-52c8-4f16-8d0e-7b9c35e1a2f4', slug: 'globex' };

const firstKeys = [
  { name: 'acme', organization: acme, scopes: ['reports:read', 'reports:write', 'ie_model'] },
  { name: 'globex', organization: globex, scopes: ['reports:read'] },
  // Asks about other keys: WorkOS and introspection want to know who does.
  { name: 'asking', organization: acme, scopes: ['keys:validate', 'keys:manage'] },
  // An id and a secret, as Endor Labs has them.
  { name: 'pair', organization: acme, scopes: ['reports:read'], kind: 'pair' },
];

/** Where each vendor's endpoint is, below which its own path follows. */
const dialects = {
  '/pluto': pluto(),
  '/timbrix/api': timbrix(),
  '/endor': endor(),
  '/gmi/api/v1': gmi(),
  '/workos': workos(),
  '/oauth': introspection(),
};

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

  const apiKeys = createApiKeys({ store, prefix: 'demo', verifiers: [keyPairs()] });
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
  const reports = new Map([acme, globex].map(({ id }) => [id, ['Report 1']]));

  const app = express();
  // Before apiKeyAuth: each vendor has its own way of asking.
  for (const [path, dialect] of Object.entries(dialects)) app.use(path, validateRouter(apiKeys, dialect));
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

/** On the first start each of them new, as text; later only what is known of it. */
async function findOrCreateKeys(apiKeys) {
  const keys = [];
  for (const input of firstKeys) {
    const { apiKeys: there } = await apiKeys.list({ organizationId: input.organization.id, order: 'oldest' });
    const found = there.find(({ name }) => name === input.name);
    keys.push(found === undefined ? await apiKeys.create(input) : { apiKey: found });
  }
  return keys;
}

function showKeys(keys, file, url) {
  console.log(`keystile listens on ${url}, and keeps its keys in ${file}. Ctrl-C stops it.\n`);
  for (const { key, secret = '', apiKey } of keys) {
    const { id, kind, name, start, end, scopes } = apiKey;
    const shown = key ?? (kind === 'pair' ? id : `${start}...${end}`);
    console.log(`  ${name.padEnd(6)}  ${shown}  ${scopes.join(' ')}${secret && `  secret: ${secret}`}`);
  }
  if (keys.some(({ key }) => key === undefined)) {
    console.log(
      '\nThe keys of the first start are kept, and still work. Their text was shown then and is stored nowhere,' +
        `\nso it cannot be shown again. For new keys stop the server, delete ${file} and start again.\n`,
    );
    showRequest('401, no key', `${url}/reports`);
    return;
  }
  console.log('\nThis is the only time that the keys are shown. Try them:\n');
  showGuarded(keys, url);
  console.log('The same keys, asked about as five vendors and OAuth do it:\n');
  showDialects(keys, url);
}

function showGuarded([{ key: acmeKey }, { key: globexKey }], url) {
  showRequest('200, a good key', `-H "Authorization: Bearer ${acmeKey}" ${url}/reports`);
  showRequest('200, in the other header', `-H "X-API-Key: ${globexKey}" ${url}/reports`);
  showRequest('403, a scope is missing', `-X POST -H "X-API-Key: ${globexKey}" ${url}/reports`);
  showRequest(
    '403, another organization',
    `-H "X-API-Key: ${globexKey}" ${url}/organizations/${acme.id}/reports`,
  );
  showRequest('401, no key', `${url}/reports`);
  showRequest('401, a mistyped key', `-H "X-API-Key: ${mistyped(acmeKey)}" ${url}/reports`);
}

function showDialects([{ key }, , asking, pair], url) {
  const bearer = `-H "Authorization: Bearer ${key}"`;
  const caller = `-H "Authorization: Bearer ${asking.key}"`;
  const json = (body) => `-H "Content-Type: application/json" -d '${JSON.stringify(body)}'`;
  showRequest('200, pluto', `${bearer} ${url}/pluto/api/runs/auth/validate`);
  showRequest('200, timbrix', `-X POST -H "X-API-Key: ${key}" ${url}/timbrix/api/api-keys/validate`);
  showRequest(
    '200, endor',
    `${json({ key: pair.key, secret: pair.secret })} ${url}/endor/v1/auth/api-key/validate`,
  );
  showRequest('200, gmi', `${bearer} ${url}/gmi/api/v1/me/api-keys/current`);
  showRequest('200, workos', `${caller} ${json({ value: key })} ${url}/workos/api_keys/validations`);
  showRequest('200, introspection', `${caller} -d token=${key} ${url}/oauth/introspect`);
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
