import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KeyRecord } from '../../lib/keys/key-record.ts';
import type { ListQuery } from '../../lib/stores/key-store.ts';
import { type SqlConnection, SqlKeyStore, type SqlQuery } from '../../lib/stores/sql-key-store.ts';
import {
  buildFullRecord,
  buildRecord,
  CREATED_AT,
  digestOf,
  idOf,
  minutesLater,
} from '../support/records.ts';
import {
  connectionKinds,
  makeTemporaryFolder,
  type OpenedConnection,
  openLibsql,
} from '../support/sql-connections.ts';

const folder = makeTemporaryFolder();
let files = 0;
let opened: OpenedConnection;
let store: SqlKeyStore;

const nextPath = (): string => folder.path(`${++files}.db`);

async function openStore(open: (path: string) => OpenedConnection): Promise<void> {
  opened = open(nextPath());
  store = new SqlKeyStore(opened.connection);
  await store.migrate();
}

afterAll(() => folder.remove());

describe.each(connectionKinds)('SqlKeyStore over $name', ({ open }) => {
  beforeEach(() => openStore(open));
  afterEach(() => opened.close());

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

  describe('migrate', () => {
    test('may run twice and at once, and keeps what is there', async () => {
      await store.insert(buildRecord(1));
      await Promise.all([store.migrate(), new SqlKeyStore(opened.connection).migrate(), store.migrate()]);
      expect(await store.findById(idOf(1))).toStrictEqual(buildRecord(1));
    });

    test('makes the table and its indexes under the name that was given', async () => {
      await new SqlKeyStore(opened.connection, { table: 'Order' }).migrate();
      const rows = await opened.run(
        `SELECT name FROM sqlite_master WHERE tbl_name = 'Order' AND sql IS NOT NULL`,
      );
      expect(rows.map((row) => (row as { name: string }).name).sort()).toEqual([
        'Order',
        'Order_organization_id',
        'Order_owner_id',
      ]);
    });

    test('never runs by itself', async () => {
      const other = new SqlKeyStore(opened.connection, { table: 'other_keys' });
      await expect(other.findById(idOf(1))).rejects.toThrow('no such table');
    });

    test('gives every table its own records, and words of SQL are names', async () => {
      const other = new SqlKeyStore(opened.connection, { table: 'RETURNING' });
      await other.migrate();
      await other.insert(buildRecord(1));
      expect(await other.update(idOf(1), { name: 'new', narrows: false }, 1)).toMatchObject({ name: 'new' });
      expect(await other.delete(idOf(1))).toBe(true);
      expect(await store.findById(idOf(1))).toBeUndefined();
    });
  });

  describe('a row that cannot be read', () => {
    const secret = 'xyzzy';

    test.each([
      ['scopes', `["${secret}`],
      ['scopes', `["a", 1, "${secret}"]`],
      ['scopes', `{"${secret}":1}`],
      ['metadata', `{"a":"${secret}`],
      ['metadata', `["${secret}"]`],
      ['metadata', 'null'],
      ['kind', secret],
      ['environment', secret],
      ['owner_type', secret],
      ['enabled', 2],
      ['created_at', 8.64e15 + 1],
      ['expires_at', -8.64e15 - 1],
    ])('names the column %s and not the value: %s', async (column, value) => {
      await store.insert(buildRecord(1));
      await opened.run(`UPDATE keystile_keys SET ${column} = ?`, [value]);
      const reads = [
        store.findById(idOf(1)),
        store.findByDigest([digestOf('key 1')]),
        store.list({ limit: 1, order: 'newest' }),
        store.update(idOf(1), { narrows: false }, 1),
      ];
      for (const outcome of await Promise.allSettled(reads)) {
        const { message, stack, cause } = (outcome as PromiseRejectedResult).reason as Error;
        expect(message).toContain(`column ${column} `);
        expect(`${message}${stack}${cause}`).not.toContain(secret);
      }
    });

    test('names a previous key without an end, which would never end', async () => {
      await store.insert(buildFullRecord(1));
      await opened.run('UPDATE keystile_keys SET previous_expires_at = NULL');
      await expect(store.findById(idOf(1))).rejects.toThrow(
        'column previous_expires_at holds no whole number',
      );
    });
  });
});

