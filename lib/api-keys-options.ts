import type { KeyVerifier } from './authentication/key-verifier.ts';
import type { CacheConfig } from './authentication/lookup-cache.ts';
import type { OwnerStatus } from './authentication/owner-check.ts';
import { checkVerifiers } from './authentication/verifiers.ts';
import { type KeyEvent, WARNING_CODES, type WarningCode } from './events.ts';
import type { Environment } from './keys/api-key.ts';
import type { Pepper } from './keys/digest.ts';
import { PREFIX_FORM } from './keys/key-text.ts';
import { readScopeCatalogue, type ScopeCatalogue } from './keys/scope-catalogue.ts';
import { badOption, checkOptionNames, describe, oneOf, optionalFunction, wholeNumber } from './options.ts';
import type { KeyLookup, KeyStore } from './stores/key-store.ts';

/** What `createApiKeys()` is built from: the store, and how keys look, are kept and are checked. */
export interface ApiKeysOptions {
  /** Where the records live. One method is enough to authenticate; management needs the others. */
  store: KeyLookup | KeyStore;
  /** Leading characters of the keys made here, `[a-z][a-z0-9_]{0,31}`. @default 'sk' */
  prefix?: string | undefined;
  /** What `create()` makes and, unless `environments` says more, all that `verify()` accepts. @default 'live' */
  environment?: Environment | undefined;
  /** What `verify()` accepts; `requireEnvironment()` then decides route by route. @default [environment] */
  environments?: readonly Environment[] | undefined;
  /**
   * Secrets mixed into digests, newest first; a key that is found under an older one moves to the newest. Withdraw
   * one, and the keys still under it are unknown. @default none: plain SHA-256, which 190 random bits allow
   */
  peppers?: readonly Pepper[] | undefined;
  /** Whether records under a plain SHA-256 are still found where there are peppers; they move on use. @default true */
  acceptPlainDigests?: boolean | undefined;
  /** `false`, or a `ttlMs` of 0: nothing outlives the call; concurrent look-ups of one key are still one. */
  cache?: false | CacheOptions | undefined;
  /** Deadline of every call to the store, in milliseconds, 1 to 60,000. @default 1000 */
  storeTimeoutMs?: number | undefined;
  /** Other kinds of credential, beside the keys that are made here. @default [] */
  verifiers?: readonly KeyVerifier[] | undefined;
  /**
   * What keys may be given, as `defineScopes()` answered it: no key is issued, changed or imported with another scope. Those
   * that have others already keep them. @default anything of the form of a scope
   */
  scopes?: ScopeCatalogue | undefined;
  /** Asked whenever a record is read, and kept as long as its cache entry. A failure is a 503. */
  ownerStatus?: OwnerStatus | undefined;
  /** Wall clock, in milliseconds since 1970. @default Date.now */
  now?: (() => number) | undefined;
  /** Hears of every decision, store call, change and warning; what it throws is dropped. */
  onEvent?: ((event: KeyEvent) => void) | undefined;
  /** Warnings that are not wanted, by their codes. @default [] */
  silence?: readonly WarningCode[] | undefined;
}

/** How many keys are kept in memory, and how long an entry of them decides. */
export interface CacheOptions {
  /** Keys kept, at most 10,000,000. @default 10000 */
  maxEntries?: number | undefined;
  /** How long an entry decides without being read again, in milliseconds, at most 3,600,000. @default 10000 */
  ttlMs?: number | undefined;
  /** How much longer while the store fails, in milliseconds, at most 3,600,000. @default 30000 */
  staleIfErrorMs?: number | undefined;
  /** Unknown keys kept, at most 10,000,000. @default 10000 */
  maxMisses?: number | undefined;
  /** How long an unknown key stays unknown, in milliseconds, at most 60,000. @default 5000 */
  missTtlMs?: number | undefined;
}

/** {@link ApiKeysOptions} with everything decided. */
export interface ApiKeysConfig {
  readonly store: KeyLookup | KeyStore;
  readonly prefix: string;
  readonly environment: Environment;
  readonly environments: readonly Environment[];
  readonly peppers: readonly Pepper[];
  readonly acceptPlainDigests: boolean;
  readonly cache: CacheConfig;
  readonly storeTimeoutMs: number;
  readonly verifiers: readonly KeyVerifier[];
  readonly scopes: ScopeCatalogue | undefined;
  readonly ownerStatus: OwnerStatus | undefined;
  readonly now: (() => number) | undefined;
  readonly onEvent: ((event: KeyEvent) => void) | undefined;
  readonly silence: readonly WarningCode[];
}

const OWNER = 'createApiKeys';
const LARGEST_CACHE = 10_000_000;
const LONGEST_TTL_MS = 3_600_000;

/** A record whose members are all the names of T, so that a new option that is forgotten here does not compile. */
type Names<T> = { readonly [Name in keyof Required<T>]: true };

const OPTION_NAMES: Names<ApiKeysOptions> = {
  store: true,
  prefix: true,
  environment: true,
  environments: true,
  peppers: true,
  acceptPlainDigests: true,
  cache: true,
  storeTimeoutMs: true,
  verifiers: true,
  scopes: true,
  ownerStatus: true,
  now: true,
  onEvent: true,
  silence: true,
};

const CACHE_OPTION_NAMES: Names<CacheOptions> = {
  maxEntries: true,
  ttlMs: true,
  staleIfErrorMs: true,
  maxMisses: true,
  missTtlMs: true,
};

