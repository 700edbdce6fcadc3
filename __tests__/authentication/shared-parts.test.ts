import { describe, expect, test } from '@jest/globals';
import { SharedParts } from '../../lib/authentication/shared-parts.ts';
import { type KeyRecord, keyRecord } from '../../lib/keys/key-record.ts';
import { digestOf } from '../support/records.ts';

type Fields = Partial<Pick<KeyRecord, 'organization' | 'owner' | 'scopes'>>;

function recordWith(fields: Fields): KeyRecord {
  return keyRecord({ id: 'key_1', digest: digestOf('text'), organization: { id: 'org_1' }, ...fields });
}

describe('what cached keys share', () => {
  test('is what is equal: organization, owner, scopes', () => {
    const shared = new SharedParts();
    const fields: Fields = {
      organization: { id: 'org_1', slug: 'acme' },
      owner: { type: 'user', id: 'user_1' },
      scopes: ['a:read', 'b:read'],
    };
    const [one, other] = [shared.partsOf(recordWith(fields)), shared.partsOf(recordWith(fields))];
    expect(other.organization).toBe(one.organization);
    expect(other.owner).toBe(one.owner);
    expect(other.scopes).toBe(one.scopes);
  });

  test.each<[string, Fields, Fields]>([
    ['another organization', { organization: { id: 'org_1' } }, { organization: { id: 'org_2' } }],
    ['a slug', { organization: { id: 'org_1' } }, { organization: { id: 'org_1', slug: 'acme' } }],
    [
      'a slug that reads like none',
      { organization: { id: 'org_1' } },
      { organization: { id: 'org_1', slug: 'undefined' } },
    ],
    [
      'another slug',
      { organization: { id: 'org_1', slug: 'a' } },
      { organization: { id: 'org_1', slug: 'a b' } },
    ],
    [
      'an id and a slug that read the same',
      { organization: { id: 'a', slug: 'b c' } },
      { organization: { id: 'a,b', slug: 'c' } },
    ],
    ['another type of owner', { owner: { type: 'user', id: 'x' } }, { owner: { type: 'service', id: 'x' } }],
    ['another owner', { owner: { type: 'user', id: 'x' } }, { owner: { type: 'user', id: 'y' } }],
    ['fewer scopes', { scopes: ['a', 'b'] }, { scopes: ['a'] }],
    ['scopes that read the same', { scopes: ['a', 'b'] }, { scopes: ['a,b'] }],
    ['scopes that read the same in one go', { scopes: ['a', 'b'] }, { scopes: ['ab'] }],
    ['no scopes', { scopes: ['a'] }, { scopes: [] }],
  ])('is never mixed up with what has %s', (_what, first, second) => {
    for (const [earlier, later] of [
      [first, second],
      [second, first],
    ] as const) {
      const shared = new SharedParts();
      shared.partsOf(recordWith(earlier));
      expect(shared.partsOf(recordWith(later))).toEqual(recordWith(later));
    }
  });

  test('is not forgotten for a few others', () => {
    const shared = new SharedParts();
    const organizations = ['a', 'b', 'c', 'a'].map(
      (id) => shared.partsOf(recordWith({ organization: { id } })).organization,
    );
    expect(organizations[3]).toBe(organizations[0]);
  });

  test.each([
    [1_000, true],
    [1_001, false],
  ])('is no list of scopes that is longer than it is worth: %d characters', (length, isShared) => {
    const shared = new SharedParts();
    const nine = Array.from({ length: 9 }, (_, i) => `${i}`.padEnd(99, 's'));
    const fields: Fields = { scopes: [...nine, 'last'.padEnd(length - 900, 's')] };
    const [one, other] = [shared.partsOf(recordWith(fields)), shared.partsOf(recordWith(fields))];
    expect(other.scopes === one.scopes).toBe(isShared);
    expect(other.scopes).toEqual(fields.scopes);
  });

  test('is forgotten in the end, however many come', () => {
    const shared = new SharedParts();
    const first = shared.partsOf(recordWith({ organization: { id: 'org_0' } })).organization;
    for (let i = 1; i <= 10_000; i += 1) shared.partsOf(recordWith({ organization: { id: `org_${i}` } }));
    const again = shared.partsOf(recordWith({ organization: { id: 'org_0' } })).organization;
    expect(again).toEqual(first);
    expect(again).not.toBe(first);
  });
});
