import { randomBytes } from 'node:crypto';
import { expect } from '@jest/globals';
import { bcryptSecrets } from '../../lib/authentication/bcrypt-secrets.ts';
import { type ApiKeysOptions, keyPairs } from '../../lib/index.ts';
import type { Arrangement, CountedAnswer, Stage } from './arrangement.ts';
import type { CorpusCase, Given } from './corpus.ts';
import type { FixtureAppOptions } from './fixture-app.ts';
import { DAY_MS, LEGACY_IDS, withChecksum } from './fixture-keys.ts';
import { flood, hang, openJwksServer } from './jwks-server.ts';
import { optionsWith } from './jwt-options.ts';
import { SCENARIOS } from './race-scenarios.ts';
import { exchangeAll } from './raw-http.ts';
import { storeArrangements } from './store-faults.ts';

/**
 * What the `given` of a case asks for.
 *
 * @throws Error when there is a word in it that nothing here knows: no case runs under less than it says
 */
export function arrangementOf({ id, given = {} }: CorpusCase): Arrangement {
  const { store = {}, path: _sentByTheRunner, ...words } = given;
  const others = Object.entries(words).map(([name, value]) => TABLES[name as keyof typeof TABLES]?.[value]);
  const parts = [...others, ...storeArrangements(store)].map((part) => {
    if (part === undefined) throw new Error(`${id}: nobody knows how to arrange ${JSON.stringify(given)}`);
    return part;
  });
  const performs = parts.flatMap(({ perform }) => perform ?? []);
  if (performs.length > 1) throw new Error(`${id}: two courses at once`);
  const [perform] = performs;
  return {
    app: async (keys) => Object.assign({}, ...(await Promise.all(parts.map(({ app }) => app?.(keys))))),
    prepare(stage) {
      for (const part of parts) part.prepare?.(stage);
    },
    ...(parts.some(({ fakeTimers }) => fakeTimers) ? { fakeTimers: true } : undefined),
    ...(parts.some(({ needsServer }) => needsServer) ? { needsServer: true } : undefined),
    ...(perform === undefined ? undefined : { perform }),
  };
}

/** An HMAC's, of which a caller in plain JavaScript may think. */
const WEAK_SECRET = optionsWith([{ id: 'k1', alg: 'HS256', state: 'current', key: 'short' } as never]);

type Words = Exclude<keyof Given, 'store' | 'path'>;

const TABLES: { readonly [Name in Words]-?: Readonly<Record<string, Arrangement>> } = {
  cache: { cold: {}, 'negative entry expired': { perform: afterMiss } },
  clock: {
    frozen: {},
    'wall clock jumps forward 1 y': { perform: (stage) => afterPause(stage, 365 * DAY_MS) },
    'process frozen 1 h (SIGSTOP / VM pause), monotonic clock not advanced': {
      perform: (stage) => afterPause(stage, 3_600_000),
    },
  },
  transport: {
    'plain HTTP, option requireTls': tls({}),
    'plain HTTP, option requireTls, trust proxy off': tls({}),
    'behind a trusted proxy': tls({ trustProxy: 'loopback' }),
    'plain HTTP, 10,000 random keys': { ...tls({}), perform: guesses },
  },
  before: { '20 wrong secrets for PAIR_KEY in 60 s': { perform: afterWrongSecrets } },
  option: {
    'trust proxy off': {},
    // As the endpoint is mounted anyway.
    'required scopes configured': {},
    "jwt secret 'short'": { app: () => ({ jwt: WEAK_SECRET }) },
  },
  scenario: SCENARIOS,
  jwks: { hang: remoteKeys(hang), '50MB': remoteKeys(flood) },
  load: {
    'bcrypt queue full': { app: () => ({ apiKeys: SHORT_QUEUE }), perform: besideFullQueue },
    'same address is throttled for failures': { perform: besideThrottle },
  },
};

function tls(more: FixtureAppOptions): Arrangement {
  return { app: () => ({ auth: { requireTls: true }, ...more }) };
}

