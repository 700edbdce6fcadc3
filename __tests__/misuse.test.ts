import { afterAll, describe, expect, test } from '@jest/globals';
import { createClient } from '@libsql/client';
import { WARNING_CODES } from '../lib/events.ts';
import {
  type ApiKeyAuthOptions,
  type ApiKeys,
  type ApiKeysOptions,
  apiKeyAuth,
  createApiKeys,
  type KeyVerifier,
  MemoryKeyStore,
  requireAnyScope,
  requireEnvironment,
  requireOrganization,
  requireScope,
} from '../lib/index.ts';
import { type SqlConnection, SqlKeyStore } from '../lib/stores/sql-key-store.ts';

const store = new MemoryKeyStore();
const SECRET = 'hunter2-hunter2-hunter2-hunter2-hunter2';
const PEPPER = { id: 'p1', secret: SECRET };
const KNOWN =
  'store, prefix, environment, environments, peppers, acceptPlainDigests, cache, storeTimeoutMs, verifiers, ' +
  'scopes, ownerStatus, now, onEvent, silence';
const KNOWN_OF_CACHE = 'maxEntries, ttlMs, staleIfErrorMs, maxMisses, missTtlMs';
const KNOWN_OF_AUTH = 'mode, headers, schemes, realm, requireTls, errors';

const verifier: KeyVerifier = {
  name: 'old',
  matches: (text) => text.startsWith('old-'),
  examples: ['old-1'],
  find: async () => undefined,
};

/** Whatever the types say. */
const create = (options: unknown) => (): unknown => createApiKeys(options as ApiKeysOptions);
const withStore = (options: object) => create({ store, ...options });
const apiKeys = createApiKeys({ store });
const auth = (options: unknown) => (): unknown => apiKeyAuth(apiKeys, options as ApiKeyAuthOptions);
const client = createClient({ url: ':memory:' });
const sql = (connection: unknown, options?: unknown) => (): unknown =>
  new SqlKeyStore(connection as SqlConnection, options as object);

afterAll(async () => {
  await apiKeys.close();
  client.close();
});

type Row = readonly [call: () => unknown, message: string];

const wholeFrom = (min: number, max: number): string => `must be a whole number from ${min} to ${max}`;

