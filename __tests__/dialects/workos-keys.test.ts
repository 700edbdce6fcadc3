import { afterEach, describe, expect, test } from '@jest/globals';
import { expressVersions } from '../support/express-versions.ts';
import { START_MS } from '../support/open-keys.ts';
import { digestOf } from '../support/records.ts';
import { closeWorkos, MANAGER_SCOPES, openManaged } from '../support/workos-bench.ts';

afterEach(closeWorkos);

const ORGANIZATION_KEYS = '/organizations/org_1/api_keys';
const USER_KEYS = '/user_management/users/user_1/api_keys';
const VALIDATE = 'POST /api_keys/validations';
const NO_SUCH_KEY = { message: 'API Key not found.', code: 'entity_not_found' };
const at = (ms: number) => new Date(START_MS + ms).toISOString();
const invalid = (field: string, code = 'invalid') => ({
  message: 'Validation failed.',
  errors: [{ code, field }],
});

describe.each(expressVersions)('creating a key on $name', (version) => {
  test('for an organization answers 201 with its text, which validates', async () => {
    const { apiKeys, call, events } = await openManaged(MANAGER_SCOPES, version.express);
    const { status, body } = await call(`POST ${ORGANIZATION_KEYS}`, {
      name: 'CI',
      permissions: ['posts:read', 'posts:*'],
      expires_at: at(60_000),
    });
    const { value, ...described } = body;

    expect(status).toBe(201);
    expect(described).toEqual({
      object: 'api_key',
      id: expect.stringMatching(/^api_key_[0-9a-f-]{36}$/),
      owner: { type: 'organization', id: 'org_1' },
      name: 'CI',
      obfuscated_value: `${value.slice(0, 12)}...${value.slice(-4)}`,
      last_used_at: null,
      expires_at: at(60_000),
      permissions: ['posts:read', 'posts:*'],
      created_at: at(0),
      updated_at: at(0),
    });
    expect((await call(VALIDATE, { value })).body).toEqual({ api_key: described });
    const callerId = (await apiKeys.list({ order: 'oldest', limit: 1 })).apiKeys[0]?.id as string;
    expect(await apiKeys.get(described.id.slice('api_key_'.length))).toMatchObject({
      organization: { id: 'org_1', slug: 'acme' },
      createdBy: callerId,
    });
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'audit', action: 'create', actor: callerId }),
    );
  });

  test('for a user answers 201 with the user as owner', async () => {
    const { call } = await openManaged(MANAGER_SCOPES, version.express);
    const { status, body } = await call(`POST ${USER_KEYS}`, { name: 'Mine', organization_id: 'org_1' });

    expect(status).toBe(201);
    expect(body.owner).toEqual({ type: 'user', id: 'user_1', organization_id: 'org_1' });
    expect(body.permissions).toEqual([]);
    expect((await call(VALIDATE, { value: body.value })).body.api_key.owner).toEqual(body.owner);
  });
});

