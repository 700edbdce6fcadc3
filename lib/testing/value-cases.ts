import type { KeyRecord } from '../keys/key-record.ts';
import type { Json } from '../keys/metadata.ts';
import { expectSame, expectStored } from './expectations.ts';
import { buildRecord, digestOf, idOf, moment } from './sample-records.ts';
import { type CaseDraft, storeCase } from './store-case.ts';

/** A record with these members comes back as it was: inserted with them, and changed to them. */
function valueCase(name: string, variants: readonly Partial<KeyRecord>[]): CaseDraft {
  return storeCase(`values: ${name}`, async (store) => {
    for (const [index, members] of variants.entries()) {
      const record = buildRecord(index + 1, members);
      await store.insert(record);
      await expectStored(store, record);
    }
  });
}

/** As {@link valueCase}, written by an update. */
function changedValueCase(name: string, members: Parameters<typeof buildRecord>[1] & object): CaseDraft {
  return storeCase(`values: ${name}`, async (store) => {
    await store.insert(buildRecord(1));
    const expected = buildRecord(1, { ...members, version: 2 });
    expectSame('update()', await store.update(idOf(1), { ...members, narrows: false }, 1), expected);
    await expectStored(store, expected);
  });
}

const UNICODE: readonly string[] = [
  '🗝️ 👩‍👩‍👧 𝒦𐍈',
  'מפתח ‏API‏ مفتاح',
  '鍵 キー 열쇠',
  '\u00e9 and e\u0301, \u212b and \u00c5',
  '\u202eright to left\u202c',
  'a \ufeff mark and a \u200d joiner inside',
];

const EDGED: readonly string[] = [' a ', 'a\t', '\na\r\n', 'a  b', '\u00a0a\u2003'];

/** Texts that are something else when they are read by the wrong hands. */
const DISGUISED: readonly string[] = [
  'null',
  'undefined',
  'true',
  '0',
  '-1e3',
  '{}',
  '[]',
  '2026-03-01',
  `'); --`,
  '\\n',
  '%s',
];

const ASTRAL = '𐍈';

/** Exactly 10,000 bytes as JSON, the most there can be. */
const BIG_METADATA: Readonly<Record<string, Json>> = {
  text: '鍵'.repeat(3_000),
  list: Array.from({ length: 100 }, (_, index) => index % 10),
  rest: 'x'.repeat(770),
};

/** 16 levels, the most there can be. */
const DEEP_METADATA = Array.from({ length: 15 }).reduce<Readonly<Record<string, Json>>>(
  (inner, _, index) => (index % 2 === 0 ? { inner } : { list: inner, index }),
  { bottom: true },
);

const EVERY_JSON: Readonly<Record<string, Json>> = {
  null: null,
  true: true,
  false: false,
  zero: 0,
  negative: -17,
  fraction: 0.1,
  large: Number.MAX_SAFE_INTEGER,
  tiny: 5e-324,
  huge: 1.7976931348623157e308,
  emptyText: '',
  quotes: `"'\\/`,
  control: '\u0001\b\f\n\r\t\u001f\u007f\u2028',
  number: '1',
  date: '2026-03-01T10:00:00.123Z',
  emptyList: [],
  emptyObject: {},
  nested: [[], [[null]], { a: [{}] }],
};

const NAMES_IN_METADATA: Readonly<Record<string, Json>> = {
  '': 1,
  ' ': 2,
  a: 3,
  A: 4,
  'a.b': 5,
  $set: 6,
  $: 7,
  '0': 8,
  é: 9,
  'e\u0301': 10,
  toString: 11,
  id: 12,
  digest: 13,
};

const SCOPES: readonly string[] = Array.from({ length: 1_000 }, (_, index) => {
  return `${(index * 7) % 1_000}:`.padEnd(127, 'Az09-~') + (index % 2 === 0 ? 'a' : 'A');
});

const LAST_MOMENT = new Date('9999-12-31T23:59:59.999Z');

