import { type KeyRecord, keyRecord, type ListQuery } from '../../lib/index.ts';
import { digestOf } from '../support/records.ts';
import { answering, asking, type Break, type Breakage, byId, comparing, listing } from './breakage.ts';

/** The right conditions but one, and that one as it is said here. */
function filtering(name: keyof ListQuery, fits: (record: KeyRecord, query: ListQuery) => boolean): Break {
  return (right) => ({
    list: async (query) => {
      const { [name]: _, ...rest } = query;
      const others = await right.list({
        ...rest,
        cursor: undefined,
        limit: 1_000,
        order: 'oldest',
      } as ListQuery);
      const ids = new Set(others.records.map(({ id }) => id));
      const isListed = (record: KeyRecord): boolean =>
        ids.has(record.id) && (query[name] === undefined || fits(record, query));
      return listing(isListed)(right).list?.(query) ?? { records: [] };
    },
  });
}

const lastSeen = ({ lastUsedAt, createdAt }: KeyRecord): Date => lastUsedAt ?? createdAt;

/** Whether one condition holds, for a store that takes any of them for enough. */
function conditions(record: KeyRecord, query: ListQuery): readonly boolean[] {
  const found: (boolean | undefined)[] = [
    query.organizationId === undefined ? undefined : record.organization.id === query.organizationId,
    query.ownerId === undefined ? undefined : record.owner.id === query.ownerId,
    query.ownerType === undefined ? undefined : record.owner.type === query.ownerType,
    query.enabled === undefined ? undefined : record.enabled === query.enabled,
    query.revoked === undefined ? undefined : (record.revokedAt !== undefined) === query.revoked,
    query.expiresBefore && (record.expiresAt ?? new Date(8.64e15)) < query.expiresBefore,
    query.lastUsedBefore && lastSeen(record) < query.lastUsedBefore,
  ];
  return found.filter((one) => one !== undefined);
}

