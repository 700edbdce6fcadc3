// Express with two empty middlewares, and keystile with each kind of key. See contenders.mjs.
import { createHash, hash } from 'node:crypto';
import { apiKeyAuth, createApiKeys, keyPairs, MemoryKeyStore, requireScope } from 'keystile';
import { jwtKeys } from 'keystile/jwt';
import { SqlKeyStore } from 'keystile/stores/sql';
import { LRUCache } from 'lru-cache';
import { jwtOptions } from '../jwt-options.mjs';
import { SCOPE, SCOPES } from './contenders.mjs';

const HOUR_MS = 3_600_000;
const LONGEST_DEADLINE_MS = 60_000;
const peppers = [{ id: '2026-01', secret: 'a pepper of no less than thirty-two bytes' }];
const input = { organization: { id: 'org_1', slug: 'acme' }, scopes: SCOPES };

/**
 * Each takes `{ texts, sample, openSqlite, postgresUrl }` and answers what a contender is: `auth` and `guard`, the
 * middlewares; `texts`, what its requests carry; `status`, what they are answered; `cold()`, the same over an empty
 * cache and with `storeCalls()`; `close()`.
 */
export const openers = {
  empty: ({ texts }) => ({ auth: pass, guard: pass, texts, status: 200 }),
  limit: openLimit,
  opaque: ({ texts }) => openKeystile({ texts }),
  peppered: ({ texts }) => openKeystile({ texts, options: { peppers } }),
  pair: ({ texts }) => openKeystile({ made: { kind: 'pair', count: texts.length } }),
  jwt: ({ texts }) => openKeystile({ made: { kind: 'jwt', count: texts.length } }),
  // Whole but for one character, which the checksum tells.
  malformed: async ({ texts }) => ({
    ...(await openKeystile({ texts })),
    texts: texts.map((text) => `${text.slice(0, 20)}${text[20] === 'x' ? 'y' : 'x'}${text.slice(21)}`),
    status: 401,
    cold: undefined,
  }),
  'miss-sqlite': async ({ texts, openSqlite }) => {
    const database = await openSqlite();
    return openKeystile({ texts, store: new SqlKeyStore(database, { watch: false }), isCold: true });
  },
  'miss-postgres': async ({ texts, postgresUrl }) => {
    const { default: pg } = await import('pg');
    const pool = new pg.Pool({ connectionString: postgresUrl });
    pool.on('error', () => undefined);
    const store = new SqlKeyStore(pool, { table: `keystile_${process.pid}`, watch: false });
    return openKeystile({ texts, store, isCold: true, end: () => pool.end() });
  },
};

/** The least that a cache of checked keys can do: no shape, no ends, no refusals in words. */
function openLimit({ texts }) {
  const cache = new LRUCache({ max: 10_000 });
  for (const text of texts) cache.set(hash('sha256', text, 'base64url'), Object.freeze({ scopes: SCOPES }));
  const auth = (req, res, next) => {
    const { rawHeaders } = req;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      if (rawHeaders[i] !== 'Authorization') continue;
      const apiKey = cache.get(hash('sha256', rawHeaders[i + 1].slice(7), 'base64url'));
      if (apiKey === undefined) break;
      req.apiKey = apiKey;
      next();
      return;
    }
    res.sendStatus(401);
  };
  const guard = (req, res, next) => {
    if (req.apiKey.scopes.includes(SCOPE)) next();
    else res.sendStatus(403);
  };
  return { auth, guard, texts, status: 200 };
}

async function openKeystile({
  texts,
  made,
  store = new MemoryKeyStore(),
  options,
  isCold = false,
  end = () => undefined,
}) {
  await store.migrate?.();
  const jwt = jwtOptions();
  const verifiers = [keyPairs(), jwtKeys(jwt)];
  const create = (over, more) =>
    createApiKeys({ store: over, prefix: 'acme', verifiers, ...options, ...more });
  const apiKeys = create(store, { cache: isCold ? false : { ttlMs: HOUR_MS } });
  if (texts !== undefined) await importKeys(apiKeys, texts);
  const presented = texts ?? (await makeKeys(apiKeys, made));
  if (!isCold) for (const text of presented) await apiKeys.verify(text);
  return {
    auth: apiKeyAuth(apiKeys),
    guard: requireScope(SCOPE),
    texts: presented,
    status: 200,
    cold() {
      const counting = countingStore(store);
      // All requests begin in one go, which keeps the process busy for longer than the deadline of a store call.
      const patient = { storeTimeoutMs: LONGEST_DEADLINE_MS };
      const own = create(counting, isCold ? { ...patient, cache: false } : patient);
      return {
        auth: apiKeyAuth(own),
        guard: requireScope(SCOPE),
        text: presented.at(-1),
        storeCalls: () => counting.calls,
        close: () => own.close(),
      };
    },
    async close() {
      await apiKeys.close();
      await end();
    },
  };
}

/** A store that knows of nothing but look-ups. */
function countingStore(store) {
  const counting = {
    calls: 0,
    findByDigest(digests) {
      counting.calls += 1;
      return store.findByDigest(digests);
    },
    findById(id) {
      counting.calls += 1;
      return store.findById(id);
    },
  };
  return counting;
}

async function importKeys(apiKeys, texts) {
  const { rejected } = await apiKeys.import(
    texts.map((text, i) => ({
      ...input,
      name: `Key ${i}`,
      randomBits: 190,
      digest: `sha256:${createHash('sha256').update(text).digest('base64url')}`,
    })),
  );
  if (rejected.length > 0) throw new Error(`a key was not imported: ${rejected[0].reason}`);
}

async function makeKeys(apiKeys, { kind, count }) {
  const texts = [];
  for (let i = 0; i < count; i += 1) {
    const { key, secret } = await apiKeys.create({ ...input, name: `Key ${i}`, kind });
    texts.push(secret === undefined ? key : `${key}.${secret}`);
  }
  return texts;
}

function pass(_req, _res, next) {
  next();
}
