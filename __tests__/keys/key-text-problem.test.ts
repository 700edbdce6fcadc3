import { expect, test } from '@jest/globals';
import { makeKeyText } from '../../lib/keys/key-text.ts';
import { copyingProblem, keyTextProblem } from '../../lib/keys/key-text-problem.ts';

const KEY = makeKeyText('acme', 'live');
const TAIL = KEY.slice('acme_live_'.length);

test.each([
  [KEY, undefined],
  [makeKeyText('acme', 'test'), undefined],
  // Its checksum is not looked at.
  [`acme_live_${'0'.repeat(38)}`, undefined],
  [`acme_live_${'Zz09'.repeat(9)}Az`, undefined],
  ['', 'it does not begin with "acme_"'],
  [`x${KEY}`, 'it does not begin with "acme_"'],
  ['acme', 'it does not begin with "acme_"'],
  [`acme_prod_${TAIL}`, 'behind the prefix stands neither "live_" nor "test_"'],
  [`acme_x_live_${TAIL}`, 'behind the prefix stands neither "live_" nor "test_"'],
  [`acme_live${TAIL}`, 'behind the prefix stands neither "live_" nor "test_"'],
  [KEY.slice(0, -1), 'it has 47 characters, and keys of this prefix have 48'],
  [`${KEY}0`, 'it has 49 characters, and keys of this prefix have 48'],
  [`acme_live_-${TAIL.slice(1)}`, 'character 11 is none of 0-9, A-Z and a-z'],
  [`${KEY.slice(0, -1)}_`, 'character 48 is none of 0-9, A-Z and a-z'],
])('%j is no key of the prefix acme: %s', (text, problem) => {
  expect(keyTextProblem(text, 'acme')).toBe(problem);
});

const SPACE = 'white space stands before or behind it';
const QUOTE = 'a quotation mark stands before or behind it';
const SCHEME = 'the scheme of the header field stands before it';
const STRANGE = 'it holds a character that no header field may carry in a key';

test.each([
  [KEY, undefined],
  [`a'b"c\`d`, undefined],
  ['Bearer', undefined],
  ['xBearer-y', undefined],
  ['', 'it is empty'],
  [` ${KEY}`, SPACE],
  [`${KEY}\n`, SPACE],
  [`"${KEY}`, QUOTE],
  [`${KEY}'`, QUOTE],
  [`\`${KEY}\``, QUOTE],
  [`Bearer ${KEY}`, SCHEME],
  [`basic ${KEY}`, SCHEME],
  [`ApiKey ${KEY}`, SCHEME],
  [`API-KEY ${KEY}`, SCHEME],
  [`key Bearer ${KEY}`, STRANGE],
  [`a b`, STRANGE],
  [`a\x7Fb`, STRANGE],
  [`aéb`, STRANGE],
])('of %j it is said what was copied along: %s', (text, problem) => {
  expect(copyingProblem(text)).toBe(problem);
});
