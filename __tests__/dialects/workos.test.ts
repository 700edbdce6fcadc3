import { afterEach, describe, expect, test } from '@jest/globals';
import { validateRouter, workos } from '../../lib/dialects.ts';
import { ApiKeyError, apiKeyAuth, type ErrorCode, InvalidInputError } from '../../lib/index.ts';
import { expressVersions } from '../support/express-versions.ts';
import { rejects } from '../support/fault-store.ts';
import { START_MS } from '../support/open-keys.ts';
import { closeWorkos, openWorkos, serve } from '../support/workos-bench.ts';

afterEach(closeWorkos);

const VALIDATE = 'POST /api_keys/validations';
const NULL = { status: 200, body: { api_key: null } };
const UNAUTHORIZED = { status: 401, body: { message: 'Unauthorized', code: 'unauthorized' } };
const FORBIDDEN = { status: 403, body: { message: 'Forbidden', code: 'forbidden' } };
const UNREADABLE = {
  status: 400,
  body: { message: 'Problems parsing JSON', code: 'invalid_request_body' },
};
const UNAVAILABLE = {
  status: 503,
  body: { message: 'Service Unavailable', code: 'service_unavailable' },
};

/** A bench with a caller that may ask. */
async function openAsked(options?: Parameters<typeof openWorkos>[0]) {
  const bench = await openWorkos(options);
  const caller = await bench.keyOf({ name: 'Caller', scopes: ['keys:validate'] });
  return { ...bench, caller, ask: (value: unknown, as = caller) => bench.call(as, VALIDATE, { value }) };
}

