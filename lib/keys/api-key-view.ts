import type { ApiKey } from './api-key.ts';
import type { KeyRecord } from './key-record.ts';
import { timesOf } from './small-times.ts';

/** In the order in which a view keeps them; those that most keys have come first. */
const TIME_NAMES = [
  'createdAt',
  'updatedAt',
  'expiresAt',
  'lastUsedAt',
  'rotatedAt',
  'notBefore',
  'revokedAt',
] as const;

const setTimes = timesOf(TIME_NAMES);
const setGraceTimes = timesOf(['expiresAt', 'lastUsedAt']);

/**
 * The view of a record that an application may have: a copy, frozen to the bottom, without digests. Takes records
 * that {@link readRecord} made, whose parts are frozen.
 */
export function apiKeyOf(record: KeyRecord): ApiKey {
  const { createdBy } = record;
  // Named one by one: what else a record may hold stays behind.
  const view = {
    id: record.id,
    kind: record.kind,
    name: record.name,
    environment: record.environment,
    start: record.start,
    end: record.end,
    organization: record.organization,
    owner: record.owner,
    scopes: record.scopes,
    enabled: record.enabled,
    version: record.version,
    metadata: record.metadata,
    ...(createdBy === undefined ? undefined : { createdBy }),
    ...rareParts(record),
  };
  setTimes(view, record);
  return Object.freeze(view) as unknown as ApiKey;
}

function rareParts({
  revocationReason,
  previous,
}: KeyRecord): Pick<Partial<ApiKey>, 'revocationReason' | 'grace'> {
  return {
    ...(revocationReason === undefined ? undefined : { revocationReason }),
    ...(previous === undefined ? undefined : { grace: graceOf(previous) }),
  };
}

function graceOf(previous: NonNullable<KeyRecord['previous']>): NonNullable<ApiKey['grace']> {
  const grace = {};
  setGraceTimes(grace, previous);
  return Object.freeze(grace) as NonNullable<ApiKey['grace']>;
}
