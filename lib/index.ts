export { type ApiKeys, createApiKeys } from './api-keys.ts';
export type { ApiKeysOptions, CacheOptions } from './api-keys-options.ts';
export type { Explanation, ExplanationStep } from './authentication/explanation.ts';
export { type ForeignKeysOptions, foreignKeys } from './authentication/foreign-keys.ts';
export { type KeyPairsOptions, keyPairs } from './authentication/key-pairs.ts';
export type { Found, KeyVerifier, Lookup } from './authentication/key-verifier.ts';
export type { OwnerStatus } from './authentication/owner-check.ts';
export type { Accepted, Refused, Verdict } from './authentication/verdict.ts';
export {
  ApiKeyError,
  type ApiKeyErrorOptions,
  ConflictError,
  DuplicateKeyError,
  type ErrorCode,
  InvalidInputError,
  KeyNotFoundError,
  StoreUnavailableError,
} from './errors.ts';
export type { KeyEvent, WarningCode } from './events.ts';
export type { DialectAnswer, ErrorFormat } from './http/dialect.ts';
export type { RouteGuard } from './http/handler-brand.ts';
export type { RevokeAllFilter } from './issuance/housekeeping.ts';
export type { ImportInput } from './issuance/import-input.ts';
export type { ImportRejection, ImportReport } from './issuance/importer.ts';
export type { IssuedKey, Revocation } from './issuance/issuer.ts';
export type { Conditional } from './issuance/key-editor.ts';
export type { CreateInput, UpdateInput } from './issuance/key-input.ts';
export type { ApiKey, Environment, KeyKind, Organization, Owner } from './keys/api-key.ts';
export type { RefusalReason } from './keys/checks.ts';
export type { Pepper } from './keys/digest.ts';
export type { KeyFilter } from './keys/key-filter.ts';
export { type KeyRecord, keyRecord, type PreviousKey } from './keys/key-record.ts';
export type { Json } from './keys/metadata.ts';
export type { ScopeCatalogue } from './keys/scope-catalogue.ts';
export {
  type SecretScanningOptions,
  type SecretScanningPattern,
  secretScanningPattern,
} from './keys/secret-scanning.ts';
export { apiKeyAuth } from './middleware/api-key-auth.ts';
export type { ApiKeyAuthOptions } from './middleware/api-key-auth-options.ts';
export { type AssertGuardedOptions, assertGuarded } from './middleware/assert-guarded.ts';
export { type DefinedScopes, defineScopes } from './middleware/define-scopes.ts';
export {
  requireAnyScope,
  requireEnvironment,
  requireOrganization,
  requireScope,
} from './middleware/guards.ts';
export { getApiKey } from './middleware/request-state.ts';
export { type AuditedRoute, auditRoutes } from './middleware/route-audit.ts';
export type { ErrorHandler } from './middleware/voice.ts';
export type {
  KeyChange,
  KeyChanged,
  KeyLookup,
  KeyPage,
  KeyStore,
  KeyUse,
  ListQuery,
  MaybePromise,
} from './stores/key-store.ts';
export { MemoryKeyStore } from './stores/memory-key-store.ts';
