import { describe, expect, test } from '@jest/globals';
import { readClaims, readHeader } from '../../lib/authentication/jwt-claims.ts';

const headerOf = (members: object) => readHeader(new Map(Object.entries(members)));

describe('a header', () => {
  const own = { alg: 'ES256', typ: 'apikey+jwt', kid: 'k1' };

  test('names its key and its algorithm', () => {
    expect(headerOf(own)).toEqual({ alg: 'ES256', kid: 'k1' });
  });

  test.each<[string, object]>([
    ['with one more', { ...own, x: 1 }],
    ['with another in the place of alg', { x: 'ES256', typ: own.typ, kid: 'k1' }],
    ['with another in the place of kid', { alg: 'ES256', typ: own.typ, x: 'k1' }],
    ['with another in the place of typ', { alg: 'ES256', x: own.typ, kid: 'k1' }],
    ['with an alg that is no text', { ...own, alg: ['ES256'] }],
    ['with a kid that is no text', { ...own, kid: 1 }],
    ['with another typ', { ...own, typ: 'JWT' }],
    ['with none', {}],
  ])('of three members and no others: not %s', (_, members) => {
    expect(headerOf(members)).toBeUndefined();
  });
});

describe('claims', () => {
  const rules = { issuer: 'us', audience: 'api', maxLifetimeMs: Number.MAX_SAFE_INTEGER };
  const own = { iss: 'us', aud: 'api', sub: 'key_1', jti: 'key_1', iat: 100, exp: 200 };
  const LAST_SECOND = 8_640_000_000_000;
  const read = (members: object, now = 150_000) =>
    readClaims(new Map(Object.entries({ ...own, ...members })), rules, now);

  test.each<[string, object]>([
    ['those of a key', {}],
    ['the earliest time there is', { iat: 0 }],
    ['the last time there is', { exp: LAST_SECOND }],
    ['nbf at last', { nbf: 150 }],
    ['nbf at first', { nbf: 0 }],
  ])('are read: %s', (_, members) => {
    const { jti: id, iat, exp } = { ...own, ...members };
    expect(read(members)).toEqual({ id, iat, exp });
  });

  test.each<[string, object]>([
    ['no id', { jti: undefined, sub: undefined }],
    ['an id that is a number', { jti: 5, sub: 5 }],
    ['an empty id', { jti: '', sub: '' }],
    ['an id with a space', { jti: 'key 1', sub: 'key 1' }],
    ['another subject', { sub: 'key_2' }],
    ['another issuer', { iss: 'them' }],
    ['another audience', { aud: ['api'] }],
    ['a claim that nobody knows', { scope: 'all' }],
    ['a time before all', { iat: -1 }],
    ['a time after all', { exp: LAST_SECOND + 1 }],
    ['half a second', { iat: 100.5 }],
    ['a time as a text', { exp: '200' }],
    ['nbf to come', { nbf: 151 }],
    ['nbf before all', { nbf: -1 }],
    ['nbf of no time', { nbf: null }],
    ['an end that is its beginning', { exp: 100 }],
    ['a beginning to come', { iat: 156 }],
  ])('are not read: %s', (_, members) => {
    expect(read(members)).toBeUndefined();
  });

  test('are not read by a clock that tells no time', () => {
    expect(read({}, Number.NaN)).toBeUndefined();
  });
});
