import { describe, expect, test } from '@jest/globals';
import { WrongSecrets } from '../../lib/authentication/wrong-secrets.ts';
import type { ApiKeyError } from '../../lib/index.ts';

const WINDOW_MS = 60_000;

function openCounter() {
  const time = { ms: 5_000 };
  const wrongSecrets = new WrongSecrets({ now: () => Number.NaN, monotonic: () => time.ms });
  return {
    time,
    wrongSecrets,
    /** What a try of one id is refused with, if it is, where one may be wrong. */
    refusalOf(from: string | undefined): ApiKeyError | undefined {
      try {
        wrongSecrets.begin('id', from, 1);
        return undefined;
      } catch (error) {
        return error as ApiKeyError;
      }
    },
  };
}

describe('one try too many', () => {
  test('says what it is, and when the next is welcome', () => {
    const { refusalOf } = openCounter();
    expect(refusalOf('192.0.2.1')).toBeUndefined();
    expect(refusalOf('192.0.2.1')).toMatchObject({
      code: 'rate_limited',
      message: 'Too many wrong secrets for this id from this address.',
      headers: { 'Retry-After': '60' },
    });
  });

  test.each([
    [0, '60'],
    [1, '60'],
    [1_000, '59'],
    [58_999, '2'],
    [59_999, '1'],
  ])('%d ms after the first is welcome again in %s s, in whole seconds', (ms, seconds) => {
    const { time, refusalOf } = openCounter();
    refusalOf('a');
    time.ms += ms;
    expect(refusalOf('a')?.headers).toEqual({ 'Retry-After': seconds });
  });

  test('is none any more when the minute is over', () => {
    const { time, wrongSecrets } = openCounter();
    const begin = () => wrongSecrets.begin('id', 'a', 1);
    begin();
    time.ms += WINDOW_MS - 1;
    expect(begin).toThrow('Too many wrong secrets');
    time.ms += 1;
    expect(begin).not.toThrow();
    expect(begin).toThrow('Too many wrong secrets');
  });

  test('is the 21st unless told otherwise, of those that were not taken back', () => {
    const { wrongSecrets } = openCounter();
    for (let i = 0; i < 50; i += 1) wrongSecrets.takeBack(wrongSecrets.begin('id', 'a'));
    for (let i = 0; i < 20; i += 1) wrongSecrets.begin('id', 'a');
    expect(() => wrongSecrets.begin('id', 'a')).toThrow('Too many wrong secrets');
  });
});

describe('who tries', () => {
  test.each([
    ['has no address, as one with an empty one', undefined, ''],
    ['has an IPv4 address in IPv6 form', '::ffff:192.168.122.133', '192.168.122.133'],
    ['has it in capitals', '::FFFF:192.168.122.133', '192.168.122.133'],
    ['spells out the zeros at the start', '::1', '0:0:0:0:0:0:0:2'],
    ['spells out the zeros at the end', '2001:db8::', '2001:db8:0:0:1:2:3:4'],
    ['spells out all zeros', '::', '0:0:0:0::1'],
    ['leaves out a single group at the start', '::2:3:4:5:6:7:8', '0:2:3:4::'],
    ['leaves out a single group at the end', '1:2:3:4:5:6:7::', '1:2:3:4::'],
    ['writes leading zeros', '0001:0020:0300:4000::', '1:20:300:4000::'],
    ['names another zone', 'fe80::1%eth0', 'fe80::2%a\nb'],
    ['names no zone', 'fe80::1%eth0', 'fe80::1'],
    ['is told of in a long text that differs late', `${'x'.repeat(100)}1`, `${'x'.repeat(100)}2`],
  ])('is one who %s', (_who, from, thenFrom) => {
    const { refusalOf } = openCounter();
    refusalOf(from);
    expect(refusalOf(thenFrom)).toMatchObject({ code: 'rate_limited' });
  });

  test.each([
    ['has an IPv4 address behind another prefix', '64:ff9b::ffff:1.2.3.4', '1.2.3.4'],
    ['has a port beside it, which is no address', '::ffff:1.2.3.4:80', '1.2.3.4'],
    ['has other groups of the same digits', '1:23::', '12:3::'],
    ['has other groups of the same digits, read as numbers', '1:17::', 'c:3::'],
    ['has another fourth group', '1:2:3:4::', '1:2:3:5::'],
    ['has zeros where the other has none', '1::2:0:0:0:0', '1:2::'],
    ['is told of in a text that differs sooner', `${'x'.repeat(99)}1`, `${'x'.repeat(99)}2`],
  ])('is not one who %s', (_who, from, thenFrom) => {
    const { refusalOf } = openCounter();
    refusalOf(from);
    expect(refusalOf(thenFrom)).toBeUndefined();
  });
});