describe('a validation', () => {
  test('shows all ten members of a key, whose times are texts', async () => {
    const { apiKeys, ask, clock } = await openAsked();
    const { key, apiKey } = await apiKeys.create({
      name: 'Production API Key',
      organization: { id: 'org_1', slug: 'acme' },
      scopes: ['posts:read', 'posts:write'],
      expiresAt: new Date('2030-01-01T00:00:00Z'),
    });
    clock.ms += 1_000;
    const later = await apiKeys.update(apiKey.id, { name: 'Renamed' });

    expect(await ask(key)).toMatchObject({
      status: 200,
      body: {
        api_key: {
          object: 'api_key',
          id: `api_key_${apiKey.id}`,
          owner: { type: 'organization', id: 'org_1' },
          name: 'Renamed',
          obfuscated_value: `${apiKey.start}...${apiKey.end}`,
          last_used_at: null,
          expires_at: '2030-01-01T00:00:00.000Z',
          permissions: ['posts:read', 'posts:write'],
          created_at: new Date(START_MS).toISOString(),
          updated_at: later.updatedAt.toISOString(),
        },
      },
    });
  });

  test('of a key that was used shows when', async () => {
    const { apiKeys, ask, store } = await openAsked();
    const { key, apiKey } = await apiKeys.create({ name: 'CI', organization: { id: 'org_1' } });
    const at = new Date('2026-02-03T04:05:00Z');
    await store.recordUse([{ id: apiKey.id, at, previous: false }]);

    expect((await ask(key)).body.api_key.last_used_at).toBe('2026-02-03T04:05:00.000Z');
  });

  test('shows the key of a service as one of its organization', async () => {
    const { ask, keyOf } = await openAsked();
    const { body } = await ask(await keyOf({ owner: { type: 'service', id: 'billing' } }));

    expect(body.api_key.owner).toEqual({ type: 'organization', id: 'org_1' });
  });

  test('of an old key in its grace shows the end of the grace', async () => {
    const { apiKeys, ask, caller } = await openAsked();
    const { key, apiKey } = await apiKeys.create({ name: 'CI', organization: { id: 'org_1' } });
    await apiKeys.rotate(apiKey.id, { gracePeriodMs: 60_000 });
    const { body, headers } = await ask(key);

    expect(body.api_key.expires_at).toBe(new Date(START_MS + 60_000).toISOString());
    // They speak of the key that the request was made with.
    expect(headers.get('sunset')).toBeNull();
    expect(caller).not.toBe(key);
  });

  test('by a caller whose own key is in its grace says so in header fields', async () => {
    const { apiKeys, ask, keyOf } = await openAsked();
    const { key, apiKey } = await apiKeys.create({
      name: 'Caller',
      organization: { id: 'org_1' },
      scopes: ['keys:validate'],
    });
    await apiKeys.rotate(apiKey.id);
    const { status, headers } = await ask(await keyOf(), key);

    expect(status).toBe(200);
    expect(headers.get('deprecation')).toBe(`@${START_MS / 1_000}`);
    expect(headers.get('sunset')).not.toBeNull();
  });

  test.each<{ what: string; value: unknown }>([
    { what: 'an unknown one', value: 'sk_live_000000000000000000000000000000001Pmxfb' },
    { what: 'a text that is no key', value: 'nonsense' },
    { what: 'an empty one', value: '' },
    { what: 'a number', value: 5 },
    { what: 'null', value: null },
    { what: 'a list', value: ['sk_1'] },
    { what: 'an object', value: { value: 'sk_1' } },
    { what: 'none', value: undefined },
    { what: 'one that is too long', value: 'x'.repeat(10_000) },
    { what: 'one with a line break', value: 'sk_1\r\nX: y' },
  ])('of $what is null', async ({ value }) => {
    const { ask, keyOf } = await openAsked();

    expect((await ask(await keyOf())).body.api_key).not.toBeNull();
    expect(await ask(value)).toMatchObject(NULL);
  });

  test.each(['[]', 'null', '5', '"sk_1"', '{"valve":"x"}'])(
    'with the body %s, which is JSON, is null',
    async (body) => {
      const { call, caller } = await openAsked();
      expect(await call(caller, VALIDATE, body)).toMatchObject(NULL);
    },
  );

  test.each([
    ['not JSON', '{"value":'],
    ['empty', ''],
    ['with a member twice', '{"value":"a","value":"b"}'],
    ['too deep', '['.repeat(9) + ']'.repeat(9)],
    ['too large', JSON.stringify({ value: 'x'.repeat(17_000) })],
  ])('with a body that is %s is a 400, of whatever caller only after its key', async (_, body) => {
    const { call, caller } = await openAsked();

    expect(await call(caller, VALIDATE, body)).toMatchObject(UNREADABLE);
    expect(await call('sk_nobody', VALIDATE, body)).toMatchObject(UNAUTHORIZED);
  });

  test('finds the keys of another organization only with the scope for all', async () => {
    const { ask, keyOf } = await openAsked();
    const other = await keyOf({ organization: { id: 'org_2' } });
    const scopes = ['keys:validate', 'keys:any-organization'];

    expect(await ask(other)).toMatchObject(NULL);
    expect((await ask(other, await keyOf({ scopes }))).body.api_key.owner.id).toBe('org_2');
  });

  test.each(['revoke', 'disable', 'delete'] as const)('of a key is null after %s', async (end) => {
    const { apiKeys, ask } = await openAsked();
    const { key, apiKey } = await apiKeys.create({ name: 'CI', organization: { id: 'org_1' } });
    expect((await ask(key)).body.api_key).not.toBeNull();
    await apiKeys[end](apiKey.id);

    expect(await ask(key)).toMatchObject(NULL);
  });

  test.each(['caller', 'value'] as const)(
    'is a 503 with Retry-After, never null and never 401, when the store fails for the %s',
    async (which) => {
      const { ask, keyOf, caller, store } = await openAsked();
      const value = await keyOf();
      if (which === 'value') await ask('nonsense', caller);
      store.always('findByDigest', rejects(new Error('down')));
      const answer = await ask(value);

      expect(answer).toMatchObject(UNAVAILABLE);
      expect(answer.headers.get('retry-after')).toMatch(/^[123]$/);
    },
  );
});

