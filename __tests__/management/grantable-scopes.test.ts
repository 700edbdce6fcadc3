import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KeyRecord } from '../../lib/index.ts';
import { coversScope } from '../../lib/keys/scopes.ts';
import { DAY_MS, msLater } from '../support/managed-keys.ts';
import {
  closeManagement,
  type ManagementAnswer,
  type ManagementBench,
  openManagement,
  SESSIONS,
} from '../support/management-bench.ts';

let bench: ManagementBench;
beforeEach(async () => {
  bench = await openManagement();
});
afterEach(closeManagement);

describe('a new key gets no scope beyond what its maker may grant:', () => {
  test.each([
    { as: 'anna', scopes: ['reports:read', 'files:read'], status: 201 },
    { as: 'anna', scopes: ['reports:*'], status: 201 },
    { as: 'anna', scopes: ['reports:eu:*'], status: 201 },
    { as: 'anna', scopes: [], status: 201 },
    { as: 'anna', scopes: ['files:*'], status: 403, pointer: '/scopes/0' },
    { as: 'anna', scopes: ['reports:read', 'files:write'], status: 403, pointer: '/scopes/1' },
    { as: 'anna', scopes: ['reports'], status: 403, pointer: '/scopes/0' },
    { as: 'anna', scopes: ['keys:manage'], status: 403, pointer: '/scopes/0' },
    { as: 'nothing', scopes: [], status: 201 },
    { as: 'nothing', scopes: ['a'], status: 403, pointer: '/scopes/0' },
  ])('$as, $scopes', async ({ as, scopes, status, pointer }) => {
    const answer = await bench.ask('POST', '/keys', { as, body: { name: 'x', scopes } });

    expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([status, pointer]);
    expect(await bench.records()).toHaveLength(status === 201 ? 1 : 0);
  });
});

/** What a small manager may do with a key that may do more than they can grant. */
const ON_A_BIGGER_KEY = [
  { method: 'GET', path: '', status: 200 },
  { method: 'PATCH', path: '', body: { name: 'Renamed' }, status: 200 },
  { method: 'PATCH', path: '', body: { scopes: ['files:read'] }, status: 403 },
  { method: 'PATCH', path: '', body: { scopes: ['reports:write', 'files:read'] }, status: 403 },
  { method: 'PATCH', path: '', body: { scopes: [] }, status: 403 },
  { method: 'PATCH', path: '', body: { expiresAt: '2027-01-01T00:00:00Z' }, status: 403 },
  { method: 'PATCH', path: '', body: { expiresAt: null }, status: 403 },
  { method: 'PATCH', path: '', body: { notBefore: null }, status: 403 },
  { method: 'PATCH', path: '', body: { name: 'Renamed', metadata: { limit: 1e9 } }, status: 403 },
  { method: 'POST', path: '/rotate', status: 403 },
  { method: 'POST', path: '/enable', status: 403 },
  { method: 'POST', path: '/disable', status: 200 },
  { method: 'POST', path: '/revoke', status: 200 },
  { method: 'DELETE', path: '', status: 204 },
];

describe.each(ON_A_BIGGER_KEY)('on a bigger key, $method $path $body', ({ method, path, body, status }) => {
  test.each(['small', 'nothing'])(`is ${status} for %s, and not denied to who may grant it`, async (as) => {
    const given = body === undefined ? {} : { body };
    const bigger = { scopes: ['reports:write', 'files:read'], expiresAt: msLater(DAY_MS) };
    const { id } = await bench.make(bigger);
    const { id: same } = await bench.make(bigger);
    const before = await bench.records();

    const answer = await bench.ask(method, `/keys/${id}${path}`, { as, ...given });
    if (status === 403) expect(await bench.records()).toEqual(before);
    const allowed = await bench.ask(method, `/keys/${same}${path}`, { as: 'anna', ...given });

    expect(answer.status).toBe(status);
    expect(allowed.status).toBeLessThan(300);
  });
});

test('a key that gets a bigger scope between the check and the change is not walked off with', async () => {
  const { id } = await bench.make({ scopes: ['files:read'] });
  bench.store.next('findById', async (real) => {
    const record = await real();
    await bench.store.update(id, { scopes: ['files:read', 'reports:write'], narrows: false }, 1);
    return record;
  });

  const answer = await bench.ask('POST', `/keys/${id}/rotate`, { as: 'small' });

  expect([answer.status, answer.text.includes('acme_live_')]).toEqual([403, false]);
});

const ACTIONS = ['create', 'scopes', 'end', 'rotate', 'disable', 'enable'] as const;

/** One step of somebody who manages keys; `which` picks the key. */
const STEP = fc.record({
  as: fc.constantFrom('anna', 'small', 'nothing', 'uwe'),
  action: fc.constantFrom(...ACTIONS),
  which: fc.nat(5),
  scopes: fc.subarray(['files:read', 'reports:read', 'reports:*', 'admin']),
});

type Step = typeof STEP extends fc.Arbitrary<infer One> ? One : never;

function send({ as, action, scopes }: Step, path: string): Promise<ManagementAnswer> {
  const requests = {
    create: () => bench.ask('POST', '/keys', { as, body: { name: 'x', scopes } }),
    scopes: () => bench.ask('PATCH', path, { as, body: { scopes } }),
    end: () => bench.ask('PATCH', path, { as, body: { expiresAt: null } }),
    rotate: () => bench.ask('POST', `${path}/rotate`, { as }),
    disable: () => bench.ask('POST', `${path}/disable`, { as }),
    enable: () => bench.ask('POST', `${path}/enable`, { as }),
  };
  return requests[action]();
}

const beyond = (scopes: readonly string[], most: readonly string[]) =>
  scopes.filter((scope) => !coversScope(most, scope));

/** The records that may do more than they could before. */
async function widened(before: readonly KeyRecord[]): Promise<readonly KeyRecord[]> {
  const old = new Map(before.map((record) => [record.id, record]));
  return (await bench.records()).filter(({ id, scopes, enabled }) => {
    const { scopes: oldScopes = [], enabled: wasEnabled = false } = old.get(id) ?? {};
    return beyond(scopes, oldScopes).length > 0 || (enabled && !wasEnabled);
  });
}

test('on no walk does anybody get hold of a key, or give one more, beyond what they may grant', async () => {
  let issued = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 4, maxLength: 25 }), async (steps) => {
      const ids = [(await bench.make({ scopes: ['admin', 'files:read'] })).id];
      for (const step of steps) {
        const most = SESSIONS[step.as]?.grantableScopes ?? [];
        const before = await bench.records();
        const { body } = await send(step, `/keys/${ids[step.which % ids.length]}`);

        for (const { scopes } of await widened(before)) expect(beyond(scopes, most)).toEqual([]);
        if (body.key === undefined) continue;
        issued += 1;
        ids.push(body.apiKey.id);
        const verdict = await bench.apiKeys.verify(body.key);
        expect(verdict.ok && beyond(verdict.apiKey.scopes, most)).toEqual([]);
      }
    }),
    { numRuns: 30 },
  );
  expect(issued).toBeGreaterThan(0);
});
