import { beforeEach, describe, expect, test } from '@jest/globals';
import type { KeyRecord } from '../../lib/keys/key-record.ts';
import type { SqlKeyStore } from '../../lib/stores/sql-key-store.ts';
import {
  buildFullRecord,
  buildRecord,
  CREATED_AT,
  digestOf,
  idOf,
  minutesLater,
} from '../support/records.ts';
import { connectionKinds, openForTests } from '../support/sql-connections.ts';

let store: SqlKeyStore;

describe.each(connectionKinds)('SqlKeyStore over $name', (kind) => {
  openForTests(kind, (_, opened) => {
    store = opened;
  });

  describe('insert and find', () => {
    test.each([
      ['with every member', buildFullRecord(1)],
      ['with only the members that every record has', buildRecord(1)],
      [
        'with no scopes and an end in the year 9999',
        buildRecord(1, { scopes: [], expiresAt: new Date(253402300799999) }),
      ],
    ])('gives back a record %s as it was', async (_, record) => {
      await store.insert(record);
      expect(await store.findById(record.id)).toStrictEqual(record);
      expect(await store.findByDigest([record.digest])).toStrictEqual(record);
    });

    test('hands out a fresh record each time, with fresh times', async () => {
      await store.insert(buildFullRecord(1));
      const first = (await store.findById(idOf(1))) as KeyRecord;
      first.createdAt.setTime(0);
      (first.scopes as string[]).push('all:write');
      expect(await store.findById(idOf(1))).toStrictEqual(buildFullRecord(1));
    });

    test('finds by any of several digests, the previous one too', async () => {
      const record = buildFullRecord(1);
      await store.insert(record);
      await store.insert(buildRecord(2));
      const unknown = [digestOf('a'), digestOf('b')];
      expect((await store.findByDigest([...unknown, record.digest]))?.id).toBe(record.id);
      expect((await store.findByDigest([...unknown, record.previous.digest]))?.id).toBe(record.id);
      expect((await store.findByDigest([record.digest, record.previous.digest]))?.id).toBe(record.id);
    });

    test('finds nothing where nothing is', async () => {
      await store.insert(buildRecord(1));
      expect(await store.findByDigest([digestOf('other')])).toBeUndefined();
      expect(await store.findByDigest([])).toBeUndefined();
      expect(await store.findById(idOf(2))).toBeUndefined();
    });

    test.each([
      ['letter case', (text: string) => text.replace(/[a-z](?=[^:]*$)/, (letter) => letter.toUpperCase())],
      ['a space at the end', (text: string) => `${text} `],
    ])('tells digests and ids apart by %s', async (_, change) => {
      const record = buildRecord(1, { id: 'key_a', digest: 'sha256:abcdef' });
      const other = buildRecord(2, { id: change(record.id), digest: change(record.digest) });
      await store.insert(record);
      expect(await store.findByDigest([other.digest])).toBeUndefined();
      expect(await store.findById(other.id)).toBeUndefined();
      await store.insert(other);
      expect(await store.findByDigest([record.digest])).toStrictEqual(record);
      expect(await store.findByDigest([other.digest])).toStrictEqual(other);
    });

    test('throws where two records answer one text', async () => {
      await store.insert(buildRecord(1));
      await store.insert(buildRecord(2));
      await expect(store.findByDigest([digestOf('key 1'), digestOf('key 2')])).rejects.toThrow(
        'two records for one text',
      );
    });

    test('takes text that is SQL for text', async () => {
      const text = `'); DROP TABLE "keystile_keys"; --`;
      await store.insert(buildRecord(1, { id: text, name: text, digest: text }));
      expect(await store.findByDigest([text])).toStrictEqual(
        buildRecord(1, { id: text, name: text, digest: text }),
      );
      expect(await store.findById(`' OR '1' = '1`)).toBeUndefined();
    });

    test('refuses a time that is none, which would be kept as no time at all', async () => {
      const broken = buildRecord(1, { expiresAt: new Date(Number.NaN) });
      await expect(store.insert(broken)).rejects.toThrow(TypeError);
      expect(await store.findById(broken.id)).toBeUndefined();
    });
  });

  describe('duplicates', () => {
    beforeEach(() => store.insert(buildFullRecord(1)));

    test.each([
      ['id', buildRecord(2, { id: idOf(1) })],
      ['digest', buildRecord(2, { digest: digestOf('key 1') })],
      ['id', buildRecord(2, { id: idOf(1), digest: digestOf('key 1') })],
      ['digest', buildRecord(2, { previous: { digest: digestOf('old key 1'), expiresAt: CREATED_AT } })],
    ])('insert says that the %s is taken', async (field, record) => {
      await expect(store.insert(record)).rejects.toMatchObject({ code: 'duplicate_key', field });
      expect(await store.findById(idOf(1))).toStrictEqual(buildFullRecord(1));
      expect(await store.findById(idOf(2))).toBeUndefined();
    });

    test.each([
      ['digest', { digest: digestOf('key 1') }],
      ['previous digest', { previous: { digest: digestOf('old key 1'), expiresAt: CREATED_AT } }],
    ])('update says that the %s is taken, and changes nothing', async (_, change) => {
      await store.insert(buildRecord(2));
      await expect(
        store.update(idOf(2), { ...change, name: 'new', narrows: false }, 1),
      ).rejects.toMatchObject({ code: 'duplicate_key', field: 'digest' });
      expect(await store.findById(idOf(2))).toStrictEqual(buildRecord(2));
    });

    test('one of two inserts at once wins', async () => {
      const inserts = [store.insert(buildRecord(3)), store.insert(buildRecord(3))];
      const outcomes = (await Promise.allSettled(inserts)).map(({ status }) => status);
      expect(outcomes.sort()).toEqual(['fulfilled', 'rejected']);
    });
  });

  describe('update', () => {
    test('sets every member that can change, and answers the record as it then is', async () => {
      const { id: _id, kind: _kind, version: _version, ...rest } = buildFullRecord(2);
      const {
        createdAt: _at,
        createdBy: _by,
        organization: _org,
        owner: _owner,
        environment: _env,
        ...change
      } = rest;
      await store.insert(buildRecord(1));
      const updated = await store.update(idOf(1), { ...change, narrows: true }, 1);
      expect(updated).toStrictEqual({ ...buildRecord(1), ...change, version: 2 });
      expect(await store.findById(idOf(1))).toStrictEqual(updated);
    });

    test('leaves alone what the change does not name', async () => {
      await store.insert(buildFullRecord(1));
      const updated = await store.update(idOf(1), { name: 'new', narrows: false }, 7);
      expect(updated).toStrictEqual({ ...buildFullRecord(1), name: 'new', version: 8 });
    });

    test.each(['expiresAt', 'notBefore', 'previous', 'revokedAt'] as const)('clears %s', async (member) => {
      const { [member]: _, ...expected } = { ...buildFullRecord(1), version: 8 };
      await store.insert(buildFullRecord(1));
      expect(await store.update(idOf(1), { clear: [member], narrows: false }, 7)).toStrictEqual(expected);
      expect(await store.findById(idOf(1))).toStrictEqual(expected);
    });

    test('a previous key without a last use forgets that of the one before it', async () => {
      await store.insert(buildFullRecord(1));
      const previous = { digest: digestOf('key 1'), expiresAt: minutesLater(90) };
      const updated = await store.update(idOf(1), { digest: digestOf('new'), previous, narrows: true }, 7);
      expect(updated).toMatchObject({ digest: digestOf('new') });
      expect(updated?.previous).toStrictEqual(previous);
      expect((await store.findByDigest([digestOf('old key 1')]))?.id).toBeUndefined();
    });

    test('touches only the record with this id', async () => {
      await store.insert(buildRecord(1));
      await store.insert(buildRecord(2));
      await store.update(idOf(1), { name: 'new', narrows: false }, 1);
      expect(await store.findById(idOf(2))).toStrictEqual(buildRecord(2));
    });

    test.each([
      ['an older version', idOf(1), 6],
      ['a later version', idOf(1), 8],
      ['an unknown id', idOf(2), 7],
    ])('answers undefined for %s, and changes nothing', async (_, id, version) => {
      await store.insert(buildFullRecord(1));
      expect(await store.update(id, { name: 'new', narrows: false }, version)).toBeUndefined();
      expect(await store.findById(idOf(1))).toStrictEqual(buildFullRecord(1));
    });

    test('one of many updates of one version wins', async () => {
      await store.insert(buildRecord(1));
      const names = ['a', 'b', 'c', 'd', 'e'];
      const outcomes = await Promise.all(
        names.map((name) => store.update(idOf(1), { name, narrows: false }, 1)),
      );
      const winners = outcomes.filter((outcome) => outcome !== undefined);
      expect(winners).toHaveLength(1);
      expect(await store.findById(idOf(1))).toStrictEqual(winners[0]);
      expect(winners[0]?.version).toBe(2);
    });
  });

  describe('delete', () => {
    test('erases one record, once', async () => {
      await store.insert(buildRecord(1));
      await store.insert(buildRecord(2));
      expect(await store.delete(idOf(1))).toBe(true);
      expect(await store.delete(idOf(1))).toBe(false);
      expect(await store.findById(idOf(1))).toBeUndefined();
      expect(await store.findByDigest([digestOf('key 1')])).toBeUndefined();
      expect(await store.findById(idOf(2))).toStrictEqual(buildRecord(2));
    });
  });
});