describe('SqlKeyStore on a file', () => {
  beforeEach(() => openStore(openLibsql));
  afterEach(() => opened.close());

  test('keeps its records when the database is opened anew', async () => {
    const path = nextPath();
    const before = openLibsql(path);
    await new SqlKeyStore(before.connection).migrate();
    await new SqlKeyStore(before.connection).insert(buildFullRecord(1));
    before.close();
    const after = openLibsql(path);
    expect(await new SqlKeyStore(after.connection).findById(idOf(1))).toStrictEqual(buildFullRecord(1));
    after.close();
  });

  test('migrates over many connections at once', async () => {
    const path = nextPath();
    const connections = Array.from({ length: 8 }, () => openLibsql(path));
    await Promise.all(connections.map(({ connection }) => new SqlKeyStore(connection).migrate()));
    for (const { close } of connections) close();
  });

  test.each<[string, (it: SqlKeyStore) => Promise<unknown>]>([
    ['a digest', (it) => it.findByDigest(['a', 'b'])],
    ['an id', (it) => it.findById('a')],
    ['a page', (it) => it.list({ limit: 1, order: 'newest', cursor: 'b' })],
    [
      'a page of an organization',
      (it) => it.list({ limit: 1, order: 'newest', organizationId: 'a', cursor: 'b' }),
    ],
    ['a page of an owner', (it) => it.list({ limit: 1, order: 'oldest', ownerId: 'a' })],
    ['a record to update', (it) => it.update('a', { narrows: false }, 1)],
    ['records that were used', (it) => it.recordUse([{ id: 'a', at: CREATED_AT, previous: false }])],
  ])('reaches %s by an index, reading and sorting no more than that', async (_, call) => {
    let plan: readonly object[] = [];
    const query: SqlQuery = async (text, values) => {
      plan = await opened.run(`EXPLAIN QUERY PLAN ${text}`, values as string[]);
      return { rows: [], affectedRows: 0 };
    };
    await call(new SqlKeyStore({ dialect: 'sqlite', query }));
    const steps = plan.map((step) => (step as { detail: string }).detail);
    expect(steps.join()).toContain('SEARCH');
    expect(steps.filter((step) => /^SCAN|TEMP B-TREE/.test(step))).toEqual([]);
  });
});

