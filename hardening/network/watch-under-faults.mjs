// How late a revocation by another process is seen while the connections of the watch are broken.
import { setTimeout as sleep } from 'node:timers/promises';
import { createApiKeys } from 'keystile';
import { startGauges } from '../gauges.mjs';
import { openProxy, refuses, silences } from './tcp-proxy.mjs';

const ASK_EVERY_MS = 10;
const REVOKE_EVERY_MS = 50;
/** A silent watch is lost after that time, and with it all that was read before. */
const SILENCE_MS = 5_000;
const SHORT_CACHE = { ttlMs: 2_500, staleIfErrorMs: 1_500 };
/** For timers on a busy machine. */
const SLACK_MS = 500;
/** Of what is no part of the fault. */
const PATIENCE_MS = 30_000;

const listens = ({ listens: does }) => does;

/** @type {readonly { name: string, needsListener?: boolean, cache?: object, boundMs: number, begin(proxy): void }[]} */
const CASES = [
  {
    name: 'watch, its listener half open',
    needsListener: true,
    boundMs: SILENCE_MS,
    begin: (proxy) => proxy.behave(silences(({ connection }) => connection.listens)),
  },
  {
    name: 'watch, its listener cut',
    needsListener: true,
    boundMs: SILENCE_MS,
    begin: (proxy) => proxy.reset(listens),
  },
  {
    name: 'watch, all half open',
    cache: SHORT_CACHE,
    boundMs: SHORT_CACHE.ttlMs + SHORT_CACHE.staleIfErrorMs,
    begin: (proxy) => proxy.behave(silences()),
  },
  {
    name: 'watch, all cut',
    cache: SHORT_CACHE,
    boundMs: SHORT_CACHE.ttlMs + SHORT_CACHE.staleIfErrorMs,
    begin(proxy) {
      proxy.behave(refuses());
      proxy.reset();
    },
  },
];

/** @returns {Promise<import('../parts.mjs').Row[]>} */
export async function watchRows(plan, kind, url) {
  const isAsked = ({ name, needsListener = false }) =>
    (plan.faults?.includes(name) ?? true) && (kind.listens || !needsListener);
  const rows = [];
  for (const one of CASES.filter(isAsked)) {
    const row = await watchRow(plan, kind, url, one);
    plan.say(`${row.name}: ${row.details}`);
    rows.push(row);
  }
  return rows;
}

async function watchRow({ seed, scale, slack = 1 }, kind, url, { name, cache = {}, boundMs, begin }) {
  const proxy = await openProxy(url);
  const far = await kind.open(proxy.url);
  const near = await kind.open(url, PATIENCE_MS);
  if ('migrate' in near.store) await near.store.migrate();
  const here = createApiKeys({ store: far.store, prefix: 'acme', cache });
  const there = createApiKeys({
    store: near.store,
    prefix: 'acme',
    storeTimeoutMs: PATIENCE_MS,
    cache: false,
  });
  const count = Math.max(5, Math.round(40 * Math.min(1, scale)));
  const keys = await createKeys(there, count);
  const gauges = startGauges();
  await untilWatched(here, keys, kind.listens ? proxy : undefined);
  begin(proxy);
  const seen = await Promise.all(
    keys.map(async (key, number) => {
      await sleep(number * REVOKE_EVERY_MS);
      await there.revoke(key.id);
      return timeUntilRefused(here, key.key, boundMs + SLACK_MS * slack);
    }),
  );
  const measured = gauges.read();
  await proxy.close();
  await Promise.all([here.close(), there.close()]);
  for (const { end } of [far, near]) await Promise.resolve(end()).catch(() => undefined);
  const longest = Math.max(...seen.map(({ lastAcceptedMs }) => lastAcceptedMs));
  const late = seen.filter(({ lastAcceptedMs }) => lastAcceptedMs > boundMs + SLACK_MS * slack).length;
  const again = `--seed ${seed} --scale ${scale}`;
  return {
    name: `${kind.name}: ${name}`,
    iterations: seen.reduce((sum, { asked }) => sum + asked, 0),
    falseAccepts: late,
    falseRefusals: 0,
    ...measured,
    details: `${count} revoked elsewhere, last accepted after ${Math.round(longest)} ms of at most ${boundMs}`,
    problems:
      late === 0 ? [] : [`${late} keys were accepted up to ${Math.round(longest)} ms after (${again})`],
  };
}

async function createKeys(apiKeys, count) {
  const keys = [];
  for (let number = 0; number < count; number += 1) {
    const { key, apiKey } = await apiKeys.create({ name: `Key ${number}`, organization: { id: 'org_1' } });
    keys.push({ key, id: apiKey.id });
  }
  return keys;
}

/** Until the keys are cached, and the watch has begun, which is then the newest thing that was said. */
async function untilWatched(apiKeys, keys, proxy) {
  const start = performance.now();
  while (proxy !== undefined && !proxy.some(listens)) {
    if (performance.now() - start > 10_000) throw new Error('no connection asks to be told of changes');
    await sleep(10);
  }
  // What it says right after its start may have every entry read again.
  await sleep(1_500);
  for (const { key } of keys) {
    const { ok } = await apiKeys.verify(key);
    if (!ok) throw new Error('a new key is refused');
  }
}

/** Asks until the key is refused, or well beyond the time by which it must be. */
async function timeUntilRefused(apiKeys, key, longestMs) {
  const start = performance.now();
  let lastAcceptedMs = 0;
  let asked = 0;
  while (performance.now() - start < longestMs + SLACK_MS) {
    asked += 1;
    const began = performance.now();
    const verdict = await Promise.resolve(apiKeys.verify(key)).catch((error) => {
      if (error.code === 'temporarily_unavailable') return undefined;
      throw error;
    });
    if (verdict?.ok === false) break;
    if (verdict?.ok === true) lastAcceptedMs = began - start;
    await sleep(ASK_EVERY_MS);
  }
  return { lastAcceptedMs, asked };
}
