import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ApiKey, ApiKeys, KeyEvent } from '../../lib/index.ts';
import {
  closeManagedKeys,
  DAY_MS,
  INPUT,
  type ManagedKeys,
  MINUTE_MS,
  managedStores,
  manageKeys,
  msLater,
  NOW_MS,
  rejectionOf,
} from '../support/managed-keys.ts';

type Audit = KeyEvent & { type: 'audit' };

afterEach(closeManagedKeys);

describe.each(managedStores)('audit events over $name', ({ open }) => {
  let managed: ManagedKeys;
  let apiKeys: ApiKeys;
  let apiKey: ApiKey;
  const audits = (): Audit[] => managed.events.filter((event): event is Audit => event.type === 'audit');

  beforeEach(async () => {
    managed = manageKeys(await open());
    ({ apiKeys } = managed);
    ({ apiKey } = await apiKeys.create({ ...INPUT, expiresAt: msLater(DAY_MS) }));
  });

  test('tell of a new key', () => {
    expect(audits()).toEqual([
      { type: 'audit', at: NOW_MS, action: 'create', keyId: apiKey.id, organizationId: 'org_1', changed: [] },
    ]);
  });

  test.each<[string, (id: string) => Promise<unknown>, string[]]>([
    ['update', (id) => apiKeys.update(id, { name: 'x', scopes: [] }), ['name', 'scopes']],
    ['update', (id) => apiKeys.update(id, { expiresAt: null }), ['expiresAt']],
    ['disable', (id) => apiKeys.disable(id), ['enabled']],
    ['revoke', (id) => apiKeys.revoke(id), ['revokedAt']],
    ['revoke', (id) => apiKeys.revoke(id, { reason: 'leaked' }), ['revocationReason', 'revokedAt']],
    ['rotate', (id) => apiKeys.rotate(id), ['digest', 'end', 'previous', 'rotatedAt', 'start']],
    ['delete', (id) => apiKeys.delete(id), []],
  ])('tell of %s() and of what changed', async (action, call, changed) => {
    managed.clock.ms = NOW_MS + MINUTE_MS;
    await call(apiKey.id);
    const [, event] = audits();
    expect(event && { ...event, changed: [...event.changed].sort() }).toEqual({
      type: 'audit',
      at: NOW_MS + MINUTE_MS,
      action,
      keyId: apiKey.id,
      organizationId: 'org_1',
      changed,
    });
  });

  test('tell of enabling', async () => {
    await apiKeys.disable(apiKey.id);
    await apiKeys.enable(apiKey.id);
    expect(audits().map(({ action }) => action)).toEqual(['create', 'disable', 'enable']);
  });

  test('tell nothing where nothing changed', async () => {
    await apiKeys.enable(apiKey.id);
    await apiKeys.update(apiKey.id, {});
    await apiKeys.get(apiKey.id);
    await apiKeys.list();
    await apiKeys.delete('unknown');
    await rejectionOf(() => apiKeys.update(apiKey.id, { name: '' }));
    await rejectionOf(() => apiKeys.revoke(apiKey.id, { ifVersion: 9 }));
    await rejectionOf(() => apiKeys.create({ ...INPUT, name: '' }));
    expect(audits()).toHaveLength(1);
  });

  test('tell of a revocation once, however often it is asked for', async () => {
    await apiKeys.revoke(apiKey.id);
    await apiKeys.revoke(apiKey.id);
    expect(audits().map(({ action }) => action)).toEqual(['create', 'revoke']);
  });

  test('hold no key and no digest, as little as any event', async () => {
    const { key } = await apiKeys.rotate(apiKey.id);
    await apiKeys.verify(key);
    await apiKeys.verify(`${key.slice(0, -1)}!`);
    const [record] = await managed.records();
    const words = JSON.stringify(managed.events);
    expect(words).toContain('"rotate"');
    expect(words).not.toContain(key.slice('acme_live_'.length + 4, -4));
    expect(words).not.toContain(record?.digest);
    expect(words).not.toContain(record?.previous?.digest);
  });

  test('never reach a caller by what their listener throws', async () => {
    const onEvent = (): never => {
      throw new Error('a broken listener');
    };
    const { apiKeys: deaf } = manageKeys(managed.store, { onEvent });
    const { key } = await deaf.create(INPUT);
    expect(await deaf.verify(key)).toMatchObject({ ok: true });
  });
});
