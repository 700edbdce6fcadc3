import { afterEach, describe, expect, test } from '@jest/globals';
import { defineScopes, type ImportInput, type InvalidInputError, MemoryKeyStore } from '../../lib/index.ts';
import { closeOpenedKeys, KEY_INPUT, openKeys } from '../support/open-keys.ts';
import { buildRecord, digestOf, idOf } from '../support/records.ts';

afterEach(closeOpenedKeys);

const scopes = defineScopes({ 'reports:read': 'Read reports', 'files:read:own': 'Read own files' });

async function problemOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'taken';
  } catch (error) {
    const { field, message, code } = error as InvalidInputError;
    expect(code).toBe('invalid_request');
    return `${field}: ${message}`;
  }
}

const CASES: [given: string[], outcome: string][] = [
  [[], 'taken'],
  [['reports:read'], 'taken'],
  [['reports:*', 'files:*', 'files:read:*'], 'taken'],
  [['reports:raed'], '/scopes/0: /scopes/0 is no scope of this application; did you mean "reports:read"?'],
  [
    ['reports:read', 'reports:read', 'report:read'],
    '/scopes/2: /scopes/2 is no scope of this application; did you mean "reports:read"?',
  ],
  [
    ['invoices:*'],
    '/scopes/0: /scopes/0 is no scope of this application; known: reports:read, files:read:own',
  ],
  [['reports:read:*'], '/scopes/0: /scopes/0 is no scope of this application; did you mean "reports:read"?'],
];

describe('with a catalogue of scopes', () => {
  test.each(CASES)('create() of a key with %j: %s', async (given, outcome) => {
    const { apiKeys } = await openKeys({ scopes });
    expect(await problemOf(apiKeys.create({ ...KEY_INPUT, scopes: given }))).toBe(outcome);
  });

  test.each(CASES)('update() of a key to %j: %s', async (given, outcome) => {
    const { apiKeys, apiKey } = await openKeys({ scopes });
    expect(await problemOf(apiKeys.update(apiKey.id, { scopes: given }))).toBe(outcome);
    const { scopes: kept } = (await apiKeys.get(apiKey.id)) ?? {};
    expect(kept).toEqual(outcome === 'taken' ? given : ['reports:read']);
  });

  test('import() reports such a key, and the rest goes on', async () => {
    const { apiKeys } = await openKeys({ scopes });
    const inputs: ImportInput[] = [['reports:read'], ['invoices:*']].map((granted, index) => ({
      ...KEY_INPUT,
      id: idOf(index + 1),
      digest: digestOf(`old key ${index}`),
      randomBits: 128,
      scopes: granted,
    }));
    expect(await apiKeys.import(inputs)).toMatchObject({
      imported: 1,
      rejected: [{ index: 1, field: '/scopes/0' }],
    });
  });

  test('a key that has another scope already keeps it, works, and may be renamed and rotated', async () => {
    const store = new MemoryKeyStore([buildRecord(1, { scopes: ['invoices:read'] })]);
    const { apiKeys } = await openKeys({ scopes, store });
    const renamed = await apiKeys.update(idOf(1), { name: 'Renamed' });
    const { key } = await apiKeys.rotate(idOf(1));
    expect(renamed.scopes).toEqual(['invoices:read']);
    expect(await apiKeys.verify(key)).toMatchObject({ ok: true, apiKey: { scopes: ['invoices:read'] } });
  });

  test('no message holds what was given, which may be a key in the wrong place', async () => {
    const { apiKeys, key } = await openKeys({ scopes });
    const outcome = await problemOf(apiKeys.create({ ...KEY_INPUT, scopes: [key] }));
    expect(outcome).toMatch(/^\/scopes\/0/);
    expect(outcome).not.toContain(key.slice(0, 14));
  });
});

test('without a catalogue any scope is taken', async () => {
  const { apiKeys } = await openKeys();
  expect(await problemOf(apiKeys.create({ ...KEY_INPUT, scopes: ['invoices:*'] }))).toBe('taken');
});

test.each<[unknown, string]>([
  [['reports:read'], 'createApiKeys: scopes must be what defineScopes() answered, but got an array of 1'],
  [
    { 'reports:read': 'Read reports' },
    'createApiKeys: scopes must be what defineScopes() answered, but got an object',
  ],
  [null, 'createApiKeys: scopes must be what defineScopes() answered, but got null'],
  [
    { names: ['a*'], describe: () => 'x' },
    'createApiKeys: scopes: a scope must not hold "*": a route demands one thing, but got "a*"',
  ],
])('a catalogue that is %j is refused', async (given, message) => {
  await expect(openKeys({ scopes: given as typeof scopes })).rejects.toThrow(new TypeError(message));
});
