import { foreignKeys } from '../authentication/foreign-keys.ts';
import type { KeyVerifier } from '../authentication/key-verifier.ts';
import { sha256 } from '../keys/digest.ts';

/**
 * Keys that Trainy Pluto issued: `mlps_` and 24 characters, of which it keeps the SHA-256 in hex, and the older
 * `mlpi_` and 16, which it keeps as they stand. Import the former with `digest: 'sha256:<hex>'` and `randomBits: 144`,
 * the latter under a pepper with `randomBits: 96`.
 *
 * New keys may have the prefix `mlps` too: `createApiKeys({ prefix: 'mlps', verifiers: [plutoKeys()] })`.
 */
export function plutoKeys(): KeyVerifier {
  return foreignKeys({
    name: 'pluto',
    // Of any length, as there. What has the form of our own keys is left to those.
    matches: /mlp[si]_(?!(?:live|test)_[0-9A-Za-z]{38}$)[\w-]*/,
    examples: [`mlps_${'a1B2'.repeat(6)}`, `mlpi_${'a1B2'.repeat(4)}`, 'mlps_'],
    // The older ones have 96 random bits, too few for a plain digest: they are found under peppers alone.
    digests: (key) => (key.startsWith('mlps_') ? [`sha256:${sha256(key)}`] : []),
  });
}
