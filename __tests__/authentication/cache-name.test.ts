import { expect, test } from '@jest/globals';
import { cacheNameOf, cacheNameOfPair } from '../../lib/authentication/cache-name.ts';
import { sha256Characters } from '../../lib/keys/digest.ts';

const SIGNED = `eyJ${'h'.repeat(60)}.${'p'.repeat(90)}`;

/** Where a text is parted into what is compared and what is hashed. */
function partedAt(text: string): number {
  const { sha, rest } = cacheNameOf(text);
  expect(text.startsWith(rest)).toBe(true);
  expect(sha).toBe(sha256Characters(text.slice(rest.length)));
  return rest.length;
}

test.each([
  ['a key of ours', 'acme_live_000000000000000000000000000000000PGKJi'],
  ['nothing', ''],
  ['a JWT that is as short as a key', `eyJ${'h'.repeat(60)}.p.${'s'.repeat(62)}`],
  ['a long text that is no JWT', `abc${'h'.repeat(60)}.${'p'.repeat(90)}.${'s'.repeat(86)}`],
  ['a long text of two parts', `${SIGNED}${'s'.repeat(86)}`],
  ['a long text of one part', `eyJ${'h'.repeat(200)}`],
])('%s is hashed whole', (_, text) => {
  expect(partedAt(text)).toBe(0);
});

test.each([
  ['ES256, of 86 characters, the last 55 are hashed', 86, 31],
  ['HMAC, of 43 characters, so are 12 in front of them', 43, -12],
  ['RSA, of 342 characters, all and the dot are hashed', 342, -1],
  ['one character more than 86, too', 87, -1],
])('of a JWT with a signature by %s', (_, length, inSignature) => {
  const signature = 's'.repeat(length);
  expect(partedAt(`${SIGNED}.${signature}`)).toBe(SIGNED.length + 1 + inSignature);
});

test('a JWT of one character more than any key of ours is parted', () => {
  expect(partedAt(`eyJ${'h'.repeat(60)}.p.${'s'.repeat(62)}`)).toBe(0);
  expect(partedAt(`eyJ${'h'.repeat(60)}.p.${'s'.repeat(63)}`)).toBe(129 - 55);
});

test('of a pair the secret is hashed beside the end of its id, and the id is compared', () => {
  const id = '01890a5d-ac96-774b-bcce-b302099a8057';
  expect(cacheNameOfPair(id, 'secret')).toEqual({ sha: sha256Characters('\0secret:02099a8057'), rest: id });
  expect(cacheNameOfPair('a', 'b')).toEqual({ sha: sha256Characters('\0b:a'), rest: 'a' });
});
