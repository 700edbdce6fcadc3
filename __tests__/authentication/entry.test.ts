import { expect, test } from '@jest/globals';
import { Entry } from '../../lib/authentication/entry.ts';
import { apiKeyOf } from '../../lib/keys/api-key-view.ts';
import type { KeyFacts } from '../../lib/keys/checks.ts';
import { buildRecord } from '../support/records.ts';

const COMMON: KeyFacts = {
  id: 'key_1',
  version: 1,
  environment: 'live',
  enabled: true,
  expiresAt: Number.POSITIVE_INFINITY,
  revoked: false,
  ownerActive: true,
  graceEndsAt: Number.POSITIVE_INFINITY,
  notBefore: Number.NEGATIVE_INFINITY,
};

test.each<[string, string, Partial<KeyFacts>]>([
  ['what most have', '', {}],
  ['a rest of its name', 'rest', {}],
  ['that it is revoked', '', { revoked: true }],
  ['that its owner is inactive', '', { ownerActive: false }],
  ['a grace', '', { graceEndsAt: 5 }],
  ['a beginning', '', { notBefore: 5 }],
  ['all of it', 'rest', { revoked: true, ownerActive: false, graceEndsAt: 5, notBefore: 6 }],
])('an entry tells %s', (_, rest, members) => {
  const record = buildRecord(1);
  const facts = { ...COMMON, ...members };
  const stamp = { read: 1, wallAt: 2, monotonicAt: 3, insertions: 0 };
  const entry = new Entry(rest, apiKeyOf(record), facts, stamp);
  const { revoked, ownerActive, graceEndsAt, notBefore } = entry;
  expect({ rest: entry.rest, revoked, ownerActive, graceEndsAt, notBefore }).toEqual({
    rest,
    revoked: facts.revoked,
    ownerActive: facts.ownerActive,
    graceEndsAt: facts.graceEndsAt,
    notBefore: facts.notBefore,
  });
  expect(entry).toMatchObject({ environment: 'live', enabled: true, read: 1, wallAt: 2, monotonicAt: 3 });
  expect([entry.id, entry.version]).toEqual([record.id, record.version]);
});

test('the time from which a use is due is kept in whole seconds, never sooner', () => {
  const stamp = { read: 1, wallAt: 2, monotonicAt: 3, insertions: 0 };
  const entry = new Entry('', apiKeyOf(buildRecord(1)), COMMON, stamp);
  expect(entry.useDueAt).toBe(0);
  entry.useDueAt = 60_001;
  expect(entry.useDueAt).toBe(61_000);
  entry.useDueAt = 61_000;
  expect(entry.useDueAt).toBe(61_000);
});
