import { expect } from '@jest/globals';
import { hashSync } from 'bcryptjs';
import { type KeyRecord, requireOrganization } from '../../lib/index.ts';
import { type Arrangement, type CountedAnswer, makeGate, type Stage } from './arrangement.ts';
import { FIXTURE_NOW, type FixtureKeys, LEGACY_ID, LEGACY_SECRET } from './fixture-keys.ts';

/** What `findByDigest()` does for the good key, by the words of the cases. */
const ANSWERS: Readonly<Record<string, (good: KeyRecord, keys: FixtureKeys) => unknown>> = {
  reject: () => Promise.reject(new Error('down')),
  'reject Error': () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.5:5432')),
  'reject for 60 s': () => Promise.reject(new Error('down')),
  'throw undefined': () => {
    throw undefined;
  },
  'reject null': () => Promise.reject(null),
  'reject {status:401}': () => Promise.reject({ status: 401, statusCode: 401, message: 'Unauthorized' }),
  "reject Error('duplicate key {{GOOD}} at host 10.0.0.5')": (good, keys) =>
    Promise.reject(new Error(`duplicate key ${keys.texts.get('GOOD')} ${good.digest} at host 10.0.0.5`)),
  'reject AbortError': () => Promise.reject(new DOMException('aborted', 'AbortError')),
  'resolves twice / thenable that calls both': (good) => ({
    // biome-ignore lint/suspicious/noThenProperty: a thenable that breaks its word is what is asked for
    then(onValue: (value: unknown) => void, onError: (error: unknown) => void) {
      onValue(good);
      onError(new Error('changed my mind'));
    },
  }),
  'returns the record synchronously': (good) => good,
  undefined: () => undefined,
  true: () => Promise.resolve(true),
  'record without orgId': async ({ organization: _organization, ...rest }) => rest,
  'status:1': async (good) => ({ ...good, enabled: 1 }),
  'blank fields (all empty strings)': async (good) =>
    Object.fromEntries(Object.keys(good).map((name) => [name, name === 'digest' ? good.digest : ''])),
  'record JSON cut off (Redis)': async (good) => JSON.stringify(good).slice(0, 100),
  'record of a newer schema version': async (good) => ({ ...good, kind: 'passkey', schema: 9 }),
  'record of another tenant, digest field copied': async (good, keys) => ({
    ...keys.recordOf('GOOD_B'),
    digest: good.digest,
  }),
  'digest Buffer of 31 bytes': async (good) => ({ ...good, digest: Buffer.alloc(31, 1) }),
  'scopes: object {read:true}': async (good) => ({ ...good, scopes: { read: true } }),
  "expiresAt:'2099'": async (good) => ({ ...good, expiresAt: '2099' }),
  'expiresAt: NaN': async (good) => ({ ...good, expiresAt: Number.NaN }),
  'revokedAt in the future': async (good) => ({ ...good, revokedAt: new Date(FIXTURE_NOW + 60_000) }),
};

/** Faults that take more than an answer. */
const COURSES: Readonly<Record<string, Arrangement>> = {
  'settles after 10 s with the record': {
    app: () => ({ apiKeys: { storeTimeoutMs: 30 } }),
    perform: lateAnswer,
  },
  'first element of an array of two rows': { app: (keys) => ({ moreRecords: [twinOf(keys)] }) },
  'scopes inherited through __proto__ of the record': { perform: inheritedScopes },
  'record with a Proxy that changes its answer': { perform: changingProxy },
  'same record object mutated after return': { perform: mutatedRecord },
  'bcrypt hash of 59 characters': { prepare: (stage) => keepLegacy(stage, legacyHash(4).slice(0, -1)) },
  'bcrypt cost 31': { prepare: (stage) => keepLegacy(stage, legacyHash(4).replace('$04$', '$31$')) },
  'bcrypt cost 04': { prepare: (stage) => keepLegacy(stage, legacyHash(4)) },
  'alternating error / ok': { app: () => ({ apiKeys: { cache: false } }), perform: alternating },
};

function legacyHash(cost: number): string {
  return hashSync(LEGACY_SECRET, cost);
}

/** What the store has under the id of the pair that another system kept. */
function keepLegacy({ app, keys }: Stage, hash: string): void {
  const record = {
    ...keys.recordOf('GOOD'),
    id: LEGACY_ID,
    kind: 'pair',
    digest: `bcrypt:${hash}`,
  } as KeyRecord;
  app.store.findById = async (id) => (id === LEGACY_ID ? record : undefined);
}

const TOUCHES: Readonly<Record<string, Arrangement>> = {
  reject: touching(() => Promise.reject(new Error('read-only replica'))),
  'never settles': touching(() => new Promise(() => {}), 50),
};

