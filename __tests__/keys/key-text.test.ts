import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { makeKeyText, parseKeyText, shownParts } from '../../lib/keys/key-text.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** CRC-32 bit by bit (ISO 3309, reflected), which shares no line with the one under test. */
function crc32(text: string): number {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function base62(value: number): string {
  let rest = BigInt(value);
  let digits = '';
  for (; rest > 0n; rest /= 62n) digits = ALPHABET.charAt(Number(rest % 62n)) + digits;
  return digits.padStart(6, '0');
}

const anyPrefix = fc.stringMatching(/^[a-z][a-z0-9_]{0,31}$/);
const anyEnvironment = fc.constantFrom('live' as const, 'test' as const);

describe('the form of a new key', () => {
  test('is prefix, environment, 32 random characters and 6 of checksum', () => {
    expect(makeKeyText('acme', 'live')).toMatch(/^acme_live_[0-9A-Za-z]{38}$/);
    expect(makeKeyText('a_b', 'test')).toMatch(/^a_b_test_[0-9A-Za-z]{38}$/);
  });

  test('has a checksum over everything before it', () => {
    expect(crc32('123456789')).toBe(0xcbf43926);
    fc.assert(
      fc.property(anyPrefix, anyEnvironment, (prefix, environment) => {
        const key = makeKeyText(prefix, environment);
        expect(key.slice(-6)).toBe(base62(crc32(key.slice(0, -6))));
      }),
    );
  });

  test('is another each time', () => {
    const keys = Array.from({ length: 1_000 }, () => makeKeyText('acme', 'live'));
    expect(new Set(keys).size).toBe(1_000);
  });

  test('uses every character of base62 equally often', () => {
    const counts = new Map<string, number>();
    const keys = 5_000;
    for (let i = 0; i < keys; i += 1) {
      for (const one of makeKeyText('acme', 'live').slice('acme_live_'.length, -6)) {
        counts.set(one, (counts.get(one) ?? 0) + 1);
      }
    }
    expect([...counts.keys()].sort().join('')).toBe(ALPHABET);
    const mean = (keys * 32) / 62;
    // Seven standard deviations: a byte taken modulo 62 would make the first 8 characters 21 % more frequent.
    const most = Math.max(...[...counts.values()].map((count) => Math.abs(count - mean)));
    expect(most).toBeLessThan(7 * Math.sqrt(mean));
  });
});

describe('reading a key', () => {
  test.each([
    ['acme_live_0123456789ABCDEFGHIJKLMNOPQRSTUV4IG2In', 'acme', 'live'],
    ['sk_test_zyxwvutsrqponmlkjihgfedcbaZYXWVU4cFW2C', 'sk', 'test'],
    ['a_live_b_test_000000000000000000000000000000004Ia6Li', 'a_live_b', 'test'],
    ['sk_live_00000000000000000000000000026173000XXC', 'sk', 'live'],
  ])('accepts the known key %s', (text, prefix, environment) => {
    expect(parseKeyText(text)).toEqual({ prefix, environment, intact: true });
  });

  test.each(['live', 'test', 'a_live_b', 'x_test', 'live_live', 'a_', 'a__b', `a${'_'.repeat(31)}`])(
    'finds the prefix %s again, parsing from the right',
    (prefix) => {
      for (const environment of ['live', 'test'] as const) {
        const key = makeKeyText(prefix, environment);
        expect(parseKeyText(key)).toEqual({ prefix, environment, intact: true });
      }
    },
  );

  test('reads back whatever was made', () => {
    fc.assert(
      fc.property(anyPrefix, anyEnvironment, (prefix, environment) => {
        const key = makeKeyText(prefix, environment);
        expect(parseKeyText(key)).toEqual({ prefix, environment, intact: true });
      }),
    );
  });

  test('finds any one character that was mistyped', () => {
    const key = makeKeyText('acme', 'live');
    fc.assert(
      fc.property(fc.nat(key.length - 1), fc.constantFrom(...ALPHABET, '_', '-'), (at, character) => {
        fc.pre(key[at] !== character);
        const mistyped = key.slice(0, at) + character + key.slice(at + 1);
        expect(parseKeyText(mistyped)?.intact).not.toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('finds any two neighbours that changed places', () => {
    const key = 'acme_live_0123456789ABCDEFGHIJKLMNOPQRSTUV4IG2In';
    for (let at = 0; at + 1 < key.length; at += 1) {
      const swapped = key.slice(0, at) + key[at + 1] + key[at] + key.slice(at + 2);
      expect(parseKeyText(swapped)?.intact).not.toBe(true);
    }
  });

  test.each([
    ['prefix', /^acme/, 'acmf'],
    ['longer prefix', /^acme/, 'acme_live'],
    ['environment', /_live_/, '_test_'],
  ])('tells that a key with a swapped %s is not intact', (_, part, other) => {
    const swapped = makeKeyText('acme', 'live').replace(part, other);
    expect(parseKeyText(swapped)).toMatchObject({ intact: false });
  });

  const good = 'acme_live_0123456789ABCDEFGHIJKLMNOPQRSTUV4IG2In';
  test.each([
    ['nothing', ''],
    ['a lone tail', good.slice(-38)],
    ['no prefix', good.slice(4)],
    ['no prefix and no underscore', good.slice(5)],
    ['an upper-case prefix', good.replace('acme', 'Acme')],
    ['a prefix that begins with a digit', good.replace('acme', '1cme')],
    ['a prefix of 33 characters', good.replace('acme', 'a'.repeat(33))],
    ['another environment', good.replace('live', 'prod')],
    ['the environment in capitals', good.replace('live', 'LIVE')],
    ['a hyphen before the environment', good.replace('_live', '-live')],
    ['a hyphen after the environment', good.replace('live_', 'live-')],
    ['one character too few', good.slice(0, -1)],
    ['one character too many', `${good}A`],
    ['an underscore in the random part', good.replace('5', '_')],
    ['a hyphen in the random part', good.replace('5', '-')],
    ['a letter beyond ASCII', good.replace('A', 'Ä')],
    ['a full-width digit', good.replace('5', '５')],
    ['a space before', ` ${good}`],
    ['a space behind', `${good} `],
    ['a line feed behind', `${good}\n`],
    ['a NUL in it', good.replace('5', '\0')],
  ])('does not take for a key a text with %s', (_, text) => {
    expect(parseKeyText(text)).toBeUndefined();
  });

  test('answers for any text at all, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const parsed = parseKeyText(text);
        if (parsed !== undefined)
          expect(text.startsWith(`${parsed.prefix}_${parsed.environment}_`)).toBe(true);
      }),
    );
  });
});

describe('what is shown of a key', () => {
  test('is all up to 4 random characters, and the last 4', () => {
    expect(shownParts('a_live_b_test_000000000000000000000000000000004Ia6Li')).toEqual({
      start: 'a_live_b_test_0000',
      end: 'a6Li',
    });
  });
});
