import { idProblem } from '../keys/fields.ts';
import type { JsonMembers } from './jwt-text.ts';

/** RFC 8725 section 3.11: no other kind of token can stand in for a key, nor a key for it. */
export const JWT_TYPE = 'apikey+jwt';

export interface ClaimRules {
  readonly issuer: string;
  readonly audience: string;
  readonly maxLifetimeMs: number;
}

/** What a token says of itself; times are seconds. */
export interface JwtClaims {
  /** Of the record: who may do what stands there, and not in the token. */
  readonly id: string;
  readonly iat: number;
  readonly exp: number;
}

/**
 * How far ahead of our clock an `iat` may be. A key that takes the place of another within one second is dated a
 * second later, so that the two can be told apart.
 */
export const IAT_LEEWAY_MS = 5_000;

/** `alg`, `typ` and `kid`. */
const HEADER_SIZE = 3;

const CLAIM_NAMES = ['iss', 'aud', 'sub', 'jti', 'iat', 'exp', 'nbf'];

/** Names that mean something to JavaScript and nothing to anybody here: they are not read. */
const IDLE_NAMES = ['__proto__', 'constructor', 'prototype'];

/** The largest time that a `Date` can be, in seconds. */
const LAST_SECOND = 8_640_000_000_000;

/**
 * Which key a header names. It may say no more than a header of ours does: with every further name somebody wants
 * something of the reader (`jku`, `x5c`, `jwk`, `crit`, `b64`, `zip`, `cty`), and we do none of it.
 */
export function readHeader(header: JsonMembers): { kid: string; alg: string } | undefined {
  if (header.size !== HEADER_SIZE || header.get('typ') !== JWT_TYPE) return undefined;
  const [alg, kid] = [header.get('alg'), header.get('kid')];
  if (typeof alg !== 'string' || typeof kid !== 'string') return undefined;
  return { alg, kid };
}

/**
 * The claims of a token that is ours, begun and not too long-lived; an `exp` in the past is left to the checks that
 * all keys go through. A claim that we do not know is refused: it wants to say something of identity or rights.
 */
export function readClaims(payload: JsonMembers, rules: ClaimRules, now: number): JwtClaims | undefined {
  const names = [...payload.keys()].filter((name) => !IDLE_NAMES.includes(name));
  if (!names.every((name) => CLAIM_NAMES.includes(name))) return undefined;
  if (payload.get('iss') !== rules.issuer || payload.get('aud') !== rules.audience) return undefined;
  const id = payload.get('jti');
  if (typeof id !== 'string' || idProblem(id) !== undefined || payload.get('sub') !== id) return undefined;
  const [iat, exp, nbf] = [payload.get('iat'), payload.get('exp'), payload.get('nbf')];
  if (!isTime(iat) || !isTime(exp) || !(nbf === undefined || isTime(nbf))) return undefined;
  const lifetimeMs = (exp - iat) * 1_000;
  if (lifetimeMs <= 0 || lifetimeMs > rules.maxLifetimeMs) return undefined;
  // Written so that a clock that answers `NaN` refuses.
  const hasBegun = iat * 1_000 <= now + IAT_LEEWAY_MS && (nbf === undefined || nbf * 1_000 <= now);
  return hasBegun ? { id, iat, exp } : undefined;
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= LAST_SECOND;
}
