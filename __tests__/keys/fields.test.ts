import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import {
  booleanProblem,
  idProblem,
  memberProblem,
  nameProblem,
  scopesProblem,
  textProblem,
  timeOf,
} from '../../lib/keys/fields.ts';

const ID_RULE = 'must be 1 to 255 visible ASCII characters';
const NAME_RULE = 'must be a text of 1 to 100 characters';
const UNICODE_RULE = 'must be well-formed Unicode without NUL';

describe('an id', () => {
  test.each(['1', 'org_1', '!', '~', '00000000-0000-7000-8000-000000000001', 'x'.repeat(255)])(
    'may be %s',
    (id) => {
      expect(idProblem(id)).toBeUndefined();
    },
  );

  test.each([
    ['empty', ''],
    ['of 256 characters', 'x'.repeat(256)],
    ['with a space', 'org 1'],
    ['with a space behind', 'org_1 '],
    ['with a line feed behind', 'org_1\n'],
    ['with DEL', 'org\x7F'],
    ['beyond ASCII', 'örg'],
    ['a number', 1],
    ['an array', ['org_1']],
    ['undefined', undefined],
  ])('must not be %s', (_, id) => {
    expect(idProblem(id)).toBe(ID_RULE);
  });
});

describe('a name', () => {
  test.each(['x', ' ', 'Ключ "1"', 'x'.repeat(100), '🗝'.repeat(100), 'line\nfeed'])('may be %j', (name) => {
    expect(nameProblem(name)).toBeUndefined();
  });

  test.each([
    ['empty', '', NAME_RULE],
    ['of 101 characters', 'x'.repeat(101), NAME_RULE],
    ['of 101 keys', '🗝'.repeat(101), NAME_RULE],
    ['a number', 1, NAME_RULE],
    ['an array', ['x'], NAME_RULE],
    ['an object that reads like a text', { toString: () => 'x' }, NAME_RULE],
    ['undefined', undefined, NAME_RULE],
    ['with NUL', 'a\0b', UNICODE_RULE],
    ['with half a surrogate pair', 'a\uD83D', UNICODE_RULE],
  ])('must not be %s', (_, name, problem) => {
    expect(nameProblem(name)).toBe(problem);
  });

  test('is one text among others, of which each has its own length', () => {
    expect(textProblem('x'.repeat(255), 255)).toBeUndefined();
    expect(textProblem('x'.repeat(256), 255)).toBe('must be a text of 1 to 255 characters');
  });
});

describe('a choice', () => {
  test.each(['live', 'test'])('may be %s', (value) => {
    expect(memberProblem(value, ['live', 'test'])).toBeUndefined();
  });

  test.each(['prod', 'LIVE', '', undefined, ['live']])('must not be %j', (value) => {
    expect(memberProblem(value, ['live', 'test'])).toBe('must be "live" or "test"');
  });
});

test.each([
  [true, undefined],
  [false, undefined],
  [1, 'must be true or false'],
  ['true', 'must be true or false'],
  [undefined, 'must be true or false'],
])('a boolean is true or false, so %j is: %s', (value, problem) => {
  expect(booleanProblem(value)).toBe(problem);
});

describe('a time', () => {
  test('is what a Date holds, of whatever realm', () => {
    expect(timeOf(new Date(123))).toBe(123);
    expect(timeOf(runInNewContext('new Date(456)'))).toBe(456);
  });

  test.each([
    ['an invalid Date', new Date(Number.NaN)],
    ['milliseconds', 123],
    ['a text', '2026-03-01T10:00:00Z'],
    ['an object with getTime()', { getTime: () => 123 }],
    ['null', null],
    ['undefined', undefined],
  ])('is not %s', (_, value) => {
    expect(timeOf(value)).toBeUndefined();
  });
});

describe('scopes', () => {
  test('may be none, and as many as 1,000', () => {
    expect(scopesProblem([])).toBeUndefined();
    expect(scopesProblem(Array.from({ length: 1_000 }, (_, i) => `scope:${i}`))).toBeUndefined();
  });

  test.each([
    ['a text', 'reports:read'],
    ['a set', new Set(['reports:read'])],
    ['an object with a length', { length: 0 }],
    ['undefined', undefined],
  ])('must not be %s', (_, value) => {
    expect(scopesProblem(value)).toEqual({ problem: 'must be an array of scopes' });
  });

  test('must not be 1,001', () => {
    expect(scopesProblem(Array.from({ length: 1_001 }, () => 'a'))).toEqual({
      problem: 'must be at most 1000 scopes',
    });
  });

  test.each([
    ['the first', ['a b', 'c'], 0],
    ['a later one', ['a', 'c', '*'], 2],
    ['a gap', Object.assign(new Array(3), { 0: 'a', 2: 'c' }), 1],
  ])('are told of by the index of %s that is wrong', (_, value, index) => {
    expect(scopesProblem(value)).toMatchObject({ index });
  });
});
