import { expect, test } from '@jest/globals';
import * as main from '../lib/index.ts';
import * as sql from '../lib/stores/sql-key-store.ts';
import * as testing from '../lib/testing/key-store-cases.ts';

test.each([
  [
    'keystile',
    main,
    [
      'ApiKeyError',
      'ConflictError',
      'DuplicateKeyError',
      'InvalidInputError',
      'KeyNotFoundError',
      'MemoryKeyStore',
      'StoreUnavailableError',
      'apiKeyAuth',
      'createApiKeys',
      'foreignKeys',
      'getApiKey',
      'keyPairs',
      'keyRecord',
      'requireAnyScope',
      'requireEnvironment',
      'requireOrganization',
      'requireScope',
    ],
  ],
  ['keystile/stores/sql', sql, ['SqlKeyStore']],
  ['keystile/testing', testing, ['keyStoreCases']],
])('%s exports these names and no other', (_, door, names) => {
  expect(Object.keys(door).sort()).toEqual(names);
  for (const name of names) expect(typeof (door as Record<string, unknown>)[name]).toBe('function');
});