describe('creating a key', () => {
  test.each<{ what: string; body: object; expected: object }>([
    { what: 'no name', body: {}, expected: invalid('name', 'required') },
    { what: 'an empty name', body: { name: '' }, expected: invalid('name', 'required') },
    { what: 'a name that is no text', body: { name: 5 }, expected: invalid('name', 'required') },
    { what: 'a name that is too long', body: { name: 'x'.repeat(101) }, expected: invalid('name') },
    {
      what: 'permissions that are no list',
      body: { name: 'x', permissions: 'a' },
      expected: invalid('permissions'),
    },
    {
      what: 'a permission that is none',
      body: { name: 'x', permissions: ['a b'] },
      expected: invalid('permissions'),
    },
    {
      what: 'a permission for everything',
      body: { name: 'x', permissions: ['*'] },
      expected: invalid('permissions'),
    },
    { what: 'an end that is past', body: { name: 'x', expires_at: at(0) }, expected: invalid('expires_at') },
    {
      what: 'an end that is no time',
      body: { name: 'x', expires_at: 'soon' },
      expected: invalid('expires_at'),
    },
    { what: 'an end that is a number', body: { name: 'x', expires_at: 5 }, expected: invalid('expires_at') },
    { what: 'a list as its body', body: [], expected: invalid('name', 'required') },
  ])('with $what is a 422 that names the member', async ({ body, expected }) => {
    const { call, apiKeys } = await openManaged();

    expect(await call(`POST ${ORGANIZATION_KEYS}`, body)).toMatchObject({ status: 422, body: expected });
    expect((await apiKeys.list()).apiKeys).toHaveLength(1);
  });

  test('for a user without an organization is a 422', async () => {
    const { call } = await openManaged();
    const required = (field: string) => ({ code: 'required', field });

    expect((await call(`POST ${USER_KEYS}`, { name: 'x' })).body.errors).toEqual([
      required('organization_id'),
    ]);
    expect((await call(`POST ${USER_KEYS}`, {})).body.errors).toEqual([
      required('name'),
      required('organization_id'),
    ]);
  });

  test.each([ORGANIZATION_KEYS, USER_KEYS])('at %s with a body that is not JSON is a 400', async (path) => {
    const { call } = await openManaged();

    for (const body of ['', '{"name":', '{"name":"a","name":"b"}']) {
      const answer = await call(`POST ${path}`, body);
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request_body' } });
    }
  });

  test.each([
    { permissions: ['users:read'], status: 403 },
    { permissions: ['posts:read', 'users:read'], status: 403 },
    { permissions: ['keys:*'], status: 403 },
    { permissions: ['keys:any-organization'], status: 403 },
    { permissions: ['posts:*'], status: 201 },
    { permissions: ['posts:read:own', 'keys:validate'], status: 201 },
    { permissions: [], status: 201 },
  ])('with $permissions is answered $status to who has posts:*', async ({ permissions, status }) => {
    const { call } = await openManaged();

    for (const [path, more] of [
      [ORGANIZATION_KEYS, {}],
      [USER_KEYS, { organization_id: 'org_1' }],
    ] as const) {
      const answer = await call(`POST ${path}`, { name: 'x', permissions, ...more });
      expect(answer.status).toBe(status);
      if (status === 403) expect(answer.body.code).toBe('forbidden');
    }
  });

  test('ignores members that this interface does not have', async () => {
    const { call } = await openManaged();
    const answer = await call(`POST ${ORGANIZATION_KEYS}`, { name: 'x', scopes: ['a'], environment: 'test' });

    expect(answer).toMatchObject({ status: 201, body: { permissions: [] } });
  });
});

describe('deleting a key', () => {
  test('answers 204 once and 404 from then on, and the key is null at once', async () => {
    const { call, make, isGood, apiKeys } = await openManaged();
    const { key, apiKey, shown } = await make();
    expect(await isGood(key)).toBe(true);

    expect(await call(`DELETE /api_keys/${shown}`)).toMatchObject({ status: 204, body: undefined });
    expect(await isGood(key)).toBe(false);
    expect(await call(`DELETE /api_keys/${shown}`)).toMatchObject({ status: 404, body: NO_SUCH_KEY });
    expect(await call(`POST /api_keys/${shown}/expire`, {})).toMatchObject({
      status: 404,
      body: NO_SUCH_KEY,
    });
    expect(
      (await call(`GET ${ORGANIZATION_KEYS}`)).body.data.map(({ name }: { name: string }) => name),
    ).toEqual(['Manager']);
    // For the audit.
    expect((await apiKeys.get(apiKey.id))?.revokedAt).toBeDefined();
  });

  test('works for the key of a user', async () => {
    const { call, make, isGood } = await openManaged();
    const { key, shown } = await make({ owner: { type: 'user', id: 'user_1' } });

    expect((await call(`DELETE /api_keys/${shown}`)).status).toBe(204);
    expect(await isGood(key)).toBe(false);
  });

  test('works by the id that a key was imported with, and by an id of another system', async () => {
    const { apiKeys, call } = await openManaged();
    const organization = { id: 'org_1' };
    const ids = ['api_key_01EHZNVPK3SFK441A1RGBFSHRT', '01EHZNVPK3SFK441A1RGBFSHRU', 'a-b-c'];
    await apiKeys.import(
      ids.map((id) => ({ id, name: id, digest: digestOf(id), randomBits: 128, organization })),
    );
    const { body } = await call(`GET ${ORGANIZATION_KEYS}?order=asc`);

    for (const id of ids) {
      const { id: shown } = body.data.find(({ name }: { name: string }) => name === id);
      expect(shown).toBe(id.startsWith('api_key_') ? id : `api_key_${id}`);
      expect((await call(`DELETE /api_keys/${shown}`)).status).toBe(204);
      expect((await apiKeys.get(id))?.revokedAt).toBeDefined();
    }
  });
});

