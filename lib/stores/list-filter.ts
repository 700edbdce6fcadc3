import type { KeyRecord } from '../keys/key-record.ts';
import type { ListQuery } from './key-store.ts';

/** Whether a record meets all conditions of a question, for stores that must look at each. */
export function fits(record: KeyRecord, query: ListQuery): boolean {
  const lastSeen = record.lastUsedAt ?? record.createdAt;
  return (
    equals(query.organizationId, record.organization.id) &&
    equals(query.ownerId, record.owner.id) &&
    equals(query.ownerType, record.owner.type) &&
    equals(query.enabled, record.enabled) &&
    equals(query.revoked, record.revokedAt !== undefined) &&
    isBefore(record.expiresAt, query.expiresBefore) &&
    isBefore(lastSeen, query.lastUsedBefore)
  );
}

function equals<T>(wanted: T | undefined, value: T): boolean {
  return wanted === undefined || wanted === value;
}

function isBefore(time: Date | undefined, limit: Date | undefined): boolean {
  return limit === undefined || (time !== undefined && time < limit);
}
