import type { KeyRecord } from '../keys/key-record.ts';
import type { KeyStore, ListQuery } from '../stores/key-store.ts';
import { expectNothing, expectSame, expectStored, listAll } from './expectations.ts';
import { buildRecord, digestOf } from './sample-records.ts';
import { type CaseDraft, storeCase } from './store-case.ts';

/** Ids are visible ASCII; these are what a query that was put together as text, or a pattern, would trip over. */
const AWKWARD_IDS: readonly string[] = [
  `'`,
  `''`,
  `"`,
  '`',
  '\\',
  '\\\\',
  `\\'`,
  '%',
  '_',
  '%25',
  '*',
  '?',
  '$1',
  ':id',
  '--',
  '/*',
  ';',
  '{"$ne":null}',
  `'OR'1'='1`,
  '[0]',
  '../../etc',
  'a:b',
  '{tag}',
];

/** Names that every JavaScript object has, or that mean something to it. */
const OBJECT_NAMES: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'length',
];

/** One number, four texts: and one text is the beginning of another. */
const NUMBER_IDS: readonly string[] = ['1', '01', '1.0', '1e0', '+1', '10', 'NaN', 'null'];

/** Records whose ids are these, with names to tell them apart. */
function recordsWithIds(ids: readonly string[]): readonly KeyRecord[] {
  return ids.map((id, index) =>
    buildRecord(index, {
      id,
      digest: `jwt:${id}:1`,
      name: `Number ${index}`,
      organization: { id },
      owner: { type: 'user', id },
    }),
  );
}

async function insertAll(store: KeyStore, records: readonly KeyRecord[]): Promise<void> {
  for (const record of records) await store.insert(record);
}

/** Ids that are all different: whatever finds a record by one of them must find that record and no other. */
function idsCase(name: string, ids: readonly string[]): CaseDraft {
  return storeCase(name, async (store) => {
    const records = recordsWithIds(ids);
    await insertAll(store, records);
    for (const record of records) {
      await expectStored(store, record);
      expectSame('findByDigest()', await store.findByDigest([record.digest]), record);
      expectSame('by organization', await listAll(store, { organizationId: record.id }), [record]);
      expectSame('by owner', await listAll(store, { ownerId: record.id }), [record]);
    }
  });
}

const DIGEST_IN_LOWER_CASE = `sha256:${'abcdefghij'.repeat(4)}xyz`;

async function expectNoneListed(store: KeyStore, filter: Partial<ListQuery>): Promise<void> {
  expectSame(`list(${JSON.stringify(filter)})`, await listAll(store, filter), []);
}

