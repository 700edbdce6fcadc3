// Random choices out of one seed.
import { seededRandom } from '../../bench/contest/rounds.mjs';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Characters that readers of texts disagree about. */
const ODD = [
  ...'\0\t\n\v\f\r \x1b\x7f\x80\xa0\xad\xff',
  ...'"\'\\`$%&()*,:;<=>?@[]^{|}~#!+-._/',
  ...'é\u0130\u017f\u212a\u2028\u200b\u202e\ufeff\ufffd\ud800\udc00',
  '💥',
];

/** @typedef {ReturnType<typeof createChoices>} Choices */

/** @param {number} seed */
export function createChoices(seed) {
  const random = seededRandom(seed);
  /** @param {number} count */
  const below = (count) => Math.floor(random() * count);
  /** @template T @param {readonly T[]} things @returns {T} */
  const pick = (things) => /** @type {T} */ (things[below(things.length)]);
  /** @param {number} length @param {readonly string[] | string} [alphabet] */
  const text = (length, alphabet = LETTERS) => {
    let made = '';
    for (let i = 0; i < length; i += 1) made += alphabet[below(alphabet.length)];
    return made;
  };
  return {
    below,
    pick,
    text,
    /** @param {number} share - from 0 to 1 */
    chance: (share) => random() < share,
    /** @returns one odd character */
    odd: () => pick(ODD),
    /** @returns one of those that can stand for a byte */
    byte: () => String.fromCharCode(below(256)),
    seed: () => below(2 ** 32),
  };
}

/** Another seed for each fuzzer, so that two of one seed do not draw alike. @param {number} seed @param {string} name */
export function seedOf(seed, name) {
  let mixed = seed >>> 0;
  for (const character of name) mixed = Math.imul(mixed ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return mixed;
}
