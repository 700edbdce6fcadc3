import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { coversScope, grantedScopeProblem, requiredScopeProblem } from '../../lib/keys/scopes.ts';

const TOKEN_RULE =
  'must be 1 to 128 visible ASCII characters without space, quote or backslash (RFC 6749 section 3.3)';
const anyScope = fc.stringMatching(/^[!#-)+-[\]-~]{1,40}$/).filter((scope) => scope !== '__proto__');

describe('covering a scope', () => {
  test.each([
    [['reports:read'], 'reports:read', true],
    [['reports:read'], 'reports:write', false],
    [['reports:read'], 'reports:rea', false],
    [['reports:read'], 'reports:read:own', false],
    [['Reports:read'], 'reports:read', false],
    [['reports'], 'reports:read', false],
    [['reports:*'], 'reports:read', true],
    [['reports:*'], 'reports:read:own', true],
    [['reports:*'], 'reports', false],
    [['reports:*'], 'reports:', false],
    [['reports:*'], 'reportsx:read', false],
    [['reports:*'], 'Reports:read', false],
    [['reports:read:*'], 'reports:read', false],
    [['reports:read:*'], 'reports:read:own', true],
    [['reports:read:*'], 'reports:write:own', false],
    [['users:read', 'reports:*'], 'reports:read', true],
    [['users:read', 'reports:*'], 'users:write', false],
    [['*'], 'reports:read', false],
    [['reports*'], 'reports:read', false],
  ])('with %j granted, %s is covered: %s', (granted, required, covered) => {
    expect(coversScope(granted, required)).toBe(covered);
  });

  test('never happens where nothing is granted', () => {
    fc.assert(fc.property(anyScope, (required) => expect(coversScope([], required)).toBe(false)));
  });

  test('holds for the same text, and for all below a ":*"', () => {
    fc.assert(
      fc.property(anyScope, anyScope, (stem, rest) => {
        expect(coversScope([stem], stem)).toBe(true);
        expect(coversScope([`${stem}:*`], `${stem}:${rest}`)).toBe(true);
        expect(coversScope([`${stem}:*`], stem)).toBe(false);
      }),
    );
  });

  test('never reaches past the stem of what is granted', () => {
    fc.assert(
      fc.property(anyScope, anyScope, (stem, required) => {
        fc.pre(!required.startsWith(`${stem}:`));
        expect(coversScope([`${stem}:*`], required)).toBe(false);
      }),
    );
  });
});

describe('a scope that a key holds', () => {
  test.each([
    'a',
    'reports:read',
    'reports:*',
    'a:b:*',
    'https://api.example/x',
    'x'.repeat(128),
    "o'k",
    '!',
  ])('may be %s', (scope) => {
    expect(grantedScopeProblem(scope)).toBeUndefined();
  });

  test.each([
    ['empty', '', TOKEN_RULE],
    ['with a space', 'reports read', TOKEN_RULE],
    ['with a quote', 'reports"', TOKEN_RULE],
    ['with a backslash', 'reports\\', TOKEN_RULE],
    ['with a line feed', 'reports\n', TOKEN_RULE],
    ['with DEL', 'reports\x7F', TOKEN_RULE],
    ['beyond ASCII', 'räports', TOKEN_RULE],
    ['of 129 characters', 'x'.repeat(129), TOKEN_RULE],
    ['a number', 1, TOKEN_RULE],
    ['undefined', undefined, TOKEN_RULE],
    ['an array', ['reports:read'], TOKEN_RULE],
    ['__proto__', '__proto__', 'must not be "__proto__"'],
    ['constructor', 'constructor', 'must not be "constructor"'],
    ['prototype', 'prototype', 'must not be "prototype"'],
  ])('must not be %s', (_, scope, problem) => {
    expect(grantedScopeProblem(scope)).toBe(problem);
    expect(requiredScopeProblem(scope)).toBe(problem);
  });

  test.each(['*', ':*', 'reports*', '*:read', 'reports:*:read', 'reports:**', '*reports', 'a:*:*'])(
    'must not have its star as in %s',
    (scope) => {
      expect(grantedScopeProblem(scope)).toBe(
        'may hold "*" only as its end, after a colon, as in "reports:*"',
      );
    },
  );
});

describe('a scope that a route demands', () => {
  test('has the same grammar', () => {
    fc.assert(
      fc.property(anyScope, (scope) => {
        fc.pre(grantedScopeProblem(scope) === undefined);
        expect(requiredScopeProblem(scope)).toBeUndefined();
      }),
    );
  });

  test.each(['*', 'reports:*', 'a*b'])('must not hold a star, as %s does', (scope) => {
    expect(requiredScopeProblem(scope)).toBe('must not hold "*": a route demands one thing');
  });
});