export const textCases: readonly CaseDraft[] = [
  storeCase('text: ids that differ in letter case are two', async (store) => {
    const records = recordsWithIds(['key_a', 'KEY_A', 'Key_a']);
    await insertAll(store, records);
    for (const record of records) await expectStored(store, record);
  }),

  storeCase('text: digests that differ in letter case are two', async (store) => {
    const lower = buildRecord(1, { digest: DIGEST_IN_LOWER_CASE });
    const upper = buildRecord(2, { digest: `sha256:${DIGEST_IN_LOWER_CASE.slice(7).toUpperCase()}` });
    await insertAll(store, [lower, upper]);
    expectSame('findByDigest()', await store.findByDigest([lower.digest]), lower);
    expectSame('findByDigest()', await store.findByDigest([upper.digest]), upper);
  }),

  storeCase('text: nothing is found by an id in another letter case', async (store) => {
    await insertAll(store, recordsWithIds(['key_a']));
    expectNothing('findById()', await store.findById('KEY_A'));
    expectNothing('update()', await store.update('KEY_A', { name: 'new', narrows: false }, 1));
  }),

  // A collation without letter case makes one key out of 2^40.
  storeCase('text: nothing is found by a digest in another letter case', async (store) => {
    const previous = { digest: DIGEST_IN_LOWER_CASE.replace('xyz', 'xyy'), expiresAt: new Date(0) };
    await store.insert(buildRecord(1, { digest: DIGEST_IN_LOWER_CASE, previous }));
    for (const { digest } of [{ digest: DIGEST_IN_LOWER_CASE }, previous]) {
      const other = `sha256:A${digest.slice(8)}`;
      expectNothing('findByDigest()', await store.findByDigest([other]));
    }
  }),

  storeCase('text: organizations that differ in letter case do not see each other', async (store) => {
    await store.insert(buildRecord(1, { organization: { id: 'acme' } }));
    await expectNoneListed(store, { organizationId: 'Acme' });
    await expectNoneListed(store, { organizationId: 'ACME' });
  }),

  storeCase('text: owners that differ in letter case do not see each other', async (store) => {
    await store.insert(buildRecord(1, { owner: { type: 'user', id: 'ada' } }));
    await expectNoneListed(store, { ownerId: 'Ada' });
  }),

  // SQL compares CHAR, and many a collation, as if both texts were filled up with spaces.
  storeCase('text: a space at the end makes another id', async (store) => {
    await insertAll(store, recordsWithIds(['key_a']));
    expectNothing('findById()', await store.findById('key_a '));
    expectNothing('findById()', await store.findById(' key_a'));
  }),

  storeCase('text: a space at the end makes another digest', async (store) => {
    const previous = { digest: digestOf('old key 1'), expiresAt: new Date(0) };
    await store.insert(buildRecord(1, { previous }));
    expectNothing('findByDigest()', await store.findByDigest([`${digestOf('key 1')} `]));
    expectNothing('findByDigest()', await store.findByDigest([`${previous.digest} `]));
  }),

  storeCase('text: a space at the end makes another organization and another owner', async (store) => {
    await store.insert(buildRecord(1));
    await expectNoneListed(store, { organizationId: 'org_1 ' });
    await expectNoneListed(store, { ownerId: 'org_1 ' });
  }),

  storeCase('text: letters that look alike or are folded together are not the same', async (store) => {
    await insertAll(store, recordsWithIds(['strasse', 'key_a', 'office']));
    for (const id of ['straße', 'kеy_a', 'key_á', 'ｋey_a', 'oﬃce', 'key_a\u0301', 'key_\u200ba']) {
      expectNothing(`findById("${id}")`, await store.findById(id));
      await expectNoneListed(store, { organizationId: id });
    }
  }),

  storeCase('text: no character of an id is a pattern', async (store) => {
    await insertAll(store, recordsWithIds(['key_a', 'org_1']));
    for (const id of ['%', 'key%', 'key?a', 'key*', '_____', 'key.a', '.*', 'keyXa']) {
      expectNothing(`findById("${id}")`, await store.findById(id));
      await expectNoneListed(store, { organizationId: id });
      await expectNoneListed(store, { ownerId: id });
    }
  }),

  idsCase('text: ids with quotes, backslashes and marks of query languages are ids', AWKWARD_IDS),
  idsCase('text: ids that are names of every object are ids', OBJECT_NAMES),
  idsCase('text: ids that look like numbers are texts', NUMBER_IDS),
  idsCase(
    'text: ids of 255 characters are told apart by the last',
    ['a', 'b', 'B', '~'].map((last) => `${'k'.repeat(254)}${last}`),
  ),

  storeCase('text: records are listed by the bytes of their ids', async (store) => {
    const ids = ['!', '+', '-', '0', '10', '2', 'A', 'B', 'Z', '_', 'a', 'ab', 'b', '~'];
    await insertAll(
      store,
      recordsWithIds(ids.toSorted((one, other) => ((one.at(-1) ?? '') > (other.at(-1) ?? '') ? -1 : 1))),
    );
    for (const limit of [50, 3]) {
      const oldest = await listAll(store, { order: 'oldest', limit });
      expectSame(
        'oldest first',
        oldest.map(({ id }) => id),
        ids,
      );
      const newest = await listAll(store, { order: 'newest', limit });
      expectSame(
        'newest first',
        newest.map(({ id }) => id),
        ids.toReversed(),
      );
    }
  }),

  storeCase('text: update and delete reach the record with exactly this id', async (store) => {
    const [first, ...others] = recordsWithIds(['a_c', 'abc', 'A_C', 'a%c']);
    await insertAll(store, [first as KeyRecord, ...others]);
    await store.update('a_c', { name: 'new', narrows: false }, 1);
    await store.delete?.('a_c');
    for (const record of others) await expectStored(store, record);
  }),
];
