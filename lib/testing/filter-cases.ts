import type { KeyRecord } from '../keys/key-record.ts';
import type { KeyStore, ListQuery } from '../stores/key-store.ts';
import { expectSame, listAll } from './expectations.ts';
import { buildRecord, digestOf, idOf, moment, numberOf } from './sample-records.ts';
import { type CaseDraft, storeCase } from './store-case.ts';

type Filter = Partial<Omit<ListQuery, 'limit' | 'order' | 'cursor'>>;

function buildRecords(): readonly KeyRecord[] {
  const former = { digest: digestOf('old key 6'), expiresAt: moment(60), lastUsedAt: moment(45) };
  return [
    buildRecord(1, { enabled: false, expiresAt: moment(10) }),
    buildRecord(2, { organization: { id: 'org_2' }, owner: { type: 'user', id: 'user_7' } }),
    buildRecord(3, { revokedAt: moment(1), lastUsedAt: moment(30) }),
    buildRecord(4, { organization: { id: 'org_3' }, owner: { type: 'service', id: 'user_7' } }),
    buildRecord(5, { expiresAt: moment(20), lastUsedAt: moment(10), createdAt: moment(5) }),
    buildRecord(6, { createdAt: moment(15), owner: { type: 'user', id: 'user_8' }, previous: former }),
    buildRecord(7, { enabled: false, revokedAt: moment(2), expiresAt: moment(20), lastUsedAt: moment(5) }),
    buildRecord(8, { owner: { type: 'user', id: 'user_7' }, lastUsedAt: moment(0) }),
  ];
}

/** Asks in both orders, in one page and in small ones: the same records every time. */
async function expectListed(store: KeyStore, filter: Filter, expected: readonly number[]): Promise<void> {
  for (const limit of [50, 2]) {
    const what = `list(${JSON.stringify({ ...filter, limit })})`;
    const oldest = await listAll(store, { ...filter, limit, order: 'oldest' });
    expectSame(
      `${what}, oldest first`,
      oldest.map(({ id }) => numberOf(id)),
      expected,
    );
    const newest = await listAll(store, { ...filter, limit, order: 'newest' });
    expectSame(
      `${what}, newest first`,
      newest.map(({ id }) => numberOf(id)),
      expected.toReversed(),
    );
  }
}

function filterCase(name: string, questions: readonly (readonly [Filter, readonly number[]])[]): CaseDraft {
  return storeCase(`list: ${name}`, async (store) => {
    for (const record of buildRecords()) await store.insert(record);
    for (const [filter, expected] of questions) await expectListed(store, filter, expected);
  });
}

export const filterCases: readonly CaseDraft[] = [
  filterCase('by organizationId', [
    [{ organizationId: 'org_1' }, [1, 3, 5, 6, 7, 8]],
    [{ organizationId: 'org_2' }, [2]],
  ]),
  filterCase('nothing of an organization that has no keys', [[{ organizationId: 'org_4' }, []]]),
  filterCase('by ownerId', [
    [{ ownerId: 'user_7' }, [2, 4, 8]],
    [{ ownerId: 'user_9' }, []],
  ]),
  filterCase('by ownerType', [
    [{ ownerType: 'user' }, [2, 6, 8]],
    [{ ownerType: 'service' }, [4]],
    [{ ownerType: 'organization' }, [1, 3, 5, 7]],
  ]),
  filterCase('those that are enabled', [[{ enabled: true }, [2, 3, 4, 5, 6, 8]]]),
  filterCase('those that are not enabled', [[{ enabled: false }, [1, 7]]]),
  filterCase('those that are revoked', [[{ revoked: true }, [3, 7]]]),
  filterCase('those that are not revoked', [[{ revoked: false }, [1, 2, 4, 5, 6, 8]]]),
  filterCase('those that end before a moment, and not at it', [
    [{ expiresBefore: moment(20) }, [1]],
    [{ expiresBefore: new Date(moment(20).getTime() + 1) }, [1, 5, 7]],
  ]),
  filterCase('those without an end never end before a moment', [
    [{ expiresBefore: new Date('9999-12-31T23:59:59.999Z') }, [1, 5, 7]],
  ]),
  filterCase('those last used before a moment, and not at it', [
    [{ lastUsedBefore: moment(5), revoked: true }, []],
    [{ lastUsedBefore: new Date(moment(5).getTime() + 1), revoked: true }, [7]],
    [{ lastUsedBefore: moment(10) }, [1, 2, 4, 7, 8]],
  ]),
  filterCase('those never used count from their creation', [
    [{ lastUsedBefore: moment(0) }, []],
    [{ lastUsedBefore: new Date(moment(0).getTime() + 1) }, [1, 2, 4, 8]],
  ]),
  filterCase('the use of an old key does not count as a use', [
    [{ lastUsedBefore: moment(16) }, [1, 2, 4, 5, 6, 7, 8]],
  ]),
  filterCase('two conditions are and-ed', [
    [{ organizationId: 'org_1', ownerId: 'user_7' }, [8]],
    [{ ownerType: 'user', ownerId: 'user_7' }, [2, 8]],
    [{ revoked: true, enabled: true }, [3]],
    [{ enabled: false, expiresBefore: moment(21) }, [1, 7]],
    [{ organizationId: 'org_2', lastUsedBefore: moment(16) }, [2]],
  ]),
  filterCase('all conditions at once', [
    [
      {
        organizationId: 'org_1',
        ownerId: 'org_1',
        ownerType: 'organization',
        enabled: false,
        revoked: true,
        expiresBefore: moment(21),
        lastUsedBefore: moment(6),
      },
      [7],
    ],
  ]),
  filterCase('conditions that are undefined do not count', [
    [
      {
        organizationId: undefined,
        ownerId: undefined,
        ownerType: undefined,
        enabled: undefined,
        revoked: undefined,
        ...({ expiresBefore: undefined, lastUsedBefore: undefined, cursor: undefined } as object),
      },
      [1, 2, 3, 4, 5, 6, 7, 8],
    ],
  ]),

  storeCase('list: a change moves a record from one answer to the other', async (store) => {
    for (const record of buildRecords()) await store.insert(record);
    await store.update(idOf(2), { enabled: false, revokedAt: moment(9), narrows: true }, 1);
    await store.update(idOf(3), { clear: ['revokedAt'], narrows: false }, 1);
    await expectListed(store, { enabled: false }, [1, 2, 7]);
    await expectListed(store, { revoked: true }, [2, 7]);
    await expectListed(store, { revoked: false }, [1, 3, 4, 5, 6, 8]);
  }),
];
