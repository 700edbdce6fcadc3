import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import postgres from 'postgres';
import { type SqlConnection, SqlKeyStore, type SqlQuery } from '../../lib/stores/sql-key-store.ts';
import { buildFullRecord, buildRecord, CREATED_AT, digestOf, idOf } from '../support/records.ts';
import { createDatabase, describeWithServers, SERVER_TIMEOUT_MS } from '../support/servers.ts';
import {
  type OpenedConnection,
  openMysql2Connection,
  openMysql2Pool,
  openPgPool,
} from '../support/sql-connections.ts';

const ROWS = 3_000;

async function fill(store: SqlKeyStore): Promise<void> {
  const numbers = Array.from({ length: ROWS }, (_, index) => index);
  await Promise.all(
    numbers.map((number) =>
      store.insert(
        buildRecord(number, {
          organization: { id: `org_${number % 100}` },
          owner: { type: 'user', id: `user_${number % 100}` },
          ...(number % 3 === 0
            ? { previous: { digest: digestOf(`old ${number}`), expiresAt: CREATED_AT } }
            : {}),
        }),
      ),
    ),
  );
}

/** What is looked up, and where it must be by one certain index, the column that this begins with; else ''. */
const lookUps: readonly [string, (store: SqlKeyStore) => Promise<unknown>, string][] = [
  ['a digest', (it) => it.findByDigest([digestOf('a'), digestOf('b')]), ''],
  ['an id', (it) => it.findById(idOf(5)), ''],
  ['a page', (it) => it.list({ limit: 10, order: 'newest', cursor: idOf(2_000) }), ''],
  [
    'a page of an organization',
    (it) => it.list({ limit: 10, order: 'newest', organizationId: 'org_7' }),
    'organization_id',
  ],
  [
    'a page of an owner',
    (it) => it.list({ limit: 10, order: 'oldest', ownerId: 'user_7', cursor: idOf(9) }),
    'owner_id',
  ],
  ['a record to update', (it) => it.update(idOf(5), { narrows: false }, 1), ''],
  ['records that were used', (it) => it.recordUse([{ id: idOf(5), at: CREATED_AT, previous: false }]), ''],
];

const engines = [
  { name: 'PostgreSQL', dialect: 'postgres' as const, open: openPgPool, whole: /Seq Scan|Sort Key/ },
  {
    name: 'MariaDB',
    dialect: 'mysql' as const,
    open: openMysql2Pool,
    whole: /"type":"(?:ALL|index)"|filesort/,
  },
];

describeWithServers.each(engines)('$name reaches by an index', ({ dialect, open, whole }) => {
  let opened: OpenedConnection;

  beforeAll(async () => {
    opened = await open();
    const store = new SqlKeyStore(opened.connection);
    await store.migrate();
    await fill(store);
    await opened.run(dialect === 'mysql' ? 'ANALYZE TABLE keystile_keys' : 'ANALYZE keystile_keys');
  }, SERVER_TIMEOUT_MS);

  afterAll(() => opened.close());

  async function planOf(text: string, values: readonly unknown[]): Promise<string> {
    const unnumbered = text.replaceAll(/\$\d+/g, '?');
    const rows = await opened.run(`EXPLAIN ${unnumbered}`, values as string[]);
    return JSON.stringify(rows);
  }

  test.each(lookUps)('%s', async (_, call, column) => {
    const plans: string[] = [];
    const query: SqlQuery = async (text, values) => {
      plans.push(await planOf(text, values));
      return { rows: [], affectedRows: 0 };
    };
    await call(new SqlKeyStore({ dialect, query }));
    expect(plans.filter((plan) => whole.test(plan))).toEqual([]);
    expect(plans).toHaveLength(1);
    if (column !== '') expect(plans[0]).toMatch(new RegExp(`\\b(?:keystile_keys|by)_${column}\\b`));
  });

  test('what the plans are held against is what a plan without one says', async () => {
    expect(await planOf('SELECT id FROM keystile_keys ORDER BY name', [])).toMatch(whole);
  });
});

