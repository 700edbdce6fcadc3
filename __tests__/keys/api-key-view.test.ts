import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { apiKeyOf } from '../../lib/keys/api-key-view.ts';
import { keyRecord } from '../../lib/keys/key-record.ts';
import { digestOf } from '../support/records.ts';

const TIMES = ['createdAt', 'updatedAt', 'lastUsedAt', 'expiresAt', 'notBefore', 'revokedAt', 'rotatedAt'];
const FIELDS = { id: 'key_1', digest: digestOf('text'), organization: { id: 'org_1' } };

/** Each another moment, the first before 1970. */
function moments(names: readonly string[]): { [name: string]: Date } {
  return Object.fromEntries(names.map((name, index) => [name, new Date(index * 1_000_000_000_001 - 5)]));
}

describe('the times of an ApiKey', () => {
  test.each([
    ['all', TIMES],
    ['those that every key has', ['createdAt', 'updatedAt']],
    ['the last ones without those between', ['createdAt', 'updatedAt', 'revokedAt']],
    ['one of those between', ['createdAt', 'updatedAt', 'lastUsedAt']],
  ])('are those of the record: %s', (_which, names) => {
    const times = moments(names);
    const view = apiKeyOf(keyRecord({ ...FIELDS, ...times }));
    const shown = Object.fromEntries(Object.entries({ ...view }).filter(([name]) => TIMES.includes(name)));
    expect(shown).toEqual(times);
    expect(JSON.parse(JSON.stringify(view))).toMatchObject(JSON.parse(JSON.stringify(times)));
    expect(TIMES.filter((name) => name in view).sort()).toEqual([...names].sort());
  });

  test('stay as they are, whatever is done to a Date that was read', () => {
    const view = apiKeyOf(keyRecord({ ...FIELDS, ...moments(TIMES) }));
    view.createdAt.setTime(0);
    view.expiresAt?.setTime(0);
    expect([view.createdAt, view.expiresAt]).toEqual([new Date(-5), moments(TIMES)['expiresAt']]);
  });

  test('of a grace stay as they are too, and are shown', () => {
    const at = new Date(5_000);
    const previous = { digest: digestOf('old'), expiresAt: at, lastUsedAt: new Date(4_000) };
    const { grace } = apiKeyOf(keyRecord({ ...FIELDS, previous }));
    grace?.expiresAt.setTime(0);
    grace?.lastUsedAt?.setTime(0);
    expect({ ...grace }).toEqual({ expiresAt: at, lastUsedAt: new Date(4_000) });
    expect(inspect(grace)).toContain('expiresAt: 1970-01-01T00:00:05.000Z');
    expect(Object.isFrozen(grace)).toBe(true);
    expect(
      apiKeyOf(keyRecord({ ...FIELDS, previous: { ...previous, lastUsedAt: undefined } as never })).grace,
    ).toEqual({
      expiresAt: at,
    });
  });

  test('are shown by console.log, and can be read through a proxy and an heir', () => {
    const view = apiKeyOf(keyRecord({ ...FIELDS, ...moments(TIMES) }));
    expect(inspect(view)).toContain('createdAt: 1969-12-31T23:59:59.995Z');
    expect(new Proxy(view, {}).createdAt).toEqual(view.createdAt);
    expect(Object.create(view).createdAt).toEqual(view.createdAt);
  });
});

test('an ApiKey has what its record has, but for digests, and not a member more', () => {
  const few = keyRecord(FIELDS);
  const { digest: _digest, ...shown } = few;
  expect({ ...apiKeyOf(few) }).toStrictEqual(shown);
  const previous = { digest: digestOf('old'), expiresAt: new Date(5_000) };
  const more = { createdBy: 'ops', revocationReason: 'leaked' };
  const view = apiKeyOf(keyRecord({ ...FIELDS, ...more, previous }));
  expect({ ...view, grace: { ...view.grace } }).toStrictEqual({
    ...shown,
    ...more,
    grace: { expiresAt: previous.expiresAt },
  });
});
