import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { internalsOf } from '../../lib/api-keys.ts';
import type { ApiKeys, KeyEvent, KeyRecord, RevokeAllFilter } from '../../lib/index.ts';
import { answers, FaultStore, rejects, spoils } from '../support/fault-store.ts';
import {
  closeManagedKeys,
  DAY_MS,
  INPUT,
  type ManagedKeys,
  managedStores,
  manageKeys,
  NOW_MS,
  rejectionOf,
} from '../support/managed-keys.ts';

type Audit = KeyEvent & { type: 'audit' };

let managed: ManagedKeys<FaultStore>;
let apiKeys: ApiKeys;

async function create(organization: string, userId?: string): Promise<{ id: string; key: string }> {
  const owner = userId === undefined ? undefined : { type: 'user' as const, id: userId };
  const { key, apiKey } = await apiKeys.create({ ...INPUT, organization: { id: organization }, owner });
  return { key, id: apiKey.id };
}

async function revokedIds(): Promise<string[]> {
  return (await managed.records()).filter(({ revokedAt }) => revokedAt !== undefined).map(({ id }) => id);
}

const audits = (): Audit[] => managed.events.filter((event): event is Audit => event.type === 'audit');

afterEach(closeManagedKeys);

describe.each(managedStores)('over $name', ({ open }) => {
  beforeEach(async () => {
    managed = manageKeys(new FaultStore(await open()));
    ({ apiKeys } = managed);
  });

  describe('revokeAll', () => {
    test('revokes all keys of an organization, with the reason, and no others', async () => {
      const mine = [await create('org_1'), await create('org_1', 'u_1')];
      const theirs = await create('org_2', 'u_1');
      for (const { key } of [...mine, theirs]) expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
      expect(await apiKeys.revokeAll({ organizationId: 'org_1' }, { reason: 'left' })).toEqual({
        revoked: 2,
      });
      for (const { key } of mine) {
        expect(await apiKeys.verify(key)).toMatchObject({
          ok: false,
          reason: 'revoked',
          apiKey: { revocationReason: 'left' },
        });
      }
      expect(await apiKeys.verify(theirs.key)).toMatchObject({ ok: true });
    });

    test('revokes all keys of an owner, in whatever organization', async () => {
      const mine = [await create('org_1', 'u_1'), await create('org_2', 'u_1')];
      await create('org_1', 'u_2');
      expect(await apiKeys.revokeAll({ owner: { type: 'service', id: 'u_1' } })).toEqual({ revoked: 0 });
      expect(await apiKeys.revokeAll({ owner: { type: 'user', id: 'u_1' } })).toEqual({ revoked: 2 });
      expect(await revokedIds()).toEqual(mine.map(({ id }) => id));
    });

    test('goes through all pages, counts what it did, and nothing twice', async () => {
      const digests = Array.from(
        { length: 1_203 },
        (_, index) => `sha256:${String(index).padStart(5, '0').padEnd(43, 'A')}`,
      );
      await apiKeys.import(digests.map((digest) => ({ ...INPUT, digest, randomBits: 160 })));
      expect(await apiKeys.revokeAll({ organizationId: 'org_1' })).toEqual({ revoked: 1_203 });
      expect(await apiKeys.revokeAll({ organizationId: 'org_1' })).toEqual({ revoked: 0 });
    });

    test('reaches a key that comes meanwhile, under an id that sorts before', async () => {
      await create('org_1');
      const late = { ...INPUT, id: '!', digest: `sha256:${'L'.repeat(43)}`, randomBits: 160 };
      managed.store.next('update', async (real) => {
        await apiKeys.import([late]);
        return real();
      });
      expect(await apiKeys.revokeAll({ organizationId: 'org_1' })).toEqual({ revoked: 2 });
    });

    test('tells of each key, as of one that is revoked alone', async () => {
      const { id } = await create('org_1');
      await apiKeys.revokeAll({ organizationId: 'org_1' }, { reason: 'left' });
      const [, event] = audits();
      expect(event).toMatchObject({ action: 'revoke', keyId: id, organizationId: 'org_1' });
      expect([...(event?.changed ?? [])].sort()).toEqual(['revocationReason', 'revokedAt']);
    });

    test('touches nothing of others where the store answers with more than was asked for', async () => {
      await create('org_1');
      const { key } = await create('org_2');
      const page = await managed.store.list({ limit: 500, order: 'oldest' });
      managed.store.next('list', answers(page));
      expect(await rejectionOf(() => apiKeys.revokeAll({ organizationId: 'org_1' }))).toMatchObject({
        code: 'temporarily_unavailable',
        cause: { message: 'it has another owner than was asked for' },
      });
      expect(await revokedIds()).toEqual([]);
      expect(await apiKeys.revokeAll({ organizationId: 'org_1' })).toEqual({ revoked: 1 });
      expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
    });

    test('says how many it has revoked when the store fails, and goes on when it is called again', async () => {
      for (const organization of ['org_1', 'org_1', 'org_1']) await create(organization);
      managed.store.next('update', (real) => real(), rejects(new Error('disk full')));
      const error = await rejectionOf(() => apiKeys.revokeAll({ organizationId: 'org_1' }));
      expect(error).toMatchObject({
        code: 'temporarily_unavailable',
        message: 'revokeAll: 1 revoked, then the store failed (update() failed.) Call it again to go on.',
        cause: { message: 'disk full' },
      });
      expect(await revokedIds()).toHaveLength(1);
      expect(await apiKeys.revokeAll({ organizationId: 'org_1' })).toEqual({ revoked: 2 });
    });

    test('tries again where another changes a key in between, and in the end says that it could not', async () => {
      const [first] = [await create('org_1'), await create('org_1')];
      managed.store.next('update', answers(undefined));
      expect(await apiKeys.revokeAll({ organizationId: 'org_1' })).toEqual({ revoked: 2 });
      await create('org_1');
      managed.store.always('update', answers(undefined));
      expect(await rejectionOf(() => apiKeys.revokeAll({ organizationId: 'org_1' }))).toMatchObject({
        code: 'conflict',
        message: 'revokeAll: 0 revoked, 1 not, as others kept changing them; call it again.',
      });
      expect(first).toBeDefined();
    });

    test('does not mind a key that is deleted meanwhile', async () => {
      await create('org_1');
      managed.store.next('findById', answers(undefined));
      managed.store.next('list', (real) => real(), answers({ records: [] }));
      expect(await apiKeys.revokeAll({ organizationId: 'org_1' })).toEqual({ revoked: 0 });
    });

    test('ends where a cursor leads back', async () => {
      await create('org_1');
      const { records } = await managed.store.list({ limit: 1, order: 'oldest' });
      managed.store.always('list', answers({ records, nextCursor: records[0]?.id }));
      expect(await rejectionOf(() => apiKeys.revokeAll({ organizationId: 'org_1' }))).toMatchObject({
        code: 'temporarily_unavailable',
        message: expect.stringContaining('1 revoked'),
      });
    });

    test.each<[string, unknown, unknown, string]>([
      ['nothing', {}, {}, ''],
      ['both', { organizationId: 'o', owner: { type: 'user', id: 'u' } }, {}, ''],
      ['an id that is none', { organizationId: ' ' }, {}, '/organizationId'],
      ['an owner without a type', { owner: { id: 'u' } }, {}, '/owner/type'],
      ['an unknown member', { organisationId: 'o' }, {}, '/organisationId'],
      ['a reason that is none', { organizationId: 'o' }, { reason: '' }, '/reason'],
      ['an unknown option', { organizationId: 'o' }, { because: 'x' }, '/because'],
    ])('refuses %s', async (_case, which, options, field) => {
      const call = () => apiKeys.revokeAll(which as RevokeAllFilter, options as object);
      expect(await rejectionOf(call)).toMatchObject({ code: 'invalid_request', field });
      expect(managed.store.count('list')).toBe(0);
    });
  });

  describe('prune', () => {
    test('deletes what was revoked 30 days ago, and nothing else', async () => {
      const [old, recent, alive] = [await create('org_1'), await create('org_2'), await create('org_1')];
      await apiKeys.revoke(old.id);
      managed.clock.ms = NOW_MS + 1;
      await apiKeys.revoke(recent.id);
      managed.clock.ms = NOW_MS + 30 * DAY_MS;
      expect(await apiKeys.prune()).toEqual({ deleted: 1 });
      expect((await managed.records()).map(({ id }) => id).sort()).toEqual([recent.id, alive.id].sort());
      expect(audits().at(-1)).toMatchObject({ action: 'delete', keyId: old.id });
    });

    test('deletes what was revoked as long ago as is said', async () => {
      const { id } = await create('org_1');
      await apiKeys.revoke(id);
      expect(await apiKeys.prune({ revokedBeforeMs: 1 })).toEqual({ deleted: 0 });
      expect(await apiKeys.prune({ revokedBeforeMs: 0 })).toEqual({ deleted: 1 });
    });

    test('keeps a key that is found not to be revoked when its turn comes', async () => {
      const { id, key } = await create('org_1');
      const asRevoked = ({ records }: { records: readonly KeyRecord[] }) => ({
        records: records.map((record) => ({ ...record, revokedAt: new Date(0) })),
      });
      const lie = asRevoked(await managed.store.list({ limit: 9, order: 'oldest' }));
      managed.store.next('list', answers(lie));
      expect(await apiKeys.prune()).toEqual({ deleted: 0 });
      expect(await apiKeys.get(id)).toBeDefined();
      expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
    });

    test('says how many it has deleted when the store fails', async () => {
      for (const { id } of [await create('org_1'), await create('org_1')]) await apiKeys.revoke(id);
      managed.store.next('delete', (real) => real(), rejects(new Error('disk full')));
      const error = await rejectionOf(() => apiKeys.prune({ revokedBeforeMs: 0 }));
      expect(error.message).toBe(
        'prune: 1 deleted, then the store failed (delete() failed.) Call it again to go on.',
      );
      expect(await apiKeys.prune({ revokedBeforeMs: 0 })).toEqual({ deleted: 1 });
    });

    test.each([-1, 1.5, '30d', Number.NaN])('refuses %p as a time', async (revokedBeforeMs) => {
      const call = () => apiKeys.prune({ revokedBeforeMs: revokedBeforeMs as number });
      expect(await rejectionOf(call)).toMatchObject({ code: 'invalid_request', field: '/revokedBeforeMs' });
    });
  });

  describe('keys that are managed for somebody', () => {
    test('tell in their audit events who acted and from where', async () => {
      const asAnn = internalsOf('test', apiKeys).manageAs({ actor: 'ann', from: '203.0.113.7' });
      const { apiKey } = await asAnn.create(INPUT);
      await asAnn.update(apiKey.id, { name: 'x' });
      await asAnn.disable(apiKey.id);
      await asAnn.enable(apiKey.id);
      await asAnn.rotate(apiKey.id);
      await asAnn.revokeAll({ organizationId: 'org_1' });
      await asAnn.prune({ revokedBeforeMs: 0 });
      await asAnn.import([{ ...INPUT, digest: `sha256:${'I'.repeat(43)}`, randomBits: 160 }]);
      const told = audits();
      expect(told.map(({ action }) => action)).toEqual([
        'create',
        'update',
        'disable',
        'enable',
        'rotate',
        'revoke',
        'delete',
        'import',
      ]);
      for (const event of told) expect(event).toMatchObject({ actor: 'ann', from: '203.0.113.7' });
    });

    test('are the same keys, whose changes wait for one another', async () => {
      const asBob = internalsOf('test', apiKeys).manageAs({ actor: 'bob' });
      const { id, key } = await create('org_1');
      await Promise.all([
        asBob.update(id, { name: 'a' }),
        apiKeys.update(id, { name: 'b' }),
        asBob.disable(id),
      ]);
      expect(managed.store.count('update')).toBe(3);
      expect(await apiKeys.get(id)).toMatchObject({ version: 4, enabled: false });
      expect(await apiKeys.verify(key)).toMatchObject({ ok: false, reason: 'disabled' });
      expect(audits().map(({ actor }) => actor)).toEqual([undefined, 'bob', undefined, 'bob']);
      expect(audits()[1]).not.toHaveProperty('from');
      expect(internalsOf('test', asBob)).toBe(internalsOf('test', apiKeys));
    });
  });
});

test('revokeAll is a fault where a page cannot be read', async () => {
  managed = manageKeys(new FaultStore(await (managedStores[0]?.open() ?? Promise.reject())));
  ({ apiKeys } = managed);
  const { id } = await create('org_1');
  managed.store.next(
    'findById',
    spoils((record) => ({ ...record, id: 'other' })),
  );
  expect(await rejectionOf(() => apiKeys.revokeAll({ organizationId: 'org_1' }))).toMatchObject({
    code: 'temporarily_unavailable',
    message: expect.stringContaining('0 revoked'),
  });
  expect(await apiKeys.get(id)).not.toHaveProperty('revokedAt');
});
