import type { ApiKey } from './api-key.ts';
import type { KeyRecord } from './key-record.ts';

/**
 * The view of a record that an application may have: a copy, frozen to the bottom, without digests. Takes records
 * that {@link readRecord} made, whose parts are frozen, and copies their `Date`s, which freezing does not protect.
 */
export function apiKeyOf(record: KeyRecord): ApiKey {
  const { digest: _digest, previous, ...shown } = record;
  const view = {
    ...shown,
    createdAt: new Date(record.createdAt),
    updatedAt: new Date(record.updatedAt),
    ...copiedTimes(record, ['lastUsedAt', 'expiresAt', 'notBefore', 'revokedAt', 'rotatedAt']),
    ...(previous === undefined ? undefined : { grace: graceOf(previous) }),
  };
  return Object.freeze(view);
}

function graceOf(previous: NonNullable<KeyRecord['previous']>): NonNullable<ApiKey['grace']> {
  return Object.freeze({
    expiresAt: new Date(previous.expiresAt),
    ...(previous.lastUsedAt === undefined ? undefined : { lastUsedAt: new Date(previous.lastUsedAt) }),
  });
}

type OptionalTime = 'lastUsedAt' | 'expiresAt' | 'notBefore' | 'revokedAt' | 'rotatedAt';

function copiedTimes(record: KeyRecord, names: readonly OptionalTime[]): { [K in OptionalTime]?: Date } {
  const copies: { [K in OptionalTime]?: Date } = {};
  for (const name of names) {
    const time = record[name];
    if (time !== undefined) copies[name] = new Date(time);
  }
  return copies;
}
