import { describe, expect, test } from '@jest/globals';
import { factsOf, type KeyFacts, type RefusalReason, refusalReason } from '../../lib/keys/checks.ts';
import type { KeyRecord } from '../../lib/keys/key-record.ts';
import { buildRecord, CREATED_AT, digestOf, minutesLater } from '../support/records.ts';

const NOW = minutesLater(10).getTime();
const LIVE = ['live'] as const;

const good: KeyFacts = {
  id: 'key_1',
  version: 1,
  environment: 'live',
  revoked: false,
  enabled: true,
  ownerActive: true,
  graceEndsAt: Number.POSITIVE_INFINITY,
  expiresAt: Number.POSITIVE_INFINITY,
  notBefore: Number.NEGATIVE_INFINITY,
};

/** In the order in which they are asked. */
const failures: readonly { reason: RefusalReason; facts: Partial<KeyFacts> }[] = [
  { reason: 'revoked', facts: { revoked: true } },
  { reason: 'disabled', facts: { enabled: false } },
  { reason: 'owner_inactive', facts: { ownerActive: false } },
  { reason: 'rotated', facts: { graceEndsAt: NOW } },
  { reason: 'expired', facts: { expiresAt: NOW } },
  { reason: 'not_yet_valid', facts: { notBefore: NOW + 1 } },
  { reason: 'wrong_environment', facts: { environment: 'test' } },
];

const pairs = failures.flatMap((first, at) =>
  failures.slice(at + 1).map((second) => ({ first, second, name: `${first.reason} and ${second.reason}` })),
);

describe('the list of checks', () => {
  test('has nothing against a good key', () => {
    expect(refusalReason(good, NOW, LIVE)).toBeUndefined();
  });

  test.each(failures)('refuses a key that is $reason', ({ reason, facts }) => {
    expect(refusalReason({ ...good, ...facts }, NOW, LIVE)).toBe(reason);
  });

  test.each(pairs)('says of a key that is $name the former', ({ first, second }) => {
    expect(refusalReason({ ...good, ...second.facts, ...first.facts }, NOW, LIVE)).toBe(first.reason);
  });

  test('accepts every environment that it is given', () => {
    expect(refusalReason({ ...good, environment: 'test' }, NOW, ['live', 'test'])).toBeUndefined();
    expect(refusalReason(good, NOW, ['test'])).toBe('wrong_environment');
    expect(refusalReason(good, NOW, [])).toBe('wrong_environment');
  });

  test.each([
    ['the grace', 'graceEndsAt', 'rotated'],
    ['the key', 'expiresAt', 'expired'],
  ] as const)('lets the last millisecond of %s pass, and refuses at its end', (_, member, reason) => {
    const facts = { ...good, [member]: NOW };
    expect(refusalReason(facts, NOW - 1, LIVE)).toBeUndefined();
    expect(refusalReason(facts, NOW, LIVE)).toBe(reason);
    expect(refusalReason(facts, NOW + 1, LIVE)).toBe(reason);
  });

  test('refuses up to the last millisecond before the beginning, and not at it', () => {
    const facts = { ...good, notBefore: NOW };
    expect(refusalReason(facts, NOW - 1, LIVE)).toBe('not_yet_valid');
    expect(refusalReason(facts, NOW, LIVE)).toBeUndefined();
  });

  test.each([
    ['without ends', {}],
    ['with an end', { expiresAt: NOW + 1 }],
    ['in grace', { graceEndsAt: NOW + 1 }],
    ['with a beginning', { notBefore: NOW }],
  ])('refuses a key %s by a clock that answers NaN', (_, facts) => {
    expect(refusalReason({ ...good, ...facts }, Number.NaN, LIVE)).toBeDefined();
  });

  test.each(['graceEndsAt', 'expiresAt', 'notBefore'] as const)('refuses a key whose %s is NaN', (member) => {
    expect(refusalReason({ ...good, [member]: Number.NaN }, NOW, LIVE)).toBeDefined();
  });
});

describe('the facts of a record', () => {
  const current = { previous: false };
  const facts = (members: Partial<KeyRecord>, presented: Parameters<typeof factsOf>[1] = current): KeyFacts =>
    factsOf(buildRecord(1, members), presented, true);
  const previous = { digest: digestOf('old'), expiresAt: minutesLater(5) };

  test('of one without ends are those of a good key', () => {
    const { id } = buildRecord(1);
    expect(facts({})).toStrictEqual({ ...good, id });
  });

  test('hold the times as numbers, which nobody can move afterwards', () => {
    const [expiresAt, notBefore] = [minutesLater(20), minutesLater(1)];
    const read = facts({ expiresAt, notBefore });
    expiresAt.setTime(0);
    notBefore.setTime(0);
    expect(read).toMatchObject({
      expiresAt: minutesLater(20).getTime(),
      notBefore: minutesLater(1).getTime(),
    });
  });

  test.each([
    ['the record ends first', minutesLater(5), minutesLater(6), 5],
    ['the text ends first', minutesLater(6), minutesLater(5), 5],
    ['only the record ends', minutesLater(5), undefined, 5],
    ['only the text ends', undefined, minutesLater(5), 5],
  ])('hold the earlier end where %s', (_, record, text, minutes) => {
    const read = facts(record === undefined ? {} : { expiresAt: record }, {
      previous: false,
      expiresAt: text,
    });
    expect(read.expiresAt).toBe(minutesLater(minutes).getTime());
  });

  test('count the end of the grace for the previous key alone', () => {
    expect(facts({ previous }, { previous: true }).graceEndsAt).toBe(minutesLater(5).getTime());
    expect(facts({ previous }).graceEndsAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('leave no grace to a previous key that the record does not know', () => {
    expect(facts({}, { previous: true }).graceEndsAt).toBe(0);
  });

  test('count a revocation from the moment it is written, also by a clock that runs ahead', () => {
    expect(facts({ revokedAt: minutesLater(60) }).revoked).toBe(true);
    expect(facts({}).revoked).toBe(false);
  });

  test('tell version, environment, enabled and the state of the owner', () => {
    const read = factsOf(buildRecord(1, { version: 7, environment: 'test', enabled: false }), current, false);
    expect(read).toMatchObject({ version: 7, environment: 'test', enabled: false, ownerActive: false });
  });

  test('refuse a key at its own creation time only where it is not to begin yet', () => {
    const now = CREATED_AT.getTime();
    expect(refusalReason(facts({}), now, LIVE)).toBeUndefined();
    expect(refusalReason(facts({ notBefore: minutesLater(1) }), now, LIVE)).toBe('not_yet_valid');
  });
});
