import { compactVerify, errors, type JWK } from 'jose';
import type { KeyMaker } from '../keys/key-maker.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import { readClaims, readHeader } from './jwt-claims.ts';
import { readKeyRing, type TrustedKey } from './jwt-key-pairs.ts';
import { createJwtMaker, issuedAt, NO_MAKER } from './jwt-maker.ts';
import { type JwtKeysOptions, readJwtKeysOptions } from './jwt-options.ts';
import { RemoteJwtKeys } from './jwt-remote-keys.ts';
import { isJwt, readJwt } from './jwt-text.ts';
import type { BuiltInVerifier, Found } from './key-verifier.ts';

/** The longest JWT that is read, in characters. */
const MAX_LENGTH = 8_192;

export interface JwtVerifier {
  readonly verifier: BuiltInVerifier;
  /** The public parts of our own keys; `undefined` where they are another issuer's. */
  readonly published: readonly JWK[] | undefined;
}

interface KeySource {
  readonly maker: KeyMaker;
  readonly published: readonly JWK[] | undefined;
  find(kid: string, now: () => number): TrustedKey | undefined | Promise<TrustedKey | undefined>;
}

/**
 * Finds the record of a JWT whose signature and claims hold. All that is decided without a call to the store; one that
 * holds then costs one, because a token cannot say that it was revoked.
 *
 * @throws TypeError for an option that is wrong
 */
export function createJwtVerifier(options: JwtKeysOptions): JwtVerifier {
  const { rules, keys } = readJwtKeysOptions(options);
  const source = 'jwks' in keys ? remoteSource(new RemoteJwtKeys(keys)) : ownSource();

  function ownSource(): KeySource {
    const { trusted, signing, published } = readKeyRing(keys as readonly unknown[]);
    return { maker: createJwtMaker(rules, signing), published, find: (kid) => trusted.get(kid) };
  }

  const verifier: BuiltInVerifier = {
    name: 'jwt',
    examples: [`eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiIxIn0.${'A'.repeat(86)}`],
    maxLength: MAX_LENGTH,
    maker: source.maker,
    matches: isJwt,
    async find(text, lookup) {
      const parts = readJwt(text);
      const header = parts && readHeader(parts.header);
      const claims = parts && readClaims(parts.payload, rules, lookup.now());
      if (header === undefined || claims === undefined) return undefined;
      const key = await source.find(header.kid, () => lookup.now());
      if (key === undefined || key.alg !== header.alg || !(await isSigned(text, key))) return undefined;
      const record = await lookup.byId(claims.id);
      return record && foundBy(record, claims);
    },
  };
  return { verifier, published: source.published };
}

function remoteSource(keys: RemoteJwtKeys): KeySource {
  return { maker: NO_MAKER, published: undefined, find: (kid, now) => keys.find(kid, now) };
}

/** @throws what is no refusal of the token's */
async function isSigned(text: string, { alg, key }: TrustedKey): Promise<boolean> {
  try {
    await compactVerify(text, key, { algorithms: [alg] });
    return true;
  } catch (error) {
    if (error instanceof errors.JOSEError) return false;
    throw error;
  }
}

/** A token from before the record's own is its previous key, whose grace counts; an older one is nobody's. */
function foundBy(
  record: KeyRecord,
  { id, iat, exp }: { id: string; iat: number; exp: number },
): Found | undefined {
  const own = issuedAt(record.digest, id);
  if (record.kind !== 'jwt' || own === undefined) return undefined;
  const found = { record, expiresAt: new Date(exp * 1_000) };
  if (iat >= own) return { ...found, previous: false };
  const previous = record.previous === undefined ? undefined : issuedAt(record.previous.digest, id);
  return previous !== undefined && iat >= previous ? { ...found, previous: true } : undefined;
}
