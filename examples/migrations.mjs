// Verifiers for keys that other systems issued, and how a row of theirs becomes an import.
// Take the one you need: `createApiKeys({ verifiers: [unkey.verifier] })`, then `import()` the rows once.
import { createHash } from 'node:crypto';
import { foreignKeys } from 'keystile';
import { plutoKeys } from 'keystile/dialects';

const sha256 = (text) => `sha256:${createHash('sha256').update(text).digest('base64url')}`;
const sha512 = (text) => `sha512:${createHash('sha512').update(text).digest('base64url')}`;

/** Unkey: 16 bytes in base58, after a prefix of yours; the hash is SHA-256 of the whole key, in base64. */
export const unkey = {
  verifier: foreignKeys({
    name: 'unkey',
    matches: /(?:[A-Za-z0-9_-]{1,16}_)?[1-9A-HJ-NP-Za-km-z]{21,22}/,
    examples: ['prod_3ZmTq5rUQ8HqkWJvYvYVvC'],
    digests: (key) => [sha256(key)],
  }),
  toImport: ({ hash, name, externalId, permissions }) => ({
    name,
    organization: { id: externalId },
    scopes: permissions,
    digest: `sha256:${hash}`,
    randomBits: 128,
  }),
};

/** Better Auth's API key plugin: 64 letters after an optional prefix; SHA-256 of the whole key, in base64url. */
export const betterAuth = {
  verifier: foreignKeys({
    name: 'better-auth',
    matches: /(?:[A-Za-z0-9_-]{1,32})?[A-Za-z]{64}/,
    examples: ['qZ'.repeat(32)],
    digests: (key) => [sha256(key)],
  }),
  toImport: ({ key, name, start, userId, enabled, expiresAt, createdAt }) => ({
    name: name ?? 'API key',
    organization: { id: userId },
    owner: { type: 'user', id: userId },
    digest: `sha256:${key}`,
    randomBits: 364,
    start: start ?? '',
    enabled,
    expiresAt: expiresAt ?? undefined,
    createdAt,
  }),
};

/** keypal: SHA-256 in hex of the key with your salt behind it. */
export const keypal = (salt) => ({
  verifier: foreignKeys({
    name: 'keypal',
    matches: /sk_[0-9A-Za-z_-]{32}/,
    examples: [`sk_${'a1B2'.repeat(8)}`],
    digests: (key) => [sha256(key + salt)],
  }),
  toImport: ({ keyHash, metadata }) => ({
    name: metadata.name ?? 'API key',
    organization: { id: metadata.ownerId },
    scopes: metadata.scopes ?? [],
    digest: `sha256:${keyHash}`,
    randomBits: 190,
  }),
});

/** Seam's prefixed-api-key: `prefix_short_long`; SHA-256 in hex of the long part only. */
export const prefixedApiKey = {
  verifier: foreignKeys({
    name: 'prefixed-api-key',
    matches: /[A-Za-z0-9_]{1,32}_[1-9A-HJ-NP-Za-km-z]{8}_[1-9A-HJ-NP-Za-km-z]{24}/,
    examples: ['mycompany_BRTRKFsL_51FwqftsmMDHHbJAMEXXHCgG'],
    digests: (key) => [sha256(key.slice(key.lastIndexOf('_') + 1))],
  }),
  toImport: ({ shortToken, longTokenHash, organizationId }) => ({
    name: shortToken,
    organization: { id: organizationId },
    digest: `sha256:${longTokenHash}`,
    randomBits: 140,
  }),
};

/** Laravel Sanctum: `id|token`; SHA-256 in hex of the token. The bar is no character of a bearer token, so it is named. */
export const sanctum = {
  verifier: foreignKeys({
    name: 'sanctum',
    matches: /\d{1,20}\|[0-9A-Za-z_]{40,128}/,
    examples: [`17|${'a1B2'.repeat(10)}`],
    characters: '|',
    digests: (key) => [sha256(key.slice(key.indexOf('|') + 1))],
  }),
  toImport: ({ token, name, abilities, tokenableId, expiresAt }) => ({
    name,
    organization: { id: String(tokenableId) },
    owner: { type: 'user', id: String(tokenableId) },
    // Sanctum's "*" is everything; say what that is in your API instead.
    scopes: abilities.filter((ability) => ability !== '*'),
    digest: `sha256:${token}`,
    randomBits: 238,
    expiresAt: expiresAt ?? undefined,
  }),
};

/** djangorestframework-api-key 3: `prefix.secret`; `sha512$$` and hex of the whole key. Its clients send `Api-Key`: */
/** `apiKeyAuth(apiKeys, { schemes: ['Bearer', 'Api-Key'] })`. */
export const djangoRestFramework = {
  verifier: foreignKeys({
    name: 'djangorestframework-api-key',
    matches: /[0-9A-Za-z]{8}\.[0-9A-Za-z]{32}/,
    examples: [`AbCd1234.${'a1B2'.repeat(8)}`],
    digests: (key) => [sha512(key)],
  }),
  toImport: ({ hashedKey, name, revoked, expiryDate, organizationId }) => ({
    name,
    organization: { id: organizationId },
    digest: `sha512:${hashedKey.replace(/^sha512\$\$/, '')}`,
    randomBits: 190,
    expiresAt: expiryDate ?? undefined,
    revokedAt: revoked ? new Date() : undefined,
  }),
};

/** Trainy Pluto: `mlps_` and 24 characters; SHA-256 in hex of the whole key. */
export const pluto = {
  verifier: plutoKeys(),
  toImport: ({ key, name, organizationId, userId, expiresAt, revokedAt }) => ({
    name,
    organization: { id: organizationId },
    owner: { type: 'user', id: userId },
    digest: `sha256:${key}`,
    randomBits: 144,
    expiresAt: expiresAt ?? undefined,
    revokedAt: revokedAt ?? undefined,
  }),
};
