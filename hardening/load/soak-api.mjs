// The API of the soak, over any store, and what it tells of its own process.
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import express from 'express';
import { apiKeyAuth, createApiKeys, keyPairs } from 'keystile';
import { jwtKeys } from 'keystile/jwt';

/**
 * Whoever makes keys for the API and the API itself have to agree on these.
 *
 * @param {object} store
 * @param {import('keystile/jwt').JwtKeysOptions} jwt
 */
export function openKeys(store, jwt, now = Date.now) {
  return createApiKeys({ store, prefix: 'soak', verifiers: [keyPairs(), jwtKeys(jwt)], now });
}

/** Answers the id of the key that it got. */
export async function serveApi(apiKeys) {
  const app = express();
  app.use(apiKeyAuth(apiKeys));
  app.get('/', (req, res) => res.json({ id: req.apiKey.id }));
  const server = app.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
  // A connection that is ended for being idle, right when it is used again, would be no answer of ours.
  server.keepAliveTimeout = 0;
  await once(server, 'listening');
  return server;
}

/**
 * What there is of this process, each time that it is asked, and what went wrong in it.
 *
 * @param {() => Iterable<[string, import('node:events').EventEmitter]>} emitters by name, those whose listeners count
 */
export function watchProcess(emitters) {
  const incidents = [];
  process.on('unhandledRejection', (reason) =>
    incidents.push(`unhandled rejection: ${reason?.stack ?? reason}`),
  );
  process.on('warning', (warning) => incidents.push(`warning of the process: ${warning}`));
  const noteWarning = ({ type, code }) =>
    type === 'warning' && incidents.push(`warning of the package: ${code}`);
  channel('keystile:warning').subscribe(noteWarning);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  return () => {
    const loopDelayMs = delay.max / 1e6;
    const listeners = Object.fromEntries(
      [...emitters()].map(([name, emitter]) => [name, listenersOf(emitter)]),
    );
    const handles = countsOf(process.getActiveResourcesInfo());
    // Collecting the garbage stops the loop, which is none of the requests' doing.
    delay.disable();
    globalThis.gc?.();
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    delay.reset();
    delay.enable();
    return { heapUsed, rss, handles, listeners, loopDelayMs, incidents: incidents.splice(0) };
  };
}

function listenersOf(emitter) {
  return emitter.eventNames().reduce((count, name) => count + emitter.listenerCount(name), 0);
}

function countsOf(names) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
