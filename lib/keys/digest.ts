import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';

/** A secret that is mixed into digests and kept outside the database, so that a stolen table proves nothing. */
export interface Pepper {
  /** Stands in the digest: `[a-z0-9-]{1,32}`. */
  readonly id: string;
  /** At least 32 bytes. */
  readonly secret: string | Uint8Array;
}

/** Every form of digest that a record may hold. bcrypt above cost 14 would take seconds, so it is none. */
const DIGEST_FORMS =
  /^(?:sha256:[\w-]{43}|sha512:[\w-]{86}|hmac-sha256:[a-z0-9-]{1,32}:[\w-]{43}|bcrypt:\$2[aby]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}|jwt:[!-~]{1,255}:\d{1,16})$/;

export function isDigest(value: unknown): value is string {
  return typeof value === 'string' && DIGEST_FORMS.test(value);
}

const HASH_LENGTHS = { sha256: 32, sha512: 64 };

/**
 * A digest in the one spelling that records have. Other systems keep SHA-256 and SHA-512 in hex, or in base64 with
 * and without padding; anything else is left as it is.
 */
export function canonicalDigest(digest: string): string {
  const [, name, hash] = /^(sha256|sha512):([\w+/-]+={0,2})$/.exec(digest) ?? [];
  if (name === undefined || hash === undefined) return digest;
  const length = HASH_LENGTHS[name as keyof typeof HASH_LENGTHS];
  const isHex = hash.length === 2 * length && /^[0-9a-f]+$/i.test(hash);
  const bytes = Buffer.from(hash, isHex ? 'hex' : 'base64');
  return bytes.length === length ? `${name}:${bytes.toString('base64url')}` : digest;
}

/** SHA-256 of a text, base64url: most of its plain digest. */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** SHA-256 of a text as 32 characters, one for each byte: shorter than base64url, and a tenth quicker to have. */
export function sha256Characters(text: string): string {
  return hash('sha256', text, 'binary');
}

/** Makes the digests that a key can have under the peppers in use. */
export interface Digester {
  /** Newest pepper first, then older ones, then the plain form where that is accepted. */
  digestsOf(text: string): readonly string[];
  /** The digest under which a new key is kept. */
  newestOf(text: string): string;
}

export function createDigester(peppers: readonly Pepper[], acceptPlainDigests: boolean): Digester {
  // A KeyObject: createHmac takes ten times as long when it is given the secret as text.
  const secrets = peppers.map(({ id, secret }) => ({ id, key: createSecretKey(Buffer.from(secret)) }));
  const newest = secrets[0];
  const plain = (text: string): string => `sha256:${sha256(text)}`;
  return {
    digestsOf(text) {
      const digests = secrets.map((pepper) => hmacDigest(pepper, text));
      if (newest === undefined || acceptPlainDigests) digests.push(plain(text));
      return digests;
    },
    newestOf: (text) => (newest === undefined ? plain(text) : hmacDigest(newest, text)),
  };
}

/** Compares two digests in a time that does not tell where they differ. */
export function sameDigest(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function hmacDigest(pepper: { id: string; key: KeyObject }, text: string): string {
  return `hmac-sha256:${pepper.id}:${createHmac('sha256', pepper.key).update(text).digest('base64url')}`;
}
