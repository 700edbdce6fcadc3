import type { Json, KeyChange, KeyRecord } from '../../lib/index.ts';
import { answering, type Breakage, timing } from './breakage.ts';

/** As a structure that anybody can change. */
function thaw<T>(value: T): T {
  if (Object.prototype.toString.call(value) === '[object Date]') return new Date(value as never) as T;
  if (Array.isArray(value)) return value.map(thaw) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, thaw(member)])) as T;
}

function cutBelow(value: Json, levels: number): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) return null;
  if (Array.isArray(value)) return value.map((item) => cutBelow(item, levels - 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, cutBelow(member, levels - 1)]),
  );
}

function metadata(change: (metadata: KeyRecord['metadata']) => Json): ReturnType<typeof answering> {
  return answering((record) => ({ ...record, metadata: change(record.metadata) }));
}

const LAST_OF_32_BITS = 0x7fffffff * 1_000;

/** Stores that do not give back what was put in, or give away what is inside. */
export const brokenValues: readonly Breakage[] = [
  {
    wrong: 'normalises names',
    with: answering((record) => ({ ...record, name: record.name.normalize('NFC') })),
    noticedBy: ['values: Unicode comes back as it was, and not normalised'],
  },
  {
    wrong: 'trims names',
    with: answering((record) => ({ ...record, name: record.name.trim() })),
    noticedBy: [
      'values: spaces, tabs and ends of lines at the edges of a text stay',
      'values: an update keeps Unicode, spaces and long texts',
    ],
  },
  {
    wrong: 'reads the text null as nothing',
    with: answering(({ createdBy, ...record }) => ({
      ...record,
      ...(createdBy === undefined || createdBy === 'null' ? {} : { createdBy }),
    })),
    noticedBy: ['values: texts that look like something else are texts'],
  },
  {
    wrong: 'cuts texts at 255 characters',
    with: answering(({ revocationReason, ...record }) => ({
      ...record,
      ...(revocationReason === undefined ? {} : { revocationReason: revocationReason.slice(0, 255) }),
    })),
    noticedBy: ['values: the longest texts there can be'],
  },
  {
    wrong: 'keeps 8,000 bytes of metadata',
    with: metadata((all) => (JSON.stringify(all).length > 2_000 ? {} : all)),
    noticedBy: ['values: 10,000 bytes of metadata', 'values: an update keeps big metadata and many scopes'],
  },
  {
    wrong: 'keeps 15 levels of metadata',
    with: metadata((all) => cutBelow(all, 15)),
    noticedBy: ['values: metadata of 16 levels'],
  },
  {
    wrong: 'leaves null out of metadata',
    with: metadata((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))),
    noticedBy: ['values: every kind of JSON in metadata'],
  },
  {
    wrong: 'leaves members without a name out of metadata',
    with: metadata((all) => Object.fromEntries(Object.entries(all).filter(([name]) => name !== ''))),
    noticedBy: ['values: any names in metadata'],
  },
  {
    wrong: 'keeps scopes as a set, in an order of its own',
    with: answering((record) => ({ ...record, scopes: record.scopes.toSorted() })),
    noticedBy: ['values: 1,000 scopes of 128 characters, in their order'],
  },
  {
    wrong: 'keeps no empty lists',
    with: answering(({ scopes, ...record }) => ({ ...record, ...(scopes.length === 0 ? {} : { scopes }) })),
    noticedBy: ['values: no scopes and no metadata are an empty list and an empty object'],
  },
  {
    wrong: 'keeps whole seconds',
    with: timing((time) => Math.floor(time / 1_000) * 1_000),
    noticedBy: [
      'values: times to the millisecond',
      'values: an update keeps times to the millisecond, 1970 and 9999 among them',
    ],
  },
  {
    wrong: 'keeps 32 bits of a time',
    with: timing((time) => Math.min(time, LAST_OF_32_BITS)),
    noticedBy: ['values: times up to the year 9999'],
  },
  {
    wrong: 'takes 0 for no time',
    with: timing((time) => time || undefined),
    noticedBy: ['values: the first moment of 1970 is a time'],
  },
  {
    wrong: 'keeps times without a sign',
    with: timing((time) => Math.max(time, 0)),
    noticedBy: ['values: times before 1970'],
  },
  {
    wrong: 'takes every owner for a user',
    with: answering((record) => ({ ...record, owner: { ...record.owner, type: 'user' } })),
    noticedBy: ['values: every kind, environment and type of owner'],
  },
  {
    wrong: 'keeps the very record that it was given',
    with: (right) => {
      const given = new Map<string, KeyRecord>();
      return {
        insert: async (record) => {
          await right.insert(record);
          given.set(record.id, record);
        },
        findById: async (id) => given.get(id),
      };
    },
    noticedBy: ['isolation: changing a record after insert changes nothing in the store'],
  },
  {
    wrong: 'keeps the very change that it was given',
    with: (right) => {
      const given = new Map<string, Pick<KeyChange, 'scopes'>>();
      return {
        update: async (id, change, version) => {
          const answer = await right.update(id, change, version);
          if (change.scopes) given.set(id, { scopes: change.scopes });
          return answer;
        },
        findById: async (id) => {
          const record = await right.findById(id);
          return record && ({ ...record, ...given.get(id) } as KeyRecord);
        },
      };
    },
    noticedBy: ['isolation: changing a change after update changes nothing in the store'],
  },
  {
    wrong: 'hands out the very record that it keeps',
    with: (right) => {
      const kept = new Map<string, KeyRecord>();
      const own = <T extends KeyRecord | undefined>(record: T): T => {
        if (record === undefined) return record;
        const name = `${record.id} ${record.version}`;
        if (!kept.has(name)) kept.set(name, thaw(record));
        return kept.get(name) as T;
      };
      return {
        findById: async (id) => own(await right.findById(id)),
        findByDigest: async (digests) => own(await right.findByDigest(digests)),
        update: async (id, change, version) => own(await right.update(id, change, version)),
        list: async (query) => ({ records: (await right.list(query)).records.map(own) }),
      };
    },
    noticedBy: [
      'isolation: changing what findById gave changes nothing in the store',
      'isolation: changing what findByDigest gave changes nothing in the store',
      'isolation: changing what update gave changes nothing in the store',
      'isolation: changing what list gave changes nothing in the store',
    ],
  },
  {
    wrong: 'writes to the record that it was given',
    throws: 'TypeError',
    with: (right) => ({
      insert: async (record) => {
        await right.insert(record);
        Object.assign(record, { stored: true });
      },
    }),
    noticedBy: ['isolation: what is given may be frozen, and is not written to'],
  },
];
