import { createHash } from 'node:crypto';
import type { KeyRecord } from '../../lib/keys/key-record.ts';

/** The moment at which the records of the tests were made. */
export const CREATED_AT: Date = new Date('2026-03-01T10:00:00.123Z');

export function minutesLater(minutes: number): Date {
  return new Date(CREATED_AT.getTime() + minutes * 60_000);
}

export function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('base64url')}`;
}

/** An id that sorts by its number, as ours do by their time. */
export function idOf(number: number): string {
  return `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

/** A record with only what every record has; the number tells it from others. */
export function buildRecord(number: number, members: Partial<KeyRecord> = {}): KeyRecord {
  return {
    id: idOf(number),
    digest: digestOf(`key ${number}`),
    kind: 'opaque',
    name: `Key ${number}`,
    environment: 'live',
    start: 'acme_live_9fQx',
    end: 'k3xT',
    organization: { id: 'org_1' },
    owner: { type: 'organization', id: 'org_1' },
    scopes: ['reports:read'],
    metadata: {},
    enabled: true,
    version: 1,
    createdAt: CREATED_AT,
    updatedAt: CREATED_AT,
    ...members,
  };
}

/** A record with every member there is. */
export function buildFullRecord(number: number): Required<KeyRecord> {
  return {
    ...buildRecord(number),
    previous: {
      digest: digestOf(`old key ${number}`),
      expiresAt: minutesLater(60),
      lastUsedAt: minutesLater(2),
    },
    kind: 'pair',
    name: `Ключ "${number}"; -- 🗝`,
    environment: 'test',
    start: '',
    end: '',
    organization: { id: 'org_2', slug: 'acme' },
    owner: { type: 'user', id: 'user_7' },
    scopes: ['reports:read', 'reports:*'],
    metadata: { plan: 'pro', limits: { perDay: 1.5, tags: ['a', null, false] } },
    enabled: false,
    version: 7,
    createdBy: 'admin_1',
    updatedAt: minutesLater(1),
    lastUsedAt: minutesLater(3),
    expiresAt: minutesLater(1_000),
    notBefore: minutesLater(-5),
    revokedAt: minutesLater(500),
    revocationReason: "it's out",
    rotatedAt: minutesLater(1),
  };
}
