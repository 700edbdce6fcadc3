import { describe, expect, test } from '@jest/globals';
import type { KeyRecord } from '../../lib/index.ts';
import { spoils } from '../support/fault-store.ts';
import { openBench, outcomeOf } from '../support/key-bench.ts';
import { digestOf } from '../support/records.ts';

const LONG = 'a'.repeat(300);
const LATER = new Date(9e12);

/** For each member what it must not be; `null` is absent, and stands where it must not be absent. */
const WRONG: { readonly [Name in keyof Required<KeyRecord>]: readonly unknown[] } = {
  id: [null, '', 7, {}, ['a'], 'a b', 'schlüssel', LONG],
  digest: [
    null,
    '',
    7,
    'sha256:',
    digestOf('x').slice(0, -1),
    Buffer.alloc(32),
    `bcrypt:$2b$31$${'a'.repeat(53)}`,
  ],
  kind: [null, '', 'session', 7],
  name: [null, '', 7, LONG, 'a\0b'],
  environment: [null, '', 'prod', 'LIVE', 7],
  start: [null, 7, LONG, 'a b'],
  end: [null, 7, LONG, '\n'],
  organization: [null, 'org_1', 7, {}, [], { id: '' }, { id: null }, { id: 7 }, { id: 'a', slug: 7 }],
  owner: [
    null,
    'org_1',
    {},
    { type: 'user' },
    { id: 'a' },
    { type: 'admin', id: 'a' },
    { type: 'user', id: '' },
  ],
  scopes: ['*', 'a:read', ['*'], ['a b'], [7], [null], { read: true }, [['a']], Array(1_001).fill('a')],
  enabled: [null, 1, 0, 'true', 'false', {}],
  version: [null, 0, -1, 1.5, '1', Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53],
  createdAt: [null, 0, '2026-03-01', new Date(Number.NaN), {}],
  updatedAt: [null, 0, '2026-03-01', new Date(Number.NaN)],
  createdBy: ['', 7, LONG, {}],
  lastUsedAt: [0, '2026-03-01', new Date(Number.NaN)],
  expiresAt: [0, 9e12, '2099', Number.NaN, new Date(Number.NaN), {}, false],
  notBefore: [0, '2020', new Date(Number.NaN), true],
  revokedAt: [0, false, '', '2026-03-01', new Date(Number.NaN), {}],
  revocationReason: ['', 7, 'a'.repeat(501)],
  rotatedAt: [0, '2026-03-01', new Date(Number.NaN)],
  metadata: ['{}', 7, [], { a: () => 1 }, { a: { b: Number.NaN } }, { big: 'a'.repeat(10_001) }],
  previous: [
    'old',
    7,
    {},
    { digest: digestOf('x') },
    { expiresAt: LATER },
    { digest: 'sha256:', expiresAt: LATER },
    { digest: digestOf('x'), expiresAt: 9e12 },
    { digest: digestOf('x'), expiresAt: LATER, lastUsedAt: 7 },
  ],
};

describe('a record with one member that is wrong', () => {
  test.each(Object.entries(WRONG))('is a fault and neither a key nor a refusal: %s', async (name, values) => {
    for (const value of values) {
      const { apiKeys, store, key } = await openBench();
      store.next(
        'findByDigest',
        spoils((record) => ({ ...record, [name]: value })),
      );
      expect([value, await outcomeOf(apiKeys.verify(key))]).toEqual([value, 'temporarily_unavailable']);
      expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
    }
  });

  test.each([
    'createdBy',
    'lastUsedAt',
    'expiresAt',
    'notBefore',
    'revokedAt',
    'rotatedAt',
    'previous',
    'scopes',
  ])('is whole where a member that may be absent is null: %s', async (name) => {
    const { apiKeys, store, key } = await openBench();
    store.next(
      'findByDigest',
      spoils((record) => ({ ...record, [name]: null })),
    );
    const verdict = await apiKeys.verify(key);
    expect(verdict.ok).toBe(true);
    if (name === 'scopes') expect(verdict.apiKey?.scopes).toEqual([]);
    else expect(verdict.apiKey).not.toHaveProperty(name);
  });

  test('has no scopes where they are absent, and never those of another', async () => {
    const { apiKeys, store, key } = await openBench();
    store.next(
      'findByDigest',
      spoils(({ scopes: _scopes, ...record }) => record),
    );
    expect((await apiKeys.verify(key)).apiKey?.scopes).toEqual([]);
  });

  test('hands on no member that nobody knows', async () => {
    const { apiKeys, store, key } = await openBench();
    store.next(
      'findByDigest',
      spoils((record) => ({ ...record, password: 'x', isAdmin: true, schema: 9 })),
    );
    const { apiKey } = await apiKeys.verify(key);
    for (const name of ['password', 'isAdmin', 'schema', 'digest', 'previous']) {
      expect(apiKey).not.toHaveProperty(name);
    }
  });

  test('whose getters throw, or that is a proxy that throws, is a fault', async () => {
    const { apiKeys, store, key } = await openBench();
    const thrower = (): never => {
      throw new Error('not readable');
    };
    store.next(
      'findByDigest',
      spoils((record) => Object.defineProperty({ ...record }, 'scopes', { enumerable: true, get: thrower })),
      spoils((record) => new Proxy(record, { get: thrower })),
      spoils((record) => new Proxy(record, { getOwnPropertyDescriptor: thrower })),
    );
    for (let times = 0; times < 3; times += 1) {
      expect(await outcomeOf(apiKeys.verify(key))).toBe('temporarily_unavailable');
    }
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
  });

  test('is copied once, so that a proxy that changes its mind changes nothing later', async () => {
    const { apiKeys, store, key } = await openBench();
    let reads = 0;
    store.next(
      'findByDigest',
      spoils(
        (record) =>
          new Proxy(record, {
            get(target, name, receiver) {
              if (name === 'enabled') reads += 1;
              return name === 'enabled' ? reads < 2 : Reflect.get(target, name, receiver);
            },
          }),
      ),
    );
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
    expect(reads).toBe(1);
  });
});
