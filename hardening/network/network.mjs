// Requests and revocations while the connections to the store are cut, half open, slow or truncated.
import { setTimeout as sleep } from 'node:timers/promises';
import { createApiKeys } from 'keystile';
import { seededRandom } from '../../bench/contest/rounds.mjs';
import { givenUrl, startServer } from '../../scripts/services.mjs';
import { startGauges } from '../gauges.mjs';
import { Judge, turnTo } from './judge.mjs';
import { KeyRing } from './key-ring.mjs';
import { LOCK_FAULTS, openLockedFile } from './locked-file.mjs';
import { NETWORK_FAULTS } from './network-faults.mjs';
import { STORE_KINDS } from './network-stores.mjs';
import { openProxy } from './tcp-proxy.mjs';
import { openTraffic } from './traffic.mjs';
import { watchRows } from './watch-under-faults.mjs';

const REQUESTS_PER_SECOND = 300;
const KEYS = 500;
/** Longer than an answer may take, so that a call without a deadline is seen. */
const LONG_FAULT_MS = 7_000;
const LONGEST_RECOVERY_MS = 10_000;
const CLOSING_MS = 5_000;
/** Of what is no part of the fault, on a busy machine. */
const PATIENCE_MS = 30_000;
/** Answers in a row that must be 200 before the store counts as back. */
const ANSWERS_OF_RECOVERY = 20;
const REVOCATION_EVERY_MS = 100;

/**
 * @typedef {import('../parts.mjs').Plan & NetworkPlan} FullPlan
 * @typedef {object} NetworkPlan
 * @property {readonly string[]} [stores] - names; absent: all
 * @property {readonly string[]} [faults] - names; absent: all
 * @property {Readonly<Record<string, string>>} [urls] - of servers that run already
 * @property {number} [deadlineMs] - of a call to the store
 * @property {number} [perSecond] - requests
 * @property {number} [slack] - by how much more everything may take than it should; 1 unless it is given
 */

/**
 * @param {FullPlan} plan
 * @returns {Promise<import('../parts.mjs').Row[]>}
 */
export async function run(plan) {
  const unhandled = [];
  const note = (reason) => unhandled.push(String(reason));
  process.on('unhandledRejection', note);
  const servers = new Servers(plan.urls ?? {});
  const rows = [];
  const isAsked = ({ name }) => plan.stores === undefined || plan.stores.includes(name);
  try {
    for (const kind of STORE_KINDS.filter(isAsked)) {
      const url = await servers.urlOf(kind.server);
      rows.push(...(await rowsOfServer(plan, kind, url)));
      rows.push(...(await watchRows(plan, kind, url)));
    }
    if (isAsked({ name: 'libsql-file' })) rows.push(...(await rowsOfFile(plan)));
  } finally {
    await servers.stop();
    process.off('unhandledRejection', note);
  }
  const problems = unhandled.map((reason) => `unhandled rejection: ${reason} (--seed ${plan.seed})`);
  return [...rows, { name: 'unhandled rejections', iterations: rows.length, problems }];
}

class Servers {
  #urls;
  #started = [];

  constructor(urls) {
    this.#urls = { ...urls };
  }