describe('expiring a key', () => {
  test.each([
    ['{}', {}],
    ['no body', undefined],
    ['a time that is past', { expires_at: at(-1) }],
    ['this moment', { expires_at: at(0) }],
  ])('with %s ends it now', async (_, body) => {
    const { call, make, isGood } = await openManaged();
    const { key, shown } = await make();
    expect(await isGood(key)).toBe(true);

    expect(await call(`POST /api_keys/${shown}/expire`, body)).toMatchObject({
      status: 200,
      body: { id: shown, expires_at: at(0) },
    });
    expect(await isGood(key)).toBe(false);
    expect(await call(`POST /api_keys/${shown}/expire`, body)).toMatchObject({
      status: 409,
      body: { code: 'api_key_already_expired' },
    });
  });

  test('at a later time ends it then, and null takes the end away', async () => {
    const { call, make, isGood, clock } = await openManaged();
    const { key, shown } = await make();
    const line = `POST /api_keys/${shown}/expire`;

    expect((await call(line, { expires_at: at(60_000) })).body.expires_at).toBe(at(60_000));
    clock.ms += 59_999;
    expect(await isGood(key)).toBe(true);
    expect((await call(line, { expires_at: null })).body.expires_at).toBeNull();
    clock.ms += 1;
    expect(await isGood(key)).toBe(true);
    await call(line, { expires_at: '2026-03-01T11:01:01+01:00' });
    clock.ms += 1_000;
    expect(await isGood(key)).toBe(false);
    expect((await call(line, { expires_at: null })).status).toBe(409);
  });

  test.each([
    ['a later time', { expires_at: at(120_000) }, 403],
    ['null', { expires_at: null }, 403],
    ['the same time', { expires_at: at(60_000) }, 200],
    ['an earlier time', { expires_at: at(30_000) }, 200],
    ['now', {}, 200],
  ])('of a key that may do more than the caller: %s', async (_what, body, status) => {
    const { apiKeys, call, make } = await openManaged();
    const { apiKey, shown } = await make({ scopes: ['admin:all'], expiresAt: new Date(at(60_000)) });

    expect((await call(`POST /api_keys/${shown}/expire`, body)).status).toBe(status);
    const end = (await apiKeys.get(apiKey.id))?.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
    expect(end).toBeLessThanOrEqual(Date.parse(at(60_000)));
  });

  test('later is refused where the key was given more in between', async () => {
    const { apiKeys, store, call, make } = await openManaged();
    const { apiKey, shown } = await make({ scopes: ['posts:a'], expiresAt: new Date(at(60_000)) });
    store.next('findById', async (real) => {
      const found = await real();
      await apiKeys.update(apiKey.id, { scopes: ['admin:all'] });
      return found;
    });

    expect((await call(`POST /api_keys/${shown}/expire`, { expires_at: null })).status).toBe(403);
    expect((await apiKeys.get(apiKey.id))?.expiresAt?.toISOString()).toBe(at(60_000));
  });

  test('ends the old key of a rotation too', async () => {
    const { apiKeys, call, make, isGood } = await openManaged();
    const { key, apiKey, shown } = await make();
    const rotated = await apiKeys.rotate(apiKey.id);
    expect([await isGood(key), await isGood(rotated.key)]).toEqual([true, true]);
    await call(`POST /api_keys/${shown}/expire`);

    expect([await isGood(key), await isGood(rotated.key)]).toEqual([false, false]);
    expect((await apiKeys.get(apiKey.id))?.grace?.expiresAt.toISOString()).toBe(at(0));
  });

  test('is told to other processes, and to the audit with the key of who did it', async () => {
    const { apiKeys, call, make, events, store } = await openManaged();
    const { apiKey, shown } = await make();
    await call(`POST /api_keys/${shown}/expire`);
    expect(store.asked('update').at(-1)?.[1]).toMatchObject({ narrows: true });
    const actor = (await apiKeys.list({ order: 'oldest', limit: 1 })).apiKeys[0]?.id;

    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'audit',
        action: 'expire',
        keyId: apiKey.id,
        actor,
        from: '127.0.0.1',
        changed: expect.arrayContaining(['expiresAt']),
      }),
    );
  });

  test.each([{ expires_at: 'soon' }, { expires_at: 5 }, { expires_at: '2026-13-01T00:00:00Z' }])(
    'with %j is a 422',
    async (body) => {
      const { call, make } = await openManaged();
      const { shown } = await make();

      expect(await call(`POST /api_keys/${shown}/expire`, body)).toMatchObject({
        status: 422,
        body: invalid('expires_at'),
      });
    },
  );
});
