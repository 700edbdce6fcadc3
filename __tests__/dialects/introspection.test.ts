import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RequestHandler } from 'express';
import * as client from 'openid-client';
import { type IntrospectionOptions, introspection, validateRouter } from '../../lib/dialects.ts';
import { type ApiKeysOptions, type CreateInput, keyPairs } from '../../lib/index.ts';
import { jwtKeys } from '../../lib/jwt.ts';
import { closeServer } from '../support/body-bench.ts';
import { exchange, listen, type WireAnswer } from '../support/exchange.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { makeSigners } from '../support/jwt-builder.ts';
import { AUDIENCE, ISSUER, keyOption, optionsWith } from '../support/jwt-options.ts';
import { closeOpenedKeys, type OpenedKeys, openKeys } from '../support/open-keys.ts';
import { exchangeAll } from '../support/raw-http.ts';

afterEach(closeOpenedKeys);

const ISSUED = Date.UTC(2026, 2, 1, 10) / 1_000;
const INACTIVE = '{"active":false}';
const STRANGER =
  '{"error":"invalid_client","error_description":"The caller needs a key of its own that is good."}';

interface Made {
  readonly id: string;
  readonly key: string;
  readonly secret: string;
}

interface Bench extends OpenedKeys {
  /** May ask about the keys of org_1. */
  readonly caller: Made;
  readonly app: ReturnType<Express>;
  make(input?: Partial<CreateInput>): Promise<Made>;
  /** As the caller, unless header lines are given. */
  ask(token: string | undefined, lines?: readonly string[], line?: string): Promise<WireAnswer>;
}

interface BenchOptions {
  readonly options?: IntrospectionOptions;
  readonly keys?: Partial<ApiKeysOptions>;
  readonly before?: (express: Express) => readonly RequestHandler[];
}

async function open(
  express: Express,
  { options, keys, before = () => [] }: BenchOptions = {},
): Promise<Bench> {
  const opened = await openKeys({ verifiers: [keyPairs()], ...keys });
  const make = async (input: Partial<CreateInput> = {}): Promise<Made> => {
    const organization = { id: 'org_1', slug: 'acme' };
    const { key, secret = '', apiKey } = await opened.apiKeys.create({ name: 'CI', organization, ...input });
    return { id: apiKey.id, key, secret };
  };
  const caller = await make({ scopes: ['keys:validate'] });
  const app = express();
  for (const handler of before(express)) app.use(handler);
  app.use(validateRouter(opened.apiKeys, introspection(options)));
  return {
    ...opened,
    caller,
    app,
    make,
    ask(token, lines = [bearer(caller.key)], line = 'POST /introspect') {
      const type = 'Content-Type: application/x-www-form-urlencoded';
      const body = token === undefined ? '' : new URLSearchParams({ token }).toString();
      return exchange(app, [...lines, type], { line, body });
    },
  };
}

function bearer(key: string): string {
  return `Authorization: Bearer ${key}`;
}

