import { describe, expect, test } from '@jest/globals';
import { keyRecord } from '../../lib/index.ts';
import { type KeyRecord, readRecord, UnreadableRecordError } from '../../lib/keys/key-record.ts';
import {
  buildFullRecord,
  buildRecord,
  CREATED_AT,
  digestOf,
  idOf,
  minutesLater,
} from '../support/records.ts';

/** What no message may show. */
const WRONG = 'wrong value';

const ID_RULE = 'must be 1 to 255 visible ASCII characters';
const DIGEST_RULE = 'must be a digest of a known form';
const SHOWN_RULE = 'must be at most 64 visible ASCII characters';
const DATE_RULE = 'must be a valid Date';
const VERSION_RULE = 'must be a whole number of at least 1';

const wrongFields: readonly [path: string, value: unknown, problem: string][] = [
  ['id', WRONG, ID_RULE],
  ['id', '', ID_RULE],
  ['digest', WRONG, DIGEST_RULE],
  ['kind', WRONG, 'must be "opaque" or "pair" or "jwt"'],
  ['name', '', 'must be a text of 1 to 100 characters'],
  ['name', `${WRONG}\0`, 'must be well-formed Unicode without NUL'],
  ['environment', WRONG, 'must be "live" or "test"'],
  ['start', WRONG, SHOWN_RULE],
  ['start', 'x'.repeat(65), SHOWN_RULE],
  ['end', WRONG, SHOWN_RULE],
  ['organization', WRONG, 'must be an object'],
  ['organization.id', WRONG, ID_RULE],
  ['organization.slug', '', 'must be a text of 1 to 255 characters'],
  ['owner', WRONG, 'must be an object'],
  ['owner.type', WRONG, 'must be "organization" or "user" or "service"'],
  ['owner.id', WRONG, ID_RULE],
  ['scopes', WRONG, 'must be an array of scopes'],
  ['scopes', { 0: 'reports:read', length: 1 }, 'must be an array of scopes'],
  ['enabled', WRONG, 'must be true or false'],
  ['enabled', 1, 'must be true or false'],
  ['version', WRONG, VERSION_RULE],
  ['version', 0, VERSION_RULE],
  ['version', 1.5, VERSION_RULE],
  ['version', 2 ** 53, VERSION_RULE],
  ['createdAt', WRONG, DATE_RULE],
  ['createdAt', 1767225600000, DATE_RULE],
  ['updatedAt', new Date(Number.NaN), DATE_RULE],
  ['createdBy', '', 'must be a text of 1 to 255 characters'],
  ['lastUsedAt', WRONG, DATE_RULE],
  ['expiresAt', '2026-03-01', DATE_RULE],
  ['notBefore', WRONG, DATE_RULE],
  ['revokedAt', true, DATE_RULE],
  ['revocationReason', 'x'.repeat(501), 'must be a text of 1 to 500 characters'],
  ['rotatedAt', WRONG, DATE_RULE],
  ['metadata', WRONG, 'must be an object'],
  ['previous', WRONG, 'must be an object'],
  ['previous.digest', WRONG, DIGEST_RULE],
  ['previous.expiresAt', WRONG, DATE_RULE],
  ['previous.lastUsedAt', WRONG, DATE_RULE],
];

const required = [
  'id',
  'digest',
  'kind',
  'name',
  'environment',
  'start',
  'end',
  'organization',
  'organization.id',
  'owner',
  'owner.type',
  'owner.id',
  'enabled',
  'version',
  'createdAt',
  'updatedAt',
  'previous.digest',
  'previous.expiresAt',
];

const optional = [
  'organization.slug',
  'createdBy',
  'lastUsedAt',
  'expiresAt',
  'notBefore',
  'revokedAt',
  'revocationReason',
  'rotatedAt',
  'previous',
  'previous.lastUsedAt',
];

/** A full record with one member, which may be inside another, set to a value. */
function recordWith(path: string, value: unknown): Record<string, unknown> {
  const record = { ...buildFullRecord(1) } as Record<string, unknown>;
  const [outer, inner] = path.split('.') as [string, string?];
  record[outer] = inner === undefined ? value : { ...(record[outer] as object), [inner]: value };
  return record;
}

