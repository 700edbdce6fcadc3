import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Environment } from './api-key.ts';
import { unsliced } from './unsliced.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
/** What follows the prefix and the environment. */
export const TAIL_LENGTH: number = RANDOM_LENGTH + CHECKSUM_LENGTH;
/** `live` and `test` are of one length, so a key is parsed from the right by counting. */
const ENVIRONMENT_LENGTH = 4;

export const PREFIX_FORM: RegExp = /^[a-z][a-z0-9_]{0,31}$/;

export interface KeyText {
  readonly prefix: string;
  readonly environment: Environment;
  /** Whether the checksum is that of the text; a mistyped key has another. */
  readonly intact: boolean;
}

/**
 * Makes a new key.
 *
 *   key      = prefix "_" environment "_" random checksum   ; acme_live_9fQ...Zk3xTa
 *   random   = 32base62                                     ; 190 bits
 *   checksum = 6base62                                      ; CRC-32 of all before it
 *
 * The checksum is not security. It spares the store a look-up for a mistyped key, for one whose prefix was swapped,
 * and lets a scanner tell a leaked key from a look-alike.
 */
export function makeKeyText(prefix: string, environment: Environment): string {
  return withChecksum(`${prefix}_${environment}_${randomBase62(RANDOM_LENGTH)}`);
}

/**
 * Texts of the shape, the same ones each time: of digits, of letters, and for each letter with another checksum, so
 * that a pattern of narrower characters that takes in some of our keys is found out for certain.
 */
export function exampleKeyTexts(prefix: string): readonly string[] {
  const environments: readonly Environment[] = ['live', 'test'];
  const randoms = Array.from(ALPHABET, (character) => character.repeat(RANDOM_LENGTH));
  return environments.flatMap((environment) =>
    randoms.map((random) => withChecksum(`${prefix}_${environment}_${random}`)),
  );
}

/** Reads a text of that shape, whatever its prefix; `undefined` for any other text. */
export function parseKeyText(text: string): KeyText | undefined {
  const tailAt = text.length - TAIL_LENGTH;
  const environmentAt = tailAt - 1 - ENVIRONMENT_LENGTH;
  const prefixEnd = environmentAt - 1;
  if (prefixEnd < 1 || text[tailAt - 1] !== '_' || text[prefixEnd] !== '_') return undefined;
  const environment = text.slice(environmentAt, tailAt - 1);
  if (environment !== 'live' && environment !== 'test') return undefined;
  const prefix = text.slice(0, prefixEnd);
  if (!PREFIX_FORM.test(prefix) || !isBase62(text, tailAt)) return undefined;
  const checksumAt = text.length - CHECKSUM_LENGTH;
  return { prefix, environment, intact: checksum(text.slice(0, checksumAt)) === text.slice(checksumAt) };
}

/** What is safe to show of a key of ours: `start` is all up to 4 characters of the random part, `end` the last 4. */
export function shownParts(text: string): { start: string; end: string } {
  return { start: unsliced(text.slice(0, text.length - TAIL_LENGTH + 4)), end: unsliced(text.slice(-4)) };
}

function withChecksum(body: string): string {
  return body + checksum(body);
}

function checksum(body: string): string {
  let rest = crc32(body);
  let digits = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i += 1) {
    digits = ALPHABET[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

/** Every character equally likely: a byte past the last whole multiple of 62 is thrown away. */
export function randomBase62(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += ALPHABET[byte % 62];
    }
  }
  return text;
}

function isBase62(text: string, from: number): boolean {
  for (let i = from; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const isDigit = code >= 48 && code <= 57;
    const isLetter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
    if (!isDigit && !isLetter) return false;
  }
  return true;
}
