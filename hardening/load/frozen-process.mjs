// A process that is stopped while a key of its cache expires, and others are revoked by another process over one database.
// Its first answers, once it goes on, come from a process that has heard of nothing and whose timers have not run.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createApiKeys } from 'keystile';
import { KINDS } from '../../bench/revocation-kinds.mjs';
import { countStatuses } from './asking.mjs';
import { PREFIX } from './key-texts.mjs';

const API = fileURLToPath(new URL('frozen-api.mjs', import.meta.url));
const GOOD_KEYS = 20;
const REVOKED_KEYS = 20;
const EXPIRING_KEYS = 5;
/** Revoked in the same time, so that many messages are waiting. */
const OTHERS = 200;
/** Until its watch has begun and the first uses are written: stopped in the middle of that, it would hold a lock. */
const SETTLING_MS = 2_500;
/** For what is asked after that, on a machine that may be busy. */
const EXPIRING_MS = 4_000;
const organization = { id: 'org_1' };

/**
 * For how long it is stopped, and how long an entry of its cache decides. In the first, entries are too old afterwards; in
 * the second they are not, and only the silence of the watch says that they are worth nothing.
 */
const LONG = [
  { kind: 'sqlite', frozenMs: 15_000, cache: {} },
  { kind: 'sqlite', frozenMs: 7_000, cache: {} },
  { kind: 'postgres', frozenMs: 15_000, cache: { ttlMs: 60_000, staleIfErrorMs: 0 } },
  { kind: 'postgres', frozenMs: 60_000, cache: {} },
];
const SHORT = [{ kind: 'sqlite', frozenMs: 1_500, cache: { ttlMs: 1_000 } }];
const LEAST_SCALE_OF_LONG = 0.1;

/** @param {import('../parts.mjs').Plan} plan */
export async function frozenProcess({ scale, say }) {
  const rows = [];
  for (const freeze of scale < LEAST_SCALE_OF_LONG ? SHORT : LONG) {
    say(`stopped for ${freeze.frozenMs / 1_000} s, over ${freeze.kind}`);
    rows.push(await freezeOnce(freeze));
  }
  return rows;
}

async function freezeOnce({ kind, frozenMs, cache }) {
  const bench = await openBench(kind, cache);
  try {
    const { apiKeys, ask, child } = bench;
    const { good, revoked, others } = bench.keys;
    await askAll(ask, [...good, ...revoked, ...others]);
    const expiresAt = new Date(Date.now() + SETTLING_MS + EXPIRING_MS);
    const expiring = await createKeys(apiKeys, EXPIRING_KEYS, { expiresAt });
    await askAll(ask, expiring);
    await sleep(SETTLING_MS);
    const before = countStatuses(await askAll(ask, [...expiring, ...good, ...revoked, ...others]));
    child.kill('SIGSTOP');
    const end = sleep(Math.max(frozenMs, expiresAt.getTime() + 100 - Date.now()));
    for (const { id } of [...revoked, ...others]) await apiKeys.revoke(id);
    await end;
    // All of them are on their way before it goes on.
    const answering = [expiring, revoked, good].map((keys) => askAll(ask, keys));
    child.kill('SIGCONT');
    const [late, taken, known] = (await Promise.all(answering)).map(countStatuses);
    return rowOf({ kind, frozenMs, cache }, { before, late, taken, known });
  } finally {
    await bench.close();
  }
}

function rowOf({ kind, frozenMs, cache }, { before, late, taken, known }) {
  const problems = [];
  const told = (counts) => JSON.stringify(counts);
  if (Object.keys(before).join() !== '200') problems.push(`before it was stopped: ${told(before)}`);
  if (Object.keys(late).join() !== '401') problems.push(`keys that have expired: ${told(late)}`);
  if (Object.keys(taken).join() !== '401') problems.push(`keys that were revoked: ${told(taken)}`);
  if (Object.keys(known).join() !== '200') problems.push(`good keys: ${told(known)}`);
  return {
    name: `stopped for ${frozenMs / 1_000} s, ${kind}, ttlMs ${cache.ttlMs ?? 10_000}`,
    iterations: GOOD_KEYS + REVOKED_KEYS + EXPIRING_KEYS,
    falseAccepts: (late[200] ?? 0) + (taken[200] ?? 0),
    falseRefusals: known[401] ?? 0,
    details: 'its first answers to expired, revoked and good keys',
    problems,
  };
}

async function openBench(kind, cache) {
  const server = await KINDS[kind].start();
  const { store, prepare, close } = await KINDS[kind].open(server.url);
  await prepare?.();
  await store.migrate();
  const apiKeys = createApiKeys({ store, prefix: PREFIX });
  const keys = {
    good: await createKeys(apiKeys, GOOD_KEYS),
    revoked: await createKeys(apiKeys, REVOKED_KEYS),
    others: await createKeys(apiKeys, OTHERS),
  };
  const child = fork(API, [kind, server.url, JSON.stringify(cache)], { execArgv: [] });
  const [{ port }] = await once(child, 'message');
  // Each request has a connection that is open already: one that is opened while the process stands still takes longer.
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  return {
    apiKeys,
    keys,
    child,
    ask: ({ key }) => askOver({ port, agent }, key),
    async close() {
      agent.destroy();
      child.kill('SIGCONT');
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
      await apiKeys.close();
      await close();
      await server.stop();
    },
  };
}

async function createKeys(apiKeys, count, more) {
  const keys = [];
  for (let i = 0; i < count; i += 1) {
    const { key, apiKey } = await apiKeys.create({ name: `Key ${i}`, organization, ...more });
    keys.push({ key, id: apiKey.id });
  }
  return keys;
}

function askAll(ask, keys) {
  return Promise.all(keys.map(ask));
}

function askOver({ port, agent }, key) {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${key}` };
    const sent = get({ port, host: '127.0.0.1', agent, headers }, (res) => {
      res.resume().on('end', () => resolve({ status: res.statusCode }));
    });
    sent.on('error', (error) => resolve({ status: error.message }));
  });
}
