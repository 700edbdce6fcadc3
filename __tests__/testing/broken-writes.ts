import { DuplicateKeyError, type KeyChange, keyRecord } from '../../lib/index.ts';
import { digestOf } from '../support/records.ts';
import { answering, type Breakage, changing, meddle, throwsDuplicate } from './breakage.ts';

const IS_EMPTY = (value: unknown): boolean =>
  !value || (typeof value === 'object' && Object.keys(value).length === 0 && !isDate(value));

const isDate = (value: unknown): boolean => Object.prototype.toString.call(value) === '[object Date]';

const without = (change: KeyChange, fits: (name: string, value: unknown) => boolean): KeyChange =>
  Object.fromEntries(
    Object.entries(change).filter(([name, value]) => !fits(name, value)),
  ) as object as KeyChange;

/** Stores that are wrong in `insert`, `update` or `delete`. */
export const brokenWrites: readonly Breakage[] = [
  {
    wrong: 'hands out null for what is absent',
    with: answering((record) => ({ ...record, expiresAt: record.expiresAt ?? null })),
    noticedBy: ['insert: what is absent stays absent'],
  },
  {
    wrong: 'takes an undefined end for a time',
    with: (right) => ({
      insert: (record) =>
        right.insert(
          'expiresAt' in record ? { ...record, expiresAt: record.expiresAt ?? new Date(0) } : record,
        ),
    }),
    noticedBy: ['insert: a member that is undefined is absent'],
  },
  {
    wrong: 'begins every version at 1',
    with: (right) => ({ insert: (record) => right.insert({ ...record, version: 1 }) }),
    noticedBy: ['insert: keeps the version that is given'],
  },
  {
    wrong: 'insert replaces the record that has the id',
    with: (right) => ({
      insert: async (record) => {
        if (await throwsDuplicate(() => right.insert(record))) {
          await right.delete(record.id);
          await right.insert(record);
        }
      },
    }),
    noticedBy: [
      'insert: refuses an id that is taken, and keeps the record that has it',
      'insert: refuses where id and digest are both taken',
      'at once: of 20 inserts with one id one goes through',
      'tenants: an insert that is refused leaves the records of another organization alone',
    ],
  },
  {
    wrong: 'insert replaces the record that has the digest',
    with: (right) => ({
      insert: async (record) => {
        if (!(await throwsDuplicate(() => right.insert(record)))) return;
        for (const { id, digest } of await right.all()) if (digest === record.digest) await right.delete(id);
        await right.insert(record);
      },
    }),
    noticedBy: [
      'insert: refuses a digest that is taken, and keeps the record that has it',
      'at once: of 20 inserts with one digest one goes through',
    ],
  },
  {
    wrong: 'previous digests need not be unique',
    with: (right) => ({
      insert: async ({ previous, ...record }) => {
        const isTaken = (await right.all()).some((one) => one.previous?.digest === previous?.digest);
        await right.insert(previous === undefined || isTaken ? record : { ...record, previous });
      },
    }),
    noticedBy: ['insert: refuses a previous digest that is the previous one of another'],
  },
  {
    wrong: 'the digest of a revoked record may be taken',
    with: (right) => ({
      insert: async (record) => {
        for (const { id, digest, revokedAt } of await right.all())
          if (revokedAt && digest === record.digest) await right.edit(id, { digest: digestOf(`gone ${id}`) });
        await right.insert(record);
      },
    }),
    noticedBy: ['insert: a revoked record still holds its digest'],
  },
  {
    wrong: 'writes the record before it looks whether its digest is taken',
    with: (right) => ({
      insert: async (record) => {
        const isTaken = await throwsDuplicate(() => right.insert(record));
        if (!isTaken) return;
        const { previous: _, ...rest } = record;
        await throwsDuplicate(() => right.insert({ ...rest, digest: digestOf(`index of ${record.id}`) }));
        throw new DuplicateKeyError('digest');
      },
    }),
    noticedBy: ['insert: one that is refused leaves nothing behind'],
  },
  {
    wrong: 'an absent previous digest counts as one',
    throws: 'DuplicateKeyError',
    with: (right) => ({
      insert: async (record) => {
        const hasTwin = (await right.all()).some(({ previous }) => previous === undefined);
        if (hasTwin && record.previous === undefined) throw new DuplicateKeyError('digest');
        await right.insert(record);
      },
    }),
    noticedBy: ["insert: records without a previous key do not stand in each other's way"],
  },
  {
    wrong: 'update forgets rotatedAt',
    with: changing((change) => without(change, (name) => name === 'rotatedAt')),
    noticedBy: ['update: sets every member that can change', 'update: sets members that were absent'],
  },
  {
    wrong: 'update answers the record as it was',
    with: (right) => ({
      update: async (id, change, version) => {
        const before = await right.findById(id);
        return (await right.update(id, change, version)) && before;
      },
    }),
    noticedBy: ['update: answers the record as it then is'],
  },
  {
    wrong: 'update erases what the change does not name',
    with: changing((change) => ({ clear: ['notBefore', 'expiresAt'], ...change })),
    noticedBy: ['update: leaves alone all that the change does not name'],
  },
  {
    wrong: 'update touches all records',
    with: (right) => ({
      update: async (id, change, version) => {
        const answer = await right.update(id, change, version);
        await meddle(right, id);
        return answer;
      },
    }),
    noticedBy: [
      'update: leaves all other records alone',
      'tenants: updates leave the records of another organization alone',
      'tenants: a rotation leaves the records of another organization alone',
      'tenants: revoking and clearing leave the records of another organization alone',
      'tenants: updates that are refused leave the records of another organization alone',
      'tenants: many writes at once leave the records of another organization alone',
    ],
  },
  {
    wrong: 'insert, delete and recordUse touch all records',
    with: (right) => ({
      insert: async (record) => {
        if (Number(record.id.slice(-12)) < 10) await meddle(right, record.id);
        await right.insert(record);
      },
      delete: async (id) => {
        await meddle(right, id);
        return right.delete(id);
      },
      recordUse: async (uses) => {
        await right.recordUse(uses);
        await meddle(right);
      },
    }),
    noticedBy: [
      'tenants: an insert leaves the records of another organization alone',
      'tenants: delete leaves the records of another organization alone',
      'tenants: recordUse leaves the records of another organization alone',
    ],
  },
  {
    wrong: 'update raises the version by two',
    with: (right) => ({
      update: async (id, change, version) =>
        (await right.update(id, change, version)) && right.update(id, { narrows: false }, version + 1),
    }),
    noticedBy: ['update: raises the version by one, each time'],
  },
  {
    wrong: 'update with nothing to set does nothing',
    with: (right) => ({
      update: async (id, change, version) =>
        Object.keys(change).length === 1 ? right.findById(id) : right.update(id, change, version),
    }),
    noticedBy: ['update: raises the version also where the change sets nothing'],
  },
  {
    wrong: 'update sets updatedAt by its own clock',
    with: changing((change) => ({ ...change, updatedAt: new Date() })),
    noticedBy: ['update: sets updatedAt to what the change says, and never by itself'],
  },
  {
    wrong: 'update does not look at the version',
    with: (right) => ({
      update: async (id, change) => {
        const record = await right.findById(id);
        return record && right.update(id, change, record.version);
      },
    }),
    noticedBy: [
      'update: nothing for a version that is past, and changes nothing',
      'update: nothing for a version that is not there yet, and changes nothing',
      'update: the second of two with one version changes nothing',
    ],
  },
  {
    wrong: 'update makes a record that is not there',
    with: (right) => ({
      update: async (id, change, version) => {
        if ((await right.findById(id)) !== undefined) return right.update(id, change, version);
        await right.insert(keyRecord({ id, digest: digestOf(id), organization: { id: 'org_1' } }));
        return right.update(id, change, 1);
      },
    }),
    noticedBy: [
      'update: nothing for an id that no record has, and makes none',
      'delete: a later update finds nothing, and makes nothing',
      'at once: what is deleted is not brought back by a write',
    ],
  },
  {
    wrong: 'update does not clear',
    with: changing((change) => without(change, (name) => name === 'clear')),
    noticedBy: [
      'update: clears expiresAt, and nothing else',
      'update: clears notBefore, and nothing else',
      'update: clears previous, and nothing else',
      'update: clears revokedAt, and nothing else',
    ],
  },
  {
    wrong: 'update clears one member of several',
    with: changing(({ clear = [], ...change }) => ({ ...change, clear: clear.slice(0, 1) })),
    noticedBy: ['update: clears several members at once'],
  },
  {
    wrong: 'update finds only records that have what is to be cleared',
    with: (right) => ({
      update: async (id, change, version) => {
        const record = await right.findById(id);
        const hasAll = (change.clear ?? []).every((name) => record?.[name] !== undefined);
        return hasAll ? right.update(id, change, version) : undefined;
      },
    }),
    noticedBy: ['update: clears what is absent already'],
  },
  {
    wrong: 'a value wins over `clear`',
    with: changing(({ clear = [], ...change }) => ({
      ...change,
      clear: clear.filter((name) => change[name] === undefined),
    })),
    noticedBy: ['update: a name in `clear` wins over a value for it'],
  },
  {
    wrong: 'a member that is undefined is erased',
    with: changing((change) => {
      const isOpen = 'expiresAt' in change && change.expiresAt === undefined;
      return isOpen ? { ...change, clear: ['expiresAt'] } : change;
    }),
    noticedBy: ['update: a member that is undefined stays as it is'],
  },
  {
    wrong: 'empty values are not set',
    with: changing((change) => without(change, (name, value) => name !== 'narrows' && IS_EMPTY(value))),
    noticedBy: ['update: takes false, no text and empty lists for values'],
  },
  {
    wrong: 'metadata is merged',
    with: changing((change, record) =>
      change.metadata === undefined
        ? change
        : { ...change, metadata: { ...record?.metadata, ...change.metadata } },
    ),
    noticedBy: ['update: replaces metadata and scopes whole'],
  },
  {
    wrong: 'the last use of an old key stays for the next one',
    with: changing((change, record) =>
      change.previous === undefined
        ? change
        : { ...change, previous: { ...record?.previous, ...change.previous } },
    ),
    noticedBy: ['update: a new previous key has nothing of the one before it'],
  },
  {
    wrong: 'update leaves out a digest that is taken',
    with: (right) => ({
      update: async (id, change, version) => {
        const isTaken = await throwsDuplicate(() => right.update(id, change, version));
        if (!isTaken) return right.findById(id);
        return right.update(
          id,
          without(change, (name) => name === 'digest' || name === 'previous'),
          version,
        );
      },
    }),
    noticedBy: [
      'update: refuses a digest that is taken, and changes nothing',
      'update: refuses a previous digest that is taken, and changes nothing',
      'at once: of 10 updates to one digest one goes through',
    ],
  },
  {
    wrong: "a record's own digest counts as taken",
    throws: 'DuplicateKeyError',
    with: (right) => ({
      update: async (id, change, version) => {
        const isTaken = (await right.all()).some(({ digest }) => digest === change.digest);
        if (isTaken) throw new DuplicateKeyError('digest');
        return right.update(id, change, version);
      },
    }),
    noticedBy: ['update: a record may be given its own digests again'],
  },
  {
    wrong: 'a digest that was there once is taken for ever',
    throws: 'DuplicateKeyError',
    with: (right) => {
      const seen = new Set<string>();
      return {
        insert: async (record) => {
          if (seen.has(record.digest)) throw new DuplicateKeyError('digest');
          await right.insert(record);
          seen.add(record.digest);
        },
      };
    },
    noticedBy: [
      'update: a digest that is given up is free for another record',
      'delete: the digests are free for another record',
    ],
  },
  {
    wrong: 'delete only hides a record from findById',
    with: (right) => {
      const hidden = new Set<string>();
      return {
        findById: async (id) => (hidden.has(id) ? undefined : right.findById(id)),
        delete: async (id) => {
          const isThere = !hidden.has(id) && (await right.findById(id)) !== undefined;
          hidden.add(id);
          return isThere;
        },
      };
    },
    noticedBy: ['delete: a record is found by nothing any more'],
  },
  {
    wrong: 'delete says true whatever happened',
    with: (right) => ({
      delete: async (id) => {
        await right.delete(id);
        return true;
      },
    }),
    noticedBy: [
      'delete: true where there was a record, and false the second time',
      'delete: false for an id that no record has',
      'at once: of 20 deletes of one record one says true',
    ],
  },
  {
    wrong: 'delete erases all of an organization',
    with: (right) => ({
      delete: async (id) => {
        const organizationId = (await right.findById(id))?.organization.id;
        for (const record of await right.all())
          if (record.organization.id === organizationId) await right.delete(record.id);
        return organizationId !== undefined;
      },
    }),
    noticedBy: ['delete: leaves all other records alone'],
  },
];
