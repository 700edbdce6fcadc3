import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { KeyEvent } from '../../lib/index.ts';
import { Canary } from '../support/canary.ts';
import { closeManagement, type ManagementBench, openManagement } from '../support/management-bench.ts';

let bench: ManagementBench;
beforeEach(async () => {
  bench = await openManagement();
});
afterEach(closeManagement);

function audits(): readonly (KeyEvent & { type: 'audit' })[] {
  return bench.events.filter((event) => event.type === 'audit');
}

test('every change is told with who made it, from where, and what changed', async () => {
  const { body: made } = await bench.ask('POST', '/keys', { body: { name: 'CI' } });
  const path = `/keys/${made.apiKey.id}`;
  await bench.ask('PATCH', path, { as: 'uwe', body: { name: 'not his' } });
  await bench.ask('PATCH', path, { body: { name: 'CI 2', metadata: { a: 1 } } });
  await bench.ask('POST', `${path}/rotate`, { as: 'small' });
  await bench.ask('POST', `${path}/disable`, { as: 'nothing' });
  await bench.ask('POST', `${path}/disable`);
  await bench.ask('POST', `${path}/enable`);
  await bench.ask('POST', `${path}/revoke`, { body: { reason: 'leaked' } });
  await bench.ask('DELETE', path);
  await bench.ask('GET', path);

  const told = audits().map(({ action, actor, keyId, organizationId, from, changed }) => ({
    action,
    actor,
    isIt: keyId === made.apiKey.id && organizationId === 'org_A' && from === '127.0.0.1',
    changed: changed.filter((name) => name !== 'updatedAt'),
  }));
  expect(told).toEqual([
    { action: 'create', actor: 'anna', isIt: true, changed: [] },
    { action: 'update', actor: 'anna', isIt: true, changed: ['name', 'metadata'] },
    {
      action: 'rotate',
      actor: 'small',
      isIt: true,
      changed: expect.arrayContaining(['digest', 'rotatedAt']),
    },
    { action: 'disable', actor: 'nothing', isIt: true, changed: ['enabled'] },
    { action: 'enable', actor: 'anna', isIt: true, changed: ['enabled'] },
    { action: 'revoke', actor: 'anna', isIt: true, changed: ['revokedAt', 'revocationReason'] },
  ]);
});

test('a line break in a name forges no second event', async () => {
  const { status, body } = await bench.ask('POST', '/keys', { body: { name: 'a\nlevel=error msg=forged' } });

  expect([status, body.apiKey.name]).toEqual([201, 'a\nlevel=error msg=forged']);
  expect(audits()).toHaveLength(1);
  expect(JSON.stringify(bench.events)).not.toContain('forged');
});

test('no answer but the one that issues a key has anything of it, and no event has', async () => {
  const canary = new Canary();
  const { body } = await bench.ask('POST', '/keys', { body: { name: 'CI', scopes: ['files:read'] } });
  canary.hideKey(body.key);
  const path = `/keys/${body.apiKey.id}`;
  const { body: rotated } = await bench.ask('POST', `${path}/rotate`);
  canary.hideKey(rotated.key);
  const answers = [rotated.apiKey, body.apiKey];
  for (const [method, at] of [
    ['GET', path],
    ['GET', '/keys'],
    ['PATCH', path],
    ['POST', `${path}/disable`],
    ['POST', `${path}/rotate`],
    ['POST', `${path}/revoke`],
  ] as const) {
    answers.push((await bench.ask(method, at, method === 'PATCH' ? { body: { name: 'y' } } : {})).text);
  }

  expect(answers).toHaveLength(8);
  expect(canary.leaksIn(answers, bench.events)).toEqual([]);
});
