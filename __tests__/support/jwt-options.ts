import type { JwtKey, JwtKeysOptions } from '../../lib/jwt.ts';
import { makeSigner, privateJwk, publicJwk, type Signer } from './jwt-builder.ts';

export const ISSUER = 'https://keys.test';
export const AUDIENCE = 'https://api.test';
export const HOUR_MS = 3_600_000;

/** Options in which only the keys differ from test to test. */
export function optionsWith(keys: JwtKeysOptions['keys']): JwtKeysOptions {
  return { issuer: ISSUER, audience: AUDIENCE, maxLifetimeMs: HOUR_MS, keys };
}

/** A key pair as an option; all of it where it is to sign, else its public part. */
export function keyOption(id: string, state: JwtKey['state'], signer: Signer = makeSigner('ES256')): JwtKey {
  const key = state === 'current' ? privateJwk(signer) : publicJwk(signer);
  return { id, alg: signer.alg, state, key };
}