describe('SqlKeyStore with a query of the user', () => {
  /** Answers every statement alike and keeps what it was asked. */
  function queryThatAnswers(answer: unknown): {
    query: SqlQuery;
    asked: { text: string; values: unknown }[];
  } {
    const asked: { text: string; values: unknown }[] = [];
    const query = async (text: string, values: unknown) => {
      asked.push({ text, values });
      if (answer instanceof Error) throw answer;
      return answer;
    };
    return { query: query as SqlQuery, asked };
  }

  test.each([
    ['findById', (it: SqlKeyStore) => it.findById('a'), 1],
    ['findByDigest', (it: SqlKeyStore) => it.findByDigest(['a', 'b', 'c']), 1],
    ['findByDigest of nothing', (it: SqlKeyStore) => it.findByDigest([]), 0],
    ['insert', (it: SqlKeyStore) => it.insert(buildFullRecord(1)), 1],
    ['update', (it: SqlKeyStore) => it.update('a', { name: 'b', clear: ['previous'], narrows: true }, 1), 1],
    ['list', (it: SqlKeyStore) => it.list({ limit: 1, order: 'newest', cursor: 'a', ownerId: 'b' }), 1],
    ['delete', (it: SqlKeyStore) => it.delete('a'), 1],
    ['recordUse of none', (it: SqlKeyStore) => it.recordUse([]), 0],
    ['recordUse of 100', (it: SqlKeyStore) => it.recordUse(uses(100)), 1],
    ['recordUse of 101', (it: SqlKeyStore) => it.recordUse(uses(101)), 2],
  ])('%s runs as few statements as it can, with its values bound', async (_, call, count) => {
    const { query, asked } = queryThatAnswers({ rows: [], affectedRows: 1 });
    await call(new SqlKeyStore({ dialect: 'sqlite', query }));
    expect(asked).toHaveLength(count);
    for (const { text, values } of asked) {
      expect(text).not.toMatch(/'/);
      expect(text.split('?').length - 1).toBe((values as unknown[]).length);
    }
  });

  function uses(count: number) {
    return Array.from({ length: count }, (_, at) => ({
      id: idOf(at),
      at: CREATED_AT,
      previous: at % 2 === 0,
    }));
  }

  test('keeps the connection as `this` of its query', async () => {
    const connection = {
      dialect: 'sqlite' as const,
      answer: { rows: [], affectedRows: 1 },
      async query() {
        return this.answer;
      },
    };
    expect(await new SqlKeyStore(connection).delete('a')).toBe(true);
  });

  test.each([
    undefined,
    [],
    { rows: [] },
    { affectedRows: 1 },
    { rows: {}, affectedRows: 1 },
    { rows: [], affectedRows: Number.NaN },
  ])('says that %j is no answer', async (answer) => {
    const { query } = queryThatAnswers(answer);
    const it = new SqlKeyStore({ dialect: 'sqlite', query });
    await expect(it.findById('a')).rejects.toThrow('must answer { rows: object[], affectedRows: number }');
    await expect(it.insert(buildRecord(1))).rejects.toThrow(TypeError);
  });

  test('names a column that its rows do not have', async () => {
    const { query } = queryThatAnswers({ rows: [{ id: 'a' }], affectedRows: 0 });
    await expect(new SqlKeyStore({ dialect: 'sqlite', query }).findById('a')).rejects.toThrow(
      'SqlKeyStore: a row cannot be read: column digest is missing',
    );
  });

  test.each([
    ['bigint', (value: number) => BigInt(value)],
    ['string', (value: number) => String(value)],
  ])('reads integers that come as %s', async (_, convert) => {
    const { connection, run, close } = openLibsql(nextPath());
    const inner = new SqlKeyStore(connection);
    await inner.migrate();
    await inner.insert(buildFullRecord(1));
    const query = async (text: string, values: readonly unknown[]) => {
      const rows = await run(text, values as string[]);
      const converted = rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [
            name,
            typeof value === 'number' ? convert(value) : value,
          ]),
        ),
      );
      return { rows: converted, affectedRows: 0 };
    };
    expect(await new SqlKeyStore({ dialect: 'sqlite', query }).findById(idOf(1))).toStrictEqual(
      buildFullRecord(1),
    );
    close();
  });

  test.each([
    [{ code: 'SQLITE_CONSTRAINT_UNIQUE' }, true],
    [{ code: 'SQLITE_CONSTRAINT_PRIMARYKEY' }, true],
    [{ code: 'SQLITE_CONSTRAINT', extendedCode: 'SQLITE_CONSTRAINT_UNIQUE' }, true],
    [{ code: 'SQLITE_CONSTRAINT', message: 'SQLite error: UNIQUE constraint failed: t.digest' }, true],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 2067 }, true],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 1555 }, true],
    [{ code: 'SQLITE_CONSTRAINT', message: 'SQLite error: NOT NULL constraint failed: t.name' }, false],
    [{ code: 'SQLITE_CONSTRAINT_NOTNULL' }, false],
    [{ code: 'SQLITE_ERROR', message: 'no such function: UNIQUE constraint failed' }, false],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 1299 }, false],
    [{ code: 'ECONNRESET' }, false],
  ])('reads %o as a taken digest: %s', async (members, isTaken) => {
    const error = Object.assign(new Error('failed'), members);
    const it = new SqlKeyStore({ dialect: 'sqlite', query: queryThatAnswers(error).query });
    const update = it.update('a', { name: 'b', narrows: false }, 1);
    await expect(update).rejects.toMatchObject(isTaken ? { code: 'duplicate_key' } : members);
  });

  test.each([{ code: 'SQLITE_BUSY' }, { code: 'ERR_SQLITE_ERROR', errcode: 5 }, { errcode: 261 }])(
    'migrate waits where another holds the database: %o',
    async (members) => {
      const failures = [Object.assign(new Error('database is locked'), members)];
      const texts: string[] = [];
      const query: SqlQuery = async (text) => {
        texts.push(text);
        const failure = failures.pop();
        if (failure !== undefined) throw failure;
        return { rows: [], affectedRows: 0 };
      };
      await new SqlKeyStore({ dialect: 'sqlite', query }).migrate();
      expect(texts).toHaveLength(4);
      expect(texts[1]).toBe(texts[0]);
    },
  );

  test('migrate passes on what else fails, at once', async () => {
    const { query, asked } = queryThatAnswers(new Error('disk full'));
    await expect(new SqlKeyStore({ dialect: 'sqlite', query }).migrate()).rejects.toThrow('disk full');
    expect(asked).toHaveLength(1);
  });
});