const ofCreateApiKeys: readonly Row[] = [
  [create(undefined), 'createApiKeys: options must be an object, but got undefined'],
  [create(null), 'createApiKeys: options must be an object, but got null'],
  [create([store]), 'createApiKeys: options must be an object, but got an array of 1'],
  [
    create({}),
    'createApiKeys: store must be a key store, with at least a findByDigest() method, but got undefined',
  ],
  [
    create({ store: null }),
    'createApiKeys: store must be a key store, with at least a findByDigest() method, but got null',
  ],
  [
    create({ store: { find: () => undefined } }),
    'createApiKeys: store must be a key store, with at least a findByDigest() method, but got an object',
  ],
  [
    create({ store: MemoryKeyStore }),
    'createApiKeys: store must be a key store, with at least a findByDigest() method, but got a function',
  ],
  [
    withStore({ prefixx: 'acme' }),
    `createApiKeys: unknown option "prefixx"; did you mean "prefix"? (known: ${KNOWN})`,
  ],
  [withStore({ colour: 1 }), `createApiKeys: unknown option "colour" (known: ${KNOWN})`],
  [
    withStore({ prefix: 'Acme' }),
    'createApiKeys: prefix must be a lower-case letter and then up to 31 of a-z, 0-9 and _, but got "Acme"',
  ],
  [
    withStore({ prefix: '' }),
    'createApiKeys: prefix must be a lower-case letter and then up to 31 of a-z, 0-9 and _, but got ""',
  ],
  [
    withStore({ prefix: 'a'.repeat(33) }),
    'createApiKeys: prefix must be a lower-case letter and then up to 31 of a-z, 0-9 and _, but got "aaaaaaaaaaaa…"',
  ],
  [withStore({ environment: 'prod' }), 'createApiKeys: environment must be "live" or "test", but got "prod"'],
  [
    withStore({ environments: 'live' }),
    'createApiKeys: environments must be an array of "live" and "test", but got "live"',
  ],
  [
    withStore({ environments: [] }),
    'createApiKeys: environments must be an array of "live" and "test", but got an array of 0',
  ],
  [
    withStore({ environments: ['live', 'prod'] }),
    'createApiKeys: environments must be an array of "live" and "test", but got an array of 2',
  ],
  [
    withStore({ environments: ['test'] }),
    'createApiKeys: environments must include environment, which is "live"',
  ],
  [
    withStore({ acceptPlainDigests: 'no' }),
    'createApiKeys: acceptPlainDigests must be true or false, but got "no"',
  ],
  [withStore({ cache: true }), 'createApiKeys: cache: options must be an object, but got true'],
  [withStore({ cache: null }), 'createApiKeys: cache: options must be an object, but got null'],
  [
    withStore({ cache: { ttl: 10 } }),
    `createApiKeys: cache: unknown option "ttl"; did you mean "ttlMs"? (known: ${KNOWN_OF_CACHE})`,
  ],
  [
    withStore({ cache: { maxEntries: '10' } }),
    `createApiKeys: cache.maxEntries ${wholeFrom(0, 10_000_000)}, but got "10"`,
  ],
  [
    withStore({ cache: { ttlMs: '30s' } }),
    `createApiKeys: cache.ttlMs ${wholeFrom(0, 3_600_000)}, but got "30s"`,
  ],
  [
    withStore({ cache: { staleIfErrorMs: -1 } }),
    `createApiKeys: cache.staleIfErrorMs ${wholeFrom(0, 3_600_000)}, but got -1`,
  ],
  [
    withStore({ cache: { maxMisses: 1.5 } }),
    `createApiKeys: cache.maxMisses ${wholeFrom(0, 10_000_000)}, but got 1.5`,
  ],
  [
    withStore({ cache: { missTtlMs: 60_001 } }),
    `createApiKeys: cache.missTtlMs ${wholeFrom(0, 60_000)}, but got 60001`,
  ],
  [
    withStore({ cache: { ttlMs: 0, maxMisses: 'many' } }),
    `createApiKeys: cache.maxMisses ${wholeFrom(0, 10_000_000)}, but got "many"`,
  ],
  [withStore({ storeTimeoutMs: 0 }), `createApiKeys: storeTimeoutMs ${wholeFrom(1, 60_000)}, but got 0`],
  [
    withStore({ storeTimeoutMs: Number.NaN }),
    `createApiKeys: storeTimeoutMs ${wholeFrom(1, 60_000)}, but got NaN`,
  ],
  [withStore({ ownerStatus: 'active' }), 'createApiKeys: ownerStatus must be a function, but got "active"'],
  [withStore({ now: 1767225600000 }), 'createApiKeys: now must be a function, but got 1767225600000'],
  [withStore({ onEvent: {} }), 'createApiKeys: onEvent must be a function, but got an object'],
  [
    withStore({ silence: 'no_pepper' }),
    'createApiKeys: silence must be an array of codes of warnings, but got "no_pepper"',
  ],
  [
    withStore({ silence: ['no_pepper', 'no_peper'] }),
    `createApiKeys: silence[1] must be one of ${WARNING_CODES.join(', ')}, but got "no_peper"`,
  ],
];

const NEWEST_FIRST = 'must be an array of { id, secret }, newest first, but got';
const ID_RULE = 'must be 1 to 32 characters of a-z, 0-9 and -, but got';
const SECRET_RULE = 'must be a text or bytes of at least 32 bytes, but got';

