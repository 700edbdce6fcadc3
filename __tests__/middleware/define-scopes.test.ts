import { afterEach, describe, expect, test } from '@jest/globals';
import type { RequestHandler } from 'express';
import { apiKeyAuth, auditRoutes, defineScopes } from '../../lib/index.ts';
import { exchange } from '../support/exchange.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

const scopes = defineScopes({
  'reports:read': 'Read reports',
  'reports:write': 'Change reports',
  'files:read:own': 'Read the files of one user',
});

/** Whatever the types say. */
const define = (given: unknown) => (): unknown => defineScopes(given as Record<string, string>);
const anyScope = (scope: unknown) => scope as 'reports:read';

describe('the catalogue', () => {
  test('has the names in the order in which they were given, and says what each is for', () => {
    expect(scopes.names).toEqual(['reports:read', 'reports:write', 'files:read:own']);
    expect(scopes.describe('reports:write')).toBe('Change reports');
  });

  test('makes guards that say what they demand, and covers what a key was granted', () => {
    const made = defineScopes({ 'reports:read': 'Read reports', 'reports:write': 'Change reports' });
    const app = expressVersions[0]?.express() as ReturnType<Express>;
    app.get('/all', made.requireScope('reports:read', 'reports:write'), () => undefined);
    app.get('/any', made.requireAnyScope('reports:read', 'reports:write'), () => undefined);
    const scopes = ['reports:read', 'reports:write'];

    expect(auditRoutes(app).map(({ guards }) => guards)).toEqual([
      [{ name: 'requireScope', scopes }],
      [{ name: 'requireAnyScope', scopes }],
    ]);
    expect(made.coveredBy(['reports:*'])).toEqual(scopes);
  });

  test('cannot be changed', () => {
    expect(Object.isFrozen(scopes)).toBe(true);
    expect(Object.isFrozen(scopes.names)).toBe(true);
  });

  test('does not follow later changes of the object that it was made of', () => {
    const given: Record<string, string> = { 'reports:read': 'Read reports' };
    const made = defineScopes(given);
    given['reports:write'] = 'Change reports';
    expect(made.names).toEqual(['reports:read']);
  });

  test.each<[granted: string[], covered: string[]]>([
    [['reports:read'], ['reports:read']],
    [['reports:*'], ['reports:read', 'reports:write']],
    [
      ['files:*', 'reports:write'],
      ['reports:write', 'files:read:own'],
    ],
    [['files:read:*'], ['files:read:own']],
    [['invoices:read'], []],
    [[], []],
  ])('%j covers %j of it', (granted, covered) => {
    expect(scopes.coveredBy(granted)).toEqual(covered);
  });
});

test.each<[unknown, string]>([
  [undefined, 'defineScopes: scopes must be an object of scopes and what each is for, but got undefined'],
  [
    ['reports:read'],
    'defineScopes: scopes must be an object of scopes and what each is for, but got an array of 1',
  ],
  [{}, "defineScopes: name 1 to 1000 scopes, as in { 'reports:read': 'Read reports' }"],
  [
    { 'reports:*': 'All' },
    'defineScopes: a scope must not hold "*": a route demands one thing, but got "reports:*"',
  ],
  [
    { 'read reports': 'Read reports' },
    'defineScopes: a scope must be 1 to 128 visible ASCII characters without space, quote or backslash (RFC 6749 section 3.3), but got "read reports"',
  ],
  [
    { 'reports:read': '' },
    'defineScopes: what "reports:read" is for must be a text of 1 to 500 characters, but got ""',
  ],
  [
    { 'reports:read': true },
    'defineScopes: what "reports:read" is for must be a text of 1 to 500 characters, but got true',
  ],
])('a catalogue of %j is refused', (given, message) => {
  expect(define(given)).toThrow(new TypeError(message));
});

describe('a guard of the catalogue is refused when it is built', () => {
  const known = 'known: reports:read, reports:write, files:read:own';
  test.each<[string, () => unknown, string]>([
    [
      'a misspelt scope',
      () => scopes.requireScope(anyScope('reports:raed')),
      'requireScope: unknown scope "reports:raed"; did you mean "reports:read"?',
    ],
    [
      'a misspelt scope beside a right one',
      () => scopes.requireAnyScope('reports:read', anyScope('report:write')),
      'requireAnyScope: unknown scope "report:write"; did you mean "reports:write"?',
    ],
    [
      'a scope that is like none',
      () => scopes.requireScope(anyScope('x')),
      `requireScope: unknown scope "x"; ${known}`,
    ],
    [
      'a scope with a star',
      () => scopes.requireScope(anyScope('reports:*')),
      `requireScope: unknown scope "reports:*"; ${known}`,
    ],
    [
      'what is no text',
      () => scopes.requireScope(anyScope(['reports:read'])),
      'give the scopes as arguments',
    ],
    ['nothing', () => (scopes.requireScope as () => unknown)(), 'name at least one scope'],
    [
      'a description that is asked for by another name',
      () => scopes.describe(anyScope('report:read')),
      'defineScopes: describe: unknown scope "report:read"; did you mean "reports:read"?',
    ],
  ])('for %s', (_, build, message) => {
    expect(build).toThrow(TypeError);
    expect(build).toThrow(message);
  });

  test('and names no more than 20 of a long catalogue', () => {
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`area${i}:read`, 'x']));
    const long = defineScopes(many);
    expect(() => long.requireScope('z')).toThrow(/area19:read and 5 more$/);
  });
});

describe.each(expressVersions)('guards of the catalogue on $name', ({ express }) => {
  test.each<[number, string[], RequestHandler]>([
    [200, ['reports:read'], scopes.requireScope('reports:read')],
    [200, ['reports:*'], scopes.requireScope('reports:read', 'reports:write')],
    [403, ['reports:read'], scopes.requireScope('reports:read', 'reports:write')],
    [200, ['reports:read'], scopes.requireAnyScope('reports:read', 'reports:write')],
    [403, ['files:*'], scopes.requireAnyScope('reports:read', 'reports:write')],
  ])('answer %i to a key with %j', async (status, granted, guard) => {
    expect(await statusOf(express, granted, guard)).toBe(status);
  });
});

async function statusOf(express: Express, granted: string[], guard: RequestHandler): Promise<number> {
  const { apiKeys, key } = await openKeys({ scopes }, { scopes: granted });
  const app = express();
  app.get('/', apiKeyAuth(apiKeys), guard, (_req, res) => void res.send('let pass'));
  return (await exchange(app, [`X-API-Key: ${key}`])).status;
}

test('the names are known to the compiler', () => {
  const names: readonly ('reports:read' | 'reports:write' | 'files:read:own')[] = scopes.names;
  expect(names).toHaveLength(3);
  const wrong = () => {
    // @ts-expect-error: a name that is not in the catalogue
    scopes.requireScope('reports:raed');
    // @ts-expect-error: the same
    scopes.requireAnyScope('reports:read', 'reports:*');
    // @ts-expect-error: at least one
    scopes.requireScope();
    // @ts-expect-error: the same name as the compiler knows
    scopes.describe('reports');
    // @ts-expect-error: every scope says what it is for
    defineScopes({ 'reports:read': undefined });
  };
  expect(wrong).toThrow(TypeError);
});
