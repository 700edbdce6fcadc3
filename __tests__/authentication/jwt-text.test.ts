import { expect, test } from '@jest/globals';
import { isJwt, readJwt } from '../../lib/authentication/jwt-text.ts';

const base64url = (text: string): string => Buffer.from(text).toString('base64url');
const HEADER = base64url('{"alg":"ES256"}');

/** What a token says whose payload is this text. */
const payloadOf = (json: string): unknown => readJwt(`${HEADER}.${base64url(json)}.AAAA`)?.payload;

test.each<[string, [string, unknown][]]>([
  ['{}', []],
  [
    '{"a":1,"b":{"a":[{"c":2}]}}',
    [
      ['a', 1],
      ['b', { a: [{ c: 2 }] }],
    ],
  ],
  [' {"a:b" : "{\\"c\\":1}"}\n', [['a:b', '{"c":1}']]],
])('%s is read', (json, members) => {
  expect([...(payloadOf(json) as ReadonlyMap<string, unknown>)]).toEqual(members);
});

test.each([
  ['a number', '5'],
  ['true', 'true'],
  ['null', 'null'],
  ['a text', '"a"'],
  ['an empty text', '""'],
  ['a list', '[]'],
  ['a list of one', '[1]'],
  ['nothing', ''],
  ['no JSON', '{'],
  ['a mark of the byte order first', '\uFEFF{"a":1}'],
  ['two members of one name', '{"a":1,"a":1}'],
  ['two members of one name, in two spellings', '{"a":1,"\\u0061":1}'],
])('%s is no payload, nor a header', (_, json) => {
  expect(payloadOf(json)).toBeUndefined();
  expect(readJwt(`${base64url(json)}.${HEADER}.AAAA`)).toBeUndefined();
});

test('bytes that are no UTF-8 are no payload', () => {
  const bytes = Buffer.from([...Buffer.from('{"a":"'), 0xff, ...Buffer.from('"}')]);
  expect(readJwt(`${HEADER}.${bytes.toString('base64url')}.AAAA`)).toBeUndefined();
});

test('a text of three parts of base64url, the first an object, has the shape', () => {
  const texts = ['eyJh.AA.AA', 'eyJh.AA', 'eyJh.AA.AA.AA', 'eyJh.AB.AA', 'eyKh.AA.AA', 'eyJh.AA=.AA'];
  expect(texts.map(isJwt)).toEqual([true, false, false, false, false, false]);
});
