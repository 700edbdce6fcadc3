// What the measurements of outages share with the tests of them: an API under a steady load, and the life of a server.
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';

const TICK_MS = 20;

/**
 * Requests at a steady rate, each with one of the keys, to an API that answers the id of the key it got.
 *
 * @param authenticate - the middleware
 * @param act - what happens to the database meanwhile; the load ends with it
 * @returns how often each status was answered, and how many answers were of somebody else's key
 */
export async function underLoad(authenticate, keys, perSecond, act) {
  const app = express();
  app.use(authenticate);
  app.use((req, res) => res.json({ id: req.apiKey.id }));
  // On a busy machine hundreds connect at one moment, and what does not fit into the queue is reset by the system.
  const server = createServer(app).listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
  // A connection that is ended for being idle, right when it is used again, is no answer of ours either.
  server.keepAliveTimeout = 0;
  await once(server, 'listening');
  const agent = new Agent({ keepAlive: true });
  const statuses = {};
  const pending = new Set();
  let wrong = 0;
  let sent = 0;
  const ask = async () => {
    const { key, id } = keys[sent % keys.length];
    sent += 1;
    const { status, body } = await request(server.address().port, agent, key);
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status === 200 && JSON.parse(body).id !== id) wrong += 1;
  };
  const start = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - start) / 1000) * perSecond);
    while (sent < due) {
      const one = ask().finally(() => pending.delete(one));
      pending.add(one);
    }
  }, TICK_MS);
  await act();
  clearInterval(timer);
  await Promise.all(pending);
  agent.destroy();
  server.close();
  await once(server, 'close');
  return { statuses, wrong };
}

function request(port, agent, key) {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${key}` };
    const sent = get({ port, host: '127.0.0.1', agent, headers }, (res) => {
      let body = '';
      res.setEncoding('utf8');
      res.on('data', (chunk) => {
        body += chunk;
      });
      res.on('end', () => resolve({ status: res.statusCode, body }));
    });
    sent.on('error', (error) => resolve({ status: error.code, body: '' }));
  });
}

/** Keys of one organization, each with the id that it must be answered with. */
export async function createKeys(apiKeys, count) {
  const keys = [];
  for (let number = 0; number < count; number += 1) {
    const { key, apiKey } = await apiKeys.create({ name: `Key ${number}`, organization: { id: 'org_1' } });
    keys.push({ key, id: apiKey.id });
  }
  return keys;
}

/** Stops the server for a while, then kills it and lets it come back. */
export async function disturb(server, pauseMs) {
  await sleep(pauseMs);
  server.signal('SIGSTOP');
  await sleep(pauseMs);
  server.signal('SIGCONT');
  await sleep(pauseMs);
  server.signal('SIGKILL');
  await sleep(pauseMs / 2);
  await server.restart();
  await sleep(2 * pauseMs);
}

/**
 * Revokes a key, kills the server as soon as that was acknowledged, and asks the restarted one.
 *
 * @returns the reason why the key is refused, or 'accepted'
 */
export async function revokeAndKill(server, openApiKeys) {
  const before = await openApiKeys();
  const [{ key, id }] = await createKeys(before.apiKeys, 1);
  await before.apiKeys.revoke(id);
  server.signal('SIGKILL');
  await server.restart();
  await before.close();
  const after = await openApiKeys();
  const { ok, reason } = await after.apiKeys.verify(key);
  await after.close();
  return ok ? 'accepted' : reason;
}
