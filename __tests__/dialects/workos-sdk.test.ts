import { afterEach, describe, expect, test } from '@jest/globals';
import {
  ConflictException,
  GenericServerException,
  NotFoundException,
  RateLimitExceededException,
  UnauthorizedException,
  WorkOS,
} from '@workos-inc/node';
import { rateLimit } from 'express-rate-limit';
import { validateRouter, workos } from '../../lib/dialects.ts';
import { expressVersions } from '../support/express-versions.ts';
import { rejects } from '../support/fault-store.ts';
import { closeWorkos, MANAGER_SCOPES, openManaged, serve } from '../support/workos-bench.ts';

afterEach(closeWorkos);

/** The vendor's own client, told of nothing but where the server is. */
function createClient(port: number, key: string): WorkOS {
  return new WorkOS(key, { apiHostname: '127.0.0.1', port, https: false, maxRetries: 0 });
}

async function openClient(scopes?: readonly string[], express?: (typeof expressVersions)[number]['express']) {
  const bench = await openManaged(scopes, express);
  return { ...bench, client: createClient(bench.port, bench.caller) };
}

/** What a call rejects with. */
async function errorOf(call: Promise<unknown>): Promise<Error & { readonly status?: number }> {
  try {
    await call;
  } catch (error) {
    return error as Error;
  }
  throw new Error('It did not reject.');
}

const organizationId = 'org_1';

describe.each(expressVersions)("the vendor's client, version 11, on $name", ({ express }) => {
  test('creates, lists, validates and deletes a key of an organization', async () => {
    const { client, clock } = await openClient(MANAGER_SCOPES, express);
    const created = await client.apiKeys.createOrganizationApiKey({
      organizationId,
      name: 'CI',
      permissions: ['posts:read'],
    });
    const { value, ...described } = created;

    expect(value).toMatch(/^sk_live_[0-9A-Za-z]{38}$/);
    expect(described).toMatchObject({
      object: 'api_key',
      owner: { type: 'organization', id: organizationId },
      name: 'CI',
      obfuscatedValue: `${value.slice(0, 12)}...${value.slice(-4)}`,
      lastUsedAt: null,
      permissions: ['posts:read'],
      createdAt: new Date(clock.ms).toISOString(),
    });
    const { data } = await client.apiKeys.listOrganizationApiKeys({ organizationId });
    expect(data[0]).toEqual(described);
    expect((await client.apiKeys.createValidation({ value })).apiKey).toEqual(described);

    await client.apiKeys.deleteApiKey(created.id);
    expect((await client.apiKeys.createValidation({ value })).apiKey).toBeNull();
    expect(await errorOf(client.apiKeys.deleteApiKey(created.id))).toBeInstanceOf(NotFoundException);
  });

  test('does the same for the key of a user', async () => {
    const { client } = await openClient(MANAGER_SCOPES, express);
    const { value, ...described } = await client.userManagement.createUserApiKey('user_1', {
      name: 'Mine',
      organizationId,
      permissions: ['posts:write'],
    });

    expect(described).toMatchObject({
      owner: { type: 'user', id: 'user_1', organizationId },
      expiresAt: null,
      permissions: ['posts:write'],
    });
    const { data } = await client.userManagement.listUserApiKeys('user_1', { organizationId });
    expect(data).toEqual([described]);
    expect((await client.apiKeys.createValidation({ value })).apiKey).toMatchObject({
      id: described.id,
      owner: described.owner,
    });

    await client.apiKeys.deleteApiKey(described.id);
    expect((await client.userManagement.listUserApiKeys('user_1')).data).toEqual([]);
  });
});

