import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ApiKey, CreateInput, UpdateInput } from '../../lib/index.ts';
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
  operationsOf,
} from '../support/managed-keys.ts';

const FULL: CreateInput = {
  ...INPUT,
  scopes: ['reports:read', 'reports:write'],
  metadata: { plan: 'pro', seats: 3 },
  expiresAt: msLater(DAY_MS),
  notBefore: msLater(-DAY_MS),
  createdBy: 'admin_1',
};

afterEach(closeManagedKeys);

describe.each(managedStores)('update() over $name', ({ open }) => {
  let managed: ManagedKeys;
  let key: string;
  let apiKey: ApiKey;
  const update = (changes: UpdateInput): Promise<ApiKey> => managed.apiKeys.update(apiKey.id, changes);

  beforeEach(async () => {
    managed = manageKeys(await open());
    ({ key, apiKey } = await managed.apiKeys.create(FULL));
    managed.clock.ms = NOW_MS + MINUTE_MS;
  });

  test.each<[string, UpdateInput]>([
    ['the name', { name: 'Renamed' }],
    ['the scopes, whole', { scopes: ['users:read'] }],
    ['the scopes by none', { scopes: [] }],
    ['the metadata, whole', { metadata: { other: true } }],
    ['the metadata by none', { metadata: {} }],
    ['the end', { expiresAt: msLater(2 * DAY_MS) }],
    ['the beginning', { notBefore: msLater(-2 * DAY_MS) }],
    ['all at once', { name: 'x', scopes: ['a'], metadata: { b: [1] }, expiresAt: msLater(DAY_MS + 1) }],
  ])('replaces %s and leaves all else', async (_, changes) => {
    const updated = await update(changes);
    const expected = { ...apiKey, ...changes, version: 2, updatedAt: msLater(MINUTE_MS) };
    expect(updated).toStrictEqual(expected);
    expect(await managed.apiKeys.get(apiKey.id)).toStrictEqual(expected);
  });

  test.each(['expiresAt', 'notBefore'] as const)('clears %s by null', async (name) => {
    const updated = await update({ [name]: null });
    const { [name]: _, ...rest } = apiKey;
    expect(updated).toStrictEqual({ ...rest, version: 2, updatedAt: msLater(MINUTE_MS) });
  });

  test('counts an explicit undefined as not given', async () => {
    const changes = { name: 'x', scopes: undefined, metadata: undefined, expiresAt: undefined };
    expect(await update(changes as unknown as UpdateInput)).toMatchObject({
      name: 'x',
      scopes: FULL.scopes,
      metadata: FULL.metadata,
      expiresAt: FULL.expiresAt,
    });
  });

  test('drops scopes that stand twice', async () => {
    expect((await update({ scopes: ['b', 'a', 'b'] })).scopes).toEqual(['b', 'a']);
  });

  test.each([{}, { name: undefined } as unknown as UpdateInput])(
    'writes nothing where nothing is to be changed (%j)',
    async (changes) => {
      managed.events.length = 0;
      expect(await update(changes)).toStrictEqual(apiKey);
      expect(operationsOf(managed.events)).toEqual(['findById']);
      expect(await managed.apiKeys.get(apiKey.id)).toStrictEqual(apiKey);
    },
  );

  test('decides the next request of this process', async () => {
    expect(await managed.apiKeys.verify(key)).toMatchObject({ ok: true });
    await update({ scopes: [] });
    expect(await managed.apiKeys.verify(key)).toMatchObject({ ok: true, apiKey: { scopes: [], version: 2 } });
    await update({ expiresAt: msLater(MINUTE_MS + 1) });
    managed.clock.ms += 1;
    expect(await managed.apiKeys.verify(key)).toMatchObject({ ok: false, reason: 'expired' });
  });

  test('gives an expired key a later end, and it works again', async () => {
    managed.clock.ms = NOW_MS + DAY_MS;
    expect(await managed.apiKeys.verify(key)).toMatchObject({ ok: false, reason: 'expired' });
    await update({ expiresAt: msLater(2 * DAY_MS) });
    expect(await managed.apiKeys.verify(key)).toMatchObject({ ok: true });
  });

  test('lets an expired key be renamed', async () => {
    managed.clock.ms = NOW_MS + 2 * DAY_MS;
    expect(await update({ name: 'Old' })).toMatchObject({ name: 'Old', version: 2 });
  });

  test.each<[string, UpdateInput, string, string]>([
    ['an end in the past', { expiresAt: msLater(0) }, '/expiresAt', 'must be in the future'],
    ['an end at this moment', { expiresAt: msLater(MINUTE_MS) }, '/expiresAt', 'must be in the future'],
    ['a beginning at the old end', { notBefore: msLater(DAY_MS) }, '/notBefore', 'must be before expiresAt'],
    [
      'an end at its new beginning',
      { notBefore: msLater(2 * DAY_MS), expiresAt: msLater(2 * DAY_MS) },
      '/expiresAt',
      'must be after notBefore',
    ],
  ])('refuses %s, and writes nothing', async (_, changes, field, problem) => {
    const before = await managed.records();
    await expect(update(changes)).rejects.toMatchObject({
      name: 'InvalidInputError',
      field,
      message: `${field} ${problem}`,
    });
    expect(await managed.records()).toStrictEqual(before);
  });

  test('takes a beginning past the old end where the end goes away too', async () => {
    const changes = { notBefore: msLater(2 * DAY_MS), expiresAt: null };
    expect(await update(changes)).toMatchObject({ notBefore: msLater(2 * DAY_MS) });
  });

  test.each(['organization', 'owner', 'kind', 'environment', 'enabled', 'version', 'id', 'createdBy'])(
    'never changes %s',
    async (name) => {
      const before = await managed.records();
      await expect(update({ [name]: 'x' })).rejects.toMatchObject({ field: `/${name}` });
      expect(await managed.records()).toStrictEqual(before);
    },
  );

  test('lets all of several concurrent changes land, each with its own version', async () => {
    const changes: UpdateInput[] = [
      { name: 'Renamed' },
      { scopes: ['a'] },
      { metadata: { b: 1 } },
      { expiresAt: msLater(3 * DAY_MS) },
      { notBefore: null },
    ];
    const updated = await Promise.all(changes.map(update));
    expect(updated.map(({ version }) => version).sort()).toEqual([2, 3, 4, 5, 6]);
    const found = await managed.apiKeys.get(apiKey.id);
    expect(found).toMatchObject({
      name: 'Renamed',
      scopes: ['a'],
      metadata: { b: 1 },
      expiresAt: msLater(3 * DAY_MS),
      version: 6,
    });
    expect(found).not.toHaveProperty('notBefore');
  });
});
