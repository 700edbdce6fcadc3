import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ListQuery } from '../../lib/stores/key-store.ts';
import type { SqlKeyStore } from '../../lib/stores/sql-key-store.ts';
import { buildFullRecord, buildRecord, digestOf, idOf, minutesLater } from '../support/records.ts';
import { connectionKinds, type OpenedConnection, openForTests } from '../support/sql-connections.ts';

let opened: OpenedConnection;
let store: SqlKeyStore;

describe.each(connectionKinds)('SqlKeyStore over $name', (kind) => {
  openForTests(kind, (...given) => {
    [opened, store] = given;
  });

  describe('list', () => {
    const records = [
      buildRecord(1, { enabled: false, expiresAt: minutesLater(10) }),
      buildRecord(2, { organization: { id: 'org_2' }, owner: { type: 'user', id: 'user_7' } }),
      buildRecord(3, { revokedAt: minutesLater(1), lastUsedAt: minutesLater(30) }),
      buildRecord(4, { organization: { id: 'ORG_1' }, owner: { type: 'service', id: 'user_7' } }),
      buildRecord(5, {
        expiresAt: minutesLater(20),
        lastUsedAt: minutesLater(10),
        createdAt: minutesLater(5),
      }),
      buildRecord(6, { createdAt: minutesLater(15), owner: { type: 'user', id: 'user_8' } }),
      buildRecord(7, { enabled: false, revokedAt: minutesLater(2) }),
    ];

    beforeEach(async () => {
      for (const record of [...records].reverse()) await store.insert(record);
    });

    async function listed(query: Partial<ListQuery>): Promise<number[]> {
      const page = await store.list({ limit: 50, order: 'oldest', ...query });
      expect(page).not.toHaveProperty('nextCursor');
      return page.records.map(({ id }) => Number(id.slice(-12)));
    }

    test.each<[Partial<ListQuery>, number[]]>([
      [{}, [1, 2, 3, 4, 5, 6, 7]],
      [{ order: 'newest' }, [7, 6, 5, 4, 3, 2, 1]],
      [{ organizationId: 'org_1' }, [1, 3, 5, 6, 7]],
      [{ organizationId: 'ORG_1' }, [4]],
      [{ organizationId: 'org_1 ' }, []],
      [{ ownerId: 'user_7' }, [2, 4]],
      [{ ownerType: 'user' }, [2, 6]],
      [{ ownerType: 'service' }, [4]],
      [{ ownerType: 'user', ownerId: 'user_7' }, [2]],
      [{ enabled: true }, [2, 3, 4, 5, 6]],
      [{ enabled: false }, [1, 7]],
      [{ revoked: true }, [3, 7]],
      [{ revoked: false }, [1, 2, 4, 5, 6]],
      [{ revoked: true, enabled: true }, [3]],
      [{ expiresBefore: minutesLater(20) }, [1]],
      [{ expiresBefore: new Date(minutesLater(20).getTime() + 1) }, [1, 5]],
      [{ lastUsedBefore: minutesLater(10) }, [1, 2, 4, 7]],
      [{ lastUsedBefore: minutesLater(16) }, [1, 2, 4, 5, 6, 7]],
      [{ lastUsedBefore: minutesLater(16), organizationId: 'org_1', enabled: true }, [5, 6]],
      [{ cursor: idOf(3) }, [4, 5, 6, 7]],
      [{ cursor: idOf(3), order: 'newest' }, [2, 1]],
      [{ cursor: idOf(3), organizationId: 'org_1' }, [5, 6, 7]],
    ])('finds by %o', async (query, expected) => {
      expect(await listed(query)).toEqual(expected);
    });

    test('gives whole records', async () => {
      expect((await store.list({ limit: 2, order: 'oldest' })).records).toStrictEqual(records.slice(0, 2));
    });

    test.each<[Partial<ListQuery>, number[][]]>([
      [{ order: 'newest', limit: 3 }, [[7, 6, 5], [4, 3, 2], [1]]],
      [{ order: 'oldest', limit: 3 }, [[1, 2, 3], [4, 5, 6], [7]]],
      [{ order: 'oldest', limit: 7 }, [[1, 2, 3, 4, 5, 6, 7]]],
      [{ order: 'newest', limit: 2, organizationId: 'org_1', revoked: false }, [[6, 5], [1]]],
      [{ order: 'oldest', limit: 1, ownerId: 'user_7' }, [[2], [4]]],
      [{ order: 'oldest', limit: 1, ownerId: 'nobody' }, [[]]],
    ])('goes through the pages of %o', async (query, expected) => {
      const pages: number[][] = [];
      let cursor: string | undefined;
      do {
        const from = cursor === undefined ? {} : { cursor };
        const page = await store.list({ limit: 3, order: 'newest', ...query, ...from });
        pages.push(page.records.map(({ id }) => Number(id.slice(-12))));
        cursor = page.nextCursor;
      } while (cursor !== undefined && pages.length < 10);
      expect(pages).toEqual(expected);
    });
  });

  describe('recordUse', () => {
    const rotated = {
      ...buildRecord(1),
      previous: { digest: digestOf('old key 1'), expiresAt: minutesLater(60) },
    };
    const use = (number: number, minutes: number, previous = false) => ({
      id: idOf(number),
      at: minutesLater(minutes),
      previous,
    });

    test('moves last use forward, never back, and touches nothing else', async () => {
      await store.insert(rotated);
      await store.recordUse([use(1, 5)]);
      expect(await store.findById(idOf(1))).toStrictEqual({ ...rotated, lastUsedAt: minutesLater(5) });
      await store.recordUse([use(1, 4)]);
      expect(await store.findById(idOf(1))).toStrictEqual({ ...rotated, lastUsedAt: minutesLater(5) });
      await store.recordUse([use(1, 6)]);
      expect(await store.findById(idOf(1))).toStrictEqual({ ...rotated, lastUsedAt: minutesLater(6) });
    });

    test('of a previous key moves only its own last use', async () => {
      await store.insert(rotated);
      await store.recordUse([use(1, 5, true)]);
      await store.recordUse([use(1, 4, true)]);
      const previous = { ...rotated.previous, lastUsedAt: minutesLater(5) };
      expect(await store.findById(idOf(1))).toStrictEqual({ ...rotated, previous });
    });

    test('of a previous key that is no more leaves no trace', async () => {
      await store.insert(buildRecord(1));
      await store.recordUse([use(1, 5, true)]);
      const [row] = await opened.run('SELECT last_used_at, previous_last_used_at FROM keystile_keys');
      expect({ ...row }).toEqual({ last_used_at: null, previous_last_used_at: null });
    });

    test('passes over revoked records, and ids that are not there', async () => {
      const revoked = buildFullRecord(2);
      await store.insert(buildRecord(1));
      await store.insert(revoked);
      await store.recordUse([use(9, 1_000), use(2, 1_000), use(2, 1_000, true), use(1, 1_000)]);
      expect(await store.findById(idOf(1))).toStrictEqual(
        buildRecord(1, { lastUsedAt: minutesLater(1_000) }),
      );
      expect(await store.findById(idOf(2))).toStrictEqual(revoked);
      expect(await store.findById(idOf(9))).toBeUndefined();
    });

    test('takes the latest of several uses of one key, in any order', async () => {
      await store.insert(rotated);
      await store.recordUse([use(1, 5), use(1, 9), use(1, 7), use(1, 3, true), use(1, 2, true)]);
      const previous = { ...rotated.previous, lastUsedAt: minutesLater(3) };
      expect(await store.findById(idOf(1))).toStrictEqual({
        ...rotated,
        previous,
        lastUsedAt: minutesLater(9),
      });
    });

    test('writes many keys, each with its own time', async () => {
      const numbers = Array.from({ length: 250 }, (_, index) => index + 1);
      const minutes = (number: number) => (number * 37) % 101;
      for (const number of numbers) await store.insert(buildRecord(number));
      await store.recordUse(numbers.map((number) => use(number, minutes(number))));
      const { records } = await store.list({ limit: 500, order: 'oldest' });
      expect(records.map((record) => record.lastUsedAt)).toEqual(
        numbers.map((number) => minutesLater(minutes(number))),
      );
    });

    test('does nothing with no uses', async () => {
      await expect(store.recordUse([])).resolves.toBeUndefined();
    });
  });
});
