import { afterEach, describe, expect, test } from '@jest/globals';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { DAY_MS, msLater, NOW_MS } from '../support/managed-keys.ts';
import { closeManagement, type ManagementBench, openManagement } from '../support/management-bench.ts';

afterEach(closeManagement);

const settings = expressVersions.flatMap(({ name, express }) => [
  { name, express, before: undefined },
  { name: `${name} behind express.json()`, express, before: (_: unknown, used: Express) => [used.json()] },
]);

describe.each(settings)('on $name', ({ express, before }) => {
  const open = () => openManagement({ express, ...(before === undefined ? undefined : { before }) });

  async function isGood({ apiKeys }: ManagementBench, key: string): Promise<boolean> {
    return (await apiKeys.verify(key)).ok;
  }

  test('a key is created for the organization that authorize names, and works', async () => {
    const bench = await open();
    const body = {
      name: 'CI',
      scopes: ['reports:read', 'reports:read', 'files:read'],
      metadata: { team: 'x' },
      expiresAt: '2026-04-01T12:00:00+02:00',
      notBefore: '2026-03-01T10:00:00.123Z',
    };

    const answer = await bench.ask('POST', '/keys', { body });

    expect(answer.status).toBe(201);
    expect(answer.body.apiKey).toEqual({
      id: expect.any(String),
      kind: 'opaque',
      name: 'CI',
      environment: 'live',
      start: expect.stringMatching(/^acme_live_\w{4}$/),
      end: answer.body.key.slice(-4),
      organization: { id: 'org_A', slug: 'a' },
      owner: { type: 'organization', id: 'org_A' },
      scopes: ['reports:read', 'files:read'],
      enabled: true,
      version: 1,
      createdAt: new Date(NOW_MS).toISOString(),
      createdBy: 'anna',
      updatedAt: new Date(NOW_MS).toISOString(),
      expiresAt: '2026-04-01T10:00:00.000Z',
      notBefore: new Date(NOW_MS).toISOString(),
      metadata: { team: 'x' },
    });
    expect(answer.headers.get('location')).toBe(`/keys/${answer.body.apiKey.id}`);
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(await isGood(bench, answer.body.key)).toBe(true);
  });

  test('a user makes keys of their own', async () => {
    const bench = await open();

    const { body } = await bench.ask('POST', '/keys', { as: 'uwe', body: { name: 'Mine' } });

    expect(body.apiKey).toMatchObject({
      owner: { type: 'user', id: 'user_uwe' },
      createdBy: 'uwe',
      scopes: [],
    });
  });

  test('a pair comes with its secret', async () => {
    const bench = await open();

    const { status, body } = await bench.ask('POST', '/keys', { body: { name: 'Pair', kind: 'pair' } });

    expect(status).toBe(201);
    expect((await bench.apiKeys.verifyPair(body.key, body.secret)).ok).toBe(true);
  });

  test('a key is read from the store, whatever the cache holds', async () => {
    const bench = await open();
    const { id, key } = await bench.make();
    await bench.apiKeys.verify(key);
    await bench.store.update(id, { name: 'Changed elsewhere', narrows: false }, 1);

    const answer = await bench.ask('GET', `/keys/${id}`);

    expect(answer.body).toMatchObject({ id, name: 'Changed elsewhere', version: 2 });
    expect(answer.headers.get('etag')).toBe('"2"');
    expect(answer.text).not.toMatch(/digest|hash|sha256/);
  });

  test('a list comes in pages, filtered', async () => {
    const bench = await open();
    const made = [];
    for (const name of ['1', '2', '3']) made.push(await bench.make({ name, expiresAt: msLater(DAY_MS) }));
    await bench.apiKeys.disable(made[1]?.id as string);
    const names = ({ body }: { body: { apiKeys: { name: string }[] } }) =>
      body.apiKeys.map(({ name }) => name);

    const first = await bench.ask('GET', '/keys?limit=2&order=oldest');
    const second = await bench.ask('GET', `/keys?limit=2&order=oldest&cursor=${first.body.nextCursor}`);

    expect([names(first), names(second)]).toEqual([['1', '2'], ['3']]);
    expect(second.body).not.toHaveProperty('nextCursor');
    expect(names(await bench.ask('GET', '/keys'))).toEqual(['3', '2', '1']);
    expect(names(await bench.ask('GET', '/keys?enabled=false'))).toEqual(['2']);
    expect(names(await bench.ask('GET', '/keys?revoked=true'))).toEqual([]);
    expect(names(await bench.ask('GET', `/keys?expiringWithinMs=${DAY_MS + 1}`))).toEqual(['3', '2', '1']);
    expect(names(await bench.ask('GET', '/keys?unusedForMs=1000'))).toEqual([]);
    expect(names(await bench.ask('GET', '/keys?ownerType=organization&ownerId=org_A'))).toHaveLength(3);
    expect(names(await bench.ask('GET', '/keys?ownerType=user'))).toEqual([]);
    expect(names(await bench.ask('GET', '/keys?organizationId=org_A'))).toHaveLength(3);
  });

  test('members that are given are replaced, and null clears an end', async () => {
    const bench = await open();
    const { id } = await bench.make({ expiresAt: msLater(DAY_MS), metadata: { a: 1, b: 2 } });

    const body = { name: 'New', scopes: ['reports:read'], metadata: { c: 3 }, expiresAt: null };
    const answer = await bench.ask('PATCH', `/keys/${id}`, { body });

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      name: 'New',
      scopes: ['reports:read'],
      metadata: { c: 3 },
      version: 2,
    });
    expect(answer.body).not.toHaveProperty('expiresAt');
    expect(answer.headers.get('etag')).toBe('"2"');
  });

  test('rotation answers a new key, and the old one works until its grace ends', async () => {
    const bench = await open();
    const { id, key } = await bench.make();

    const answer = await bench.ask('POST', `/keys/${id}/rotate`, { body: { gracePeriodMs: 60_000 } });

    expect(answer.body.apiKey.grace).toEqual({ expiresAt: msLater(60_000).toISOString() });
    expect([await isGood(bench, answer.body.key), await isGood(bench, key)]).toEqual([true, true]);
    bench.clock.ms += 60_000;
    expect([await isGood(bench, answer.body.key), await isGood(bench, key)]).toEqual([true, false]);
  });

  test('rotation needs no body, and the grace is then a day', async () => {
    const bench = await open();
    const { id } = await bench.make();

    const { body } = await bench.ask('POST', `/keys/${id}/rotate`);

    expect(body.apiKey.grace.expiresAt).toBe(msLater(DAY_MS).toISOString());
  });

  test('a key is disabled and enabled, each twice with the same answer', async () => {
    const bench = await open();
    const { id, key } = await bench.make();
    for (const [action, enabled] of [
      ['disable', false],
      ['enable', true],
    ] as const) {
      const once = await bench.ask('POST', `/keys/${id}/${action}`);
      const twice = await bench.ask('POST', `/keys/${id}/${action}`);

      expect(once.body).toMatchObject({ enabled });
      expect(twice.text).toBe(once.text);
      expect(await isGood(bench, key)).toBe(enabled);
    }
  });

  test('a key is revoked for a reason, which a second time does not change', async () => {
    const bench = await open();
    const { id, key } = await bench.make();

    const once = await bench.ask('POST', `/keys/${id}/revoke`, { body: { reason: 'leaked' } });
    const twice = await bench.ask('POST', `/keys/${id}/revoke`, { body: { reason: 'another' } });

    expect(once.body).toMatchObject({
      revocationReason: 'leaked',
      revokedAt: new Date(NOW_MS).toISOString(),
    });
    expect(twice.text).toBe(once.text);
    expect(await isGood(bench, key)).toBe(false);
  });

  test('DELETE revokes, and is answered 204 a second time too', async () => {
    const bench = await open();
    const { id, key } = await bench.make();

    const statuses = [(await bench.ask('DELETE', `/keys/${id}`)).status];
    statuses.push((await bench.ask('DELETE', `/keys/${id}`)).status);

    expect(statuses).toEqual([204, 204]);
    expect(await isGood(bench, key)).toBe(false);
    expect(await bench.records()).toHaveLength(1);
  });

  test('HEAD is answered as GET, without a body', async () => {
    const bench = await open();
    const { id } = await bench.make();
    const got = await bench.ask('GET', `/keys/${id}`);

    const response = await fetch(`http://127.0.0.1:${bench.port}/keys/${id}`, {
      method: 'HEAD',
      headers: { 'x-session': 'anna' },
    });

    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(response.headers.get('content-length')).toBe(got.headers.get('content-length'));
  });

  test.each([
    ['PUT', '/keys', 'POST, GET, HEAD'],
    ['DELETE', '/keys', 'POST, GET, HEAD'],
    ['POST', '/keys/some', 'GET, HEAD, PATCH, DELETE'],
    ['GET', '/keys/some/rotate', 'POST'],
    ['PUT', '/keys/openapi.json', 'GET, HEAD, PATCH, DELETE'],
  ])('%s %s is 405 and says what there is', async (method, path, allowed) => {
    const bench = await open();

    const { status, headers, body } = await bench.ask(method, path);

    expect([status, body.code, headers.get('allow')]).toEqual([405, 'method_not_allowed', allowed]);
  });

  test.each([
    ['{"name":"sk_live_secret', 400, 'invalid_request'],
    [`{"name":"${'x'.repeat(200_000)}"}`, 413, 'payload_too_large'],
  ])('a body that no parser takes is answered by the router: %#', async (body, status, code) => {
    const bench = await open();

    const answer = await bench.ask('POST', '/keys', { body });

    expect([answer.status, answer.body.code, answer.text.includes('sk_live')]).toEqual([status, code, false]);
  });

  test('a path with a slash behind it is the same path, and others pass', async () => {
    const bench = await open();
    const { id } = await bench.make();

    expect((await bench.ask('GET', `/keys/${id}`)).status).toBe(200);
    const slash = await fetch(`http://127.0.0.1:${bench.port}/keys/${id}/`, {
      headers: { 'x-session': 'anna' },
    });
    expect(slash.status).toBe(200);
    const other = await fetch(`http://127.0.0.1:${bench.port}/keys/${id}/other`);
    expect([other.status, other.headers.get('cache-control')]).toEqual([404, null]);
  });
});
