// Requests with keys to an Express application over HTTP, judged one by one.
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import express from 'express';
import { apiKeyAuth, requireScope } from 'keystile';

const TICK_MS = 20;
/** More are not sent before some are answered: on a busy machine they would wait for this process itself. */
const MOST_AT_ONCE = 200;

export const SCOPE = 'reports:read';

/** @param {import('./judge.mjs').Judge} judge */
export async function openTraffic(apiKeys, judge) {
  const app = express();
  // Here and not where requests are sent: that is the same process, and would wait for itself.
  app.use((_req, res, next) => {
    const start = performance.now();
    res.on('finish', () => judge.took(performance.now() - start, res.statusCode));
    next();
  });
  app.use(apiKeyAuth(apiKeys));
  app.get('/', requireScope(SCOPE), (req, res) => res.json({ id: req.apiKey.id }));
  const server = createServer(app).listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
  // A connection that is ended for being idle, right when it is used again, is no answer of ours.
  server.keepAliveTimeout = 0;
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const agent = new Agent({ keepAlive: true });

  /** @param {import('./judge.mjs').Subject} subject */
  async function ask(subject) {
    const asked = judge.asked(subject);
    const answer = await request({ port, host: '127.0.0.1', agent }, subject.key);
    judge.answered(asked, answer);
    return answer;
  }

  return {
    ask,

    /** Steady requests, until what it answers is called, which waits for the last of them. */
    begin(perSecond, nextSubject) {
      const pending = new Set();
      const start = performance.now();
      let sent = 0;
      const timer = setInterval(() => {
        const due = Math.floor(((performance.now() - start) / 1000) * perSecond);
        for (; sent < due; sent += 1) {
          if (pending.size >= MOST_AT_ONCE) continue;
          const one = ask(nextSubject()).finally(() => pending.delete(one));
          pending.add(one);
        }
      }, TICK_MS);
      return async () => {
        clearInterval(timer);
        await Promise.all(pending);
      };
    },

    async close() {
      agent.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** @returns {Promise<import('./judge.mjs').Answer>} */
function request(target, key) {
  return new Promise((resolve) => {
    const sent = get({ ...target, headers: { authorization: `Bearer ${key}` } }, (res) => {
      let body = '';
      res.setEncoding('utf8');
      res.on('data', (chunk) => {
        body += chunk;
      });
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, body }));
    });
    sent.on('error', (error) => resolve({ status: error.code ?? error.message, headers: {}, body: '' }));
  });
}
