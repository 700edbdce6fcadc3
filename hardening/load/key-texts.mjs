// Texts that are no keys of anybody's: the same ones for the same seed.
import { BASE62, withChecksum } from '../base62.mjs';

export const PREFIX = 'acme';

/** All that a Bearer credential may hold. */
const TOKEN_CHARACTERS = `${BASE62}-._~+/`;
const LONGEST_TEXT = 700;

/** Of the shape of a key of ours and with its checksum, and in no store. */
export function unknownKeyText(random) {
  return withChecksum(`${PREFIX}_live_${textOf(random, BASE62, 32)}`);
}

/** Of the form of the secret of a pair. */
export function wrongSecret(random) {
  return textOf(random, BASE62, 43);
}

/** Each is one that a look at the text alone refuses. */
const MALFORMED = [
  (random) => textOf(random, TOKEN_CHARACTERS, 1 + below(random, LONGEST_TEXT)),
  (random) => textOf(random, BASE62, 49),
  (random) => `${PREFIX}_live_${textOf(random, BASE62, 32)}!!!!!!`.replaceAll('!', () => '-'),
  // One character of a sound text replaced by another: no such change keeps a CRC-32 as it was.
  (random) => withOneReplaced(unknownKeyText(random), random),
  (random) => unknownKeyText(random).slice(0, -1 - below(random, 40)),
  (random) => `${unknownKeyText(random)}${textOf(random, BASE62, 1 + below(random, 20))}`,
  (random) => `other${unknownKeyText(random).slice(PREFIX.length)}`,
];

export function malformedText(random) {
  return MALFORMED[below(random, MALFORMED.length)](random);
}

export function below(random, limit) {
  return Math.floor(random() * limit);
}

function textOf(random, characters, length) {
  let text = '';
  for (let i = 0; i < length; i += 1) text += characters[below(random, characters.length)];
  return text;
}

function withOneReplaced(text, random) {
  const at = `${PREFIX}_live_`.length + below(random, 38);
  const shift = 1 + below(random, BASE62.length - 1);
  const other = BASE62[(BASE62.indexOf(text[at]) + shift) % BASE62.length];
  return text.slice(0, at) + other + text.slice(at + 1);
}