describe('SqlKeyStore over a synchronous database', () => {
  test('compiles a text once, and does not keep every text for ever', async () => {
    const prepared: string[] = [];
    const database = {
      prepare(text: string) {
        prepared.push(text);
        return { all: () => [], run: () => ({ changes: 1n }) };
      },
      exec() {},
    };
    const it = new SqlKeyStore(database);
    const digests = (count: number) => Array.from({ length: count }, (_, index) => `d${index}`);
    for (let round = 0; round < 3; round += 1) {
      await it.findById('a');
      expect(await it.delete('a')).toBe(true);
    }
    expect(prepared).toHaveLength(2);
    // Used again and again, so it stays; the other one makes room.
    for (let count = 1; count <= 100; count += 1) {
      await it.findByDigest(digests(count));
      await it.findById('a');
    }
    expect(prepared).toHaveLength(102);
    await it.delete('a');
    expect(prepared).toHaveLength(103);
  });

  test('says so where the database answers later', async () => {
    const database = { prepare: () => ({ all: async () => [], run: async () => ({}) }), exec() {} };
    const it = new SqlKeyStore(database as unknown as SqlConnection);
    await expect(it.findById('a')).rejects.toThrow('SqlKeyStore: the connection must answer');
    await expect(it.delete('a')).rejects.toThrow('SqlKeyStore: the connection must answer');
  });
});

