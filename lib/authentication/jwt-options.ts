import type { CryptoKey, JWK } from 'jose';
import { textProblem } from '../keys/fields.ts';
import { badOption, checkOptionNames, describe, wholeNumber } from '../options.ts';
import type { ClaimRules } from './jwt-claims.ts';

/** Signatures by key pairs only: who can check a key cannot make one. */
export type JwtAlgorithm = 'ES256' | 'EdDSA' | 'RS256';

/** Who issues the tokens, for whom, for how long, and with which key pairs. */
export interface JwtKeysOptions {
  /** The `iss` of every key: who issues them. */
  issuer: string;
  /** The `aud` of every key: the API they are for. */
  audience: string;
  /** The longest life of a key, in milliseconds, 1,000 to 315,360,000,000 (ten years); longer ones are refused. */
  maxLifetimeMs: number;
  /** Key pairs of our own, or where the public keys of another issuer are. */
  keys: readonly JwtKey[] | RemoteJwtKeys;
}

/** One key pair for signing and checking, and where in its life it is. */
export interface JwtKey {
  /** The `kid` of what it signs. */
  id: string;
  /** RS256 checks only. */
  alg: JwtAlgorithm;
  /**
   * `current`: signs, exactly one does; needs its private part. `next`: is published, and checked with, before it
   * signs. `retired`: signs no more, and is kept until the last key that it signed has ended.
   */
  state: 'next' | 'current' | 'retired';
  /**
   * Of a private key the public part is derived here; from Node 24 on, Node warns (DEP0204) where that is done with a
   * `CryptoKey` that is not extractable.
   */
  key: CryptoKey | JWK;
}

/** Public keys of another issuer; no keys can be made with them. */
export interface RemoteJwtKeys {
  /** A JSON Web Key Set, over https, or over http on this machine. */
  jwks: URL;
  /** What its keys may be for; others in the set are not used. */
  algorithms: readonly JwtAlgorithm[];
  /** How long one reading of the set may take, in milliseconds, 1 to 9,000. @default 2000 */
  timeoutMs?: number | undefined;
  /** How much longer the last set is used while it cannot be read anew, in milliseconds. @default 600000 */
  staleMs?: number | undefined;
}

/** A record whose members are all the names of T, so that a new option that is forgotten here does not compile. */
type Names<T> = { readonly [Name in keyof Required<T>]: true };

export interface RemoteJwtKeysConfig {
  readonly jwks: URL;
  readonly algorithms: readonly JwtAlgorithm[];
  readonly timeoutMs: number;
  readonly staleMs: number;
}

/** {@link JwtKeysOptions} with everything decided but the key pairs. */
export interface JwtKeysConfig {
  readonly rules: ClaimRules;
  readonly keys: readonly unknown[] | RemoteJwtKeysConfig;
}

export const JWT_OWNER = 'jwtKeys';
const JWT_ALGORITHMS: readonly JwtAlgorithm[] = ['ES256', 'EdDSA', 'RS256'];
const LONGEST_LIFETIME_MS = 315_360_000_000;
const LONGEST_STALE_MS = 86_400_000;
/** A verifier is given up after ten seconds. */
const LONGEST_TIMEOUT_MS = 9_000;

const OPTION_NAMES: Names<JwtKeysOptions> = { issuer: true, audience: true, maxLifetimeMs: true, keys: true };
const REMOTE_NAMES: Names<RemoteJwtKeys> = { jwks: true, algorithms: true, timeoutMs: true, staleMs: true };

/** @throws TypeError for the first option that is wrong */
export function readJwtKeysOptions(options: JwtKeysOptions): JwtKeysConfig {
  checkOptionNames(JWT_OWNER, options, Object.keys(OPTION_NAMES));
  const rules = {
    issuer: readText('issuer', options.issuer),
    audience: readText('audience', options.audience),
    maxLifetimeMs: readLifetime(options.maxLifetimeMs),
  };
  const { keys } = options;
  if (Array.isArray(keys)) return { rules, keys };
  if (typeof keys === 'object' && keys !== null) return { rules, keys: readRemote(keys) };
  throw badOption(JWT_OWNER, 'keys', 'an array of keys or { jwks, algorithms }', keys);
}

export function readAlgorithm(option: string, value: unknown): JwtAlgorithm {
  const algorithm = JWT_ALGORITHMS.find((one) => one === value);
  if (algorithm !== undefined) return algorithm;
  throw badOption(JWT_OWNER, option, JWT_ALGORITHMS.map((one) => `"${one}"`).join(' or '), value);
}

function readText(option: string, value: unknown): string {
  const problem = textProblem(value, 255);
  if (problem === undefined) return value as string;
  throw new TypeError(`${JWT_OWNER}: ${option} ${problem}, but got ${describe(value)}`);
}

function readLifetime(value: unknown): number {
  const range = { min: 1_000, max: LONGEST_LIFETIME_MS };
  // Not given is none of the numbers: what a key that leaks is worth, nobody can guess.
  if (value !== undefined) return wholeNumber(JWT_OWNER, 'maxLifetimeMs', value, 0, range);
  const demand = `a whole number from ${range.min} to ${range.max}`;
  throw badOption(JWT_OWNER, 'maxLifetimeMs', demand, value);
}

function readRemote(value: object): RemoteJwtKeysConfig {
  const given = checkOptionNames(`${JWT_OWNER}: keys`, value, Object.keys(REMOTE_NAMES));
  const { jwks, algorithms, timeoutMs, staleMs } = given;
  if (!Array.isArray(algorithms) || algorithms.length === 0) {
    throw badOption(JWT_OWNER, 'keys.algorithms', 'an array of at least one algorithm', algorithms);
  }
  return {
    jwks: readUrl(jwks),
    algorithms: algorithms.map((one, index) => readAlgorithm(`keys.algorithms[${index}]`, one)),
    timeoutMs: wholeNumber(JWT_OWNER, 'keys.timeoutMs', timeoutMs, 2_000, {
      min: 1,
      max: LONGEST_TIMEOUT_MS,
    }),
    staleMs: wholeNumber(JWT_OWNER, 'keys.staleMs', staleMs, 600_000, { min: 0, max: LONGEST_STALE_MS }),
  };
}

/** Who can change the set on its way can make keys, so it has to come over TLS, or not to leave the machine. */
function readUrl(value: unknown): URL {
  const demand = 'a URL with https:, or with http: on this machine, and without a password';
  const href = Object.prototype.toString.call(value) === '[object URL]' ? (value as URL).href : '';
  const url = URL.canParse(href) ? new URL(href) : undefined;
  const isLoopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url?.hostname ?? '');
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback);
  if (url !== undefined && isSafe && url.username === '' && url.password === '') return url;
  // The URL may hold a password.
  const shown = typeof value === 'string' ? 'a text' : describe(value);
  const got = url === undefined ? shown : `one with ${url.protocol}//${url.host}`;
  throw new TypeError(`${JWT_OWNER}: keys.jwks must be ${demand}, but got ${got}`);
}
