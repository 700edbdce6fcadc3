import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  canonicalDigest,
  createDigester,
  isDigest,
  sameDigest,
  sha256,
  sha256Characters,
} from '../../lib/keys/digest.ts';

const SHA256_OF_ABC = 'sha256:ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0';
const SECRET = 'a pepper of more than thirty-two bytes';

/** The form that a digest has, without the image. */
const formsOf = (digests: readonly string[]): string[] =>
  digests.map((one) => one.replace(/:[\w-]{43}$/, ''));

describe('a digest without peppers', () => {
  test('is the SHA-256 of the text, as FIPS 180 has it', () => {
    expect(createDigester([], true).newestOf('abc')).toBe(SHA256_OF_ABC);
    expect(`sha256:${sha256('abc')}`).toBe(SHA256_OF_ABC);
  });

  test.each([true, false])('is the only one, with acceptPlainDigests %s', (acceptPlainDigests) => {
    expect(createDigester([], acceptPlainDigests).digestsOf('abc')).toEqual([SHA256_OF_ABC]);
  });
});

describe('a digest with peppers', () => {
  test('is the HMAC of the text, as RFC 4231 has it (case 2)', () => {
    const image = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
    const digester = createDigester([{ id: 'p-1', secret: 'Jefe' }], true);
    expect(digester.newestOf('what do ya want for nothing?')).toBe(
      `hmac-sha256:p-1:${Buffer.from(image, 'hex').toString('base64url')}`,
    );
  });

  const peppers = [
    { id: 'new', secret: `${SECRET} 3` },
    { id: 'mid', secret: `${SECRET} 2` },
    { id: 'old', secret: `${SECRET} 1` },
  ];

  test('comes newest pepper first, then the older ones, then the plain form', () => {
    const digests = createDigester(peppers, true).digestsOf('abc');
    expect(formsOf(digests)).toEqual(['hmac-sha256:new', 'hmac-sha256:mid', 'hmac-sha256:old', 'sha256']);
    expect(digests[3]).toBe(SHA256_OF_ABC);
    expect(new Set(digests).size).toBe(4);
  });

  test('leaves out the plain form where that is not accepted', () => {
    const digests = createDigester(peppers, false).digestsOf('abc');
    expect(formsOf(digests)).toEqual(['hmac-sha256:new', 'hmac-sha256:mid', 'hmac-sha256:old']);
  });

  test('is kept under the newest pepper', () => {
    const digester = createDigester(peppers, true);
    expect(digester.newestOf('abc')).toBe(digester.digestsOf('abc')[0]);
  });

  test('is the same for a secret as text and as bytes', () => {
    const asText = createDigester([{ id: 'p', secret: SECRET }], false);
    const asBytes = createDigester([{ id: 'p', secret: Buffer.from(SECRET) }], false);
    expect(asBytes.newestOf('abc')).toBe(asText.newestOf('abc'));
  });

  test('does not change when the bytes of the secret are wiped afterwards', () => {
    const secret = Buffer.from(SECRET);
    const digester = createDigester([{ id: 'p', secret }], false);
    const before = digester.newestOf('abc');
    secret.fill(0);
    expect(digester.newestOf('abc')).toBe(before);
  });

  test('is another under another secret', () => {
    const [one, other] = ['1', '2'].map((end) => createDigester([{ id: 'p', secret: SECRET + end }], false));
    expect(one?.newestOf('abc')).not.toBe(other?.newestOf('abc'));
  });
});

test('a SHA-256 as characters has one for each byte', () => {
  const image = Buffer.from(SHA256_OF_ABC.slice('sha256:'.length), 'base64url');
  expect(sha256Characters('abc')).toBe(String.fromCharCode(...image));
});