const ofPeppers: readonly Row[] = [
  [withStore({ peppers: SECRET }), `createApiKeys: peppers ${NEWEST_FIRST} a text of 39 characters`],
  [withStore({ peppers: PEPPER }), `createApiKeys: peppers ${NEWEST_FIRST} an object`],
  [
    withStore({ peppers: [SECRET] }),
    'createApiKeys: peppers[0] must be { id, secret }, but got a text of 39 characters',
  ],
  [withStore({ peppers: [null] }), 'createApiKeys: peppers[0]: options must be an object, but got null'],
  [
    withStore({ peppers: [PEPPER, { id: 'p2', secrets: SECRET }] }),
    'createApiKeys: peppers[1]: unknown option "secrets"; did you mean "secret"? (known: id, secret)',
  ],
  [
    withStore({ peppers: [{ id: SECRET.toUpperCase(), secret: 'p1' }] }),
    `createApiKeys: peppers[0].id ${ID_RULE} a text of 39 characters`,
  ],
  [withStore({ peppers: [{ secret: SECRET }] }), `createApiKeys: peppers[0].id ${ID_RULE} undefined`],
  [withStore({ peppers: [{ id: 'p1' }] }), `createApiKeys: peppers[0].secret ${SECRET_RULE} undefined`],
  [
    withStore({ peppers: [PEPPER, { id: 'p2', secret: SECRET.slice(0, 31) }] }),
    `createApiKeys: peppers[1].secret ${SECRET_RULE} one of 31`,
  ],
  [
    withStore({ peppers: [{ id: 'p1', secret: Buffer.alloc(16) }] }),
    `createApiKeys: peppers[0].secret ${SECRET_RULE} one of 16`,
  ],
  [withStore({ peppers: [PEPPER, PEPPER] }), 'createApiKeys: two peppers have the id "p1"'],
];

const OVERLAP = 'its example must match it and no other verifier, but';

const ofVerifiers: readonly Row[] = [
  [
    withStore({ verifiers: verifier }),
    'createApiKeys: verifiers must be an array of verifiers, but got an object',
  ],
  [
    withStore({ verifiers: [verifier, { name: 'half' }] }),
    'createApiKeys: verifiers[1] must be an object with name, matches() and find(), but got an object',
  ],
  [
    withStore({ verifiers: [undefined] }),
    'createApiKeys: verifiers[0] must be an object with name, matches() and find(), but got undefined',
  ],
  [
    withStore({ verifiers: [{ ...verifier, examples: [] }] }),
    'createApiKeys: verifiers[0].examples must be an array of at least one text, but got an array of 0',
  ],
  [
    withStore({ verifiers: [{ ...verifier, characters: 'ä' }] }),
    'createApiKeys: verifiers[0].characters must be visible ASCII characters, but got "ä"',
  ],
  [
    withStore({ verifiers: [verifier, { ...verifier, name: 'other' }] }),
    `createApiKeys: verifier "old": ${OVERLAP} "old-1" matches old, other`,
  ],
  [
    withStore({ verifiers: [{ ...verifier, examples: ['new-1'] }] }),
    `createApiKeys: verifier "old": ${OVERLAP} "new-1" matches none`,
  ],
];

const TOKEN_RULE = 'must be a name as RFC 9110 section 5.6.2 has it, but got';
const REALM_RULE = 'must be 1 to 100 ASCII characters without quote and backslash, but got';

