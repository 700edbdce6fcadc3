// Clients that begin a request and never end it: some go away after a while, the others stay until Node sends them off.
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import express from 'express';
import { apiKeyAuth, createApiKeys, keyPairs, MemoryKeyStore } from 'keystile';
import { endor, validateRouter } from 'keystile/dialects';
import { managementRouter } from 'keystile/management';
import { startGauges } from '../gauges.mjs';
import { countStatuses } from './asking.mjs';
import { PREFIX } from './key-texts.mjs';

const MOST_CLIENTS = 500;
const LEAST_CLIENTS = 60;
const GOOD_REQUESTS = 200;
const AT_ONCE = 20;
const GOAL_RSS_MB = 64;

/** How often Node looks whether its time-outs of 60 s and 300 s are over; these are not waited for, but shortened later. */
const LOOKING = { connectionsCheckingInterval: 100 };

const HALF_REQUESTS = {
  'a head without end': (key) =>
    `GET /reports HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key.slice(0, 20)}`,
  'a head without a last line': (key) =>
    `GET /reports HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\n`,
  'half a body to a validate endpoint': () =>
    `POST /v1/auth/api-key/validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n` +
    `Content-Length: 200\r\n\r\n{"key":`,
  'half a chunk to a route of management': (key) =>
    `POST /keys HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n` +
    `Transfer-Encoding: chunked\r\n\r\n40\r\n{"name":`,
};
const BODY_LISTENERS = ['data', 'end', 'error'];

/** @param {import('../parts.mjs').Plan} plan */
export async function halfOpenClients({ scale, say }) {
  const count = Math.max(LEAST_CLIENTS, Math.round(MOST_CLIENTS * Math.min(1, scale)));
  const problems = [];
  // What is started once and stays is no leak.
  await tryOut(LEAST_CLIENTS, []);
  const before = resources();
  say(`${count} clients`);
  const { answers, ends, loopDelayMs, rssGrowthMb } = await tryOut(count, problems);
  const left = Object.entries(resources()).filter(([name, much]) => much > (before[name] ?? 0));
  if (left.length > 0) problems.push(`left behind: ${JSON.stringify(Object.fromEntries(left))}`);
  if (scale >= 0.1 && rssGrowthMb > GOAL_RSS_MB)
    problems.push(`the process grew by ${rssGrowthMb.toFixed(1)} MB`);
  return {
    name: 'requests that never end',
    iterations: count,
    falseAccepts: 0,
    falseRefusals: answers[401] ?? 0,
    loopDelayMs,
    rssGrowthMb,
    details: `beside them ${JSON.stringify(answers)}; those who stayed were sent off by Node: ${JSON.stringify(ends)}`,
    problems,
  };
}

async function tryOut(count, problems) {
  const bench = await openServer();
  const gauges = startGauges();
  const clients = await Promise.all(Array.from({ length: count }, (_, i) => halfClient(bench, i)));
  // Until what was sent has been read.
  while (bench.bodies.length < count / 2) await nextTurn();
  const open = await connectionsOf(bench.server);
  if (open !== count) problems.push(`${open} connections of ${count} are open`);
  const answers = await goodRequests(bench);
  if (answers[200] !== GOOD_REQUESTS) problems.push(`good requests meanwhile: ${JSON.stringify(answers)}`);

  const leaving = clients.filter((_, i) => i % 8 < 4);
  for (const { socket } of leaving) socket.destroy();
  Object.assign(bench.server, { headersTimeout: 1, requestTimeout: 1 });
  await Promise.all(clients.map(({ closed }) => closed));
  const ends = {};
  for (const client of clients) if (!leaving.includes(client)) count1(ends, client.statusLine());
  const others = Object.keys(ends).filter((line) => line !== 'HTTP/1.1 408 Request Timeout');
  if (others.length > 0) problems.push(`sent off by ${JSON.stringify(ends)}`);

  const { loopDelayMs, rssGrowthMb } = gauges.read();
  await once(bench.server.close(), 'close');
  const remaining = await connectionsOf(bench.server);
  if (remaining > 0) problems.push(`${remaining} connections are still there`);
  const listening = bench.bodies.filter((req) => BODY_LISTENERS.some((name) => req.listenerCount(name) > 0));
  if (listening.length > 0) problems.push(`${listening.length} bodies are still listened to`);
  await bench.apiKeys.close();
  return { answers, ends, loopDelayMs, rssGrowthMb };
}

async function openServer() {
  const apiKeys = createApiKeys({ store: new MemoryKeyStore(), prefix: PREFIX, verifiers: [keyPairs()] });
  const organization = { id: 'org_1' };
  const { key } = await apiKeys.create({ name: 'good', organization });
  const authorize = () => ({ organization, grantableScopes: [], actor: 'somebody' });
  const bodies = [];
  const app = express();
  app.use((req, _res, next) => {
    if (req.method === 'POST') bodies.push(req);
    next();
  });
  app.use(validateRouter(apiKeys, endor()));
  app.use('/keys', managementRouter(apiKeys, { authorize }));
  app.use(apiKeyAuth(apiKeys));
  app.get('/reports', (_req, res) => res.sendStatus(200));
  const server = createServer(LOOKING, app);
  server.keepAliveTimeout = 0;
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { apiKeys, key, server, port, bodies };
}

async function halfClient({ port, key }, number) {
  const kinds = Object.values(HALF_REQUESTS);
  const socket = connect(port, '127.0.0.1');
  let heard = '';
  socket.setEncoding('latin1');
  socket.on('data', (piece) => {
    heard += piece;
  });
  // A reset is an end too.
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  socket.write(kinds[number % kinds.length](key));
  return { socket, closed, statusLine: () => heard.split('\r\n', 1)[0] };
}

async function goodRequests({ port, key }) {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const headers = { authorization: `Bearer ${key}` };
  const ask = () =>
    new Promise((resolve) => {
      const sent = get({ port, host: '127.0.0.1', path: '/reports', agent, headers }, (res) => {
        res.resume().on('end', () => resolve({ status: res.statusCode }));
      });
      sent.on('error', (error) => resolve({ status: error.message }));
    });
  const answers = await Promise.all(Array.from({ length: GOOD_REQUESTS }, ask));
  agent.destroy();
  return countStatuses(answers);
}

function connectionsOf(server) {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

/** What keeps the process alive, by kind. */
function resources() {
  const counts = {};
  for (const name of process.getActiveResourcesInfo()) count1(counts, name);
  return counts;
}

function count1(counts, name) {
  counts[name] = (counts[name] ?? 0) + 1;
}