  async urlOf(name) {
    this.#urls[name] ??= givenUrl(name);
    if (this.#urls[name] !== undefined) return this.#urls[name];
    const server = await startServer(name);
    this.#started.push(server);
    this.#urls[name] = server.url;
    return server.url;
  }

  async stop() {
    for (const server of this.#started) await server.stop();
  }
}

async function rowsOfServer(plan, kind, url) {
  const direct = await openDirectly(kind, url);
  const ring = await KeyRing.filled(direct.apiKeys, ringSize(plan));
  const isAsked = ({ name, needsLettingGo = false }) =>
    (plan.faults?.includes(name) ?? true) && (kind.letsGo || !needsLettingGo);
  const rows = [];
  for (const fault of NETWORK_FAULTS.filter(isAsked)) {
    const proxy = await openProxy(url);
    const { store, end } = await kind.open(proxy.url);
    const close = async () => {
      await proxy.close();
      await endInTime(end);
    };
    const row = await faultRow({
      plan,
      name: `${kind.name}: ${fault.name}`,
      ring,
      fault,
      proxy,
      store,
      close,
    });
    plan.say(`${row.name}: ${row.details}`);
    rows.push(row);
  }
  await direct.close();
  return rows;
}

/** A file has no network; there, another connection has it locked. */
async function rowsOfFile(plan) {
  const rows = [];
  for (const fault of LOCK_FAULTS.filter(({ name }) => plan.faults?.includes(name) ?? true)) {
    const { store, lock, close: closeFile } = await openLockedFile();
    const filling = createApiKeys({ store, prefix: 'acme', storeTimeoutMs: PATIENCE_MS, cache: false });
    const ring = await KeyRing.filled(filling, ringSize(plan));
    const close = async () => {
      await filling.close();
      await closeFile();
    };
    const row = await faultRow({ plan, name: `libsql-file: ${fault.name}`, ring, fault, lock, store, close });
    plan.say(`${row.name}: ${row.details}`);
    rows.push(row);
  }
  return rows;
}

const ringSize = ({ scale }) => Math.max(60, Math.round(KEYS * Math.min(1, scale)));

async function openDirectly(kind, url) {
  const { store, end } = await kind.open(url, PATIENCE_MS);
  if ('migrate' in store) await store.migrate();
  const apiKeys = createApiKeys({ store, prefix: 'acme', storeTimeoutMs: PATIENCE_MS, cache: false });
  const close = async () => {
    await apiKeys.close();
    await end();
  };
  return { apiKeys, close };
}

/** One store under one fault. */
async function faultRow({ plan, name, ring, fault, proxy, lock, store, close }) {
  const { seed, scale, deadlineMs = 1_000, perSecond = REQUESTS_PER_SECOND, slack = 1 } = plan;
  const longestMs = LONGEST_RECOVERY_MS * slack;
  const random = seededRandom(seed);
  const judge = new Judge(`--seed ${seed} --scale ${scale}, ${name}`, slack);
  // Entries that soon have to be read again, and never outlive a fault: that is when mistakes would show.
  const cache = { ttlMs: 500, staleIfErrorMs: 0, missTtlMs: 500 };
  const apiKeys = createApiKeys({ store, prefix: 'acme', storeTimeoutMs: deadlineMs, cache });
  await ring.refill();
  const gauges = startGauges();
  const traffic = await openTraffic(apiKeys, judge);
  const stopTraffic = traffic.begin(perSecond, () => ring.pick(random));
  await settled(traffic, ring, random, longestMs);
  const before = judge.answers;
  const ms = Math.max(600, 1.5 * deadlineMs, LONG_FAULT_MS * Math.min(1, scale));
  const stopRevoking = beginRevoking(apiKeys, ring, random, judge, longestMs);
  await fault.run({ proxy, lock, random, ms, deadlineMs });
  const during = judge.answers - before;
  const recoveryMs = await settled(traffic, ring, random, longestMs);
  const { acknowledged, failed } = await stopRevoking();
  await sleep(300);
  await stopTraffic();
  await traffic.close();
  const { loopDelayMs, rssGrowthMb } = gauges.read();
  if (recoveryMs > longestMs)
    judge.problem(`no ${ANSWERS_OF_RECOVERY} good answers ${longestMs} ms after it`);
  if (during === 0) judge.problem('no request was answered during the fault');
  for (const id of await ring.stillAccepted()) judge.problem(`${id} was revoked, and is good in the store`);
  await closeInTime(apiKeys, judge, CLOSING_MS * slack);
  await close();
  return judge.row(name, { loopDelayMs, rssGrowthMb }, [
    `${during} during it`,
    `${acknowledged} revoked and ${failed} not`,
    `back after ${Math.round(recoveryMs)} ms`,
  ]);
}

/** How long it takes until good keys are let in again; somewhat more than the limit where they are not. */
async function settled(traffic, ring, random, longestMs) {
  const start = performance.now();
  let inARow = 0;
  let backAt = start;
  while (inARow < ANSWERS_OF_RECOVERY) {
    const elapsed = performance.now() - start;
    if (elapsed > longestMs) return elapsed;
    const { status } = await traffic.ask(ring.pickGood(random));
    if (inARow === 0) backAt = performance.now();
    inARow = status === 200 ? inARow + 1 : 0;
    if (status !== 200) await sleep(20);
  }
  return backAt - start;
}

/** Revokes one key after the other; what failed is repeated at the end, when it must succeed. */
function beginRevoking(apiKeys, ring, random, judge, longestMs) {
  const failed = [];
  const pending = new Set();
  let acknowledged = 0;
  const revoke = async (subject) => {
    turnTo(subject, 'perhaps');
    await apiKeys.revoke(subject.id);
    turnTo(subject, 'refused');
  };
  const timer = setInterval(() => {
    const one = ring.takeGood(random);
    if (one === undefined) return;
    const revoking = revoke(one)
      .then(
        () => {
          acknowledged += 1;
        },
        (error) => {
          failed.push(one);
          if (error.code !== 'temporarily_unavailable') judge.problem(`revoke() failed: ${error.stack}`);
        },
      )
      .finally(() => pending.delete(revoking));
    pending.add(revoking);
  }, REVOCATION_EVERY_MS);
  return async () => {
    clearInterval(timer);
    await Promise.all(pending);
    for (const subject of failed) {
      await eventually(() => revoke(subject), longestMs).catch((error) =>
        judge.problem(`revoke() fails after it: ${error.message}`),
      );
    }
    return { acknowledged, failed: failed.length };
  };
}

/** What it answers once it no longer fails. */
async function eventually(act, longestMs) {
  const start = performance.now();
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (performance.now() - start > longestMs) throw error;
      await sleep(50);
    }
  }
}

async function closeInTime(apiKeys, judge, longestMs) {
  const late = sleep(longestMs, 'late', { ref: false });
  const how = await Promise.race([apiKeys.close(), late]);
  if (how === 'late') judge.problem(`close() took more than ${longestMs} ms`);
}

/** Some drivers wait for connections of which nothing is left. */
async function endInTime(end) {
  const ending = Promise.resolve(end()).catch(() => undefined);
  await Promise.race([ending, sleep(2_000, undefined, { ref: false })]);
}
