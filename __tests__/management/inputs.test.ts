import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { operationsFor } from '../../lib/management/operations.ts';
import { closeManagement, type ManagementBench, openManagement } from '../support/management-bench.ts';

let bench: ManagementBench;
let id: string;

beforeEach(async () => {
  bench = await openManagement();
  ({ id } = await bench.make());
});
afterEach(closeManagement);

const WRONG_MEMBERS: readonly (readonly [member: object, pointer: string])[] = [
  [{ name: '' }, '/name'],
  [{ name: 5 }, '/name'],
  [{ name: null }, '/name'],
  [{ name: 'x'.repeat(101) }, '/name'],
  [{ scopes: 'reports:read' }, '/scopes'],
  [{ scopes: null }, '/scopes'],
  [{ scopes: ['reports:read', 'two words'] }, '/scopes/1'],
  [{ scopes: ['*'] }, '/scopes/0'],
  [{ scopes: ['__proto__'] }, '/scopes/0'],
  [{ scopes: Array.from({ length: 1_001 }, (_, n) => `s${n}`) }, '/scopes'],
  [{ metadata: [] }, '/metadata'],
  [{ metadata: null }, '/metadata'],
  [{ metadata: { toJSON: 'x' } }, '/metadata/toJSON'],
  [{ metadata: { a: { constructor: {} } } }, '/metadata/a/constructor'],
  [{ metadata: { 'a strange name': { constructor: {} } } }, '/metadata'],
  [{ metadata: { text: 'x'.repeat(10_001) } }, '/metadata'],
  [{ expiresAt: 1_900_000_000_000 }, '/expiresAt'],
  [{ expiresAt: { valueOf: 1 } }, '/expiresAt'],
  [{ expiresAt: '2026-02-01T00:00:00Z' }, '/expiresAt'],
  [{ expiresAt: '2026-04-31T00:00:00Z' }, '/expiresAt'],
  [{ expiresAt: '2026-04-30' }, '/expiresAt'],
  [{ expiresAt: '2026-04-30T00:00:00' }, '/expiresAt'],
  [{ expiresAt: '2026-04-30 00:00:00Z' }, '/expiresAt'],
  [{ expiresAt: '2026-04-30T24:00:00Z' }, '/expiresAt'],
  [{ expiresAt: '2026-04-30T23:59:60Z' }, '/expiresAt'],
  [{ expiresAt: 'tomorrow' }, '/expiresAt'],
  [{ notBefore: '' }, '/notBefore'],
  [{ notBefore: '2027-01-01T00:00:00Z', expiresAt: '2026-12-31T00:00:00Z' }, '/expiresAt'],
  [{ digest: 'sha256:00' }, '/digest'],
  [{ hash: '$2b$04$x' }, '/hash'],
  [{ revokedAt: null }, '/revokedAt'],
  [{ enabled: true }, '/enabled'],
  [{ version: 1 }, '/version'],
  [{ id: 'mine' }, '/id'],
  [{ orgId: 'org_B' }, '/orgId'],
];

const ONLY_NEW: readonly (readonly [member: object, pointer: string])[] = [
  [{ expiresAt: null }, '/expiresAt'],
  [{ notBefore: null }, '/notBefore'],
  [{ environment: 'prod' }, '/environment'],
  [{ kind: 'jwt' }, '/kind'],
  [{ kind: null }, '/kind'],
];

describe.each([
  { method: 'POST', more: ONLY_NEW },
  { method: 'PATCH', more: [] },
])('$method', ({ method, more }) => {
  test.each([...WRONG_MEMBERS, ...more])('refuses %j with a pointer to %s', async (member, pointer) => {
    const before = await bench.records();
    const path = method === 'POST' ? '/keys' : `/keys/${id}`;

    const { status, body } = await bench.ask(method, path, { body: { name: 'x', ...member } });

    expect([status, body.code, body.errors.map((one: { pointer: string }) => one.pointer)]).toEqual([
      400,
      'invalid_request',
      [pointer],
    ]);
    expect(await bench.records()).toEqual(before);
  });

  test.each(['rateLimit', 'rateLimitMax', 'remaining', 'refillAmount'])(
    'says of %s that nobody sets it from outside',
    async (name) => {
      const path = method === 'POST' ? '/keys' : `/keys/${id}`;

      const { status, body } = await bench.ask(method, path, { body: { name: 'x', [name]: 1 } });

      expect([status, body.code, body.errors[0].pointer]).toEqual([403, 'forbidden', `/${name}`]);
    },
  );
});

