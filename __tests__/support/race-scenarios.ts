import { expect, jest } from '@jest/globals';
import { type ApiKeys, createApiKeys } from '../../lib/index.ts';
import { type Arrangement, type CountedAnswer, type Gate, makeGate, type Stage } from './arrangement.ts';
import type { FixtureApp } from './fixture-app.ts';
import { CURRENT_PEPPER, FIXTURE_NOW } from './fixture-keys.ts';
import { committedOutOfOrder, revokedInBulk } from './postgres-scenarios.ts';
import { sendAndLeave } from './raw-http.ts';

/** Interleavings around the cache, by the words of the cases, each through the public face. */
export const SCENARIOS: Readonly<Record<string, Arrangement>> = {
  'delete() rejects the waiters with Error("deleted")': { perform: deletedInFlight },
  'first client disconnects and its AbortSignal is passed to the shared fetch': {
    perform: firstClientLeaves,
  },
  'cold miss aborted under allowStaleOnFetchRejection resolves undefined': { perform: changedInFlight },
  'revoke, then the touch write of an earlier request lands': { perform: touchAfterRevoke },
  'rotate: old and new digest fetched at once, grace 0': { perform: rotatedInFlight },
  'create right after a negative entry for the same digest': { perform: createdAfterMiss },
  'org suspended: 10,000 cached keys of the org': { perform: suspendedOrganization },
  'bus message arrives before the commit is visible on the replica': {
    app: () => ({ ownWatch: true }),
    perform: messageBeforeCommit,
  },
  'bus connection half open (no FIN)': {
    app: () => ({ ownWatch: true, apiKeys: { cache: { ttlMs: 3_600_000 } } }),
    fakeTimers: true,
    perform: silentWatch,
  },
  'bus flood of 100,000 invalidations': { app: () => ({ ownWatch: true }), perform: floodedWatch },
  'Postgres outbox polled by seq > cursor; two writers commit out of order': {
    app: () => ({ ownWatch: true }),
    needsServer: true,
    perform: committedOutOfOrder,
  },
  'NOTIFY payload of 8,000 bytes (bulk revoke)': {
    app: () => ({ ownWatch: true }),
    needsServer: true,
    perform: revokedInBulk,
  },
  'response of an authorised request cached by a shared cache': {},
};

const TTL_MS = 10_000;
/** Stands for ten times as many, which would show nothing more and take ten times as long. */
const MANY = 1_000;
/** Silence that counts as a lost watch, and the second until somebody looks. */
const HEARTBEAT_MS = 6_000;

function idOf({ keys }: Stage, name = 'GOOD'): string {
  return keys.recordOf(name).id;
}

/** Makes look-ups wait with the answer, as the store had it, in their hands. */
function holdLookups({ store }: FixtureApp): Gate {
  const gate = makeGate();
  store.faults.set('findByDigest', async (real) => {
    const answer = await real();
    await gate.pass();
    return answer;
  });
  return gate;
}

/** Another process over the same store, whose watch we do not hear. */
function otherProcess({ app }: Stage): ApiKeys {
  return createApiKeys({ store: app.store.real, peppers: [CURRENT_PEPPER], now: () => FIXTURE_NOW });
}

async function deletedInFlight(stage: Stage): Promise<CountedAnswer[]> {
  const gate = holdLookups(stage.app);
  const waiters = [stage.send(), stage.send()];
  await gate.reached;
  expect(await stage.app.apiKeys.delete(idOf(stage))).toBe(true);
  gate.open();
  return Promise.all(waiters);
}

async function firstClientLeaves(stage: Stage): Promise<CountedAnswer[]> {
  const gate = holdLookups(stage.app);
  const first = sendAndLeave(stage.app.port, stage.request);
  await gate.reached;
  const second = stage.send();
  first.leave();
  gate.open();
  const answer = await second;
  expect(stage.app.store.lookups).toBe(1);
  return [answer];
}

/** Something happens to the key while it is read for the first time, so that this read cannot be believed. */
async function changedInFlight(stage: Stage): Promise<CountedAnswer[]> {
  const gate = holdLookups(stage.app);
  const waiting = stage.send();
  await gate.reached;
  await stage.app.apiKeys.update(idOf(stage), { name: 'Renamed' });
  gate.open();
  const answer = await waiting;
  expect(answer.lookups).toBe(2);
  return [answer];
}

