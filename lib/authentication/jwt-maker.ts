import { SignJWT } from 'jose';
import { ConflictError } from '../errors.ts';
import type { KeyMaker, KeyOrder } from '../keys/key-maker.ts';
import { type ClaimRules, IAT_LEEWAY_MS, JWT_TYPE } from './jwt-claims.ts';
import type { SigningKey } from './jwt-key-pairs.ts';

/**
 * What a record keeps of a JWT: its own id, and when the token was issued. Not its text, which is not its identity:
 * an ECDSA signature has two spellings.
 */
function jwtDigest(id: string, iat: number): string {
  return `jwt:${id}:${iat}`;
}

/** When the token of a digest was issued; `undefined` for a digest of another kind or of another id. */
export function issuedAt(digest: string, id: string): number | undefined {
  const iat = /^jwt:(.+):(\d+)$/.exec(digest);
  return iat !== null && iat[1] === id ? Number(iat[2]) : undefined;
}

/** Signs keys with the current key. */
export function createJwtMaker(rules: ClaimRules, { id: kid, alg, key }: SigningKey): KeyMaker {
  return {
    kind: 'jwt',
    async make(order) {
      const { id } = order;
      const iat = newIat(order);
      const claims = {
        iss: rules.issuer,
        aud: rules.audience,
        sub: id,
        jti: id,
        iat,
        exp: endOf(order, iat, rules.maxLifetimeMs),
        ...(order.notBefore === undefined ? undefined : { nbf: Math.floor(order.notBefore / 1_000) }),
      };
      const text = await new SignJWT(claims).setProtectedHeader({ alg, typ: JWT_TYPE, kid }).sign(key);
      return { key: text, kept: { digest: jwtDigest(id, iat), start: '', end: text.slice(-4) } };
    },
  };
}

/** For keys of another issuer. */
export const NO_MAKER: KeyMaker = {
  kind: 'jwt',
  make() {
    throw new TypeError('A key of kind "jwt" cannot be made with a remote JWKS: only its issuer can sign.');
  },
};

/** Whole seconds, and later than those of the key that is replaced. */
function newIat({ id, now, replaces }: KeyOrder): number {
  const iat = Math.floor(now / 1_000);
  const replaced = replaces === undefined ? undefined : issuedAt(replaces, id);
  if (replaced === undefined || iat > replaced) return iat;
  if ((replaced + 1) * 1_000 <= now + IAT_LEEWAY_MS) return replaced + 1;
  throw new ConflictError('The key was rotated too often within a few seconds; try again later.');
}

/** The end of the record counts to the millisecond wherever the record is read, so a claim may be rounded up to it. */
function endOf({ expiresAt }: KeyOrder, iat: number, maxLifetimeMs: number): number {
  const latest = iat + Math.floor(maxLifetimeMs / 1_000);
  if (expiresAt === undefined) return latest;
  return Math.max(iat + 1, Math.min(latest, Math.ceil(expiresAt / 1_000)));
}
