import { expect, test } from '@jest/globals';
import * as dialects from '../lib/dialects.ts';
import * as main from '../lib/index.ts';
import * as management from '../lib/management/management-router.ts';
import * as sql from '../lib/stores/sql-key-store.ts';
import * as testing from '../lib/testing.ts';

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
      'assertGuarded',
      'auditRoutes',
      'createApiKeys',
      'defineScopes',
      'foreignKeys',
      'getApiKey',
      'keyPairs',
      'keyRecord',
      'requireAnyScope',
      'requireEnvironment',
      'requireOrganization',
      'requireScope',
      'secretScanningPattern',
    ],
  ],
  [
    'keystile/dialects',
    dialects,
    ['endor', 'gmi', 'introspection', 'pluto', 'plutoKeys', 'timbrix', 'validateRouter', 'workos'],
  ],
  ['keystile/management', management, ['managementRouter', 'openApiDocument', 'securitySchemes']],
  ['keystile/stores/sql', sql, ['SqlKeyStore']],
  ['keystile/testing', testing, ['actingAs', 'fakeClock', 'faultStore', 'keyStoreCases', 'testKey']],
])('%s exports these names and no other', (_, door, names) => {
  expect(Object.keys(door).sort()).toEqual(names);
  for (const name of names) expect(typeof (door as Record<string, unknown>)[name]).toBe('function');
});