async function touchAfterRevoke(stage: Stage): Promise<CountedAnswer[]> {
  const { app, send } = stage;
  const touch = makeGate();
  const landed = makeGate();
  app.store.faults.set('recordUse', async (real) => {
    await touch.pass();
    await real();
    void landed.pass();
  });
  expect(await send()).toMatchObject({ status: 200 });
  await touch.reached;
  await app.apiKeys.revoke(idOf(stage));
  touch.open();
  await landed.reached;
  const other = otherProcess(stage);
  expect(await other.verify(stage.keys.texts.get('GOOD') as string)).toMatchObject({ reason: 'revoked' });
  await other.close();
  return [await send()];
}

async function rotatedInFlight(stage: Stage): Promise<CountedAnswer[]> {
  const gate = holdLookups(stage.app);
  const old = stage.send();
  await gate.reached;
  const { key } = await stage.app.apiKeys.rotate(idOf(stage), { gracePeriodMs: 0 });
  const current = stage.send(key);
  gate.open();
  const answers = await Promise.all([old, current]);
  expect(answers.map(({ status }) => status)).toEqual([401, 200]);
  const again = [await stage.send(), await stage.send(key)];
  expect(again.map(({ status }) => status)).toEqual([401, 200]);
  return answers;
}

/** The record comes to be while its absence is remembered, and the next key that is made here ends that memory. */
async function createdAfterMiss({ app, keys, send }: Stage): Promise<CountedAnswer[]> {
  const record = keys.recordOf('GOOD');
  await app.store.real.delete(record.id);
  expect(await send()).toMatchObject({ status: 401, lookups: 1 });
  // Under another id, since one that was deleted is never used again.
  await app.store.real.insert({ ...record, id: `${record.id}-later` });
  expect(await send()).toMatchObject({ status: 401, lookups: 0 });
  await app.apiKeys.create({ name: 'Next', organization: { id: 'org_A' } });
  return [await send()];
}

/** What `ownerStatus` answers is kept as long as the entry it belongs to, so the bound is the TTL. */
async function suspendedOrganization({ app, send }: Stage): Promise<CountedAnswer[]> {
  const { apiKeys } = app;
  const made: string[] = [];
  while (made.length < MANY) {
    const { key } = await apiKeys.create({ name: 'One of many', organization: { id: 'org_A' } });
    made.push(key);
  }
  const reasons = async () => {
    const found = new Set<string>();
    for (const key of made) {
      const verdict = await apiKeys.verify(key);
      found.add(verdict.ok ? 'accepted' : verdict.reason);
    }
    return [...found];
  };
  expect(await reasons()).toEqual(['accepted']);
  expect(await send()).toMatchObject({ status: 200 });
  app.suspended.add('org_A');
  app.clock.now += TTL_MS;
  const answer = await send();
  expect(await reasons()).toEqual(['owner_inactive']);
  app.suspended.delete('org_A');
  app.clock.now += TTL_MS;
  expect(await send()).toMatchObject({ status: 200 });
  return [answer];
}

/** A replica goes on answering with the record as it was. */
async function messageBeforeCommit(stage: Stage): Promise<CountedAnswer[]> {
  const { app, send } = stage;
  expect(await send()).toMatchObject({ status: 200 });
  const { version } = stage.keys.recordOf('GOOD');
  app.store.tell({ type: 'narrowed', id: idOf(stage), version: version + 1, ended: true });
  const answers = [await send(), await send()];
  expect(answers.map(({ lookups }) => lookups)).toEqual([2, 2]);
  return answers;
}

async function silentWatch(stage: Stage): Promise<CountedAnswer[]> {
  expect(await stage.send()).toMatchObject({ status: 200 });
  const other = otherProcess(stage);
  await other.revoke(idOf(stage));
  await other.close();
  expect(await stage.send()).toMatchObject({ status: 200, lookups: 0 });
  await jest.advanceTimersByTimeAsync(HEARTBEAT_MS);
  return [await stage.send()];
}

async function floodedWatch(stage: Stage): Promise<CountedAnswer[]> {
  const { app, send } = stage;
  expect(await send()).toMatchObject({ status: 200 });
  for (let i = 0; i < 100_000; i += 1) {
    app.store.tell({ type: 'narrowed', id: `other-${i}`, version: 2, ended: true });
  }
  const answer = await send();
  expect(answer.lookups).toBeLessThanOrEqual(1);
  expect(await send()).toMatchObject({ status: 200, lookups: 0 });
  return [answer];
}
