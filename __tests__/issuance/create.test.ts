import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ApiKey, CreateInput } from '../../lib/index.ts';
import { createIdSource } from '../../lib/issuance/key-id.ts';
import {
  closeManagedKeys,
  DAY_MS,
  INPUT,
  type ManagedKeys,
  managedStores,
  manageKeys,
  msLater,
  NOW_MS,
} from '../support/managed-keys.ts';
import { digestOf } from '../support/records.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const timeOfId = (id: string): number => Number.parseInt(id.replace('-', '').slice(0, 12), 16);

afterEach(closeManagedKeys);

describe.each(managedStores)('create() over $name', ({ open }) => {
  let managed: ManagedKeys;
  const create = (input: Partial<CreateInput> = {}): ReturnType<ManagedKeys['apiKeys']['create']> =>
    managed.apiKeys.create({ ...INPUT, ...input });

  beforeEach(async () => {
    managed = manageKeys(await open());
  });

  test('gives a key that opens the door, and the view of its record', async () => {
    const { key, apiKey } = await create();
    expect(key).toMatch(/^acme_live_[0-9A-Za-z]{38}$/);
    expect(await managed.apiKeys.verify(key)).toEqual({ ok: true, apiKey });
  });

  test('decides all that is not given', async () => {
    const { key, apiKey } = await managed.apiKeys.create({ name: 'CI', organization: { id: 'org_1' } });
    expect(apiKey).toStrictEqual({
      id: expect.stringMatching(UUID_V7),
      kind: 'opaque',
      name: 'CI',
      environment: 'live',
      start: key.slice(0, 'acme_live_'.length + 4),
      end: key.slice(-4),
      organization: { id: 'org_1' },
      owner: { type: 'organization', id: 'org_1' },
      scopes: [],
      enabled: true,
      version: 1,
      createdAt: msLater(0),
      updatedAt: msLater(0),
      metadata: {},
    });
  });

  test('keeps all that is given', async () => {
    const input: CreateInput = {
      name: 'Ключ 🗝',
      organization: { id: 'org_2', slug: 'acme' },
      owner: { type: 'user', id: 'user_7' },
      scopes: ['reports:read', 'users:*'],
      environment: 'test',
      expiresAt: msLater(DAY_MS),
      notBefore: msLater(-DAY_MS),
      metadata: { plan: 'pro', limits: { perDay: 1.5, tags: ['a', null, false] } },
      createdBy: 'admin_1',
      kind: 'opaque',
    };
    const { key, apiKey } = await managed.apiKeys.create(input);
    expect(key).toMatch(/^acme_test_/);
    expect(apiKey).toMatchObject(input);
    expect(await managed.apiKeys.get(apiKey.id)).toStrictEqual(apiKey);
  });

  test('counts an explicit undefined as not given', async () => {
    const nothing = [
      'owner',
      'scopes',
      'environment',
      'expiresAt',
      'notBefore',
      'metadata',
      'createdBy',
      'kind',
    ];
    const input = Object.fromEntries(nothing.map((name) => [name, undefined]));
    const { apiKey } = await managed.apiKeys.create({ name: 'CI', organization: { id: 'org_1' }, ...input });
    expect(apiKey).toMatchObject({ scopes: [], environment: 'live', kind: 'opaque', metadata: {} });
    for (const name of ['expiresAt', 'notBefore', 'createdBy']) expect(apiKey).not.toHaveProperty(name);
  });

  test('drops scopes that stand twice, and keeps the order of the rest', async () => {
    const { apiKey } = await create({ scopes: ['b', 'a', 'b', 'c', 'a'] });
    expect(apiKey.scopes).toEqual(['b', 'a', 'c']);
    expect((await managed.apiKeys.get(apiKey.id))?.scopes).toEqual(['b', 'a', 'c']);
  });

  test('stores the digest of the key and nowhere the key', async () => {
    const { key, apiKey } = await create();
    const [record] = await managed.records();
    expect(record).toMatchObject({ id: apiKey.id, digest: digestOf(key) });
    expect(JSON.stringify(record)).not.toContain(key.slice('acme_live_'.length, -4));
  });

  test('stores a digest under the newest pepper where there are peppers', async () => {
    const secret = 'a pepper of more than thirty-two bytes';
    const peppered = manageKeys(managed.store, {
      peppers: [
        { id: 'p2', secret },
        { id: 'p1', secret },
      ],
    });
    await peppered.apiKeys.create(INPUT);
    expect((await managed.records())[0]?.digest).toMatch(/^hmac-sha256:p2:/);
  });

  test('gives a view that is frozen to the bottom and free of secrets', async () => {
    const { key, apiKey } = await create({ metadata: { a: { b: [1] } } });
    const { organization, owner, scopes, metadata } = apiKey;
    for (const part of [apiKey, organization, owner, scopes, metadata, metadata['a']]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    expect(Reflect.ownKeys(apiKey)).not.toContain('digest');
    expect(JSON.stringify(apiKey)).not.toContain(key.slice('acme_live_'.length + 4, -4));
    expect(JSON.stringify(apiKey)).not.toContain(digestOf(key));
  });

  test('is not reached by what is done to the input or to the view afterwards', async () => {
    const input = { ...INPUT, scopes: ['a'], metadata: { tags: ['x'] }, expiresAt: msLater(DAY_MS) };
    const { apiKey } = await managed.apiKeys.create(input);
    input.scopes.push('admin');
    input.metadata.tags.push('y');
    input.expiresAt.setTime(0);
    apiKey.createdAt.setTime(0);
    expect(await managed.apiKeys.get(apiKey.id)).toMatchObject({
      scopes: ['a'],
      metadata: { tags: ['x'] },
      expiresAt: msLater(DAY_MS),
      createdAt: msLater(0),
    });
  });

  test('never writes to the input', async () => {
    const organization = Object.freeze({ id: 'org_1' });
    const input = Object.freeze({ ...INPUT, organization, scopes: Object.freeze(['b', 'a', 'b']) });
    await managed.apiKeys.create(input);
    expect(input).toEqual({ name: 'CI', organization: { id: 'org_1' }, scopes: ['b', 'a', 'b'] });
  });

  test('makes a key for another environment, which this instance then refuses', async () => {
    const { key, apiKey } = await create({ environment: 'test' });
    expect(apiKey.environment).toBe('test');
    expect(await managed.apiKeys.verify(key)).toEqual({ ok: false, reason: 'wrong_environment' });
  });

  test('makes keys for its own environment, with its own prefix', async () => {
    const other = manageKeys(managed.store, { environment: 'test', prefix: 'a_live_b' });
    const { key, apiKey } = await other.apiKeys.create(INPUT);
    expect(key).toMatch(/^a_live_b_test_/);
    expect(apiKey).toMatchObject({ environment: 'test', start: key.slice(0, 'a_live_b_test_'.length + 4) });
    expect(await other.apiKeys.verify(key)).toMatchObject({ ok: true });
  });

  test('gives ids that are UUIDs of version 7 and rise, also within one millisecond', async () => {
    const ids: string[] = [];
    for (const ms of [0, 0, 0, 1, 1, 5]) {
      managed.clock.ms = NOW_MS + ms;
      ids.push((await create()).apiKey.id);
    }
    for (const id of ids) expect(id).toMatch(UUID_V7);
    expect(ids).toEqual([...ids].sort());
    expect(timeOfId(ids[0] as string)).toBe(NOW_MS);
    expect(timeOfId(ids[5] as string)).toBe(NOW_MS + 5);
  });

  test('gives each of many concurrent callers a key of their own', async () => {
    const made = await Promise.all(Array.from({ length: 50 }, () => create()));
    expect(new Set(made.map(({ key }) => key)).size).toBe(50);
    expect(new Set(made.map(({ apiKey }) => apiKey.id)).size).toBe(50);
    expect(await managed.records()).toHaveLength(50);
  });

  test('lets 1,000 scopes and 10,000 bytes of metadata pass', async () => {
    const scopes = Array.from({ length: 1_000 }, (_, i) => `${i}:`.padEnd(128, 'x'));
    const metadata = { a: 'x'.repeat(10_000 - '{"a":""}'.length) };
    const { apiKey } = await create({ scopes, metadata, name: '🗝'.repeat(100) });
    const found = (await managed.apiKeys.get(apiKey.id)) as ApiKey;
    expect(found.scopes).toEqual(scopes);
    expect(found.metadata).toEqual(metadata);
  });

  test.each([
    ['pair', 'keyPairs()'],
    ['jwt', 'jwtKeys()'],
  ] as const)('refuses the kind %s where its verifier is missing, and says so', async (kind, verifier) => {
    await expect(create({ kind })).rejects.toThrow(
      new TypeError(`A key of kind "${kind}" needs ${verifier} in createApiKeys({ verifiers: [...] }).`),
    );
    expect(await managed.records()).toEqual([]);
  });
});

describe('ids of keys', () => {
  test('rise whatever the clock does, also where it is set back', () => {
    const newId = createIdSource();
    const ids = [NOW_MS, NOW_MS + 1_000, NOW_MS, NOW_MS - 3_600_000, NOW_MS + 1_001].map(newId);
    expect(ids).toEqual([...ids].sort());
    for (const id of ids) expect(id).toMatch(UUID_V7);
  });

  test('rise and stay unique for more of them than one millisecond has numbers', () => {
    const newId = createIdSource();
    const ids = Array.from({ length: 10_000 }, () => newId(NOW_MS));
    expect(new Set(ids).size).toBe(10_000);
    expect(ids).toEqual([...ids].sort());
  });

  test('of two sources at one time are different', () => {
    expect(createIdSource()(NOW_MS)).not.toBe(createIdSource()(NOW_MS));
  });
});