describe('misuse of SqlKeyStore', () => {
  const query: SqlQuery = async () => ({ rows: [], affectedRows: 0 });
  const sqlite = { dialect: 'sqlite', query } as const;
  const build = (connection: unknown, options?: unknown) => () =>
    new SqlKeyStore(connection as SqlConnection, options as Record<string, never>);
  const call = () => undefined;

  test.each([
    ['undefined', undefined, 'undefined'],
    ['an address', 'file:keys.db', '"file:keys.db"'],
    ['an empty object', {}, 'an object'],
    ['a pg pool', { query: call, connect: call }, 'an object'],
    ['a mysql2 pool', { query: call, execute: call, getConnection: call }, 'an object'],
    ['a mariadb pool', { query: call, execute: call, batch: call }, 'an object'],
    ['a database of sqlite3', { prepare: call, exec: call, each: call, all: call }, 'an object'],
    ['a D1 database', { prepare: call, exec: call, batch: call }, 'an object'],
  ])('refuses %s as connection, and lists what it knows', (_, connection, got) => {
    expect(build(connection)).toThrow(
      new TypeError(
        'SqlKeyStore: connection must be a client of @libsql/client, a database of node:sqlite or better-sqlite3, ' +
          `or { dialect, query }, but got ${got}`,
      ),
    );
  });

  test.each([['postgres'], ['mysql'], ['SQLite'], ['toString'], [undefined]])(
    'says that %j does not work',
    (name) => {
      const got = name === undefined ? 'undefined' : `"${name}"`;
      const message = `dialect must be "sqlite", the only one that works today, but got ${got}`;
      expect(build({ dialect: name, query })).toThrow(new TypeError(`SqlKeyStore: ${message}`));
      expect(() => SqlKeyStore.schema(name as 'sqlite')).toThrow(
        new TypeError(`SqlKeyStore.schema: ${message}`),
      );
      if (name !== undefined)
        expect(build(sqlite, { dialect: name })).toThrow(new TypeError(`SqlKeyStore: ${message}`));
    },
  );

  test.each([
    'keys; DROP TABLE users',
    'keys"',
    '"keys"',
    '`keys`',
    "keys' OR '1'='1",
    'public.keys',
    'keys--',
    'keys/**/',
    'keys\n',
    'keys\0',
    '1keys',
    'kéys',
    '',
    ' ',
    'k'.repeat(64),
    null,
    7,
    ['keys'],
  ])('refuses the table %j', (table) => {
    const demand =
      'table must be a name of 1 to 63 letters, digits and underscores that begins with no digit';
    expect(build(sqlite, { table })).toThrow(TypeError);
    expect(build(sqlite, { table })).toThrow(`SqlKeyStore: ${demand}, but got `);
    expect(() => SqlKeyStore.schema('sqlite', { table: table as string })).toThrow(
      `SqlKeyStore.schema: ${demand}`,
    );
  });

  test.each(['keys', '_', 'Keys_2', 'k'.repeat(63)])('takes the table %j', (table) => {
    expect(build(sqlite, { table, dialect: 'sqlite' })).not.toThrow();
  });

  test('names the option that was meant', () => {
    expect(build(sqlite, { tabel: 'keys' })).toThrow(
      'SqlKeyStore: unknown option "tabel"; did you mean "table"? (known: table, dialect)',
    );
    expect(() => SqlKeyStore.schema('sqlite', { dialect: 'sqlite' } as object)).toThrow(
      'unknown option "dialect"',
    );
    expect(build(sqlite, null)).toThrow('SqlKeyStore: options must be an object, but got null');
  });

  test('reads its options once and writes to none', async () => {
    const options = Object.freeze({ table: 'keys' });
    expect(build(Object.freeze({ ...sqlite }), options)).not.toThrow();
  });
});

describe('SqlKeyStore.schema', () => {
  test('is what migrate runs', async () => {
    const texts: string[] = [];
    const query: SqlQuery = async (text) => {
      texts.push(`${text};\n`);
      return { rows: [], affectedRows: 0 };
    };
    await new SqlKeyStore({ dialect: 'sqlite', query }, { table: 'my_keys' }).migrate();
    expect(SqlKeyStore.schema('sqlite', { table: 'my_keys' })).toBe(texts.join(''));
  });

  test('makes the table by itself', async () => {
    const { connection, run, close } = openLibsql(nextPath());
    for (const statement of SqlKeyStore.schema('sqlite').split(';\n'))
      if (statement !== '') await run(statement);
    await new SqlKeyStore(connection).insert(buildFullRecord(1));
    close();
  });

  test('refuses values of another type', async () => {
    const { connection, run, close } = openLibsql(nextPath());
    const it = new SqlKeyStore(connection);
    await it.migrate();
    await it.insert(buildRecord(1));
    await expect(run(`UPDATE keystile_keys SET expires_at = 'soon'`)).rejects.toThrow(
      'cannot store TEXT value',
    );
    await expect(run('UPDATE keystile_keys SET scopes = NULL')).rejects.toThrow('NOT NULL constraint failed');
    close();
  });
});
