import type { Environment } from './api-key.ts';
import type { KeyRecord } from './key-record.ts';

/** Why a key is not accepted. For logs; a client learns only that it is not. */
export type RefusalReason =
  | 'malformed'
  | 'unknown'
  | 'wrong_environment'
  | 'revoked'
  | 'disabled'
  | 'expired'
  | 'not_yet_valid'
  | 'rotated'
  | 'owner_inactive';

/**
 * What the checks read: numbers copied out of a record when it arrived, since a `Date`, frozen or not, can be
 * changed by whoever holds it. An end that is not there is `Infinity`.
 */
export interface KeyFacts {
  readonly id: string;
  readonly version: number;
  readonly environment: Environment;
  readonly revoked: boolean;
  readonly enabled: boolean;
  readonly ownerActive: boolean;
  /** When the presented text stops to work because a newer one took its place; `Infinity` for the current key. */
  readonly graceEndsAt: number;
  readonly expiresAt: number;
  readonly notBefore: number;
}

/** @param presented - what was presented: the record's previous key or its current one, and that text's own end */
export function factsOf(
  record: KeyRecord,
  presented: { previous: boolean; expiresAt?: Date | undefined },
  ownerActive: boolean,
): KeyFacts {
  return {
    id: record.id,
    version: record.version,
    environment: record.environment,
    // Whatever the time says: the clock of who revoked it may run ahead of ours.
    revoked: record.revokedAt !== undefined,
    enabled: record.enabled,
    ownerActive,
    graceEndsAt: presented.previous ? (record.previous?.expiresAt.getTime() ?? 0) : Number.POSITIVE_INFINITY,
    expiresAt: Math.min(endOf(record.expiresAt), endOf(presented.expiresAt)),
    notBefore: record.notBefore?.getTime() ?? Number.NEGATIVE_INFINITY,
  };
}

/**
 * The one ordered list of checks, for a record wherever it came from, on every request. An end is the first moment
 * at which the key is refused. The comparisons are written so that a clock that answers `NaN` refuses.
 */
export function refusalReason(
  facts: KeyFacts,
  now: number,
  environments: readonly Environment[],
): RefusalReason | undefined {
  if (facts.revoked) return 'revoked';
  if (!facts.enabled) return 'disabled';
  if (!facts.ownerActive) return 'owner_inactive';
  if (!(now < facts.graceEndsAt)) return 'rotated';
  if (!(now < facts.expiresAt)) return 'expired';
  if (!(now >= facts.notBefore)) return 'not_yet_valid';
  if (!environments.includes(facts.environment)) return 'wrong_environment';
  return undefined;
}

function endOf(date: Date | undefined): number {
  return date?.getTime() ?? Number.POSITIVE_INFINITY;
}
