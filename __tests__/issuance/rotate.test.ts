import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ApiKey, ApiKeys } from '../../lib/index.ts';
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
import { digestOf } from '../support/records.ts';

afterEach(closeManagedKeys);

describe.each(managedStores)('rotate() over $name', ({ open }) => {
  let managed: ManagedKeys;
  let apiKeys: ApiKeys;
  let key: string;
  let apiKey: ApiKey;

  beforeEach(async () => {
    managed = manageKeys(await open());
    ({ apiKeys } = managed);
    ({ key, apiKey } = await apiKeys.create(INPUT));
  });

  test('gives the record a new key, and keeps its id and all that it may do', async () => {
    managed.clock.ms = NOW_MS + MINUTE_MS;
    const rotated = await apiKeys.rotate(apiKey.id);
    expect(rotated.key).toMatch(/^acme_live_[0-9A-Za-z]{38}$/);
    expect(rotated.key).not.toBe(key);
    expect(rotated.apiKey).toStrictEqual({
      ...apiKey,
      start: rotated.key.slice(0, 'acme_live_'.length + 4),
      end: rotated.key.slice(-4),
      version: 2,
      updatedAt: msLater(MINUTE_MS),
      rotatedAt: msLater(MINUTE_MS),
      grace: { expiresAt: msLater(MINUTE_MS + DAY_MS) },
    });
    const digests = { digest: digestOf(rotated.key), previous: { digest: digestOf(key) } };
    expect(await managed.records()).toMatchObject([digests]);
  });

  test.each([
    ['24 hours unless told otherwise', undefined, DAY_MS],
    ['as long as it is told', { gracePeriodMs: MINUTE_MS }, MINUTE_MS],
    ['1 ms', { gracePeriodMs: 1 }, 1],
    ['at most 30 days', { gracePeriodMs: 30 * DAY_MS }, 30 * DAY_MS],
  ])('lets the old key live on: %s', async (_, options, graceMs) => {
    const rotated = await apiKeys.rotate(apiKey.id, options);
    managed.clock.ms = NOW_MS + graceMs - 1;
    expect(await apiKeys.verify(key)).toMatchObject({
      ok: true,
      graceUntil: msLater(graceMs),
      apiKey: { id: apiKey.id },
    });
    expect(await apiKeys.verify(rotated.key)).not.toHaveProperty('graceUntil');
    managed.clock.ms = NOW_MS + graceMs;
    expect(await apiKeys.verify(key)).toMatchObject({ ok: false, reason: 'rotated' });
    expect(await apiKeys.verify(rotated.key)).toMatchObject({ ok: true });
  });

  test('ends the old key at once by a grace of 0, also one that was just used', async () => {
    expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
    const rotated = await apiKeys.rotate(apiKey.id, { gracePeriodMs: 0 });
    expect(rotated.apiKey).not.toHaveProperty('grace');
    expect(await apiKeys.verify(key)).toEqual({ ok: false, reason: 'unknown' });
    expect(await apiKeys.verify(rotated.key)).toMatchObject({ ok: true });
  });

  test('ends the grace with the key itself', async () => {
    await apiKeys.update(apiKey.id, { expiresAt: msLater(MINUTE_MS) });
    const rotated = await apiKeys.rotate(apiKey.id);
    expect(rotated.apiKey).toMatchObject({
      expiresAt: msLater(MINUTE_MS),
      grace: { expiresAt: msLater(MINUTE_MS) },
    });
    managed.clock.ms = NOW_MS + MINUTE_MS;
    expect(await apiKeys.verify(key)).toMatchObject({ ok: false });
    expect(await apiKeys.verify(rotated.key)).toMatchObject({ ok: false, reason: 'expired' });
  });

  test('keeps when the old key was last used', async () => {
    await managed.store.recordUse?.([{ id: apiKey.id, at: msLater(MINUTE_MS), previous: false }]);
    const rotated = await apiKeys.rotate(apiKey.id);
    expect(rotated.apiKey.grace).toEqual({ expiresAt: msLater(DAY_MS), lastUsedAt: msLater(MINUTE_MS) });
  });

  test('twice drops the oldest key', async () => {
    const second = await apiKeys.rotate(apiKey.id);
    expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
    const third = await apiKeys.rotate(apiKey.id);
    expect(await apiKeys.verify(key)).toEqual({ ok: false, reason: 'unknown' });
    expect(await apiKeys.verify(second.key)).toMatchObject({ ok: true, graceUntil: msLater(DAY_MS) });
    expect(await apiKeys.verify(third.key)).toMatchObject({ ok: true });
    expect(third.apiKey).toMatchObject({ id: apiKey.id, version: 3 });
  });

  test('with a grace of 0 ends the old key of an earlier rotation too', async () => {
    const second = await apiKeys.rotate(apiKey.id);
    const third = await apiKeys.rotate(apiKey.id, { gracePeriodMs: 0 });
    expect(third.apiKey).not.toHaveProperty('grace');
    for (const old of [key, second.key]) {
      expect(await apiKeys.verify(old)).toEqual({ ok: false, reason: 'unknown' });
    }
  });

  test('makes the new key good at once', async () => {
    const rotated = await apiKeys.rotate(apiKey.id);
    expect(await apiKeys.verify(rotated.key)).toEqual({ ok: true, apiKey: rotated.apiKey });
  });

  test('keeps the environment of the key, whatever that of the instance', async () => {
    const created = await apiKeys.create({ ...INPUT, environment: 'test' });
    const rotated = await apiKeys.rotate(created.apiKey.id);
    expect(rotated.key).toMatch(/^acme_test_/);
    expect(rotated.apiKey.environment).toBe('test');
  });

  test('by several at once leaves one new key and one in grace', async () => {
    const rotated = await Promise.all([1, 2, 3].map(() => apiKeys.rotate(apiKey.id)));
    const verdicts = await Promise.all(
      [key, ...rotated.map((one) => one.key)].map((one) => apiKeys.verify(one)),
    );
    expect(verdicts.filter(({ ok }) => ok)).toHaveLength(2);
    expect(await apiKeys.get(apiKey.id)).toMatchObject({ version: 4 });
  });

  test.each([
    ['revoked', 'A revoked key cannot be rotated; create a new one.', () => apiKeys.revoke(apiKey.id)],
    ['disabled', 'A disabled key cannot be rotated; enable it first.', () => apiKeys.disable(apiKey.id)],
    [
      'expired',
      'An expired key cannot be rotated; give it a later end first, or create a new one.',
      async () => {
        await apiKeys.update(apiKey.id, { expiresAt: msLater(MINUTE_MS) });
        managed.clock.ms = NOW_MS + MINUTE_MS;
      },
    ],
  ])('is a conflict for a key that is %s', async (_, message, end) => {
    await end();
    const before = await managed.records();
    await expect(apiKeys.rotate(apiKey.id)).rejects.toMatchObject({
      name: 'ConflictError',
      status: 409,
      message,
    });
    expect(await managed.records()).toStrictEqual(before);
  });

  test('rotates a key in the last millisecond before its end', async () => {
    await apiKeys.update(apiKey.id, { expiresAt: msLater(MINUTE_MS) });
    managed.clock.ms = NOW_MS + MINUTE_MS - 1;
    expect(await apiKeys.rotate(apiKey.id)).toMatchObject({ apiKey: { version: 3 } });
  });

  test.each([-1, 30 * DAY_MS + 1, 1.5, Number.NaN, '1000', null])(
    'refuses a grace of %p, and writes nothing',
    async (gracePeriodMs) => {
      const before = await managed.records();
      const options = { gracePeriodMs } as { gracePeriodMs: number };
      await expect(apiKeys.rotate(apiKey.id, options)).rejects.toMatchObject({
        name: 'InvalidInputError',
        field: '/gracePeriodMs',
        message: '/gracePeriodMs must be a whole number from 0 to 2592000000 (30 days)',
      });
      expect(await managed.records()).toStrictEqual(before);
    },
  );
});