describeWithServers('PostgreSQL', () => {
  let url: string;
  let drop: () => Promise<void>;

  beforeAll(async () => {
    ({ url, drop } = await createDatabase('postgres'));
  }, SERVER_TIMEOUT_MS);

  afterAll(() => drop());

  const openers: readonly [string, () => { connection: SqlConnection; end(): Promise<void> }][] = [
    ['a pg Pool', () => endable(new pg.Pool({ connectionString: url, max: 1 }))],
    ['postgres.js', () => endable(postgres(url, { max: 1, onnotice: () => undefined }))],
  ];

  function endable(connection: SqlConnection & { end(): Promise<void> }) {
    return { connection, end: () => connection.end() };
  }

  test.each(openers)(
    '%s leaves no prepared statement behind, so a pooler may stand between',
    async (_, open) => {
      const { connection, end } = open();
      const store = new SqlKeyStore(connection);
      await store.migrate();
      const id = randomUUID();
      await store.insert(buildRecord(1, { id }));
      await store.update(id, { name: 'new', narrows: false }, 1);
      await store.findByDigest([digestOf('key 1')]);
      // postgres.js keeps one of its own, which asks for the types that there are.
      const text = `SELECT count(*)::int AS count FROM pg_prepared_statements WHERE statement LIKE '%keystile%'`;
      const result =
        'unsafe' in connection
          ? await connection.unsafe(text, [], { prepare: false })
          : (await (connection as pg.Pool).query(text)).rows;
      expect(result[0]).toEqual({ count: 0 });
      await store.delete(id);
      await store.close();
      await end();
    },
  );

  test('gives back times to a client that reads integers of its own way', async () => {
    const types = { getTypeParser: (oid: number) => (text: string) => (oid === 20 ? BigInt(text) : text) };
    const pool = new pg.Pool({ connectionString: url, types: types as never });
    const store = new SqlKeyStore(pool);
    await store.migrate();
    const record = { ...buildFullRecord(1), id: randomUUID() };
    await store.insert(record);
    expect(await store.findById(record.id)).toStrictEqual(record);
    await store.delete(record.id);
    await store.close();
    await pool.end();
  });

  test('pages by the bytes of ids in a database that sorts in another way', async () => {
    const client = new pg.Client(url);
    await client.connect();
    const name = `${new URL(url).pathname.slice(1)}_icu`;
    await client.query(`CREATE DATABASE ${name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'`);
    const pool = new pg.Pool({ connectionString: url.replace(/[^/]*$/, name) });
    const { rows } = await pool.query(`SELECT 'a' < 'B' AS "ignoresCase"`);
    expect(rows).toEqual([{ ignoresCase: true }]);
    const store = new SqlKeyStore(pool);
    await store.migrate();
    for (const id of ['a', 'B', 'C', 'b', '-', '_']) {
      await store.insert(buildRecord(1, { id, digest: digestOf(id) }));
    }
    const first = await store.list({ limit: 3, order: 'oldest' });
    expect(first.records.map(({ id }) => id)).toEqual(['-', 'B', 'C']);
    const rest = await store.list({ limit: 3, order: 'oldest', cursor: 'C' });
    expect(rest.records.map(({ id }) => id)).toEqual(['_', 'a', 'b']);
    await pool.end();
    await client.query(`DROP DATABASE ${name}`);
    await client.end();
  });
});

const mysqlKinds = [
  { name: 'a pool', open: openMysql2Pool },
  { name: 'a connection with NO_BACKSLASH_ESCAPES', open: openMysql2Connection },
];

