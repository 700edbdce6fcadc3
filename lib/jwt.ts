import type { JwtKeysOptions } from './authentication/jwt-options.ts';
import { createJwtVerifier } from './authentication/jwt-verifier.ts';
import type { KeyVerifier } from './authentication/key-verifier.ts';
import { type JwksRouter, jwksRouter } from './http/jwks.ts';

export type { JwtAlgorithm, JwtKey, JwtKeysOptions, RemoteJwtKeys } from './authentication/jwt-options.ts';
export type { JwksRouter } from './http/jwks.ts';

/**
 * Keys that are signed tokens, with an end of their own; `create({ kind: 'jwt' })` makes them. A token proves its id and
 * its age and nothing more: scopes, state and organization are the record's, so that revoking one works as for any key.
 *
 * @throws TypeError for an option that is wrong
 */
export function jwtKeys(options: JwtKeysOptions): KeyVerifier & {
  /** Serves the public keys, for `app.use('/.well-known/jwks.json', ...)`. @throws TypeError for a remote JWKS */
  jwksRouter(): JwksRouter;
} {
  const { verifier, published } = createJwtVerifier(options);
  return {
    ...verifier,
    jwksRouter() {
      if (published !== undefined) return jwksRouter(published);
      throw new TypeError('jwksRouter: the keys of a remote JWKS are published by their issuer.');
    },
  };
}
