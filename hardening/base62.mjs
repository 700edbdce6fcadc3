// Texts that are made as keys are.
import { crc32 } from 'node:zlib';

export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** @param {() => number} random numbers from 0 to 1 */
export function randomBase62(length, random) {
  return Array.from({ length }, () => BASE62[Math.floor(random() * 62)]).join('');
}

/** All texts that differ from one at one place, by another letter or digit. */
export function others(text, at) {
  return [...BASE62]
    .filter((character) => character !== text[at])
    .map((character) => text.slice(0, at) + character + text.slice(at + 1));
}

/** The body of a key of ours with the checksum that belongs to it. Written anew here, so that a fault over there is seen. */
export function withChecksum(body) {
  let rest = crc32(body);
  let digits = '';
  for (let i = 0; i < 6; i += 1) {
    digits = BASE62[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return body + digits;
}
