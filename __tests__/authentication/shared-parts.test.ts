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

  test('is forgotten in the end, however many come', () => {
    const shared = new SharedParts();
    const first = shared.partsOf(recordWith({ organization: { id: 'org_0' } })).organization;
    for (let i = 1; i <= 10_000; i += 1) shared.partsOf(recordWith({ organization: { id: `org_${i}` } }));
    const again = shared.partsOf(recordWith({ organization: { id: 'org_0' } })).organization;
    expect(again).toEqual(first);
    expect(again).not.toBe(first);
  });
});