function basic(id: string, secret: string): string {
  return `Authorization: Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}

describe.each(expressVersions)('on $name', ({ express }) => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await open(express);
  });

  test('of a good key all is told that is known of it', async () => {
    const { ask, make, clock } = bench;
    const { id, key } = await make({
      owner: { type: 'user', id: 'user_7' },
      scopes: ['reports:read', 'invoices:*'],
      expiresAt: new Date(clock.ms + 60_500),
      notBefore: new Date(clock.ms - 500),
    });
    const answer = await ask(key);
    expect([answer.status, answer.body]).toEqual([
      200,
      `{"active":true,"scope":"reports:read invoices:*","client_id":"${id}","sub":"user_7","exp":${ISSUED + 60},"iat":${ISSUED},"nbf":${ISSUED - 1},"jti":"${id}","token_type":"Bearer","organization":{"id":"org_1","slug":"acme"}}`,
    ]);
    expect(answer.values('Content-Type')).toEqual(['application/json']);
    expect(answer.values('Cache-Control')).toEqual(['no-store']);
  });

  test('a key that may do nothing says so, and what is not known is not there', async () => {
    const { ask, make } = bench;
    const { id, key } = await make({ organization: { id: 'org_1' } });
    expect((await ask(key)).body).toBe(
      `{"active":true,"scope":"","client_id":"${id}","sub":"org_1","iat":${ISSUED},"jti":"${id}","token_type":"Bearer","organization":{"id":"org_1"}}`,
    );
  });

  test('a pair as one text is a token', async () => {
    const { ask, make } = bench;
    const { id, secret } = await make({ kind: 'pair' });
    expect(JSON.parse((await ask(`${id}.${secret}`)).body)).toMatchObject({ active: true, jti: id });
    expect((await ask(`${id}.${secret.slice(1)}x`)).body).toBe(INACTIVE);
    expect((await ask(id)).body).toBe(INACTIVE);
  });

  test('a JWT is told with what it says of itself, and ends with whichever ends first', async () => {
    const signers = makeSigners();
    const jwt = optionsWith([keyOption('k1', 'current', signers.get('es256A'))]);
    const over = await open(express, { keys: { verifiers: [jwtKeys(jwt)] } });
    const { id, key } = await over.make({ kind: 'jwt', expiresAt: new Date(over.clock.ms + 60_000) });
    const claims = JSON.parse(Buffer.from(key.split('.')[1] ?? '', 'base64url').toString());
    expect(JSON.parse((await over.ask(key)).body)).toEqual({
      active: true,
      scope: '',
      client_id: id,
      sub: 'org_1',
      exp: Math.min(claims.exp, ISSUED + 60),
      iat: claims.iat,
      iss: ISSUER,
      aud: AUDIENCE,
      jti: id,
      token_type: 'Bearer',
      organization: { id: 'org_1', slug: 'acme' },
    });
    await over.apiKeys.update(id, { expiresAt: new Date(over.clock.ms + 10_000) });
    expect(JSON.parse((await over.ask(key)).body).exp).toBe(ISSUED + 10);
    await over.apiKeys.revoke(id);
    expect((await over.ask(key)).body).toBe(INACTIVE);
  });

  test('a key that was rotated away ends with its grace; the new one begins then', async () => {
    const { apiKeys, ask, make, clock } = bench;
    const old = await make();
    clock.ms += 5_000;
    const { key } = await apiKeys.rotate(old.id, { gracePeriodMs: 60_000 });
    const body = JSON.parse((await ask(old.key)).body);
    expect([body.active, body.exp, body.iat]).toEqual([true, ISSUED + 65, undefined]);
    expect(JSON.parse((await ask(key)).body)).toMatchObject({ active: true, iat: ISSUED + 5 });
    clock.ms += 60_000;
    expect((await ask(old.key)).body).toBe(INACTIVE);
  });

  type Prepare = (bench: Bench) => Promise<string> | string;
  test.each<[string, Prepare]>([
    ['of another shape', () => 'nonsense'],
    ['too long to be looked at', () => 'a'.repeat(10_000)],
    ['of letters that no key has', () => '\u0000é "'],
    ['unknown', ({ key }) => key.replace(/.{38}$/, '000000000000000000000000000000000PGKJi')],
    ['mistyped', ({ key }) => `${key.slice(0, -1)}${key.endsWith('x') ? 'y' : 'x'}`],
    ['revoked', async ({ apiKeys, apiKey, key }) => apiKeys.revoke(apiKey.id).then(() => key)],
    ['disabled', async ({ apiKeys, apiKey, key }) => apiKeys.disable(apiKey.id).then(() => key)],
    [
      'expired',
      async ({ make, clock }) => {
        const { key } = await make({ expiresAt: new Date(clock.ms + 1) });
        clock.ms += 1;
        return key;
      },
    ],
    ['not yet valid', async ({ make, clock }) => (await make({ notBefore: new Date(clock.ms + 1) })).key],
    ['of the other environment', async ({ make }) => (await make({ environment: 'test' })).key],
    ["another organization's", async ({ make }) => (await make({ organization: { id: 'org_2' } })).key],
  ])('of a token that is %s nothing is told but that it is not active', async (_what, prepare) => {
    const { status, body, fields } = await bench.ask(await prepare(bench));
    expect([status, body]).toEqual([200, INACTIVE]);
    const bytes = Buffer.byteLength(INACTIVE);
    expect(fields).toEqual([
      'Cache-Control: no-store',
      `Content-Length: ${bytes}`,
      'Content-Type: application/json',
    ]);
  });

  test('only a caller with the scope for it sees the keys of other organizations', async () => {
    const { ask, make } = bench;
    const { key, id } = await make({ organization: { id: 'org_2' } });
    const scopes = ['keys:validate', 'keys:any-organization'];
    const both = await make({ scopes });
    const wide = await make({ scopes: ['keys:*'] });
    for (const caller of [both, wide]) {
      expect(JSON.parse((await ask(key, [bearer(caller.key)])).body)).toMatchObject({
        active: true,
        jti: id,
      });
    }
    const alone = await make({ scopes: ['keys:any-organization'] });
    expect((await ask(key, [bearer(alone.key)])).status).toBe(403);
  });

  test('scopes and path are as the options say', async () => {
    const options = {
      scope: 'introspect',
      anyOrganizationScope: 'introspect:all',
      path: '/oauth2/introspect',
    };
    const { ask, make } = await open(express, { options });
    const mine = await make({ scopes: ['introspect'] });
    const all = await make({ scopes: ['introspect', 'introspect:all'] });
    const other = await make({ organization: { id: 'org_2' } });
    const line = 'POST /oauth2/introspect';
    expect((await ask(mine.key, undefined, line)).status).toBe(403);
    expect(JSON.parse((await ask(mine.key, [bearer(mine.key)], line)).body).active).toBe(true);
    expect((await ask(other.key, [bearer(mine.key)], line)).body).toBe(INACTIVE);
    expect(JSON.parse((await ask(other.key, [bearer(all.key)], line)).body).active).toBe(true);
    expect((await ask(mine.key, [bearer(mine.key)])).status).toBe(404);
  });

  type Lines = (bench: Bench) => Promise<readonly string[]> | readonly string[];
  const BARE = 'Bearer realm="api", Basic realm="api"';
  const INVALID = 'Bearer realm="api", error="invalid_token", Basic realm="api"';

  test.each<[string, Lines, string]>([
    ['nothing', () => [], BARE],
    ['another scheme', ({ caller }) => [`Authorization: Digest ${caller.key}`], BARE],
    ['a key in another field', ({ caller }) => [`X-API-Key: ${caller.key}`], BARE],
    ['two keys', ({ caller }) => [bearer(caller.key), bearer(caller.key)], BARE],
    ['two clients', ({ caller: { id, key } }) => [basic(id, key), basic(id, key)], BARE],
    ['Basic that is not base64', () => ['Authorization: Basic :::'], BARE],
    ['Basic without a colon', () => [`Authorization: Basic ${Buffer.from('a').toString('base64')}`], BARE],
    ['Basic with a broken escape', ({ caller: { id, key } }) => [basic(id, `${key}%`)], BARE],
    ['an unknown key', ({ caller }) => [bearer(`${caller.key.slice(0, -7)}0000000`)], INVALID],
    [
      'a revoked key',
      ({ apiKeys, caller: { id, key } }) => apiKeys.revoke(id).then(() => [bearer(key)]),
      INVALID,
    ],
    [
      'a revoked client',
      ({ apiKeys, caller: { id, key } }) => apiKeys.revoke(id).then(() => [basic(id, key)]),
      INVALID,
    ],
    [
      "a client with another's key",
      async ({ caller, make }) => [basic((await make()).id, caller.key)],
      INVALID,
    ],
    ['a client without a name', ({ caller }) => [basic('', caller.key)], INVALID],
    ['a client with a wrong secret', ({ caller }) => [basic(caller.id, 'wrong')], INVALID],
    [
      'a pair with a wrong secret',
      async ({ make }) => [basic((await make({ kind: 'pair' })).id, '0'.repeat(43))],
      INVALID,
    ],
  ])('a caller with %s is told to show a key, whatever it asks', async (_what, linesOf, challenge) => {
    const lines = await linesOf(bench);
    for (const token of [bench.key, 'nonsense', undefined]) {
      const answer = await bench.ask(token, lines);
      expect([answer.status, answer.body]).toEqual([401, STRANGER]);
      expect(answer.values('WWW-Authenticate')).toEqual([challenge]);
    }
  });

  test.each<[string, Lines]>([
    ['a key as Bearer', ({ caller }) => [bearer(caller.key)]],
    ['bearer in small letters', ({ caller }) => [`authorization: bearer  ${caller.key}`]],
    ['its id and key as Basic', ({ caller: { id, key } }) => [basic(id, key)]],
    ['the same in escapes', ({ caller: { id, key } }) => [basic(id, key.replaceAll('_', '%5f'))]],
    [
      'the two parts of a pair as Basic',
      async ({ make }) => {
        const { id, secret } = await make({ kind: 'pair', scopes: ['keys:validate'] });
        return [basic(id, secret)];
      },
    ],
    [
      'a pair as one text',
      async ({ make }) => {
        const { id, secret } = await make({ kind: 'pair', scopes: ['keys:validate'] });
        return [bearer(`${id}.${secret}`)];
      },
    ],
    ['a key for every scope below', async ({ make }) => [bearer((await make({ scopes: ['keys:*'] })).key)]],
  ])('a caller may come with %s', async (_what, linesOf) => {
    expect(JSON.parse((await bench.ask(bench.key, await linesOf(bench))).body).active).toBe(true);
  });

  test('a caller whose key lacks the scope is told which, and nothing of the token', async () => {
    const { ask, key } = bench;
    const answers = [
      await ask(key, [bearer(key)]),
      await ask('nonsense', [bearer(key)]),
      await ask(undefined, [bearer(key)]),
    ];
    for (const answer of answers) {
      expect([answer.status, JSON.parse(answer.body).error]).toEqual([403, 'insufficient_scope']);
      expect(answer.values('WWW-Authenticate')).toEqual([
        'Bearer realm="api", error="insufficient_scope", scope="keys:validate"',
      ]);
    }
  });

  test.each([
    ['no token', 'token_type_hint=access_token', 400, 'The form must have a token.'],
    ['an empty token', 'token=', 400, 'The form must have a token.'],
    ['two tokens', 'token=a&token=b', 400, 'The form has a parameter twice.'],
    ['a form that is too long', `token=${'a'.repeat(16_400)}`, 413, 'The body has more than 16384 bytes.'],
  ])('%s is an invalid request', async (_what, body, status, description) => {
    const lines = [bearer(bench.caller.key), 'Content-Type: application/x-www-form-urlencoded'];
    const answer = await exchange(bench.app, lines, { line: 'POST /introspect', body });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      status,
      { error: 'invalid_request', error_description: description },
    ]);
  });

  test('a hint is passed over, and JSON is no form', async () => {
    const { app, caller, key } = bench;
    const send = (type: string, body: string) =>
      exchange(app, [bearer(caller.key), `Content-Type: ${type}`], { line: 'POST /introspect', body });
    const hinted = await send('application/x-www-form-urlencoded', `token_type_hint=nonsense&token=${key}`);
    expect(JSON.parse(hinted.body).active).toBe(true);
    const json = await send('application/json', JSON.stringify({ token: key }));
    expect([json.status, JSON.parse(json.body).error]).toEqual([415, 'invalid_request']);
  });

  test('a form that Express has parsed already is as good', async () => {
    const { ask, key } = await open(express, {
      before: ({ urlencoded }) => [urlencoded({ extended: true })],
    });
    expect(JSON.parse((await ask(key)).body).active).toBe(true);
  });

  test('a caller that was refused before its form was read keeps its connection', async () => {
    const { app, caller, key } = bench;
    const server = createServer(app);
    const port = await listen(server);
    const requestOf = (authorization: string) => ({
      method: 'POST',
      path: '/introspect',
      headers: [
        ['Authorization', authorization],
        ['Content-Type', 'application/x-www-form-urlencoded'],
      ] as const,
      body: `token=${key}`,
    });
    const requests = ['Bearer nonsense', `Bearer ${caller.key}`, `Bearer ${key}`, `Bearer ${caller.key}`];
    const answers = await exchangeAll(port, requests.map(requestOf));
    expect(answers.map(({ status }) => status)).toEqual([401, 200, 403, 200]);
    await closeServer(server);
  });

  test('only POST is answered', async () => {
    const answer = await bench.ask(undefined, undefined, `GET /introspect?token=${bench.key}`);
    expect([answer.status, answer.values('Allow')]).toEqual([405, ['POST']]);
    expect(JSON.parse(answer.body).error).toBe('invalid_request');
  });

  test('a store that fails is a 503, for the caller and for the token, and never an inactive one', async () => {
    const { ask, make, store, caller } = bench;
    const { key } = await make();
    const unavailable = [503, 'temporarily_unavailable', [expect.stringMatching(/^[123]$/)]];
    const told = (answer: WireAnswer) => [
      answer.status,
      JSON.parse(answer.body).error,
      answer.values('Retry-After'),
    ];
    store.fault = new Error('sEcReT');
    expect(told(await ask(key))).toEqual(unavailable);
    store.fault = undefined;
    await ask('nonsense', [bearer(caller.key)]);
    store.fault = new Error('sEcReT');
    expect(told(await ask(key))).toEqual(unavailable);
    store.fault = undefined;
    expect(JSON.parse((await ask(key)).body).active).toBe(true);
  });

  test('guessing at the secret of a pair ends, as it does everywhere', async () => {
    const { ask, make } = bench;
    const { id } = await make({ kind: 'pair' });
    for (let i = 10; i < 30; i += 1) expect((await ask(`${id}.${'0'.repeat(41)}${i}`)).body).toBe(INACTIVE);
    const { status, body, values } = await ask(`${id}.${'0'.repeat(43)}`);
    expect([status, JSON.parse(body).error]).toEqual([429, 'temporarily_unavailable']);
    expect(values('Retry-After')).toEqual([expect.stringMatching(/^[1-9]\d*$/)]);
  });

  describe("with an OAuth library's client", () => {
    let server: Server;
    let issuer: string;
    beforeEach(async () => {
      server = createServer(bench.app);
      issuer = `http://127.0.0.1:${await listen(server)}`;
    });
    afterEach(() => closeServer(server));

    function configure(id: string, secret: string): client.Configuration {
      const metadata = { issuer, introspection_endpoint: `${issuer}/introspect` };
      const config = new client.Configuration(metadata, id, undefined, client.ClientSecretBasic(secret));
      client.allowInsecureRequests(config);
      return config;
    }

    test('a good key is active, and a revoked one is not', async () => {
      const { apiKeys, apiKey, key, caller } = bench;
      const config = configure(caller.id, caller.key);
      const hint = { token_type_hint: 'access_token' };
      expect(await client.tokenIntrospection(config, key, hint)).toMatchObject({
        active: true,
        scope: 'reports:read',
        client_id: apiKey.id,
        iat: ISSUED,
        token_type: 'Bearer',
        organization: { id: 'org_1', slug: 'acme' },
      });
      await apiKeys.revoke(apiKey.id);
      expect(await client.tokenIntrospection(config, key)).toEqual({ active: false });
    });

    test('a pair is a client, as it is in OAuth', async () => {
      const { key, make } = bench;
      const { id, secret } = await make({ kind: 'pair', scopes: ['keys:validate'] });
      expect((await client.tokenIntrospection(configure(id, secret), key)).active).toBe(true);
    });

    test('a wrong secret and a missing scope are errors that it knows', async () => {
      const { key, caller, make } = bench;
      await expect(client.tokenIntrospection(configure(caller.id, key), key)).rejects.toMatchObject({
        name: 'WWWAuthenticateChallengeError',
        status: 401,
      });
      const plain = await make();
      const scopeless = client.tokenIntrospection(configure(plain.id, plain.key), key);
      await expect(scopeless).rejects.toMatchObject({ name: 'WWWAuthenticateChallengeError', status: 403 });
    });

    test('a store that fails is an error that it knows, and no answer', async () => {
      const { key, caller, store } = bench;
      store.fault = new Error('down');
      const asked = client.tokenIntrospection(configure(caller.id, caller.key), key);
      await expect(asked).rejects.toMatchObject({ name: 'ClientError', cause: { status: 503 } });
    });
  });
});

test.each<[IntrospectionOptions, string]>([
  [{ scop: 'a' } as IntrospectionOptions, 'did you mean "scope"?'],
  [{ scope: 'keys:*' }, 'introspection: scope must be a scope, which must not hold "*"'],
  [
    { anyOrganizationScope: '' },
    'introspection: anyOrganizationScope must be a scope, which must be 1 to 128',
  ],
  [{ path: 'introspect' }, 'introspection: path must be a path such as "/introspect", but got "introspect"'],
  [{ path: '/a/' }, 'introspection: path must be'],
  [{ path: '/:id' }, 'introspection: path must be'],
])('options that are wrong are told when it is built: %j', (options, message) => {
  expect(() => introspection(options)).toThrow(message);
});
