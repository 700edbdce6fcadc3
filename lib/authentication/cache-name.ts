import { sha256Characters } from '../keys/digest.ts';

/**
 * What the cache knows a presented text by: together they are as good as the whole text, and neither is a secret.
 * SHA-256 is most of what a hit costs, and goes by blocks: so what is no secret is not hashed, but compared.
 */
export interface CacheName {
  readonly sha: string;
  /** The part that was not hashed; it is compared as it stands. */
  readonly rest: string;
}

/** A key of ours is shorter. */
const WORTH_PARTING = 128;

/** `{"` in base64url, with which every header of a JWT begins. Other texts may hold a secret in any of their parts. */
const JWT_START = 'eyJ';

/** The longest text that SHA-256 takes in one block is of 55 bytes. */
const ONE_BLOCK = 55;

/**
 * Signatures of up to 64 bytes, in base64url: ES256, EdDSA and HMAC. The half that is hashed is one that nobody can make
 * who knows the other (RFC 8032 section 5.1.7, RFC 7518 section 3.4: R and S). RSA with a small exponent is no such thing.
 */
const SHORT_SIGNATURE = 86;

/** Of an id, beside its secret: enough that a secret which many chose has a name for each of them. */
const PART_OF_ID = 10;

/**
 * A key is named by its SHA-256. Of a long text in three parts, which is a JWT, only the signature is hashed, as far as
 * one block goes: what was signed is no secret without it.
 */
export function cacheNameOf(text: string): CacheName {
  if (text.length > WORTH_PARTING && text.startsWith(JWT_START)) {
    const lastDot = text.lastIndexOf('.');
    if (lastDot > text.indexOf('.')) {
      const isShort = text.length - lastDot - 1 <= SHORT_SIGNATURE;
      const from = isShort ? text.length - ONE_BLOCK : lastDot;
      return { sha: sha256Characters(text.slice(from)), rest: text.slice(0, from) };
    }
  }
  return { sha: sha256Characters(text), rest: '' };
}

/** As the whole id is compared, no other pair has this name; and no text that can be presented begins with NUL. */
export function cacheNameOfPair(id: string, secret: string): CacheName {
  return { sha: sha256Characters(`\0${secret}:${id.slice(-PART_OF_ID)}`), rest: id };
}