/** The `given.store` of a case; `undefined` for words that are not known. */
export function storeArrangements(given: Readonly<Record<string, string>>): (Arrangement | undefined)[] {
  return Object.entries(given).map(([name, value]) => {
    if (name === 'get') return getArrangement(value);
    if (name === 'touch') return TOUCHES[value];
    return HOOKS[`${name} ${value}`];
  });
}

function getArrangement(value: string): Arrangement | undefined {
  if (value === 'ok') return {};
  const answer = ANSWERS[value];
  if (answer === undefined) return COURSES[value];
  return {
    prepare({ app, keys }) {
      app.store.faults.set('findByDigest', () => answer(keys.recordOf('GOOD'), keys));
    },
  };
}

const HOOKS: Readonly<Record<string, Arrangement>> = {
  'metricsHook throws': { app: () => ({ listenerFault: new Error('metrics are down') }) },
  // The one function of the application's that runs between a good key and the handler.
  'onAuthenticated throws': {
    app: () => ({
      hook: requireOrganization(() => {
        throw new Error('hook failed');
      }),
    }),
  },
  'rateLimiter reject': {
    app: () => ({
      limiter: (_req, _res, next) => {
        Promise.reject(new Error('limiter is down')).catch(() => next());
      },
    }),
  },
};

function touching(touch: () => Promise<void>, storeTimeoutMs = 1_000): Arrangement {
  return {
    app: () => ({ apiKeys: { storeTimeoutMs } }),
    async perform({ app, send }) {
      const touched = makeGate();
      app.store.faults.set('recordUse', () => {
        void touched.pass();
        return touch();
      });
      const first = await send();
      await touched.reached;
      return [first, await send()];
    },
  };
}

/** Answers when nobody waits any more; the cache must not have it. */
async function lateAnswer({ app, keys, send }: Stage): Promise<CountedAnswer[]> {
  const gate = makeGate();
  app.store.faults.set('findByDigest', async () => {
    await gate.pass();
    return keys.recordOf('GOOD');
  });
  const answer = await send();
  gate.open();
  app.store.faults.clear();
  expect(await send()).toMatchObject({ status: 200, lookups: 1 });
  return [answer];
}

/** A second row for the key's digest: what a table without its unique index can hold. */
function twinOf(keys: FixtureKeys): KeyRecord {
  const { digest } = keys.recordOf('GOOD');
  return {
    ...keys.recordOf('GOOD_B'),
    id: 'twin',
    previous: { digest, expiresAt: new Date(FIXTURE_NOW + 1) },
    digest: digest.replace(/.{43}$/, 'A'.repeat(43)),
  };
}

async function inheritedScopes({ app, keys, send }: Stage): Promise<CountedAnswer[]> {
  const { scopes, ...own } = keys.recordOf('GOOD');
  app.store.faults.set('findByDigest', async () => Object.assign(Object.create({ scopes }), own));
  const answer = await send();
  expect(JSON.parse(answer.body).scopes).toEqual([]);
  return [answer];
}

/** Every member is true when it is first read, and somebody else's from then on. */
async function changingProxy({ app, keys, send }: Stage): Promise<CountedAnswer[]> {
  const { scopes: _scopes, ...hostile } = { ...keys.recordOf('EXPIRED'), organization: { id: 'org_evil' } };
  const seen = new Set<string | symbol>();
  // A copy, since a proxy must not lie about the members of a frozen record.
  const changing = new Proxy(
    { ...keys.recordOf('GOOD') },
    {
      get(target, name) {
        if (seen.has(name)) return Reflect.get(hostile, name);
        seen.add(name);
        return Reflect.get(target, name);
      },
    },
  );
  app.store.faults.set('findByDigest', async () => changing);
  return [await send(), await send()];
}

async function mutatedRecord({ app, keys, send }: Stage): Promise<CountedAnswer[]> {
  const good = keys.recordOf('GOOD');
  const record = {
    ...good,
    organization: { ...good.organization },
    scopes: [...good.scopes],
    enabled: true,
    expiresAt: new Date(good.expiresAt as Date),
  };
  app.store.faults.set('findByDigest', async () => record);
  const first = await send();
  record.organization.id = 'org_evil';
  record.scopes.push('admin');
  record.enabled = false;
  record.expiresAt.setTime(0);
  const second = await send();
  expect(second.body).toBe(first.body);
  return [first, second];
}

async function alternating({ app, send }: Stage): Promise<CountedAnswer[]> {
  let calls = 0;
  app.store.faults.set('findByDigest', (real) => {
    calls += 1;
    return calls % 2 === 1 ? Promise.reject(new Error('flapping')) : real();
  });
  const answers: CountedAnswer[] = [];
  for (let i = 0; i < 12; i += 1) answers.push(await send());
  expect(answers.map(({ status }) => status)).toEqual(
    Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 503 : 200)),
  );
  return answers;
}