describeWithServers.each(mysqlKinds)('MariaDB over $name', ({ open }) => {
  let opened: OpenedConnection;
  let store: SqlKeyStore;

  beforeAll(async () => {
    opened = await open();
    // As servers were set up for twenty years.
    const [row] = await opened.run('SELECT DATABASE() AS name');
    const { name } = row as { name: string };
    await opened.run(`ALTER DATABASE ${name} CHARACTER SET latin1 COLLATE latin1_swedish_ci`);
    store = new SqlKeyStore(opened.connection);
    await store.migrate();
  }, SERVER_TIMEOUT_MS);

  afterAll(() => opened.close());
  beforeEach(() => opened.run('DELETE FROM keystile_keys'));

  const alike = ['key', 'KEY', 'key ', 'key  ', 'kéy', 'kèy'];

  test('takes texts that most collations take for one for as many as they are', async () => {
    for (const text of alike) await store.insert(buildRecord(1, { id: text, digest: `d:${text}` }));
    for (const text of alike) {
      expect((await store.findByDigest([`d:${text}`]))?.id).toBe(text);
      expect((await store.findById(text))?.digest).toBe(`d:${text}`);
    }
    expect(await store.findById('Key')).toBeUndefined();
    expect(await store.delete('key   ')).toBe(false);
    expect(await store.update('Key', { name: 'new', narrows: false }, 1)).toBeUndefined();
    for (const text of alike) {
      const page = await store.list({ limit: 9, order: 'oldest', organizationId: text });
      expect(page.records).toEqual([]);
    }
  });

  test.each([
    String.raw`\' OR 1 = 1 -- `,
    String.raw`\\'`,
    `\\"; DROP TABLE keystile_keys; --`,
    `X'00'`,
    '%_\t',
  ])('takes %j for text and nothing else', async (text) => {
    const record = buildRecord(1, { id: text, digest: text, name: text, metadata: { [text]: text } });
    await store.insert(buildRecord(2));
    await store.insert(record);
    expect(await store.findByDigest([text])).toStrictEqual(record);
    const updated = await store.update(text, { name: `${text}!`, narrows: false }, 1);
    expect(updated).toStrictEqual({ ...record, name: `${text}!`, version: 2 });
    expect(await store.delete(text)).toBe(true);
    expect(await store.findById(idOf(2))).toStrictEqual(buildRecord(2));
  });

  test('holds the longest that each member may be', async () => {
    const longest = buildRecord(1, {
      id: '~'.repeat(255),
      digest: `jwt:${'~'.repeat(255)}:${'9'.repeat(16)}`,
      name: '🗝'.repeat(100),
      organization: { id: 'o'.repeat(255), slug: '🗝'.repeat(255) },
      owner: { type: 'organization', id: 'w'.repeat(255) },
      start: 's'.repeat(64),
      end: 'e'.repeat(64),
      scopes: Array.from({ length: 1_000 }, (_, number) => `${'s'.repeat(124)}${number}`),
      metadata: { text: '🗝'.repeat(2_490) },
      createdBy: '🗝'.repeat(255),
      revocationReason: '🗝'.repeat(500),
      expiresAt: new Date(8.64e15),
    });
    await store.insert(longest);
    expect(await store.findByDigest([longest.digest])).toStrictEqual(longest);
  });
});

describe('errors of drivers', () => {
  const failing = (dialect: 'postgres' | 'mysql', members: object): SqlKeyStore => {
    const query: SqlQuery = async (text) => {
      if (text.startsWith('UPDATE')) throw Object.assign(new Error('failed'), members);
      return { rows: [ROW], affectedRows: 1 };
    };
    return new SqlKeyStore({ dialect, query });
  };

  test.each([
    ['postgres', { code: '23505' }, true],
    ['postgres', { cause: { code: '23505' } }, true],
    ['postgres', { code: '23502' }, false],
    ['postgres', { code: '57P01' }, false],
    ['postgres', { errno: 1062 }, false],
    ['mysql', { errno: 1062, code: 'ER_DUP_ENTRY' }, true],
    ['mysql', { cause: { errno: 1062 } }, true],
    ['mysql', { errno: 1048 }, false],
    ['mysql', { code: 'ECONNRESET', errno: -104 }, false],
  ] as const)('of %s, %j says that a digest is taken: %s', async (dialect, members, isTaken) => {
    const update = failing(dialect, members).update('a', { name: 'b', narrows: false }, 1);
    await expect(update).rejects.toMatchObject(
      isTaken ? { code: 'duplicate_key', field: 'digest' } : members,
    );
  });

  test.each([
    ['postgres', { code: '23505' }],
    ['postgres', { code: '42P07' }],
    ['postgres', { code: 'XX000' }],
    ['mysql', { errno: 1213 }],
    ['mysql', { errno: 1050 }],
  ] as const)('on %s, migrate tries again after %j', async (dialect, members) => {
    const failures = [Object.assign(new Error('at once'), members)];
    const texts: string[] = [];
    const query: SqlQuery = async (text) => {
      texts.push(text);
      const failure = failures.pop();
      if (failure !== undefined) throw failure;
      return { rows: [], affectedRows: 0 };
    };
    await new SqlKeyStore({ dialect, query }).migrate();
    expect(texts[1]).toBe(texts[0]);
    const statements = SqlKeyStore.schema(dialect).split(';\n').length - 1;
    // One twice, and a look for what a table of an earlier version lacks.
    expect(texts).toHaveLength(statements + 2);
  });
});

/** A row as a driver gives it. */
const ROW = {
  id: 'a',
  digest: 'sha256:a',
  previous_digest: null,
  previous_expires_at: null,
  previous_last_used_at: null,
  kind: 'opaque',
  name: 'Key',
  environment: 'live',
  key_start: '',
  key_end: '',
  organization_id: 'org_1',
  organization_slug: null,
  owner_type: 'organization',
  owner_id: 'org_1',
  scopes: '[]',
  metadata: '{}',
  enabled: 1,
  version: '1',
  created_at: '0',
  created_by: null,
  updated_at: '0',
  last_used_at: null,
  expires_at: null,
  not_before: null,
  revoked_at: null,
  revocation_reason: null,
  rotated_at: null,
};
