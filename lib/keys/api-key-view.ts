import type { ApiKey } from './api-key.ts';
import type { KeyRecord } from './key-record.ts';
import { unsliced } from './unsliced.ts';

/*
 * A `Date` takes 120 bytes, which is as much as all the rest of a view takes, and nearly nobody reads one. So a view keeps
 * numbers, and makes a `Date` when it is asked for it. Its times are members of its own like the others: they are listed,
 * copied and written as JSON; but each reading is a new `Date`, so that whoever changes one changes nothing.
 */

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

/**
 * Where a view keeps its times, as one text: nobody can change a text, and it takes half of what an array would. In base
 * 36, milliseconds since 1970, with a space between; nothing for one that is absent. It is not enumerable.
 */
const TIMES = Symbol('times');

/** What `console.log` asks for; without it, it would show the times as [Getter]. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

interface Timed {
  readonly [TIMES]: string;
}

/** Shared by all views, so that they take no room in any of them. */
const READERS: readonly PropertyDescriptor[] = TIME_NAMES.map((_, index) => ({
  enumerable: true,
  get(this: Timed): Date {
    return new Date(Number.parseInt(this[TIMES].split(' ')[index] ?? '', 36));
  },
}));

const INSPECTOR: PropertyDescriptor = {
  value(this: object): object {
    return { ...this };
  },
};

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
  Object.defineProperty(view, TIMES, { value: timesOf(record) });
  Object.defineProperty(view, INSPECT, INSPECTOR);
  for (const [index, name] of TIME_NAMES.entries()) {
    if (record[name] !== undefined) Object.defineProperty(view, name, READERS[index] as PropertyDescriptor);
  }
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

function timesOf(record: KeyRecord): string {
  const times = TIME_NAMES.map((name) => record[name]?.getTime().toString(36) ?? '').join(' ');
  return unsliced(times.trimEnd());
}

function graceOf({
  expiresAt,
  lastUsedAt,
}: NonNullable<KeyRecord['previous']>): NonNullable<ApiKey['grace']> {
  const grace = Object.defineProperty({}, INSPECT, INSPECTOR);
  for (const [name, time] of Object.entries({ expiresAt, lastUsedAt })) {
    const ms = time?.getTime();
    if (ms !== undefined) Object.defineProperty(grace, name, { enumerable: true, get: () => new Date(ms) });
  }
  return Object.freeze(grace) as NonNullable<ApiKey['grace']>;
}
