import { sha256 } from '../keys/digest.ts';

/**
 * What the cache knows a presented text by: together they are as good as the whole text, and neither is a secret.
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

/**
 * A key is named by its SHA-256. Of a long text in three parts, which is a JWT, only the signature is hashed: hashing
 * all of it takes twice as long as all else that a hit costs, and what was signed is no secret without it.
 */
export function cacheNameOf(text: string): CacheName {
  if (text.length > WORTH_PARTING && text.startsWith(JWT_START)) {
    const lastDot = text.lastIndexOf('.');
    if (lastDot > text.indexOf('.'))
      return { sha: sha256(text.slice(lastDot)), rest: text.slice(0, lastDot) };
  }
  return { sha: sha256(text), rest: '' };
}

/** The length parts the two for certain, and no text that can be presented by itself begins with NUL. */
export function cacheNameOfPair(id: string, secret: string): CacheName {
  return { sha: sha256(`\0${id.length}:${id}:${secret}`), rest: '' };
}
