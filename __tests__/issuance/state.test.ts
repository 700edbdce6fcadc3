import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ApiKey, ApiKeys } from '../../lib/index.ts';
import {
  closeManagedKeys,
  INPUT,
  type ManagedKeys,
  MINUTE_MS,
  managedStores,
  manageKeys,
  msLater,
  NOW_MS,
  operationsOf,
} from '../support/managed-keys.ts';

type Change = (apiKeys: ApiKeys, id: string, options?: { ifVersion: number }) => Promise<unknown>;

/** Every call that changes one key, by a change that it has not seen. */
const changes: readonly { name: string; change: Change }[] = [
  { name: 'update', change: (apiKeys, id, options) => apiKeys.update(id, { name: 'x' }, options) },
  { name: 'disable', change: (apiKeys, id, options) => apiKeys.disable(id, options) },
  { name: 'enable', change: (apiKeys, id, options) => apiKeys.enable(id, options) },
  { name: 'revoke', change: (apiKeys, id, options) => apiKeys.revoke(id, options) },
  { name: 'rotate', change: (apiKeys, id, options) => apiKeys.rotate(id, options) },
];

afterEach(closeManagedKeys);

describe.each(managedStores)('the state of a key over $name', ({ open }) => {
  let managed: ManagedKeys;
  let apiKeys: ApiKeys;
  let key: string;
  let apiKey: ApiKey;

  beforeEach(async () => {
    managed = manageKeys(await open());
    ({ apiKeys } = managed);
    ({ key, apiKey } = await apiKeys.create(INPUT));
    managed.clock.ms = NOW_MS + MINUTE_MS;
  });

  describe('disabled and enabled', () => {
    test('stops and resumes, from the next request on', async () => {
      expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
      const disabled = await apiKeys.disable(apiKey.id);
      expect(disabled).toStrictEqual({
        ...apiKey,
        enabled: false,
        version: 2,
        updatedAt: msLater(MINUTE_MS),
      });
      expect(await apiKeys.verify(key)).toMatchObject({ ok: false, reason: 'disabled' });
      expect(await apiKeys.enable(apiKey.id)).toMatchObject({ enabled: true, version: 3 });
      expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
    });

    test('twice is the same as once, and writes once', async () => {
      expect(await apiKeys.enable(apiKey.id)).toStrictEqual(apiKey);
      const disabled = await apiKeys.disable(apiKey.id);
      managed.clock.ms += MINUTE_MS;
      expect(await apiKeys.disable(apiKey.id)).toStrictEqual(disabled);
      expect(operationsOf(managed.events).filter((operation) => operation === 'update')).toHaveLength(1);
    });
  });

  describe('revoked', () => {
    test('stops for ever, from the next request on, and keeps the record and the reason', async () => {
      expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
      const revoked = await apiKeys.revoke(apiKey.id, { reason: 'leaked in CI' });
      expect(revoked).toStrictEqual({
        ...apiKey,
        version: 2,
        updatedAt: msLater(MINUTE_MS),
        revokedAt: msLater(MINUTE_MS),
        revocationReason: 'leaked in CI',
      });
      expect(await apiKeys.verify(key)).toMatchObject({ ok: false, reason: 'revoked' });
      await apiKeys.enable(apiKey.id);
      expect(await apiKeys.verify(key)).toMatchObject({ ok: false, reason: 'revoked' });
      expect(await apiKeys.get(apiKey.id)).toStrictEqual(revoked);
    });

    test.each([{ reason: 'second' }, {}, undefined])(
      'keeps the first time and reason, when it is %j',
      async (again) => {
        const revoked = await apiKeys.revoke(apiKey.id, { reason: 'first' });
        managed.clock.ms += MINUTE_MS;
        expect(await apiKeys.revoke(apiKey.id, again)).toStrictEqual(revoked);
      },
    );

    test('stays without a reason that comes too late', async () => {
      await apiKeys.revoke(apiKey.id);
      expect(await apiKeys.revoke(apiKey.id, { reason: 'late' })).not.toHaveProperty('revocationReason');
    });

    test('by many at once is revoked once', async () => {
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) => apiKeys.revoke(apiKey.id, { reason: `reason ${i}` })),
      );
      const found = await apiKeys.get(apiKey.id);
      expect(found?.version).toBe(2);
      for (const answer of answers) expect(answer).toStrictEqual(found);
    });

    test.each([
      ['', 'must be a text of 1 to 500 characters'],
      ['x'.repeat(501), 'must be a text of 1 to 500 characters'],
      [7, 'must be a text of 1 to 500 characters'],
      ['a\0b', 'must be well-formed Unicode without NUL'],
    ])('is not for the reason %j', async (reason, problem) => {
      await expect(apiKeys.revoke(apiKey.id, { reason: reason as string })).rejects.toMatchObject({
        name: 'InvalidInputError',
        field: '/reason',
        message: `/reason ${problem}`,
      });
      expect(await apiKeys.get(apiKey.id)).toStrictEqual(apiKey);
    });
  });

  describe('deleted', () => {
    test('is gone, and its key unknown from the next request on', async () => {
      expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
      expect(await apiKeys.delete(apiKey.id)).toBe(true);
      expect(await apiKeys.get(apiKey.id)).toBeUndefined();
      expect(await managed.records()).toEqual([]);
      expect(await apiKeys.verify(key)).toEqual({ ok: false, reason: 'unknown' });
      expect(await apiKeys.delete(apiKey.id)).toBe(false);
    });

    test.each(['00000000-0000-7000-8000-000000000001', 'not an id', ''])(
      'is not by the id %j',
      async (id) => {
        expect(await apiKeys.delete(id)).toBe(false);
        expect(await managed.records()).toHaveLength(1);
      },
    );
  });

  describe.each(changes)('$name()', ({ name, change }) => {
    test('says that there is no key with an unknown id', async () => {
      const id = '00000000-0000-7000-8000-000000000001';
      await expect(change(apiKeys, id)).rejects.toMatchObject({
        name: 'KeyNotFoundError',
        code: 'not_found',
        status: 404,
        message: `There is no key with the id "${id}".`,
      });
    });

    test('does not repeat an id that may be a key', async () => {
      for (const id of [key, 'not an id', '']) {
        await expect(change(apiKeys, id)).rejects.toThrow('There is no key with the id given.');
      }
    });

    test('is a conflict where the key has another version than the one named', async () => {
      const before = await managed.records();
      for (const ifVersion of [2, Number.MAX_SAFE_INTEGER]) {
        await expect(change(apiKeys, apiKey.id, { ifVersion })).rejects.toMatchObject({
          name: 'ConflictError',
          code: 'conflict',
          status: 409,
          message: `The key has version 1 and not ${ifVersion}; read it again and decide anew.`,
        });
      }
      expect(await managed.records()).toStrictEqual(before);
    });

    test('goes through where the key has the version named', async () => {
      await change(apiKeys, apiKey.id, { ifVersion: 1 });
      expect(await apiKeys.get(apiKey.id)).toMatchObject({ version: name === 'enable' ? 1 : 2 });
    });

    test.each([0, -1, 1.5, '1', Number.NaN, null])('refuses ifVersion %p', async (ifVersion) => {
      const before = await managed.records();
      const options = { ifVersion } as { ifVersion: number };
      await expect(change(apiKeys, apiKey.id, options)).rejects.toMatchObject({
        name: 'InvalidInputError',
        field: '/ifVersion',
        message: '/ifVersion must be a whole number of at least 1',
      });
      expect(await managed.records()).toStrictEqual(before);
    });

    test('refuses an option that it does not know, and names the nearest', async () => {
      const options = { ifversion: 1 } as unknown as { ifVersion: number };
      await expect(change(apiKeys, apiKey.id, options)).rejects.toMatchObject({
        field: '/ifversion',
        message: '/ifversion is not known; did you mean "ifVersion"?',
      });
    });
  });

  test('lets only one of two callers win who both name the version', async () => {
    const answers = await Promise.allSettled([
      apiKeys.update(apiKey.id, { name: 'a' }, { ifVersion: 1 }),
      apiKeys.update(apiKey.id, { name: 'b' }, { ifVersion: 1 }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await apiKeys.get(apiKey.id)).toMatchObject({ version: 2 });
  });
});