describe("the vendor's client", () => {
  test('pages through 250 keys by itself, each once and the newest first', async () => {
    const { client, make } = await openClient();
    const names = Array.from({ length: 250 }, (_, index) => `Key ${index}`);
    for (const name of names) await make({ name });

    const first = await client.apiKeys.listOrganizationApiKeys({ organizationId });
    const all = await first.autoPagination();

    expect(first.data).toHaveLength(10);
    expect(all.map(({ name }) => name)).toEqual(['Manager', ...names].reverse());
    expect(new Set(all.map(({ id }) => id)).size).toBe(251);
  });

  test('goes back from a page to the one before', async () => {
    const { client, make } = await openClient();
    for (const name of ['1', '2', '3', '4']) await make({ name });
    const namesOf = ({ data }: { data: { name: string }[] }) => data.map(({ name }) => name);
    const list = (options: object) =>
      client.apiKeys.listOrganizationApiKeys({ organizationId, limit: 2, ...options });

    const first = await list({});
    const second = await list({ after: first.listMetadata.after });
    const back = await list({ before: second.listMetadata.before });
    expect([first, second, back].map(namesOf)).toEqual([
      ['4', '3'],
      ['2', '1'],
      ['4', '3'],
    ]);
    expect(namesOf(await list({ order: 'asc' }))).toEqual(['Manager', '1']);
  });

  // It has no method of its own for this path, so its general one is used.
  test('expires a key, and meets a ConflictException the second time', async () => {
    const { client, make } = await openClient();
    const { key, shown } = await make();
    const expire = () => client.post(`/api_keys/${shown}/expire`, {});

    expect((await expire()).data).toMatchObject({ id: shown });
    expect((await client.apiKeys.createValidation({ value: key })).apiKey).toBeNull();
    const error = await errorOf(expire());
    expect(error).toBeInstanceOf(ConflictException);
    expect(error).toMatchObject({ status: 409 });
  });

  test.each<{ what: string; call: (client: WorkOS) => Promise<unknown>; scopes?: string[]; error: object }>([
    {
      what: 'NotFoundException, with the code of the answer, for a key that is not there',
      call: (client) => client.apiKeys.deleteApiKey('api_key_01EHZNVPK3SFK441A1RGBFSHRT'),
      error: {
        name: 'NotFoundException',
        status: 404,
        code: 'entity_not_found',
        message: 'API Key not found.',
      },
    },
    {
      what: 'NotFoundException for an organization of somebody else',
      call: (client) => client.apiKeys.listOrganizationApiKeys({ organizationId: 'org_2' }),
      error: { name: 'NotFoundException', status: 404, message: 'Organization not found.' },
    },
    {
      what: 'UnprocessableEntityException, with what is required, for a key without a name',
      call: (client) => client.apiKeys.createOrganizationApiKey({ organizationId, name: '' }),
      error: {
        name: 'UnprocessableEntityException',
        status: 422,
        message: expect.stringContaining('required'),
      },
    },
    {
      what: 'GenericServerException for a caller without the scope',
      call: (client) => client.apiKeys.createValidation({ value: 'x' }),
      scopes: ['posts:read'],
      error: { name: 'GenericServerException', status: 403 },
    },
  ])('meets a $what', async ({ call, scopes, error }) => {
    const { client } = await openClient(scopes);
    expect(await errorOf(call(client))).toMatchObject(error);
  });

  test('meets an UnauthorizedException when its own key is unknown, and once it is revoked', async () => {
    const { port, make, apiKeys } = await openClient();
    const { key, apiKey } = await make({ scopes: MANAGER_SCOPES });
    const ask = (as: string) => createClient(port, as).apiKeys.createValidation({ value: 'x' });

    expect(await ask(key)).toEqual({ apiKey: null });
    await apiKeys.revoke(apiKey.id);
    expect(await errorOf(ask(key))).toBeInstanceOf(UnauthorizedException);
    expect(await errorOf(ask('sk_live_nobody'))).toBeInstanceOf(UnauthorizedException);
  });

  test('is told of a store that fails, and takes it for no answer about the key', async () => {
    const { client, keyOf, store } = await openClient();
    const value = await keyOf();
    await client.apiKeys.createValidation({ value: 'nonsense' });
    store.always('findByDigest', rejects(new Error('down')));
    const error = await errorOf(client.apiKeys.createValidation({ value }));

    expect(error).toBeInstanceOf(GenericServerException);
    expect(error).toMatchObject({ status: 503 });
  });

  test('meets a RateLimitExceededException, with its seconds, from a limiter in front', async () => {
    const { apiKeys, caller } = await openClient();
    const express = expressVersions[1]?.express as (typeof expressVersions)[number]['express'];
    const app = express();
    app.use(
      rateLimit({
        windowMs: 60_000,
        limit: 1,
        message: { message: 'Too Many Requests', code: 'rate_limit_exceeded' },
      }),
    );
    app.use(validateRouter(apiKeys, workos()));
    const client = createClient(await serve(app), caller);

    expect((await client.apiKeys.createValidation({ value: 'x' })).apiKey).toBeNull();
    const error = await errorOf(client.apiKeys.createValidation({ value: 'x' }));
    expect(error).toBeInstanceOf(RateLimitExceededException);
    expect(error).toMatchObject({ status: 429, retryAfter: expect.any(Number) });
  });
});