/** Keys are somebody else's, where something goes wrong. */
function remoteKeys(answer: typeof hang): Arrangement {
  return {
    async app() {
      const jwks = await openJwksServer([]);
      jwks.answer = answer;
      return { jwt: optionsWith({ jwks: jwks.url, algorithms: ['ES256'], timeoutMs: 150 }) };
    },
  };
}

/** The address of the request has tried too many secrets for the id that it comes with. */
async function afterWrongSecrets({ app, keys, send }: Stage): Promise<CountedAnswer[]> {
  const id = keys.texts.get('PAIR_KEY') as string;
  for (let i = 0; i < 20; i += 1) {
    const verdict = await app.apiKeys.verifyPair(id, `guess${i}`, { from: '127.0.0.1' });
    expect(verdict).toEqual({ ok: false, reason: 'unknown' });
  }
  return [await send()];
}

/** A queue that is soon full, of secrets that wait to be compared. */
const SHORT_QUEUE: Partial<ApiKeysOptions> = {
  verifiers: [keyPairs(), bcryptSecrets({ ids: LEGACY_IDS, maxQueue: 2 })],
};

/** More secrets wait to be compared than may: the first that finds no place says so, and the others go on waiting. */
async function besideFullQueue({ app, send }: Stage): Promise<CountedAnswer[]> {
  const guesses = [2, 3, 4, 5].map(async (i) => app.apiKeys.verifyPair(`legacy_${i}`, 'guess'));
  const isFull = new Promise<string>((resolve) => {
    for (const guess of guesses) guess.catch(({ code }) => resolve(code));
  });
  expect(await isFull).toBe('temporarily_unavailable');
  const answer = await send();
  await Promise.allSettled(guesses);
  return [answer];
}

/** The address of the request has tried too many secrets. */
async function besideThrottle({ app, send }: Stage): Promise<CountedAnswer[]> {
  const guess = (i: number) =>
    Promise.resolve(app.apiKeys.verifyPair('id', `guess${i}`, { from: '127.0.0.1' }));
  for (let i = 0; i < 20; i += 1) expect(await guess(i)).toEqual({ ok: false, reason: 'unknown' });
  await expect(guess(20)).rejects.toMatchObject({ code: 'rate_limited' });
  return [await send()];
}

/** The store did not have the key, then fails just when that may no longer be believed. */
async function afterMiss({ app, send }: Stage): Promise<CountedAnswer[]> {
  const fault = app.store.faults.get('findByDigest');
  app.store.faults.set('findByDigest', () => undefined);
  expect(await send()).toMatchObject({ status: 401, lookups: 1 });
  expect(await send()).toMatchObject({ status: 401, lookups: 0 });
  if (fault !== undefined) app.store.faults.set('findByDigest', fault);
  app.clock.now += 5_000;
  return [await send()];
}

/** The wall clock runs on, the monotonic one does not: what the cache holds is as old as the wall clock says. */
async function afterPause({ app, send }: Stage, pauseMs: number): Promise<CountedAnswer[]> {
  expect(await send()).toMatchObject({ status: 200, lookups: 1 });
  expect(await send()).toMatchObject({ status: 200, lookups: 0 });
  app.clock.now += pauseMs;
  const answer = await send();
  expect(answer.lookups).toBe(1);
  return [answer];
}

/** Somebody who guesses keys learns nothing, and ends nobody's key by it. */
async function guesses({ app, request, keys }: Stage): Promise<CountedAnswer[]> {
  const guessed = Array.from({ length: 10_000 }, () =>
    withChecksum(`sk_live_${randomBytes(16).toString('hex')}`),
  );
  guessed[5_000] = keys.texts.get('GOOD') as string;
  const answers = await exchangeAll(
    app.port,
    guessed.map((key) => ({ ...request, headers: [['X-API-Key', key]] })),
  );
  const forms = answers.map(({ status, headers, body }) =>
    JSON.stringify([
      status,
      headers.filter(([name]) => !/^(?:date|connection|keep-alive)$/i.test(name)),
      body,
    ]),
  );
  expect(new Set(forms).size).toBe(1);
  const { lookups } = app.store;
  expect(lookups).toBe(0);
  return answers.slice(0, 1).map((answer) => ({ ...answer, lookups }));
}