/** @throws TypeError for the first option that is wrong */
export function readApiKeysOptions(options: ApiKeysOptions): ApiKeysConfig {
  checkOptionNames(OWNER, options, Object.keys(OPTION_NAMES));
  const environment = oneOf(OWNER, 'environment', options.environment, 'live', ['live', 'test']);
  return Object.freeze({
    store: readStore(options.store),
    prefix: readPrefix(options.prefix),
    environment,
    environments: readEnvironments(options.environments, environment),
    peppers: readPeppers(options.peppers),
    acceptPlainDigests: oneOf(OWNER, 'acceptPlainDigests', options.acceptPlainDigests, true, [true, false]),
    cache: readCacheOptions(options.cache),
    storeTimeoutMs: wholeNumber(OWNER, 'storeTimeoutMs', options.storeTimeoutMs, 1_000, {
      min: 1,
      max: 60_000,
    }),
    verifiers: checkVerifiers(OWNER, options.verifiers),
    scopes: readScopeCatalogue(OWNER, options.scopes),
    ownerStatus: optionalFunction<OwnerStatus>(OWNER, 'ownerStatus', options.ownerStatus),
    now: optionalFunction<() => number>(OWNER, 'now', options.now),
    onEvent: optionalFunction<(event: KeyEvent) => void>(OWNER, 'onEvent', options.onEvent),
    silence: readSilence(options.silence),
  });
}

function readStore(value: unknown): KeyLookup | KeyStore {
  if (typeof (value as Partial<KeyLookup> | undefined)?.findByDigest === 'function')
    return value as KeyLookup;
  throw badOption(OWNER, 'store', 'a key store, with at least a findByDigest() method', value);
}

function readSilence(value: unknown): readonly WarningCode[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw badOption(OWNER, 'silence', 'an array of codes of warnings', value);
  const unknown = value.findIndex((code) => !WARNING_CODES.includes(code));
  if (unknown < 0) return [...value];
  throw badOption(OWNER, `silence[${unknown}]`, `one of ${WARNING_CODES.join(', ')}`, value[unknown]);
}

function readPrefix(value: unknown): string {
  if (value === undefined) return 'sk';
  if (typeof value === 'string' && PREFIX_FORM.test(value)) return value;
  throw badOption(OWNER, 'prefix', 'a lower-case letter and then up to 31 of a-z, 0-9 and _', value);
}

function readEnvironments(value: unknown, environment: Environment): readonly Environment[] {
  if (value === undefined) return Object.freeze([environment]);
  const isList =
    Array.isArray(value) && value.length > 0 && value.every((one) => one === 'live' || one === 'test');
  if (!isList) throw badOption(OWNER, 'environments', 'an array of "live" and "test"', value);
  if (value.includes(environment)) return Object.freeze([...value]);
  throw new TypeError(`${OWNER}: environments must include environment, which is "${environment}"`);
}

function readPeppers(value: unknown): readonly Pepper[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw badPepper('peppers', 'an array of { id, secret }, newest first', value);
  const ids = new Set<string>();
  return value.map((pepper: unknown, index) => {
    const option = `peppers[${index}]`;
    if (typeof pepper !== 'object') throw badPepper(option, '{ id, secret }', pepper);
    const { id, secret } = checkOptionNames(`${OWNER}: ${option}`, pepper, ['id', 'secret']);
    if (typeof id !== 'string' || !/^[a-z0-9-]{1,32}$/.test(id)) {
      throw badPepper(`${option}.id`, '1 to 32 characters of a-z, 0-9 and -', id);
    }
    if (ids.has(id)) throw new TypeError(`${OWNER}: two peppers have the id "${id}"`);
    ids.add(id);
    return { id, secret: readSecret(option, secret) };
  });
}

/** Of a text the message tells the length only, for it may be a secret that stands in the wrong place. */
function badPepper(option: string, demand: string, value: unknown): TypeError {
  const got = typeof value === 'string' ? `a text of ${value.length} characters` : describe(value);
  return new TypeError(`${OWNER}: ${option} must be ${demand}, but got ${got}`);
}

/** The message tells the length only: what was given may be a secret all the same. */
function readSecret(option: string, secret: unknown): Uint8Array {
  const isSecret = typeof secret === 'string' || secret instanceof Uint8Array;
  const bytes = isSecret ? Buffer.from(secret) : Buffer.alloc(0);
  if (bytes.length >= 32) return bytes;
  const got = isSecret ? `one of ${bytes.length}` : typeof secret;
  throw new TypeError(
    `${OWNER}: ${option}.secret must be a text or bytes of at least 32 bytes, but got ${got}`,
  );
}

function readCacheOptions(value: ApiKeysOptions['cache']): CacheConfig {
  if (value === false) return { maxEntries: 0, ttlMs: 0, staleIfErrorMs: 0, maxMisses: 0, missTtlMs: 0 };
  const options = checkOptionNames(
    `${OWNER}: cache`,
    value === undefined ? {} : value,
    Object.keys(CACHE_OPTION_NAMES),
  );
  const read = (name: keyof CacheOptions, fallback: number, max: number): number =>
    wholeNumber(OWNER, `cache.${name}`, options[name], fallback, { min: 0, max });
  const ttlMs = read('ttlMs', 10_000, LONGEST_TTL_MS);
  const maxMisses = read('maxMisses', 10_000, LARGEST_CACHE);
  return {
    maxEntries: read('maxEntries', 10_000, LARGEST_CACHE),
    ttlMs,
    staleIfErrorMs: read('staleIfErrorMs', 30_000, LONGEST_TTL_MS),
    maxMisses: ttlMs === 0 ? 0 : maxMisses,
    missTtlMs: read('missTtlMs', 5_000, 60_000),
  };
}
