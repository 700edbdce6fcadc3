import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { copyMetadata, type Json } from '../../lib/keys/metadata.ts';

/** As JSON has it: no name that is refused, and no -0, which JSON writes as 0. */
const anyMetadata = fc
  .dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 5 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, Json>)
  .filter((value) => !/"(?:__proto__|constructor|prototype|toJSON)":/.test(JSON.stringify(value)));

function nested(levels: number): Record<string, unknown> {
  let value: Record<string, unknown> = {};
  for (let level = 1; level < levels; level += 1) value = { in: value };
  return value;
}

function frozenToTheBottom(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(frozenToTheBottom);
}

describe('a copy of metadata', () => {
  test('is equal to what JSON makes of it, and frozen to the bottom', () => {
    fc.assert(
      fc.property(anyMetadata, (value) => {
        fc.pre(JSON.stringify(value).length < 3_000);
        const { copy, problem } = copyMetadata(value) as Partial<{ copy: object; problem: string }>;
        expect(problem).toBeUndefined();
        expect(copy).toEqual(value);
        expect(frozenToTheBottom(copy)).toBe(true);
      }),
    );
  });

  test('does not change with the original', () => {
    const value = { plan: { name: 'pro' }, tags: ['a'] };
    const result = copyMetadata(value);
    value.plan.name = 'free';
    value.tags.push('b');
    expect(result).toEqual({ copy: { plan: { name: 'pro' }, tags: ['a'] } });
  });

  test.each([
    ['nothing', {}],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['an object of another realm', runInNewContext('({ a: [{ b: null }] })')],
  ])('can be made of %s', (_, value) => {
    expect(copyMetadata(value)).toEqual({ copy: { ...value } });
  });

  test('holds no inherited member', () => {
    const result = copyMetadata(JSON.parse('{"a":1}'));
    expect(Object.keys((result as { copy: object }).copy)).toEqual(['a']);
    expect(copyMetadata(Object.create({ admin: true }))).toMatchObject({ pointer: '' });
  });
});

describe('metadata that is refused', () => {
  class Point {
    x = 1;
  }

  test.each([
    ['null', null],
    ['an array', []],
    ['a text', 'x'],
    ['undefined', undefined],
    ['a Map', new Map()],
    ['a Date', new Date(0)],
    ['an instance of a class', new Point()],
  ])('is %s in place of an object', (_, value) => {
    expect(copyMetadata(value)).toEqual({ pointer: '', problem: 'must be an object' });
  });

  test.each([
    ['a Date', new Date(0)],
    ['a Map', new Map()],
    ['an instance of a class', new Point()],
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a bigint', 1n],
    ['NaN', Number.NaN],
    ['an infinite number', Number.POSITIVE_INFINITY],
  ])('holds %s, which JSON cannot', (_, value) => {
    expect(copyMetadata({ a: [1, { b: value }] })).toEqual({
      pointer: '/a/1/b',
      problem: 'must be a JSON value',
    });
  });

  test('has a gap in an array', () => {
    expect(copyMetadata({ a: Object.assign(new Array(3), { 0: 1, 2: 3 }) })).toEqual({
      pointer: '/a/1',
      problem: 'must be a JSON value',
    });
  });

  test.each(['__proto__', 'constructor', 'prototype', 'toJSON'])('has a member named %s', (name) => {
    const value = JSON.parse(`{"a":{"${name}":{}}}`);
    expect(copyMetadata(value)).toEqual({ pointer: `/a/${name}`, problem: `must not be named "${name}"` });
  });

  test('is told of by a JSON pointer, in which ~ and / are escaped', () => {
    expect(copyMetadata({ 'a/b~c': Number.NaN })).toMatchObject({ pointer: '/a~1b~0c' });
  });

  test.each([
    ['value', { a: 'x\uD83D' }, '/a'],
    ['name', { 'x\uD83D': 1 }, ''],
  ])('has half a surrogate pair in a %s', (_, value, pointer) => {
    expect(copyMetadata(value)).toEqual({ pointer, problem: 'must be well-formed Unicode' });
  });

  test('is one array that stands in another many times over, before all of it is copied', () => {
    let tower: unknown[] = ['x'];
    for (let level = 0; level < 14; level += 1) tower = Array.from({ length: 12 }, () => tower);
    expect(copyMetadata({ tower })).toEqual({ pointer: '', problem: 'must be at most 10000 bytes as JSON' });
  });

  test('is not what a getter throws: that is thrown on', () => {
    const broken = {
      get a(): never {
        throw new RangeError('broken');
      },
    };
    expect(() => copyMetadata(broken)).toThrow('broken');
  });

  test('is more than 16 levels deep, or circular', () => {
    expect(copyMetadata(nested(16))).toEqual({ copy: nested(16) });
    expect(copyMetadata(nested(17))).toEqual({
      pointer: '/in'.repeat(16),
      problem: 'must be at most 16 levels deep',
    });
    const circle: Record<string, unknown> = {};
    circle['in'] = circle;
    expect(copyMetadata(circle)).toMatchObject({ problem: 'must be at most 16 levels deep' });
  });

  test('is more than 10,000 bytes as JSON, whatever the number of characters', () => {
    const around = '{"a":""}'.length;
    expect(copyMetadata({ a: 'x'.repeat(10_000 - around) })).toHaveProperty('copy');
    expect(copyMetadata({ a: 'x'.repeat(10_001 - around) })).toEqual({
      pointer: '',
      problem: 'must be at most 10000 bytes as JSON, and is 10001',
    });
    expect(copyMetadata({ a: 'ä'.repeat(5_000) })).toMatchObject({ pointer: '' });
  });
});
