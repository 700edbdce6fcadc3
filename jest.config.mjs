import { availableParallelism } from 'node:os';

export default {
  testEnvironment: 'node',
  // More than there are cores: some files do little but wait, for a watch, a deadline or a server.
  maxWorkers: Math.ceil(1.5 * availableParallelism()),
  testSequencer: '<rootDir>/scripts/longest-first.mjs',
  // On a busy machine; no test waits for this long by itself.
  testTimeout: 120_000,
  roots: ['<rootDir>/__tests__'],
  testMatch: ['**/*.test.ts'],
  // Database servers start when a test first asks for one.
  globalSetup: '<rootDir>/scripts/test-servers-setup.mjs',
  globalTeardown: '<rootDir>/scripts/test-servers-teardown.mjs',
  // The package by its own name, as examples and documents write it.
  moduleNameMapper: {
    '^keystile$': '<rootDir>/lib/index.ts',
    '^keystile/bcrypt$': '<rootDir>/lib/authentication/bcrypt-secrets.ts',
    '^keystile/dialects$': '<rootDir>/lib/dialects.ts',
    '^keystile/jwt$': '<rootDir>/lib/jwt.ts',
    '^keystile/management$': '<rootDir>/lib/management/management-router.ts',
    '^keystile/stores/redis$': '<rootDir>/lib/stores/redis-key-store.ts',
    '^keystile/stores/sql$': '<rootDir>/lib/stores/sql-key-store.ts',
    '^keystile/testing$': '<rootDir>/lib/testing.ts',
  },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  coverageProvider: 'v8',
  collectCoverageFrom: ['lib/**/*.ts'],
};
