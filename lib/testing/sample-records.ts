import { sha256 } from '../keys/digest.ts';
import { type KeyRecord, keyRecord } from '../keys/key-record.ts';
import type { KeyUse } from '../stores/key-store.ts';

const CREATED_AT = Date.UTC(2026, 2, 1, 10, 0, 0, 123);

/** Minutes after the moment at which the samples were made; a new `Date` each time. */
export function moment(minutes: number): Date {
  return new Date(CREATED_AT + minutes * 60_000);
}

/** An id that sorts by its number. */
export function idOf(number: number): string {
  return `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

/** The number of an id, for messages that can be read. */
export function numberOf(id: string): number {
  return Number(id.slice(-12));
}

export function digestOf(text: string): string {
  return `sha256:${sha256(text)}`;
}

/** A record with only what every record has. */
export function buildRecord(number: number, members: Partial<KeyRecord> = {}): KeyRecord {
  return keyRecord({
    id: idOf(number),
    digest: digestOf(`key ${number}`),
    name: `Key ${number}`,
    start: 'acme_live_9fQx',
    end: 'k3xT',
    organization: { id: 'org_1' },
    scopes: ['reports:read'],
    createdAt: moment(0),
    ...members,
  });
}

/** A record with every member there is; revoked, so that nothing that is kept of one is left out. */
export function buildFullRecord(number: number): Required<KeyRecord> {
  return buildRecord(number, {
    kind: 'pair',
    environment: 'test',
    organization: { id: 'org_2', slug: 'acme' },
    owner: { type: 'user', id: 'user_7' },
    scopes: ['reports:read', 'reports:*'],
    metadata: { plan: 'pro', limits: { perDay: 1.5, tags: ['a', null, false] } },
    enabled: false,
    version: 7,
    createdBy: 'admin_1',
    updatedAt: moment(1),
    lastUsedAt: moment(3),
    expiresAt: moment(1_000),
    notBefore: moment(-5),
    revokedAt: moment(500),
    revocationReason: "it's out",
    rotatedAt: moment(2),
    previous: { digest: digestOf(`old key ${number}`), expiresAt: moment(60), lastUsedAt: moment(4) },
  }) as Required<KeyRecord>;
}

/** A record that was rotated, and whose old key still works. */
export function buildRotatedRecord(
  number: number,
  members: Partial<KeyRecord> = {},
): Required<Pick<KeyRecord, 'previous'>> & KeyRecord {
  const previous = { digest: digestOf(`old key ${number}`), expiresAt: moment(60) };
  return { ...buildRecord(number, { ...members, previous, rotatedAt: moment(2) }), previous };
}

export function buildUse(number: number, minutes: number, previous = false): KeyUse {
  return { id: idOf(number), at: moment(minutes), previous };
}

/** 1, 2, ... count */
export function numbersTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
