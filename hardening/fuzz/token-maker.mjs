// Signed tokens, good ones and such as nobody ought to take, from header and payload as raw JSON.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

export const ISSUER = 'https://keys.example.com';
export const AUDIENCE = 'https://api.example.com';
export const TYPE = 'apikey+jwt';
export const LONGEST_MS = 86_400_000;

/** By the id that a header names it by. */
const ALGORITHMS = { k1: 'ES256', k2: 'EdDSA', k3: 'RS256' };

/** @typedef {keyof typeof ALGORITHMS} KeyId */

export const KEY_IDS = /** @type {readonly KeyId[]} */ (Object.keys(ALGORITHMS));

/** @param {string} algorithm */
function keyPair(algorithm) {
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return algorithm === 'EdDSA'
    ? generateKeyPairSync('ed25519')
    : generateKeyPairSync('rsa', { modulusLength: 2_048 });
}

/** Keys that are trusted, and of each a second that is not. */
export function createTokenMaker() {
  const entries = Object.entries(ALGORITHMS).map(
    ([id, alg]) => /** @type {const} */ ([id, { alg, trusted: keyPair(alg), stranger: keyPair(alg) }]),
  );
  const pairs = new Map(entries);

  /** @param {string} by @param {string} text @returns {string} */
  function signature(by, text) {
    if (by === 'none') return '';
    if (by === 'public')
      return hmac(pairs.get('k1')?.trusted.publicKey.export({ type: 'spki', format: 'pem' }) ?? '', text);
    const pair = pairs.get(by.slice(-2));
    if (pair === undefined) return hmac('a shared secret of at least 32 bytes', text);
    const key = /** @type {import('node:crypto').KeyObject} */ (
      by.startsWith('evil-') ? pair.stranger.privateKey : pair.trusted.privateKey
    );
    const data = Buffer.from(text);
    const made =
      pair.alg === 'EdDSA' ? sign(null, data, key) : sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' });
    return made.toString('base64url');
  }

  return {
    /** As `jwtKeys()` takes them. */
    keys: KEY_IDS.map((id) => ({
      id,
      alg: ALGORITHMS[id],
      state: id === 'k1' ? 'current' : 'retired',
      key: pairs.get(id)?.trusted[id === 'k1' ? 'privateKey' : 'publicKey'].export({ format: 'jwk' }),
    })),
    /** @param {string} header @param {string} payload @param {string} by */
    token(header, payload, by) {
      const signed = `${encoded(header)}.${encoded(payload)}`;
      return `${signed}.${signature(by, signed)}`;
    },
  };
}

/** @param {string | Buffer} secret @param {string} text */
const hmac = (secret, text) => createHmac('sha256', secret).update(text).digest('base64url');

/** Each character up to U+00FF is a byte where there is no other, so that broken UTF-8 can be said. @param {string} json */
export function encoded(json) {
  return Buffer.from(json, /^[\0-\xff]*$/.test(json) ? 'latin1' : 'utf8').toString('base64url');
}

/** @param {KeyId} id */
export const headerOf = (id) => ({ alg: ALGORITHMS[id], typ: TYPE, kid: id });

/** The order of the group that ES256 is over. */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** `(r, n - s)`, which is a signature of the same by the same. @param {string} token */
export function negated(token) {
  const at = token.lastIndexOf('.') + 1;
  const bytes = Buffer.from(token.slice(at), 'base64url');
  if (bytes.length !== 64) return token;
  const s = N - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  bytes.write((s < 0n ? 0n : s).toString(16).padStart(64, '0'), 32, 'hex');
  return token.slice(0, at) + bytes.toString('base64url');
}