const ofApiKeyAuth: readonly Row[] = [
  [
    () => apiKeyAuth(undefined as unknown as ApiKeys),
    'apiKeyAuth: apiKeys must be what createApiKeys() answered, but got undefined',
  ],
  [
    () => apiKeyAuth({ ...apiKeys }),
    'apiKeyAuth: apiKeys must be what createApiKeys() answered, but got an object',
  ],
  [auth('optional'), 'apiKeyAuth: options must be an object, but got "optional"'],
  [
    auth({ header: ['X-API-Key'] }),
    `apiKeyAuth: unknown option "header"; did you mean "headers"? (known: ${KNOWN_OF_AUTH})`,
  ],
  [auth({ mode: 'lax' }), 'apiKeyAuth: mode must be "required" or "optional", but got "lax"'],
  [
    auth({ headers: 'X-API-Key' }),
    'apiKeyAuth: headers must be an array of 1 to 8 names, but got "X-API-Key"',
  ],
  [auth({ headers: [] }), 'apiKeyAuth: headers must be an array of 1 to 8 names, but got an array of 0'],
  [auth({ headers: ['X API Key'] }), `apiKeyAuth: headers[0] ${TOKEN_RULE} "X API Key"`],
  [auth({ headers: ['X-Key', 'x-key'] }), 'apiKeyAuth: headers has "x-key" twice'],
  [
    auth({ headers: ['X-Key', 'Cookie'] }),
    'apiKeyAuth: headers must not include "Cookie": browsers send cookies for others',
  ],
  [auth({ schemes: ['Bearer:'] }), `apiKeyAuth: schemes[0] ${TOKEN_RULE} "Bearer:"`],
  [auth({ schemes: [] }), 'apiKeyAuth: schemes must be an array of 1 to 8 names, but got an array of 0'],
  [auth({ realm: 'the "api"' }), `apiKeyAuth: realm ${REALM_RULE} "the \\"api\\""`],
  [auth({ realm: 'api\r\nX: 1' }), `apiKeyAuth: realm ${REALM_RULE} "api\\r\\nX: 1"`],
  [auth({ requireTls: 1 }), 'apiKeyAuth: requireTls must be true or false, but got 1'],
  [auth({ errors: 'problem' }), 'apiKeyAuth: errors must be a function or a dialect, but got "problem"'],
  [auth({ errors: {} }), 'apiKeyAuth: errors must be a function or a dialect, but got an object'],
];

const SCOPE_RULE =
  'must be 1 to 128 visible ASCII characters without space, quote or backslash (RFC 6749 section 3.3)';
const scope = (value: unknown): string => value as string;

const ofGuards: readonly Row[] = [
  [
    () => (requireScope as () => unknown)(),
    "requireScope: name at least one scope, as in requireScope('reports:read')",
  ],
  [
    () => (requireAnyScope as () => unknown)(),
    "requireAnyScope: name at least one scope, as in requireAnyScope('reports:read')",
  ],
  [
    () => requireScope('reports:read', 'reports:*'),
    'requireScope: a scope must not hold "*": a route demands one thing, but got "reports:*"',
  ],
  [() => requireAnyScope('a b'), `requireAnyScope: a scope ${SCOPE_RULE}, but got "a b"`],
  [
    () => requireScope(scope(['reports:read'])),
    `requireScope: a scope ${SCOPE_RULE}, but got an array of 1; give the scopes as arguments, not as an array`,
  ],
  [() => requireAnyScope(scope(undefined)), `requireAnyScope: a scope ${SCOPE_RULE}, but got undefined`],
  [
    () => requireOrganization('org_1' as unknown as () => string),
    'requireOrganization: id must be a function of the request, but got "org_1"',
  ],
  [
    () => requireEnvironment('prod' as 'live'),
    'requireEnvironment: environment must be "live" or "test", but got "prod"',
  ],
];

const TABLE_RULE =
  'must be a name of 1 to 63 letters, digits and underscores that begins with no digit, but got';
const CONNECTION_RULE =
  'must be a Pool or Client of pg, the function of postgres, a PGlite, a pool or connection of mysql2/promise, a client ' +
  'of @libsql/client, a database of node:sqlite or better-sqlite3, or { dialect, query }, but got';