describe('the one spelling of a digest', () => {
  const bytes = (length: number) => Buffer.alloc(length, 0xfb);

  test.each([
    ['sha256', 32],
    ['sha512', 64],
  ])('of %s is base64url', (name, length) => {
    const image = bytes(length);
    const ours = `${name}:${image.toString('base64url')}`;
    const [hex, base64] = [image.toString('hex'), image.toString('base64')];
    for (const other of [
      hex,
      hex.toUpperCase(),
      base64,
      base64.replace(/=+$/, ''),
      image.toString('base64url'),
    ]) {
      expect(canonicalDigest(`${name}:${other}`)).toBe(ours);
    }
  });

  test('is that of base64, also where each of its characters could be one of hex', () => {
    expect(canonicalDigest(`sha256:${'a'.repeat(42)}b`)).toBe(`sha256:${'a'.repeat(42)}Y`);
  });

  const hex = bytes(32).toString('hex');

  test.each([
    '',
    'sha256:',
    hex,
    `md5:${hex}`,
    `xsha256:${hex}`,
    `sha256:${hex} `,
    `sha256:${hex}\n`,
    `sha256:${hex.slice(2)}`,
    `sha256:${hex}00`,
    `sha256:${'g'.repeat(64)}`,
    `sha512:${hex}`,
    `sha256:${bytes(64).toString('hex')}`,
    `sha256:${bytes(31).toString('base64')}`,
    `sha256:${bytes(33).toString('base64url')}`,
    `hmac-sha256:p1:${bytes(32).toString('base64')}`,
  ])('is not looked for in %j', (text) => {
    expect(canonicalDigest(text)).toBe(text);
  });
});

describe('the forms of digests', () => {
  const bcrypt = (start: string): string => `bcrypt:${start}${'.'.repeat(53)}`;

  test('include every digest that is made here', () => {
    const digester = createDigester([{ id: 'p', secret: SECRET }], true);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(digester.digestsOf(text).every(isDigest)).toBe(true);
      }),
    );
  });

  test.each([
    SHA256_OF_ABC,
    `sha512:${'A'.repeat(86)}`,
    `hmac-sha256:p-1:${'A'.repeat(43)}`,
    `hmac-sha256:${'a'.repeat(32)}:${'A'.repeat(43)}`,
    bcrypt('$2a$04$'),
    bcrypt('$2b$10$'),
    bcrypt('$2y$14$'),
    'jwt:0190-abc:1767225600000',
  ])('include %s', (digest) => {
    expect(isDigest(digest)).toBe(true);
  });

  test.each([
    ['an empty text', ''],
    ['a number', 1],
    ['undefined', undefined],
    ['an array that reads like one', [SHA256_OF_ABC]],
    ['no form', 'A'.repeat(43)],
    ['an unknown form', `md5:${'A'.repeat(22)}`],
    ['a form in capitals', SHA256_OF_ABC.replace('sha', 'SHA')],
    ['an image that is too short', `sha256:${'A'.repeat(42)}`],
    ['an image that is too long', `sha256:${'A'.repeat(44)}`],
    ['base64 that is not base64url', `sha256:${'A'.repeat(42)}+`],
    ['a pepper id in capitals', `hmac-sha256:P:${'A'.repeat(43)}`],
    ['a pepper id of 33 characters', `hmac-sha256:${'a'.repeat(33)}:${'A'.repeat(43)}`],
    ['no pepper id', `hmac-sha256::${'A'.repeat(43)}`],
    ['bcrypt of cost 3', bcrypt('$2b$03$')],
    ['bcrypt of cost 15', bcrypt('$2b$15$')],
    ['bcrypt of another version', bcrypt('$2x$10$')],
    ['a JWT id with a space', 'jwt:a b:1'],
    ['a line feed behind', `${SHA256_OF_ABC}\n`],
  ])('do not include %s', (_, value) => {
    expect(isDigest(value)).toBe(false);
  });
});

describe('comparing digests', () => {
  test.each([
    ['the same text', SHA256_OF_ABC, SHA256_OF_ABC, true],
    ['another last character', SHA256_OF_ABC, SHA256_OF_ABC.replace(/.$/, '1'), false],
    ['one that is shorter', SHA256_OF_ABC, SHA256_OF_ABC.slice(0, -1), false],
    ['an empty one', SHA256_OF_ABC, '', false],
    ['as many characters and more bytes', 'a', 'ä', false],
  ])('tells %s', (_, one, other, same) => {
    expect(sameDigest(one, other)).toBe(same);
  });
});
