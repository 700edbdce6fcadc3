import { expectFault, expectNothing, expectSame, isDuplicate, outcomeOf } from './expectations.ts';
import {
  buildFullRecord,
  buildRecord,
  buildRotatedRecord,
  digestOf,
  idOf,
  moment,
  numbersTo,
} from './sample-records.ts';
import { type CaseDraft, storeCase } from './store-case.ts';

const UNKNOWN: readonly string[] = numbersTo(8).map((number) => digestOf(`unknown ${number}`));

/** One of each form that a digest can have; the last is as long as one can be. */
const FORMS: readonly string[] = [
  digestOf('plain'),
  `sha512:${'aB3_-z'.repeat(15).slice(0, 86)}`,
  `hmac-sha256:${'pepper-2026'}:${'Qx-9_'.repeat(9).slice(0, 43)}`,
  `bcrypt:$2b$12$${'./Ab9'.repeat(11).slice(0, 53)}`,
  `jwt:${idOf(5)}:1772359200`,
  `jwt:${'~'.repeat(255)}:${'9'.repeat(16)}`,
];

export const digestCases: readonly CaseDraft[] = [
  storeCase('findByDigest: the record with this digest', async (store) => {
    for (const number of numbersTo(3)) await store.insert(buildRecord(number));
    expectSame('findByDigest()', await store.findByDigest([digestOf('key 2')]), buildRecord(2));
  }),

  storeCase('findByDigest: every member comes back as it was', async (store) => {
    await store.insert(buildFullRecord(1));
    expectSame('findByDigest()', await store.findByDigest([digestOf('key 1')]), buildFullRecord(1));
  }),

  storeCase(
    'findByDigest: the record that has any of several digests, wherever it stands among them',
    async (store) => {
      await store.insert(buildRecord(1));
      for (const place of [0, 4, UNKNOWN.length]) {
        const digests = UNKNOWN.toSpliced(place, 0, digestOf('key 1'));
        expectSame(`findByDigest(), place ${place}`, await store.findByDigest(digests), buildRecord(1));
      }
    },
  ),

  storeCase('findByDigest: the record with this previous digest', async (store) => {
    await store.insert(buildRotatedRecord(1));
    const found = await store.findByDigest([...UNKNOWN, digestOf('old key 1')]);
    expectSame('findByDigest()', found, buildRotatedRecord(1));
  }),

  storeCase('findByDigest: one record by its digest and its previous digest at once', async (store) => {
    await store.insert(buildRotatedRecord(1));
    const found = await store.findByDigest([digestOf('key 1'), digestOf('old key 1'), digestOf('key 1')]);
    expectSame('findByDigest()', found, buildRotatedRecord(1));
  }),

  storeCase('findByDigest: nothing by digests that no record has', async (store) => {
    await store.insert(buildRotatedRecord(1));
    expectNothing('findByDigest()', await store.findByDigest(UNKNOWN));
  }),

  storeCase('findByDigest: nothing by no digests', async (store) => {
    await store.insert(buildRecord(1));
    expectNothing('findByDigest()', await store.findByDigest([]));
  }),

  storeCase('findByDigest: throws where two records have one of the digests each', async (store) => {
    for (const number of numbersTo(2)) await store.insert(buildRecord(number));
    await expectFault('findByDigest()', () => store.findByDigest([digestOf('key 1'), digestOf('key 2')]));
  }),

  storeCase('findByDigest: throws where one has a digest and another a previous digest', async (store) => {
    await store.insert(buildRotatedRecord(1));
    await store.insert(buildRecord(2));
    await expectFault('findByDigest()', () => store.findByDigest([digestOf('old key 1'), digestOf('key 2')]));
  }),

  // Digests are unique in their own column only, so a store may take the second record; it must then not choose.
  storeCase(
    'findByDigest: never chooses between the current key of one and the old key of another',
    async (store) => {
      await store.insert(buildRotatedRecord(1));
      const { thrown } = await outcomeOf(() =>
        store.insert(buildRecord(2, { digest: digestOf('old key 1') })),
      );
      if (isDuplicate(thrown, ['digest'])) return;
      expectSame('what insert() threw', thrown, undefined);
      await expectFault('findByDigest()', () => store.findByDigest([digestOf('old key 1')]));
    },
  ),

  // Whether a key is accepted is decided elsewhere, and the reason of a refusal has to be known there.
  storeCase(
    'findByDigest: finds keys that are revoked, disabled, expired or past their grace',
    async (store) => {
      const long = moment(-100_000);
      const records = [
        buildRecord(1, { revokedAt: long }),
        buildRecord(2, { enabled: false }),
        buildRecord(3, { expiresAt: long }),
        buildRecord(4, { notBefore: new Date('9999-01-01') }),
        buildRecord(5, { previous: { digest: digestOf('old key 5'), expiresAt: long } }),
      ];
      for (const record of records) await store.insert(record);
      for (const record of records)
        expectSame('findByDigest()', await store.findByDigest([record.digest]), record);
      expectSame('findByDigest()', await store.findByDigest([digestOf('old key 5')]), records[4]);
    },
  ),

  storeCase('findByDigest: every form of digest is kept and found', async (store) => {
    for (const [index, digest] of FORMS.entries()) await store.insert(buildRecord(index + 1, { digest }));
    for (const [index, digest] of FORMS.entries())
      expectSame('findByDigest()', await store.findByDigest([digest]), buildRecord(index + 1, { digest }));
  }),

  storeCase('findByDigest: after a rotation, by the new digest and by the old one', async (store) => {
    await store.insert(buildRecord(1));
    const previous = { digest: digestOf('key 1'), expiresAt: moment(60) };
    await store.update(idOf(1), { digest: digestOf('second'), previous, narrows: false }, 1);
    const expected = buildRecord(1, { digest: digestOf('second'), previous, version: 2 });
    expectSame('by the new digest', await store.findByDigest([digestOf('second')]), expected);
    expectSame('by the old digest', await store.findByDigest([digestOf('key 1')]), expected);
  }),

  storeCase('findByDigest: after a second rotation, no more by the oldest digest', async (store) => {
    await store.insert(buildRotatedRecord(1));
    const previous = { digest: digestOf('key 1'), expiresAt: moment(90) };
    await store.update(idOf(1), { digest: digestOf('third'), previous, narrows: true }, 1);
    expectNothing('by the oldest digest', await store.findByDigest([digestOf('old key 1')]));
    expectSame('by the old digest', (await store.findByDigest([digestOf('key 1')]))?.id, idOf(1));
  }),

  storeCase('findByDigest: no more by a digest that was replaced without a grace', async (store) => {
    await store.insert(buildRecord(1));
    await store.update(idOf(1), { digest: digestOf('second'), narrows: true }, 1);
    expectNothing('by the old digest', await store.findByDigest([digestOf('key 1')]));
  }),

  storeCase('findByDigest: no more by a previous digest that was cleared', async (store) => {
    await store.insert(buildRotatedRecord(1));
    await store.update(idOf(1), { clear: ['previous'], narrows: true }, 1);
    expectNothing('by the old digest', await store.findByDigest([digestOf('old key 1')]));
  }),
];
