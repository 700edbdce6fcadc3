import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KeyFilter } from '../../lib/index.ts';
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
} from '../support/managed-keys.ts';

afterEach(closeManagedKeys);

describe.each(managedStores)('get() and list() over $name', ({ open }) => {
  let managed: ManagedKeys;
  const names = async (filter?: KeyFilter): Promise<string[]> =>
    (await managed.apiKeys.list(filter)).apiKeys.map(({ name }) => name);

  beforeEach(async () => {
    managed = manageKeys(await open());
  });

  describe('with keys of many kinds', () => {
    beforeEach(async () => {
      const { apiKeys, clock, store } = managed;
      const { apiKey: used } = await apiKeys.create({ ...INPUT, name: 'used' });
      await store.recordUse?.([{ id: used.id, at: msLater(DAY_MS), previous: false }]);
      await apiKeys.create({ ...INPUT, name: 'of a user', owner: { type: 'user', id: 'user_7' } });
      await apiKeys.create({ ...INPUT, name: 'of a service', owner: { type: 'service', id: 'user_7' } });
      await apiKeys.create({ ...INPUT, name: 'elsewhere', organization: { id: 'org_2' } });
      const { apiKey: disabled } = await apiKeys.create({ ...INPUT, name: 'disabled' });
      await apiKeys.disable(disabled.id);
      const { apiKey: revoked } = await apiKeys.create({ ...INPUT, name: 'revoked' });
      await apiKeys.revoke(revoked.id);
      await apiKeys.create({ ...INPUT, name: 'ending', expiresAt: msLater(MINUTE_MS) });
      clock.ms = NOW_MS + DAY_MS;
      await apiKeys.create({ ...INPUT, name: 'ending later', expiresAt: msLater(2 * DAY_MS) });
    });

    test.each<[KeyFilter | undefined, string[]]>([
      [
        undefined,
        ['ending later', 'ending', 'revoked', 'disabled', 'elsewhere', 'of a service', 'of a user', 'used'],
      ],
      [{ organizationId: 'org_2' }, ['elsewhere']],
      [{ organizationId: 'ORG_2' }, []],
      [{ organizationId: 'org_3' }, []],
      [{ ownerId: 'user_7' }, ['of a service', 'of a user']],
      [{ ownerType: 'user' }, ['of a user']],
      [{ ownerId: 'user_7', ownerType: 'service' }, ['of a service']],
      [{ ownerId: 'user_7', ownerType: 'organization' }, []],
      [{ enabled: false }, ['disabled']],
      [{ revoked: true }, ['revoked']],
      [{ revoked: true, enabled: false }, []],
      [
        { revoked: false, enabled: true, ownerType: 'organization', organizationId: 'org_1' },
        ['ending later', 'ending', 'used'],
      ],
      [{ expiringWithinMs: 0 }, ['ending']],
      [{ expiringWithinMs: 2 * DAY_MS }, ['ending later', 'ending']],
      [
        { unusedForMs: 1, organizationId: 'org_1', ownerType: 'organization' },
        ['ending', 'revoked', 'disabled'],
      ],
      [{ order: 'oldest', limit: 3 }, ['used', 'of a user', 'of a service']],
      [{ order: 'newest', limit: 2 }, ['ending later', 'ending']],
      [{ limit: undefined, order: undefined, enabled: false } as unknown as KeyFilter, ['disabled']],
    ])('lists those that fit %j', async (filter, expected) => {
      expect(await names(filter)).toEqual(expected);
    });

    test.each(['newest', 'oldest'] as const)('pages through all of them, %s first', async (order) => {
      const seen: string[] = [];
      const sizes: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await managed.apiKeys.list({ order, limit: 3, ...(cursor && { cursor }) });
        cursor = page.nextCursor;
        sizes.push(page.apiKeys.length);
        seen.push(...page.apiKeys.map(({ name }) => name));
      } while (cursor !== undefined);
      expect(sizes).toEqual([3, 3, 2]);
      expect(seen).toEqual(await names({ order, limit: 500 }));
    });

    test('gives a cursor only where there is more', async () => {
      const { nextCursor, apiKeys } = await managed.apiKeys.list({ limit: 7 });
      expect(nextCursor).toBe(apiKeys[6]?.id);
      expect(await managed.apiKeys.list({ limit: 8 })).not.toHaveProperty('nextCursor');
    });

    test('goes on after a cursor whose key is gone', async () => {
      const { nextCursor = '' } = await managed.apiKeys.list({ limit: 2 });
      await managed.apiKeys.delete(nextCursor);
      expect(await names({ cursor: nextCursor, limit: 1 })).toEqual(['revoked']);
    });

    test('gives views, which hold no digest', async () => {
      const { apiKeys } = await managed.apiKeys.list();
      for (const apiKey of apiKeys) {
        expect(Object.isFrozen(apiKey)).toBe(true);
        expect(JSON.stringify(apiKey)).not.toContain('sha256:');
      }
    });
  });

  test('lists 50 unless told otherwise', async () => {
    for (let i = 0; i < 51; i += 1) await managed.apiKeys.create(INPUT);
    expect((await managed.apiKeys.list()).apiKeys).toHaveLength(50);
    expect((await managed.apiKeys.list({ limit: 500 })).apiKeys).toHaveLength(51);
  });

  test('lists nothing where there is nothing', async () => {
    expect(await managed.apiKeys.list()).toEqual({ apiKeys: [] });
  });

  test('gets a key by its id, from the store and not from the cache', async () => {
    const { key, apiKey } = await managed.apiKeys.create(INPUT);
    await managed.apiKeys.verify(key);
    const { digest: _, ...shown } = (await managed.records())[0] ?? {};
    expect(await managed.apiKeys.get(apiKey.id)).toEqual(shown);
    await managed.store.update(apiKey.id, { name: 'Changed elsewhere', narrows: false }, 1);
    expect(await managed.apiKeys.get(apiKey.id)).toMatchObject({ name: 'Changed elsewhere', version: 2 });
  });

  test.each([
    '00000000-0000-7000-8000-000000000001',
    'unknown',
    '',
    'not an id',
    'x'.repeat(300),
    "' OR 1=1 --",
  ])('gets nothing by the id %j', async (id) => {
    await managed.apiKeys.create(INPUT);
    expect(await managed.apiKeys.get(id)).toBeUndefined();
  });

  test.each<[unknown, string, string]>([
    [{ limit: 0 }, '/limit', 'must be a whole number from 1 to 500'],
    [{ limit: 501 }, '/limit', 'must be a whole number from 1 to 500'],
    [{ limit: '50' }, '/limit', 'must be a whole number from 1 to 500'],
    [{ order: 'up' }, '/order', 'must be "newest" or "oldest"'],
    [{ cursor: 'a b' }, '/cursor', 'must be 1 to 255 visible ASCII characters'],
    [{ organizationId: '' }, '/organizationId', 'must be 1 to 255 visible ASCII characters'],
    [{ ownerId: 7 }, '/ownerId', 'must be 1 to 255 visible ASCII characters'],
    [{ ownerType: 'team' }, '/ownerType', 'must be "organization" or "user" or "service"'],
    [{ enabled: 'yes' }, '/enabled', 'must be true or false'],
    [{ revoked: 0 }, '/revoked', 'must be true or false'],
    [{ expiringWithinMs: -1 }, '/expiringWithinMs', 'must be a whole number from 0 to 10000000000000'],
    [{ unusedForMs: 1.5 }, '/unusedForMs', 'must be a whole number from 0 to 10000000000000'],
    [{ organisationId: 'org_1' }, '/organisationId', 'is not known; did you mean "organizationId"?'],
    ['org_1', '', 'must be an object, but got "org_1"'],
  ])('refuses to list by %j', async (filter, field, problem) => {
    await expect(managed.apiKeys.list(filter as KeyFilter)).rejects.toMatchObject({
      name: 'InvalidInputError',
      code: 'invalid_request',
      field,
      message: `${field === '' ? 'The input' : field} ${problem}`,
    });
  });
});