function errorOf(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe('reading what a store handed over', () => {
  test.each([
    ['with every member', buildFullRecord(1)],
    ['with only the members that every record has', buildRecord(1)],
  ])('gives a record %s, as it was', (_, record) => {
    expect(readRecord(record)).toStrictEqual(record);
  });

  test.each(wrongFields)(
    'refuses a wrong %s (%p), and names it without its value',
    (path, value, problem) => {
      const error = errorOf(() => readRecord(recordWith(path, value)));
      expect(error).toBeInstanceOf(UnreadableRecordError);
      expect(error.message).toBe(`the record's ${path} ${problem}`);
      expect(error.message).not.toContain(WRONG);
    },
  );

  test.each([
    ['scopes[1]', { scopes: ['reports:read', WRONG] }],
    ['scopes[0]', { scopes: Object.setPrototypeOf(Array(1), Object.assign([], { 0: 'inherited' })) }],
    ['metadata', { metadata: { a: { b: Symbol(WRONG) } } }],
  ])('names %s for what is wrong inside it', (path, members) => {
    const { message } = errorOf(() => readRecord({ ...buildRecord(1), ...members }));
    expect(message.startsWith(`the record's ${path} must be`)).toBe(true);
    expect(message).not.toContain(WRONG);
  });

  test.each(required)('misses %s, whether undefined or null', (path) => {
    for (const value of [undefined, null]) {
      expect(errorOf(() => readRecord(recordWith(path, value))).message).toContain(
        `the record's ${path} must`,
      );
    }
  });

  test.each(optional)('takes a null %s for absent', (path) => {
    const [outer, inner] = path.split('.') as [keyof KeyRecord, string?];
    for (const value of [undefined, null]) {
      const record = readRecord(recordWith(path, value));
      const holder = inner === undefined ? record : (record[outer] as object);
      expect(Object.hasOwn(holder, inner ?? outer)).toBe(false);
    }
  });

  test.each([undefined, null])('takes %s for no scopes and for no metadata', (value) => {
    expect(readRecord(recordWith('scopes', value)).scopes).toEqual([]);
    expect(readRecord(recordWith('metadata', value)).metadata).toEqual({});
  });

  test.each([undefined, null, 'record', 1, [buildRecord(1)], () => buildRecord(1)])(
    'refuses %p in place of a record',
    (value) => {
      expect(errorOf(() => readRecord(value)).message).toBe("the record's whole must be an object");
    },
  );
});

describe('a record that was read', () => {
  test('has only what was the own member of the other', () => {
    const inherited = { createdBy: 'x', expiresAt: minutesLater(1), previous: buildFullRecord(1).previous };
    const record = Object.assign(Object.create(inherited), buildRecord(1));
    record.organization = Object.assign(Object.create({ slug: 'x' }), { id: 'org_1' });
    expect(readRecord(record)).toStrictEqual(buildRecord(1));
  });

  test('is none where a required member is inherited', () => {
    const { enabled, ...rest } = buildRecord(1);
    const record = Object.assign(Object.create({ enabled }), rest);
    expect(errorOf(() => readRecord(record)).message).toBe("the record's enabled must be true or false");
  });

  test('has each of 1,000 scopes', () => {
    const scopes = Array.from({ length: 1_000 }, (_, index) => `scope:${index}`);
    expect(readRecord({ ...buildRecord(1), scopes }).scopes).toStrictEqual(scopes);
  });

  test('has no member that records do not have', () => {
    const record = readRecord({ ...buildRecord(1), key: 'acme_live_secret', isAdmin: true });
    expect(record).toStrictEqual(buildRecord(1));
  });

  test('does not change with the one that it was read from', () => {
    const given = { ...buildFullRecord(1), scopes: ['a'], metadata: { tags: ['b'] } };
    const read = readRecord(given);
    const expected = { ...buildFullRecord(1), scopes: ['a'], metadata: { tags: ['b'] } };
    given.scopes.push('admin');
    given.metadata.tags.push('c');
    for (const name of ['lastUsedAt', 'expiresAt', 'notBefore', 'revokedAt'] as const) given[name].setTime(0);
    Object.assign(given.organization, { id: 'org_9' });
    Object.assign(given.owner, { id: 'user_9' });
    given.previous.expiresAt.setTime(0);
    expect(read).toStrictEqual(expected);
    expect(read.createdAt).not.toBe(given.createdAt);
  });

  test('is frozen to the bottom', () => {
    const record = readRecord(buildFullRecord(1));
    const { organization, owner, scopes, metadata, previous } = record;
    for (const part of [record, organization, owner, scopes, metadata, metadata['limits'], previous]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });
});

describe('keyRecord()', () => {
  const least = { id: idOf(1), digest: digestOf('key'), organization: { id: 'org_1' } };
  const completed = {
    ...least,
    kind: 'opaque',
    name: idOf(1),
    environment: 'live',
    start: '',
    end: '',
    owner: { type: 'organization', id: 'org_1' },
    scopes: [],
    enabled: true,
    version: 1,
    createdAt: new Date(0),
    updatedAt: new Date(0),
    metadata: {},
  };

  test('completes a record with the defaults of create()', () => {
    expect(keyRecord(least)).toStrictEqual(completed);
  });

  test('keeps whatever is given', () => {
    expect(keyRecord(buildFullRecord(1))).toStrictEqual(buildFullRecord(1));
  });

  test('takes the time of creation for that of the last change', () => {
    expect(keyRecord({ ...least, createdAt: CREATED_AT })).toMatchObject({ updatedAt: CREATED_AT });
  });

  test('takes what is undefined or null for absent', () => {
    const nothing = Object.keys(completed).filter((name) => !(name in least));
    for (const value of [undefined, null]) {
      const fields = { ...least, ...Object.fromEntries(nothing.map((name) => [name, value])) };
      expect(keyRecord(fields as typeof least)).toStrictEqual(completed);
    }
  });

  test.each(wrongFields)('refuses a wrong %s (%p)', (path, value, problem) => {
    const fields = recordWith(path, value) as unknown as KeyRecord;
    const error = errorOf(() => keyRecord(fields));
    expect(error.name).toBe('UnreadableRecordError');
    expect(error.message).toBe(`the record's ${path} ${problem}`);
  });

  test.each(['id', 'digest', 'organization'] as const)('needs %s', (name) => {
    const { [name]: _, ...rest } = least;
    expect(() => keyRecord(rest as typeof least)).toThrow(`the record's ${name} must`);
  });
});
