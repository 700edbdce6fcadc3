import { describe, expect, test } from '@jest/globals';
import { type SqlConnection, SqlKeyStore, type SqlQuery } from '../../lib/stores/sql-key-store.ts';
import { buildFullRecord, buildRecord, CREATED_AT, idOf } from '../support/records.ts';
import { makeTemporaryFolder, openLibsql } from '../support/sql-connections.ts';

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
    // The first one also looks for what is left of old deletions.
    ['delete', (it: SqlKeyStore) => it.delete('a'), 2],
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

  test.each([
    ['that has no command', Object.assign([], { count: null, command: null })],
    // biome-ignore lint/suspicious/noSparseArray: that is what it gives
    ['that begins with a hole', Object.assign([, {}], { count: 1, command: 'SELECT' })],
    ['without the row that it counts', Object.assign([], { count: 1, command: 'SELECT' })],
  ])(
    'takes an answer of postgres.js %s for no "there is no such key", as a lost connection leaves it',
    async (_, answer) => {
      const store = new SqlKeyStore({ unsafe: async () => answer } as unknown as SqlConnection);
      for (const call of [() => store.findByDigest(['a']), () => store.findById('a')]) {
        await expect(call()).rejects.toThrow('the connection was lost in the middle of an answer');
      }
    },
  );

  test('takes a change that postgres.js made to no row for what it is', async () => {
    const answer = Object.assign([], { count: 0, command: 'DELETE' });
    expect(
      await new SqlKeyStore({ unsafe: async () => answer } as unknown as SqlConnection).delete('a'),
    ).toBe(false);
  });

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
    const { connection, run, close } = openLibsql(':memory:');
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
    await close();
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
      // The table twice, a look for what it lacks, and three indexes.
      expect(texts).toHaveLength(6);
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
    // One more text looks for what is left of old deletions.
    expect(prepared).toHaveLength(3);
    // Used again and again, so it stays; the other one makes room.
    for (let count = 1; count <= 100; count += 1) {
      await it.findByDigest(digests(count));
      await it.findById('a');
    }
    expect(prepared).toHaveLength(103);
    await it.delete('a');
    expect(prepared).toHaveLength(104);
  });

  test('says so where the database answers later', async () => {
    const database = { prepare: () => ({ all: async () => [], run: async () => ({}) }), exec() {} };
    const it = new SqlKeyStore(database as unknown as SqlConnection);
    await expect(it.findById('a')).rejects.toThrow('SqlKeyStore: the connection must answer');
    await expect(it.delete('a')).rejects.toThrow('SqlKeyStore: the connection must answer');
  });
});

describe('SqlKeyStore.schema', () => {
  test.each(['sqlite', 'postgres', 'mysql'] as const)('is what migrate runs on %s', async (dialect) => {
    const texts: string[] = [];
    const query: SqlQuery = async (text) => {
      // A look for what a table of an earlier version lacks.
      if (!text.startsWith('SELECT')) texts.push(`${text};\n`);
      return { rows: [], affectedRows: 0 };
    };
    await new SqlKeyStore({ dialect, query }, { table: 'my_keys' }).migrate();
    expect(SqlKeyStore.schema(dialect, { table: 'my_keys' })).toBe(texts.join(''));
  });
});

test('a write to a file that was locked a moment ago is kept, or is a fault', async () => {
  const folder = makeTemporaryFolder();
  const url = `file:${folder.path('keys.db')}`;
  const [opened, other] = [openLibsql(url), openLibsql(url)];
  const [store, elsewhere] = [opened, other].map(({ connection }) => new SqlKeyStore(connection));
  await store?.migrate();
  await store?.insert(buildRecord(1));
  await other.run('PRAGMA locking_mode = EXCLUSIVE');
  await other.run('PRAGMA user_version = 1');
  await expect(store?.insert(buildRecord(2))).rejects.toThrow('locked');
  await other.run('PRAGMA locking_mode = NORMAL');
  await other.run('SELECT * FROM keystile_keys');
  const outcomes = await Promise.allSettled([3, 4, 5].map((number) => store?.insert(buildRecord(number))));
  const found = await Promise.all([3, 4, 5].map((number) => elsewhere?.findById(idOf(number))));
  expect(found.map((record) => record !== undefined)).toEqual(
    outcomes.map(({ status }) => status === 'fulfilled'),
  );
  await opened.close();
  await other.close();
  folder.remove();
});