export const valueCases: readonly CaseDraft[] = [
  valueCase(
    'Unicode comes back as it was, and not normalised',
    UNICODE.map((name) => ({ name })),
  ),
  valueCase(
    'spaces, tabs and ends of lines at the edges of a text stay',
    EDGED.map((name) => ({ name })),
  ),
  valueCase(
    'texts that look like something else are texts',
    DISGUISED.map((name) => ({ name, revocationReason: name, createdBy: name })),
  ),
  valueCase('the longest texts there can be', [
    {
      name: ASTRAL.repeat(100),
      start: '~'.repeat(64),
      end: '~'.repeat(64),
      organization: { id: 'o'.repeat(255), slug: ASTRAL.repeat(255) },
      owner: { type: 'service', id: 'u'.repeat(255) },
      createdBy: ASTRAL.repeat(255),
      revocationReason: ASTRAL.repeat(500),
      digest: `jwt:${'j'.repeat(255)}:${'9'.repeat(16)}`,
      previous: { digest: `jwt:${'j'.repeat(255)}:${'8'.repeat(16)}`, expiresAt: moment(60) },
    },
  ]),
  valueCase('10,000 bytes of metadata', [{ metadata: BIG_METADATA }]),
  valueCase('metadata of 16 levels', [{ metadata: DEEP_METADATA }]),
  valueCase('every kind of JSON in metadata', [{ metadata: EVERY_JSON }]),
  valueCase('any names in metadata', [{ metadata: NAMES_IN_METADATA }]),
  valueCase('1,000 scopes of 128 characters, in their order', [{ scopes: SCOPES }]),
  valueCase('no scopes and no metadata are an empty list and an empty object', [
    { scopes: [], metadata: {} },
  ]),
  valueCase('times to the millisecond', [
    { expiresAt: new Date('2026-12-31T23:59:59.999Z'), notBefore: new Date('2026-01-01T00:00:00.001Z') },
    { lastUsedAt: new Date('2026-03-29T01:30:00.500Z'), rotatedAt: new Date('2028-02-29T12:00:00.010Z') },
  ]),
  valueCase('times up to the year 9999', [
    { expiresAt: LAST_MOMENT, previous: { digest: digestOf('old key 1'), expiresAt: LAST_MOMENT } },
  ]),
  // It is the number 0, which is easily taken for no time at all.
  valueCase('the first moment of 1970 is a time', [
    {
      createdAt: new Date(0),
      updatedAt: new Date(0),
      lastUsedAt: new Date(0),
      expiresAt: new Date(0),
      notBefore: new Date(0),
      revokedAt: new Date(0),
      rotatedAt: new Date(0),
      previous: { digest: digestOf('old key 1'), expiresAt: new Date(0), lastUsedAt: new Date(0) },
    },
  ]),
  valueCase('times before 1970', [
    { createdAt: new Date('1969-12-31T23:59:59.999Z'), notBefore: new Date('1901-01-01') },
  ]),
  valueCase('every kind, environment and type of owner', [
    { kind: 'opaque', environment: 'live', owner: { type: 'organization', id: 'a' } },
    { kind: 'pair', environment: 'test', owner: { type: 'user', id: 'a' } },
    { kind: 'jwt', environment: 'live', owner: { type: 'service', id: 'a' } },
  ]),

  changedValueCase('an update keeps Unicode, spaces and long texts', {
    name: ` ${UNICODE[3]} `,
    revocationReason: ASTRAL.repeat(500),
  }),
  changedValueCase('an update keeps big metadata and many scopes', {
    metadata: BIG_METADATA,
    scopes: SCOPES,
  }),
  changedValueCase('an update keeps times to the millisecond, 1970 and 9999 among them', {
    updatedAt: new Date('2026-03-01T10:00:00.001Z'),
    notBefore: new Date(0),
    revokedAt: new Date(0),
    expiresAt: LAST_MOMENT,
  }),
];