const ofSqlKeyStore: readonly Row[] = [
  [sql(undefined), `SqlKeyStore: connection ${CONNECTION_RULE} undefined`],
  [sql('file:keys.db'), `SqlKeyStore: connection ${CONNECTION_RULE} a text`],
  [sql({ query: () => undefined }), `SqlKeyStore: connection ${CONNECTION_RULE} an object`],
  [
    sql(client, { tabel: 'keys' }),
    'SqlKeyStore: unknown option "tabel"; did you mean "table"? (known: table, dialect, watch)',
  ],
  [sql(client, { table: 'keys; --' }), `SqlKeyStore: table ${TABLE_RULE} "keys; --"`],
  [
    sql(client, { dialect: 'oracle' }),
    'SqlKeyStore: dialect must be "postgres" or "mysql" or "sqlite", but got "oracle"',
  ],
  [() => SqlKeyStore.schema('sqlite', { table: '1keys' }), `SqlKeyStore.schema: table ${TABLE_RULE} "1keys"`],
];

describe('a mistake of the programmer is a TypeError that says who, what, and what it got', () => {
  test.each(
    [...ofCreateApiKeys, ...ofPeppers, ...ofVerifiers, ...ofApiKeyAuth, ...ofGuards, ...ofSqlKeyStore].map(
      ([call, message]) => ({ call, message }),
    ),
  )('$message', ({ call, message }) => {
    expect(call).toThrow(new TypeError(message));
    expect(call).toThrow(TypeError);
  });
});

test('no message shows the secret of a pepper', () => {
  for (const [call] of ofPeppers) expect(call).not.toThrow(new RegExp(SECRET.slice(0, 7), 'i'));
});

describe('options', () => {
  test('count as not given where they are undefined', async () => {
    const names = KNOWN.split(', ').filter((name) => name !== 'store');
    const nothing = Object.fromEntries(names.map((name) => [name, undefined]));
    const cache = Object.fromEntries(KNOWN_OF_CACHE.split(', ').map((name) => [name, undefined]));
    for (const options of [nothing, { ...nothing, cache }]) {
      const keys = createApiKeys({ store: new MemoryKeyStore(), ...options } as ApiKeysOptions);
      const { key } = await keys.create({ name: 'CI', organization: { id: 'org_1' } });
      expect(key).toMatch(/^sk_live_/);
      expect(await keys.verify(key)).toMatchObject({ ok: true });
      expect(keys.verify(key)).toMatchObject({ ok: true });
      await keys.close();
    }
    const auths = Object.fromEntries(KNOWN_OF_AUTH.split(', ').map((name) => [name, undefined]));
    expect(auth(auths)).not.toThrow();
    expect(sql(client, { table: undefined, dialect: undefined })).not.toThrow();
  });

  test('may be frozen, and are never written to', async () => {
    const peppers = Object.freeze([Object.freeze(PEPPER)]);
    const options = Object.freeze({
      store: new MemoryKeyStore(),
      prefix: 'acme',
      environments: Object.freeze(['live', 'test'] as const),
      peppers,
      cache: Object.freeze({ ttlMs: 5_000 }),
      verifiers: Object.freeze([Object.freeze({ ...verifier, examples: Object.freeze(['old-1']) })]),
    });
    const keys = createApiKeys(options);
    const { key } = await keys.create({ name: 'CI', organization: { id: 'org_1' } });
    expect(await keys.verify(key)).toMatchObject({ ok: true });
    await keys.close();
    const headers = Object.freeze(['X-API-Key']);
    expect(auth(Object.freeze({ headers, schemes: Object.freeze(['Api-Key']) }))).not.toThrow();
    expect(sql(client, Object.freeze({ table: 'keys' }))).not.toThrow();
  });

  test('are read once: what is done to them afterwards changes nothing', async () => {
    const secret = Buffer.from(SECRET);
    const environments: ('live' | 'test')[] = ['live', 'test'];
    const options: ApiKeysOptions = {
      store: new MemoryKeyStore(),
      environments,
      peppers: [{ id: 'p', secret }],
    };
    const keys = createApiKeys(options);
    const { key } = await keys.create({ name: 'CI', organization: { id: 'org_1' }, environment: 'test' });
    environments.length = 0;
    secret.fill(0);
    options.prefix = 'other';
    expect(await keys.verify(key)).toMatchObject({ ok: true });
    await keys.close();
  });
});
