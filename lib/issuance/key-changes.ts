import { ConflictError } from '../errors.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import { coversScope } from '../keys/scopes.ts';
import type { KeyChange } from '../stores/key-store.ts';
import type { Changes } from './key-input.ts';

/** @throws ConflictError for a key that has ended: rotation must not bring it back */
export function refuseEnded({ revokedAt, enabled, expiresAt }: KeyRecord, now: number): void {
  if (revokedAt !== undefined) throw new ConflictError('A revoked key cannot be rotated; create a new one.');
  if (!enabled) throw new ConflictError('A disabled key cannot be rotated; enable it first.');
  if (expiresAt !== undefined && now >= expiresAt.getTime()) {
    throw new ConflictError(
      'An expired key cannot be rotated; give it a later end first, or create a new one.',
    );
  }
}

/** The old key's further life, which ends with the key's own; none for a grace of 0. */
export function graceOf(
  record: KeyRecord,
  now: number,
  gracePeriodMs: number,
): Pick<KeyChange, 'previous' | 'clear'> {
  if (gracePeriodMs === 0) return { clear: ['previous'] };
  const { digest, lastUsedAt, expiresAt } = record;
  const end = Math.min(now + gracePeriodMs, expiresAt?.getTime() ?? Number.POSITIVE_INFINITY);
  return {
    previous: {
      digest,
      expiresAt: new Date(end),
      ...(lastUsedAt === undefined ? undefined : { lastUsedAt }),
    },
  };
}

/** An old key's grace never reaches past the end of the key. */
export function clippedGrace({ previous }: KeyRecord, expiresAt: number): Pick<KeyChange, 'previous'> {
  if (previous === undefined || previous.expiresAt.getTime() <= expiresAt) return {};
  return { previous: { ...previous, expiresAt: new Date(expiresAt) } };
}

/** Whether a key can do less after an update: a scope lost, an earlier end, a later beginning. */
export function narrows(record: KeyRecord, { scopes, expiresAt, notBefore }: Changes): boolean {
  const losesScope = scopes !== undefined && record.scopes.some((scope) => !coversScope(scopes, scope));
  const oldEnd = record.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
  const endsEarlier = typeof expiresAt === 'number' && expiresAt < oldEnd;
  const oldStart = record.notBefore?.getTime() ?? Number.NEGATIVE_INFINITY;
  const beginsLater = typeof notBefore === 'number' && notBefore > oldStart;
  return losesScope || endsEarlier || beginsLater;
}
