import { plutoKeys } from '../../lib/dialects.ts';
import { type ApiKeys, createApiKeys, type KeyRecord, keyPairs, MemoryKeyStore } from '../../lib/index.ts';
import { FaultStore } from './fault-store.ts';
import { withChecksum } from './fixture-keys.ts';
import { digestOf, idOf } from './records.ts';

/** The time at which every clock of the matrix stands. */
const NOW = Date.parse('2026-03-01T10:00:00Z');
const HOUR_MS = 3_600_000;

export const ORGANIZATION_ID = '066daf34-08e8-40fe-a384-4248bcff5842';
export const USER_ID = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';

/** One key in both of its forms: as one text, and as an id and a secret, which is another record. */
export interface Presented {
  readonly key: string;
  readonly keyId: string;
  readonly pairId: string;
  readonly secret: string;
}

/** What is different of each; `undefined` for one that stands in no store. */
const SUBJECTS = {
  good: {},
  userOwned: { owner: { type: 'user', id: USER_ID } },
  unknown: undefined,
  expired: { expiresAt: new Date(NOW) },
  revoked: { revokedAt: new Date(NOW - HOUR_MS), revocationReason: 'leaked' },
  disabled: { enabled: false },
  /** Its new key is nobody's; the old one is in its grace. */
  rotated: { rotatedAt: new Date(NOW - HOUR_MS), expiresAt: new Date(NOW + 100 * HOUR_MS) },
  scopeless: { scopes: [] },
  /** Is asked about for the first time when the store has failed. */
  cold: {},
  /** The own key of who asks about another. */
  caller: { scopes: ['keys:validate'] },
  coldCaller: { scopes: ['keys:validate'] },
} as const satisfies Readonly<Record<string, Partial<KeyRecord> | undefined>>;

export type Subject = keyof typeof SUBJECTS;

const names = Object.keys(SUBJECTS) as Subject[];

export const presented = Object.fromEntries(
  names.map((name, number) => [
    name,
    {
      key: withChecksum(`acme_live_${name.padEnd(32, '0')}`),
      keyId: idOf(number),
      pairId: idOf(100 + number),
      secret: name.padEnd(43, '0'),
    },
  ]),
) as Readonly<Record<Subject, Presented>>;

function recordsOf(name: Subject): KeyRecord[] {
  const differences = SUBJECTS[name];
  if (differences === undefined) return [];
  const { key, keyId, pairId, secret } = presented[name];
  const record = (id: string, kind: 'opaque' | 'pair', text: string): KeyRecord => ({
    id,
    kind,
    ...(name === 'rotated'
      ? {
          digest: digestOf(`new ${text}`),
          previous: { digest: digestOf(text), expiresAt: new Date(NOW + 23 * HOUR_MS) },
        }
      : { digest: digestOf(text) }),
    name: 'Production API Key',
    environment: 'live',
    start: 'acme_live_9fQx',
    end: 'k3xT',
    organization: { id: ORGANIZATION_ID, slug: 'acme' },
    owner: { type: 'organization', id: ORGANIZATION_ID },
    scopes: ['ie_model', 'invoices:read'],
    metadata: {},
    enabled: true,
    version: 1,
    createdAt: new Date(NOW - 24 * HOUR_MS),
    updatedAt: new Date(NOW - 2 * HOUR_MS),
    ...differences,
  });
  return [record(keyId, 'opaque', key), record(pairId, 'pair', `${pairId}:${secret}`)];
}

/** One store with all of them, which can be made to fail. */
export function openMatrixKeys(): { readonly apiKeys: ApiKeys; readonly store: FaultStore } {
  const store = new FaultStore(new MemoryKeyStore(names.flatMap(recordsOf)), { without: ['watch'] });
  const verifiers = [keyPairs(), plutoKeys()];
  return { store, apiKeys: createApiKeys({ store, prefix: 'acme', now: () => NOW, verifiers }) };
}