test('a name is missing', async () => {
  const { status, body } = await bench.ask('POST', '/keys', { body: {} });

  expect([status, body.errors]).toEqual([400, [{ pointer: '/name', detail: '/name is missing' }]]);
});

test('an unknown member gets the nearest name', async () => {
  const { body } = await bench.ask('POST', '/keys', { body: { nmae: 'x' } });

  expect(body.errors).toEqual([{ pointer: '/nmae', detail: '/nmae is not known; did you mean "name"?' }]);
});

test('nothing of a key is said back that stands where a name should', async () => {
  const { key } = await bench.make();
  const bodies = [
    { [key]: 1 },
    { [`rateLimit_${key}`]: 1 },
    { name: 'x', metadata: { [key]: { toJSON: 1 } } },
    { name: 'x', scopes: [key, key] },
  ];
  const answers = [];
  for (const body of bodies) answers.push(await bench.ask('POST', '/keys', { body }));
  answers.push(await bench.ask('GET', `/keys?${key}=1`), await bench.ask('GET', `/keys/${key}`));

  expect(answers.map(({ status }) => status)).toEqual([400, 403, 400, 403, 400, 404]);
  expect(answers.filter(({ text }) => text.includes(key.slice(10)))).toEqual([]);
});

describe('a body', () => {
  const writes = operationsFor(['opaque']).filter(({ body }) => body !== undefined);

  test.each(writes)('with an unknown member is refused by $method $path', async ({ method, path }) => {
    const before = await bench.records();

    const answer = await bench.ask(method, `/keys${path.replace(':id', id).replace(/\/$/, '')}`, {
      body: { dryRun: true },
    });

    expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, '/dryRun']);
    expect(await bench.records()).toEqual(before);
  });

  test.each([
    ['null', 400, 'invalid_request'],
    ['[]', 400, 'invalid_request'],
    ['"name"', 400, 'invalid_request'],
    ['{"name":"x"', 400, 'invalid_request'],
    ['{"name":"x","name":"y"}', 400, 'invalid_request'],
    [JSON.stringify({ name: 'x', metadata: { text: 'x'.repeat(17_000) } }), 413, 'payload_too_large'],
  ])('%j is %i', async (text, status, code) => {
    const answer = await bench.ask('POST', '/keys', { body: text });

    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(await bench.records()).toHaveLength(1);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1'])(
    'in %s is 415',
    async (type) => {
      const answer = await bench.ask('POST', '/keys', {
        body: '{"name":"x"}',
        headers: { 'content-type': type },
      });

      expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
    },
  );
});

describe('a query', () => {
  test.each([
    ['limit=0', '/limit'],
    ['limit=501', '/limit'],
    ['limit=1e2', '/limit'],
    ['limit=', '/limit'],
    ['limit=10&limit=20', '/limit'],
    ['enabled=1', '/enabled'],
    ['revoked=TRUE', '/revoked'],
    ['order=up', '/order'],
    ['ownerType=team', '/ownerType'],
    ['ownerId=', '/ownerId'],
    ['cursor=a%20b', '/cursor'],
    ['expiringWithinMs=-1', '/expiringWithinMs'],
    ['unusedForMs=999999999999999', '/unusedForMs'],
    ['lmit=1', '/lmit'],
    ['organisationId=org_A', '/organisationId'],
  ])('%s is refused', async (query, pointer) => {
    const { status, body } = await bench.ask('GET', `/keys?${query}`);

    expect([status, body.errors[0].pointer]).toEqual([400, pointer]);
  });

  test('is refused where nothing is asked for', async () => {
    const { status, body } = await bench.ask('GET', `/keys/${id}?fields=name`);

    expect([status, body.errors[0].pointer]).toEqual([400, '/fields']);
  });
});

test.each([
  ['rotate', { gracePeriodMs: -1 }, '/gracePeriodMs'],
  ['rotate', { gracePeriodMs: 2_592_000_001 }, '/gracePeriodMs'],
  ['rotate', { gracePeriodMs: '5' }, '/gracePeriodMs'],
  ['revoke', { reason: '' }, '/reason'],
  ['revoke', { reason: 'x'.repeat(501) }, '/reason'],
])('%s refuses %j', async (action, body, pointer) => {
  const answer = await bench.ask('POST', `/keys/${id}/${action}`, { body });

  expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, pointer]);
});
