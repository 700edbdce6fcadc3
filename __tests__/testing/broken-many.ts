import type { Breakage } from './breakage.ts';

/** Stores that are wrong in `insertMany` or `findMany`. */
export const brokenMany: readonly Breakage[] = [
  {
    wrong: 'insertMany drops the scopes',
    with: (right) => ({
      insertMany: (records) => right.insertMany(records.map((record) => ({ ...record, scopes: [] }))),
    }),
    noticedBy: ['insertMany: inserts them all as they are, and answers their ids'],
  },
  {
    wrong: 'insertMany answers nothing',
    with: (right) => ({
      insertMany: async (records) => {
        await right.insertMany(records);
        return [];
      },
    }),
    noticedBy: ['insertMany: inserts them all as they are, and answers their ids'],
  },
  {
    wrong: 'insertMany inserts all or nothing',
    with: (right) => ({
      insertMany: async (records) => {
        const ids = new Set((await right.all()).map(({ id }) => id));
        return records.some(({ id }) => ids.has(id)) ? [] : right.insertMany(records);
      },
    }),
    noticedBy: ['insertMany: passes over a taken id and a taken digest, and takes the rest'],
  },
  {
    wrong: 'insertMany answers the ids of those that it passed over, too',
    with: (right) => ({
      insertMany: async (records) => {
        await right.insertMany(records);
        return records.map(({ id }) => id);
      },
    }),
    noticedBy: ['insertMany: the second time inserts nothing'],
  },
  {
    wrong: 'insertMany takes a hundred',
    with: (right) => ({ insertMany: (records) => right.insertMany(records.slice(0, 100)) }),
    noticedBy: ['insertMany: takes 200'],
  },
  {
    wrong: 'findMany answers with all that there are',
    with: (right) => ({ findMany: () => right.all() }),
    noticedBy: ['findMany: the records that have these ids, whole, and no others'],
  },
];