describe('a caller', () => {
  test.each(['GET', 'PUT', 'PATCH'])('that uses %s is told that nothing is there', async (method) => {
    const { port } = await openAsked();
    const answer = await fetch(`http://127.0.0.1:${port}/api_keys/validations`, { method });

    expect({ status: answer.status, body: await answer.json() }).toEqual({
      status: 404,
      body: { message: 'Not Found', code: 'not_found' },
    });
  });

  test('without the scope is refused with 403, whatever it asks', async () => {
    const { ask, keyOf } = await openAsked();
    const caller = await keyOf({ scopes: ['keys:manage'] });

    expect(await ask(await keyOf(), caller)).toMatchObject(FORBIDDEN);
    expect(await ask('nonsense', caller)).toMatchObject(FORBIDDEN);
  });

  test('needs the scopes that the options name', async () => {
    const { apiKeys, keyOf } = await openWorkos();
    const dialect = workos({ validateScope: 'ask', anyOrganizationScope: 'all' });
    const express = expressVersions[1]?.express as (typeof expressVersions)[number]['express'];
    const port = await serve(express().use(validateRouter(apiKeys, dialect)));
    const value = await keyOf({ organization: { id: 'org_2' } });
    const statusOf = async (...scopes: string[]) => {
      const response = await fetch(`http://127.0.0.1:${port}/api_keys/validations`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${await keyOf({ scopes })}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ value }),
      });
      if (response.status !== 200) return response.status;
      const { api_key: found } = (await response.json()) as { api_key: { owner: { id: string } } | null };
      return found?.owner.id;
    };

    expect(await statusOf('keys:validate')).toBe(403);
    expect(await statusOf('ask')).toBeUndefined();
    expect(await statusOf('ask', 'all')).toBe('org_2');
  });

  test.each([
    ['none', undefined],
    ['a raw key of nobody', 'sk_nobody'],
    ['another scheme', 'Basic c2s6'],
    ['an empty one', 'Bearer '],
    ['two keys', 'Bearer KEY KEY'],
    ['a raw key and another text', 'KEY x'],
  ])('that sends %s as its own is refused with 401', async (_, value) => {
    const { port, caller } = await openAsked();
    const answer = await fetch(`http://127.0.0.1:${port}/api_keys/validations`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        ...(value === undefined ? undefined : { Authorization: value.replaceAll('KEY', caller) }),
      },
      body: '{"value":"x"}',
    });

    expect(answer.headers.get('www-authenticate')).toBeNull();
    expect({ status: answer.status, body: await answer.json() }).toEqual(UNAUTHORIZED);
  });

  test('may leave out Bearer', async () => {
    const { port, caller } = await openAsked();
    const answer = await fetch(`http://127.0.0.1:${port}/api_keys/validations`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: caller },
      body: '{"value":"x"}',
    });

    expect({ status: answer.status, body: await answer.json() }).toEqual(NULL);
  });
});

describe.each(expressVersions)('as the voice of an API on $name', ({ express }) => {
  test('it words the refusals of apiKeyAuth', async () => {
    const { apiKeys, keyOf, store } = await openWorkos();
    const app = express().use(apiKeyAuth(apiKeys, { errors: workos() }));
    app.get('/', (_req, res) => {
      res.json({});
    });
    const port = await serve(app);
    const get = async (headers: Record<string, string>) => {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { headers });
      return { status: answer.status, body: await answer.json() };
    };
    const key = await keyOf();

    expect((await get({ 'X-API-Key': key })).status).toBe(200);
    expect(await get({})).toEqual(UNAUTHORIZED);
    expect(await get({ 'X-API-Key': 'nonsense' })).toEqual(UNAUTHORIZED);
    // A credential that is ambiguous is none.
    expect(await get({ 'X-API-Key': key, Authorization: `Bearer ${key}` })).toEqual(UNAUTHORIZED);
    store.always('findByDigest', rejects(new Error('down')));
    expect(await get({ 'X-API-Key': await keyOf() })).toEqual(UNAVAILABLE);
  });
});

describe('the dialect', () => {
  const ANSWERS: Readonly<Record<ErrorCode, string>> = {
    missing_credentials: '401 unauthorized',
    invalid_token: '401 unauthorized',
    invalid_request: '400 invalid_request_body',
    payload_too_large: '400 invalid_request_body',
    unsupported_media_type: '400 invalid_request_body',
    insufficient_scope: '403 forbidden',
    forbidden: '403 forbidden',
    tls_required: '403 forbidden',
    not_found: '404 not_found',
    method_not_allowed: '405 method_not_allowed',
    conflict: '409 conflict',
    duplicate_key: '409 conflict',
    rate_limited: '429 rate_limit_exceeded',
    temporarily_unavailable: '503 service_unavailable',
    server_error: '500 internal_server_error',
  };

  test.each(Object.entries(ANSWERS))('words %s as %s', (code, expected) => {
    const { status, body } = workos().error(new ApiKeyError(code as ErrorCode, 'secret detail'));

    expect(`${status} ${(body as { code: string }).code}`).toBe(expected);
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  test('words input that cannot be taken as 422, with its own name of the member', () => {
    const { status, body } = workos().error(new InvalidInputError('/scopes/0', 'is wrong'));

    expect(status).toBe(422);
    expect(body).toEqual({
      message: 'Validation failed.',
      errors: [{ code: 'invalid', field: 'permissions' }],
    });
  });

  test.each([
    [{ validateScope: '' }, 'workos: validateScope must be a scope as requireScope() takes it, but got ""'],
    [{ manageScope: 'keys:*' }, /manageScope must be a scope/],
    [{ scope: 'x' }, /unknown option "scope"/],
  ])('refuses the options %j', (options, message) => {
    expect(() => workos(options as object)).toThrow(message);
  });
});