/** Stores that are wrong in `findById`, `findByDigest` or `list`. */
export const brokenReads: readonly Breakage[] = [
  {
    wrong: 'makes up a record where there is none',
    with: (right) => ({
      findById: async (id) =>
        (await right.findById(id)) ?? keyRecord({ id, digest: digestOf(id), organization: { id: 'org_1' } }),
    }),
    noticedBy: [
      'findById: nothing in an empty store',
      'findById: nothing under an id that no record has',
      'delete: a later recordUse makes nothing',
    ],
  },
  {
    wrong: 'forgets why a key was revoked',
    with: answering(({ revocationReason: _, ...record }) => record),
    noticedBy: [
      'insert: a record with every member comes back as it was',
      'findByDigest: every member comes back as it was',
      'two clients: the second finds all that the first has written',
    ],
  },
  {
    wrong: 'finds the oldest record by any digest',
    with: (right) => ({ findByDigest: async () => (await right.all())[0] }),
    noticedBy: [
      'findByDigest: the record with this digest',
      'findByDigest: nothing by digests that no record has',
      'findByDigest: nothing by no digests',
    ],
  },
  {
    wrong: 'looks for the first digest only',
    with: (right) => ({ findByDigest: (digests) => right.findByDigest(digests.slice(0, 1)) }),
    noticedBy: ['findByDigest: the record that has any of several digests, wherever it stands among them'],
  },
  {
    wrong: 'does not look at previous digests',
    with: (right) => ({
      findByDigest: async (digests) => {
        const found = await right.findByDigest(digests);
        return found && digests.includes(found.digest) ? found : undefined;
      },
    }),
    noticedBy: [
      'findByDigest: the record with this previous digest',
      'findByDigest: after a rotation, by the new digest and by the old one',
    ],
  },
  {
    wrong: 'takes one record with two of the digests for two records',
    throws: 'Error',
    with: (right) => ({
      findByDigest: async (digests) => {
        const found = await right.findByDigest(digests);
        const isTwice =
          found && digests.includes(found.digest) && digests.includes(found.previous?.digest ?? '');
        if (isTwice) throw new Error('two records for one text');
        return found;
      },
    }),
    noticedBy: ['findByDigest: one record by its digest and its previous digest at once'],
  },
  {
    wrong: 'chooses where two records have one of the digests each',
    with: (right) => ({
      findByDigest: async (digests) => {
        const records = await right.all();
        const current = records.find(({ digest }) => digests.includes(digest));
        return current ?? records.find(({ previous }) => previous && digests.includes(previous.digest));
      },
    }),
    noticedBy: [
      'findByDigest: throws where two records have one of the digests each',
      'findByDigest: throws where one has a digest and another a previous digest',
      'findByDigest: never chooses between the current key of one and the old key of another',
    ],
  },
  {
    wrong: 'finds only keys that are good',
    with: (right) => ({
      findByDigest: async (digests) => {
        const found = await right.findByDigest(digests);
        return found?.enabled && found.revokedAt === undefined ? found : undefined;
      },
    }),
    noticedBy: ['findByDigest: finds keys that are revoked, disabled, expired or past their grace'],
  },
  {
    wrong: 'knows digests of SHA-256 only',
    with: (right) => ({
      findByDigest: (digests) => right.findByDigest(digests.filter((digest) => digest.startsWith('sha256:'))),
    }),
    noticedBy: ['findByDigest: every form of digest is kept and found'],
  },
  {
    wrong: 'remembers every digest that a record ever had',
    with: (right) => {
      const ids = new Map<string, string>();
      return {
        insert: async (record) => {
          await right.insert(record);
          for (const { digest } of [record, record.previous ?? record]) ids.set(digest, record.id);
        },
        findByDigest: async (digests) => {
          const id = digests.map((digest) => ids.get(digest)).find((one) => one !== undefined);
          return (await right.findByDigest(digests)) ?? (id === undefined ? undefined : right.findById(id));
        },
      };
    },
    noticedBy: [
      'findByDigest: after a second rotation, no more by the oldest digest',
      'findByDigest: no more by a digest that was replaced without a grace',
      'findByDigest: no more by a previous digest that was cleared',
    ],
  },
  {
    wrong: 'gives a cursor on every page',
    with: (right) => ({
      list: async (query) => {
        const { records } = await right.list(query);
        return { records, nextCursor: records.at(-1)?.id ?? '' };
      },
    }),
    noticedBy: [
      'list: an empty page and no cursor in an empty store',
      'list: the cursor is the last id of a page, and absent on the last page',
      'list: an empty page after the last id',
    ],
  },
  {
    wrong: 'takes a full page for one that is not the last',
    with: (right) => ({
      list: async (query) => {
        const page = await right.list(query);
        const last = page.records.at(-1);
        return page.records.length === query.limit && last ? { ...page, nextCursor: last.id } : page;
      },
    }),
    noticedBy: ['list: a full page that is the last has no cursor'],
  },
  {
    wrong: 'lists by name',
    with: listing(
      (_record, query) => query.cursor === undefined || query.cursor !== '',
      (one, other) => (one.name < other.name ? -1 : 1),
    ),
    noticedBy: ['list: oldest is by ascending id', 'list: newest is by descending id'],
  },
  {
    wrong: 'lists everything at once',
    with: asking((query) => ({ ...query, limit: 1_000 })),
    noticedBy: ['list: a page holds no more than its limit'],
  },
  {
    wrong: 'passes over the first record after a cursor',
    with: (right) => ({
      list: async (query) => {
        const page = await right.list(query);
        return query.cursor === undefined ? page : { ...page, records: page.records.slice(1) };
      },
    }),
    noticedBy: [
      'list: pages give every record once, oldest first',
      'list: pages give every record once, newest first',
    ],
  },
  {
    wrong: 'begins anew after a cursor that no record has',
    with: listing(() => true),
    noticedBy: [
      'list: goes on after an id that no record has',
      'list: goes on after a record that was deleted',
    ],
  },
  {
    wrong: 'lists without metadata',
    with: (right) => ({
      list: async (query) => {
        const page = await right.list(query);
        return { ...page, records: page.records.map((record) => ({ ...record, scopes: [] })) };
      },
    }),
    noticedBy: ['list: gives whole records, as findById does'],
  },
  {
    wrong: 'gives 100 records at most',
    with: asking((query) => ({ ...query, limit: Math.min(query.limit, 100) })),
    noticedBy: ['list: gives 500 records in one page'],
  },
  {
    wrong: 'counts how many records went before',
    with: (right) => {
      const offsets = new Map<string, number>();
      return {
        list: async ({ cursor = '', ...query }) => {
          const { records: all } = await right.list({ ...query, limit: 1_000 });
          const start = offsets.get(cursor) ?? 0;
          const records = all.slice(start, start + query.limit);
          const last = records.at(-1);
          if (start + query.limit >= all.length || last === undefined) return { records };
          offsets.set(last.id, start + query.limit);
          return { records, nextCursor: last.id };
        },
      };
    },
    noticedBy: [
      'list: records that come meanwhile push none out of the pages, and none in twice',
      'list: of records that go meanwhile, those that stay come once each',
    ],
  },
  {
    wrong: 'lists by the time of the last change',
    with: listing(
      () => true,
      (one, other) => one.updatedAt.getTime() - other.updatedAt.getTime() || byId(one, other),
    ),
    noticedBy: ['list: changes meanwhile move no record between the pages'],
  },
  ...(
    [
      [
        'organizationId',
        'list: by organizationId',
        'list: nothing of an organization that has no keys',
        'tenants: a list of one organization holds nothing of another, on no page',
      ],
      ['ownerId', 'list: by ownerId'],
      ['ownerType', 'list: by ownerType'],
      ['enabled', 'list: those that are enabled'],
      ['revoked', 'list: those that are revoked'],
    ] as const
  ).map(([name, ...noticedBy]) => ({
    wrong: `does not look at ${name}`,
    with: asking((query) => ({ ...query, [name]: undefined })),
    noticedBy,
  })),
  {
    wrong: 'takes false for not given',
    with: asking(({ enabled, revoked, ...query }) => ({
      ...query,
      enabled: enabled || undefined,
      revoked: revoked || undefined,
    })),
    noticedBy: ['list: those that are not enabled', 'list: those that are not revoked'],
  },
  {
    wrong: 'lists what ends at the moment itself',
    with: filtering(
      'expiresBefore',
      ({ expiresAt }, { expiresBefore }) => expiresAt !== undefined && expiresAt <= (expiresBefore as Date),
    ),
    noticedBy: ['list: those that end before a moment, and not at it'],
  },
  {
    wrong: 'takes no end for an early one',
    with: filtering(
      'expiresBefore',
      ({ expiresAt }, { expiresBefore }) => (expiresAt ?? 0) < (expiresBefore as Date),
    ),
    noticedBy: ['list: those without an end never end before a moment'],
  },
  {
    wrong: 'lists what was used at the moment itself',
    with: filtering(
      'lastUsedBefore',
      (record, { lastUsedBefore }) => lastSeen(record) <= (lastUsedBefore as Date),
    ),
    noticedBy: ['list: those last used before a moment, and not at it'],
  },
  {
    wrong: 'takes never used for used long ago',
    with: filtering(
      'lastUsedBefore',
      ({ lastUsedAt }, { lastUsedBefore }) => (lastUsedAt ?? 0) < (lastUsedBefore as Date),
    ),
    noticedBy: ['list: those never used count from their creation'],
  },
  {
    wrong: 'takes the use of an old key for a use',
    with: filtering(
      'lastUsedBefore',
      (record, { lastUsedBefore }) =>
        (record.previous?.lastUsedAt ?? lastSeen(record)) < (lastUsedBefore as Date),
    ),
    noticedBy: ['list: the use of an old key does not count as a use'],
  },
  {
    wrong: 'lists what any of the conditions fits',
    with: listing((record, query) => {
      const found = conditions(record, query);
      return found.length === 0 || found.includes(true);
    }),
    noticedBy: ['list: two conditions are and-ed'],
  },
  {
    wrong: 'looks at the first condition only',
    with: listing((record, query) => conditions(record, query)[0] ?? true),
    noticedBy: ['list: all conditions at once'],
  },
  {
    wrong: 'a condition that is undefined fits nothing',
    with: (right) => ({
      list: async (query) =>
        'ownerId' in query && query.ownerId === undefined ? { records: [] } : right.list(query),
    }),
    noticedBy: ['list: conditions that are undefined do not count'],
  },
  {
    wrong: 'lists by what a record was when it was inserted',
    with: (right) => {
      const first = new Map<string, KeyRecord>();
      return {
        insert: async (record) => {
          await right.insert(record);
          first.set(record.id, record);
        },
        ...listing((record, query) => !conditions(first.get(record.id) as KeyRecord, query).includes(false))(
          right,
        ),
      };
    },
    noticedBy: ['list: a change moves a record from one answer to the other'],
  },
  {
    wrong: 'lists by the alphabet of people',
    with: listing(
      () => true,
      (one, other) => one.id.localeCompare(other.id, 'en'),
    ),
    noticedBy: ['text: records are listed by the bytes of their ids'],
  },
  {
    wrong: 'compares without letter case',
    with: comparing((stored, asked) => stored.toLowerCase() === asked.toLowerCase()),
    noticedBy: [
      'text: ids that differ in letter case are two',
      'text: digests that differ in letter case are two',
      'text: nothing is found by an id in another letter case',
      'text: nothing is found by a digest in another letter case',
      'text: organizations that differ in letter case do not see each other',
      'text: owners that differ in letter case do not see each other',
    ],
  },
  {
    wrong: 'compares without spaces at the ends',
    with: comparing((stored, asked) => stored === asked.trim()),
    noticedBy: [
      'text: a space at the end makes another id',
      'text: a space at the end makes another digest',
      'text: a space at the end makes another organization and another owner',
    ],
  },
  {
    wrong: 'compares by a collation that folds accents and widths',
    with: comparing((stored, asked) => stored === asked.normalize('NFKD').replace(/[\p{Mark}\u200b]/gu, '')),
    noticedBy: ['text: letters that look alike or are folded together are not the same'],
  },
  {
    wrong: 'compares with LIKE',
    with: comparing((stored, asked) => {
      const plain = asked.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      return new RegExp(`^${plain.replaceAll('%', '.*').replaceAll('_', '.')}$`).test(stored);
    }),
    noticedBy: ['text: no character of an id is a pattern'],
  },
  {
    wrong: 'escapes quotes in what is bound already',
    with: comparing((stored, asked) => stored === asked.replaceAll("'", "''")),
    noticedBy: ['text: ids with quotes, backslashes and marks of query languages are ids'],
  },
  {
    wrong: 'keeps records as members of a plain object',
    with: comparing((stored, asked) => stored === asked && !(asked in {})),
    noticedBy: ['text: ids that are names of every object are ids'],
  },
  {
    wrong: 'compares numbers as numbers',
    with: comparing((stored, asked) => stored === asked || Number(stored) === Number(asked)),
    noticedBy: ['text: ids that look like numbers are texts'],
  },
  {
    wrong: 'compares the first 200 characters',
    with: comparing((stored, asked) => stored.slice(0, 200) === asked.slice(0, 200)),
    noticedBy: ['text: ids of 255 characters are told apart by the last'],
  },
  {
    wrong: 'deletes whatever is LIKE the id',
    with: (right) => ({
      delete: async (id) => {
        const found = (await right.all()).filter((one) =>
          new RegExp(`^${id.replaceAll('_', '.')}$`, 'i').test(one.id),
        );
        for (const record of found) await right.delete(record.id);
        return found.length > 0;
      },
    }),
    noticedBy: ['text: update and delete reach the record with exactly this id'],
  },
];
