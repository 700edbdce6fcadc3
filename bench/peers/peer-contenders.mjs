// What others offer for the same: each as its own documentation sets it up, over the same keys where it takes any text,
// and with the same guard behind it. See ../contest/own-contenders.mjs for what a contender is.
import { createHash, createSecretKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { KEYS, SCOPE, SCOPES } from '../contest/contenders.mjs';

const issuer = 'https://keys.example.com/';
const audience = 'https://api.example.com';
const secret = 'a secret of no less than thirty-two bytes';
const BCRYPT_COST = 10;
const DAY_S = 86_400;

export const openers = {
  passport: ({ texts }) => openPassport(texts, (text) => text),
  'passport-sha256': ({ texts }) => openPassport(texts, sha256),
  prefixed: openPrefixed,
  'bearer-hs256': () => openBearer('HS256'),
  'bearer-rs256': () => openBearer('RS256'),
  'express-jwt-hs256': () => openExpressJwt('HS256'),
  'express-jwt-rs256': () => openExpressJwt('RS256'),
  'express-jwt-es256': () => openExpressJwt('ES256'),
  'better-auth-map': ({ texts }) => openBetterAuth(texts, inMap),
  'better-auth-memory': ({ texts }) => openBetterAuth(texts, inMemory),
  'better-auth-sqlite': ({ texts, openSqlite }) => openBetterAuth(texts, () => inSqlite(openSqlite)),
  bcryptjs: openBcrypt,
};

// ---- passport-headerapikey ---------------------------------------------------------------------------------------

async function openPassport(texts, nameOf) {
  const { default: passport } = await import('passport');
  const { HeaderAPIKeyStrategy } = await import('passport-headerapikey');
  const users = new Map(texts.map((text, i) => [nameOf(text), { id: `key_${i}`, scopes: SCOPES }]));
  let calls = 0;
  const verify = (text, done) => {
    calls += 1;
    done(null, users.get(nameOf(text)) ?? false);
  };
  passport.use(new HeaderAPIKeyStrategy({ header: 'Authorization', prefix: 'Bearer ' }, false, verify));
  const auth = passport.authenticate('headerapikey', { session: false });
  return contender({ auth, guard: guardOf((req) => req.user.scopes), texts, calls: () => calls });
}

// ---- prefixed-api-key --------------------------------------------------------------------------------------------

async function openPrefixed({ texts }) {
  const { generateAPIKey, extractShortToken, checkAPIKey } = (await import('prefixed-api-key')).default;
  const rows = new Map();
  const tokens = [];
  for (let i = 0; i < texts.length; i += 1) {
    const { shortToken, longTokenHash, token } = await generateAPIKey({ keyPrefix: 'acme' });
    rows.set(shortToken, { longTokenHash, scopes: SCOPES });
    tokens.push(token);
  }
  let calls = 0;
  const auth = (req, res, next) => {
    const text = bearerText(req);
    calls += 1;
    const row = rows.get(extractShortToken(text));
    if (row === undefined || !checkAPIKey(text, row.longTokenHash)) return void res.sendStatus(401);
    req.user = row;
    next();
  };
  return contender({ auth, guard: guardOf((req) => req.user.scopes), texts: tokens, calls: () => calls });
}

// ---- JWT ---------------------------------------------------------------------------------------------------------

async function openBearer(alg) {
  const { auth, requiredScopes } = await import('express-oauth2-jwt-bearer');
  const { texts, publicJwk } = await makeJwts(alg);
  const guard = requiredScopes(SCOPE);
  if (alg === 'HS256') {
    return contender({ auth: auth({ issuer, audience, secret, tokenSigningAlg: alg }), guard, texts });
  }
  const { url, close } = await serveJson({ keys: [publicJwk] });
  const checks = auth({ issuer, audience, jwksUri: url, tokenSigningAlg: alg });
  return { ...contender({ auth: checks, guard, texts }), close };
}

async function openExpressJwt(alg) {
  const { expressjwt } = await import('express-jwt');
  const { texts, verifyingKey } = await makeJwts(alg);
  const auth = expressjwt({ secret: verifyingKey, algorithms: [alg], issuer, audience });
  return contender({ auth, guard: guardOf((req) => req.auth.scope.split(' ')), texts });
}

async function makeJwts(alg) {
  const { default: jsonwebtoken } = await import('jsonwebtoken');
  const { signingKey, verifyingKey, publicJwk } = keysFor(alg);
  const now = Math.floor(Date.now() / 1000);
  const texts = Array.from({ length: KEYS }, (_, i) =>
    jsonwebtoken.sign(
      { iss: issuer, aud: audience, sub: `key_${i}`, scope: SCOPES.join(' '), iat: now, exp: now + DAY_S },
      signingKey,
      { algorithm: alg, keyid: 'k1' },
    ),
  );
  return { texts, verifyingKey, publicJwk };
}

function keysFor(alg) {
  // As a text it takes jsonwebtoken a millisecond more for each request: it tries to read it as a public key first.
  if (alg === 'HS256') return { signingKey: secret, verifyingKey: createSecretKey(Buffer.from(secret)) };
  const { privateKey, publicKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicJwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg, use: 'sig' };
  return { signingKey: privateKey, verifyingKey: publicKey, publicJwk };
}

async function serveJson(document) {
  const server = createServer((_req, res) => {
    res.setHeader('Content-Type', 'application/json').end(JSON.stringify(document));
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}/jwks.json`, close: () => server.close() };
}

// ---- better-auth -------------------------------------------------------------------------------------------------

async function openBetterAuth(texts, place) {
  const { betterAuth } = await import('better-auth');
  const { apiKey } = await import('@better-auth/api-key');
  const { options, storage, calls, prepare } = await place();
  let made = 0;
  const auth = betterAuth({
    ...options,
    secret,
    baseURL: 'http://localhost:3000',
    logger: { disabled: true },
    telemetry: { enabled: false },
    plugins: [apiKey({ ...storage, rateLimit: { enabled: false }, customKeyGenerator: () => texts[made++] })],
  });
  await prepare?.(auth);
  const context = await auth.$context;
  const { id: userId } = await context.internalAdapter.createUser({
    name: 'Bench',
    email: 'bench@example.com',
    emailVerified: true,
  });
  for (let i = 0; i < texts.length; i += 1) {
    const body = { userId, name: `Key ${i}`, permissions: { users: ['read'], reports: ['read'] } };
    await auth.api.createApiKey({ body });
  }
  const authenticate = (req, res, next) => {
    auth.api.verifyApiKey({ body: { key: bearerText(req) } }).then(({ valid, key }) => {
      if (!valid) return void res.sendStatus(401);
      req.user = key;
      next();
    }, next);
  };
  const guard = guardOf((req) => (req.user.permissions.reports.includes('read') ? [SCOPE] : []));
  return contender({ auth: authenticate, guard, texts, calls });
}

/** Its quickest: what it calls secondary storage, with nothing behind it but a Map. */
async function inMap() {
  const { options, calls: databaseCalls } = await inMemory();
  const values = new Map();
  let calls = 0;
  const counted =
    (act) =>
    async (...given) => {
      calls += 1;
      return act(...given);
    };
  const secondaryStorage = {
    get: counted((name) => values.get(name)),
    set: counted((name, value) => void values.set(name, value)),
    delete: counted((name) => void values.delete(name)),
  };
  return {
    options: { ...options, secondaryStorage },
    storage: { storage: 'secondary-storage' },
    calls: () => calls + databaseCalls(),
  };
}

async function inMemory() {
  const { memoryAdapter } = await import('better-auth/adapters/memory');
  const open = memoryAdapter({ user: [], session: [], account: [], verification: [], apikey: [] });
  let calls = 0;
  const database = (options) => {
    const adapter = open(options);
    const counted = (name) =>
      typeof adapter[name] === 'function' && name !== 'transaction'
        ? (...given) => {
            calls += 1;
            return adapter[name](...given);
          }
        : adapter[name];
    return Object.fromEntries(Object.keys(adapter).map((name) => [name, counted(name)]));
  };
  return { options: { database }, storage: {}, calls: () => calls };
}

async function inSqlite(openSqlite) {
  const { getMigrations } = await import('better-auth/db/migration');
  const { SqliteDialect } = await import('kysely');
  const file = await openSqlite();
  let calls = 0;
  const counting = {
    prepare(text) {
      calls += 1;
      return file.prepare(text);
    },
    close: () => file.close(),
  };
  const dialect = new SqliteDialect({ database: counting });
  const prepare = async (auth) => {
    const { runMigrations } = await getMigrations(auth.options);
    await runMigrations();
  };
  return { options: { database: { dialect, type: 'sqlite' } }, storage: {}, calls: () => calls, prepare };
}

// ---- bcryptjs ----------------------------------------------------------------------------------------------------

/** The first characters tell the row. One request takes some 80 ms whatever the number of rows, so a few will do. */
async function openBcrypt({ texts, sample }) {
  const { default: bcrypt } = await import('bcryptjs');
  const some = texts.slice(0, sample);
  const idOf = (text) => text.slice(0, 24);
  const rows = new Map(
    some.map((text) => [idOf(text), { digest: bcrypt.hashSync(text, BCRYPT_COST), scopes: SCOPES }]),
  );
  const auth = (req, res, next) => {
    const text = bearerText(req);
    const row = rows.get(idOf(text));
    if (row === undefined) return void res.sendStatus(401);
    bcrypt.compare(text, row.digest).then((isSame) => {
      if (!isSame) return void res.sendStatus(401);
      req.user = row;
      next();
    }, next);
  };
  return contender({ auth, guard: guardOf((req) => req.user.scopes), texts: some });
}

// ---- all of them -------------------------------------------------------------------------------------------------

function contender({ auth, guard, texts, calls }) {
  const result = { auth, guard, texts, status: 200, close: () => undefined };
  if (calls === undefined) return result;
  // None of them remembers a key, so each is cold.
  const cold = () => {
    const before = calls();
    return { auth, guard, text: texts.at(-1), storeCalls: () => calls() - before, close: () => undefined };
  };
  return { ...result, cold };
}

function guardOf(scopesOf) {
  return (req, res, next) => {
    if (scopesOf(req).includes(SCOPE)) next();
    else res.sendStatus(403);
  };
}

function bearerText(req) {
  return req.headers.authorization.slice('Bearer '.length);
}

function sha256(text) {
  return createHash('sha256').update(text).digest('base64url');
}
