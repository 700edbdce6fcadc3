// Keys that are JWTs, signed by a key pair of this run.
import { generateKeyPairSync } from 'node:crypto';

/** @returns {import('keystile/jwt').JwtKeysOptions} */
export function jwtOptions(maxLifetimeMs = 86_400_000) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    issuer: 'https://keys.example.com',
    audience: 'https://api.example.com',
    maxLifetimeMs,
    keys: [{ id: '2026-01', alg: 'ES256', state: 'current', key: privateKey.export({ format: 'jwk' }) }],
  };
}
