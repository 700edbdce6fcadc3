import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createApiKeys } from '../../lib/index.ts';
import { SqlKeyStore, type SqlQuery } from '../../lib/stores/sql-key-store.ts';
import { buildFullRecord, buildRecord, digestOf, idOf, minutesLater } from '../support/records.ts';
import { describeWithServers, SERVER_TIMEOUT_MS } from '../support/servers.ts';
import {
  type OpenedConnection,
  openMysql2Connection,
  openMysql2Pool,
  openPgClient,
  openPgPool,
  openPostgresJs,
} from '../support/sql-connections.ts';

type SqlKeyStoreConnection = ConstructorParameters<typeof SqlKeyStore>[0];

let opened: OpenedConnection;
let store: SqlKeyStore;

function openOnce(open: () => Promise<OpenedConnection>): void {
  beforeAll(async () => {
    opened = await open();
    store = new SqlKeyStore(opened.connection);
    await store.migrate();
  }, SERVER_TIMEOUT_MS);
  afterAll(() => opened.close());
  beforeEach(() => opened.run('DELETE FROM keystile_keys'));
}

const pools = [
  { name: 'a pg Pool', open: openPgPool },
  { name: 'postgres.js', open: openPostgresJs },
  { name: 'a mysql2 pool', open: openMysql2Pool },
];

/** Enough for two that lock each other out to meet. */
const ROUNDS = 10;

const MANY = Array.from({ length: 40 }, (_, index) => index);

describeWithServers.each(pools)('many at once over $name', ({ open }) => {
  openOnce(open);

  test('one of many inserts of one digest wins, and the others are told', async () => {
    const records = MANY.map((number) => buildRecord(number, { digest: digestOf('the same') }));
    const outcomes = await Promise.allSettled(records.map((record) => store.insert(record)));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.map(({ reason }) => `${reason.code} ${reason.field}`)).toEqual(
      Array.from({ length: MANY.length - 1 }, () => 'duplicate_key digest'),
    );
  });

  test('one of many updates of one version wins', async () => {
    await store.insert(buildRecord(1));
    const updates = MANY.map((number) => store.update(idOf(1), { name: `n${number}`, narrows: false }, 1));
    const winners = (await Promise.all(updates)).filter((record) => record !== undefined);
    expect(winners).toEqual([await store.findById(idOf(1))]);
    expect(winners[0]?.version).toBe(2);
  });

  test('no change of many is lost that go on from what they were told', async () => {
    await store.insert(buildRecord(1, { scopes: [] }));
    const add = async (scope: string): Promise<void> => {
      for (;;) {
        const { version, scopes } = (await store.findById(idOf(1))) ?? buildRecord(1);
        const changed = await store.update(idOf(1), { scopes: [...scopes, scope], narrows: false }, version);
        if (changed !== undefined) return;
      }
    };
    const scopes = MANY.slice(0, 12).map((number) => `scope:${number}`);
    await Promise.all(scopes.map(add));
    const record = await store.findById(idOf(1));
    expect(record?.version).toBe(13);
    expect([...(record?.scopes ?? [])].sort()).toEqual([...scopes].sort());
  });

  test('last uses, changes and deletions of the same keys do not lock one another out', async () => {
    for (const number of MANY) await store.insert(buildRecord(number));
    const usesAt = (minutes: number) =>
      MANY.map((number) => ({ id: idOf(number), at: minutesLater(minutes), previous: false }));
    for (let round = 1; round <= ROUNDS; round += 1) {
      const uses = usesAt(round);
      await Promise.all([
        ...MANY.map((at) => store.recordUse([...uses.slice(at), ...uses.slice(0, at)])),
        ...MANY.map((number) => store.update(idOf(number), { enabled: false, narrows: true }, round)),
      ]);
    }
    await Promise.all([
      ...MANY.map(() => store.recordUse(usesAt(ROUNDS))),
      ...MANY.slice(30).map((number) => store.delete(idOf(number))),
    ]);
    const { records } = await store.list({ limit: 500, order: 'oldest' });
    expect(records.map(({ lastUsedAt, version }) => [lastUsedAt, version])).toEqual(
      Array.from({ length: 30 }, () => [minutesLater(ROUNDS), ROUNDS + 1]),
    );
  });

  test('many may migrate, where nothing is yet', async () => {
    for (let round = 1; round <= 5; round += 1) {
      const table = `round_${round}`;
      const stores = Array.from({ length: 8 }, () => new SqlKeyStore(opened.connection, { table }));
      await Promise.all(stores.map((one) => one.migrate()));
      await stores[0]?.insert(buildFullRecord(1));
      expect(await stores[1]?.findById(idOf(1))).toStrictEqual(buildFullRecord(1));
    }
  });
});

/** Statements so far on the one connection, the one that asks among them. */
const COUNTERS: Readonly<Record<string, (one: OpenedConnection) => Promise<number>>> = {
  postgres: async ({ run }) => {
    await run('SELECT pg_stat_force_next_flush()');
    const [row] = await run(
      'SELECT xact_commit AS count FROM pg_stat_database WHERE datname = current_database()',
    );
    return Number((row as { count: string }).count);
  },
  mysql: async ({ run }) => {
    const [row] = await run(`SHOW SESSION STATUS LIKE 'Questions'`);
    return Number((row as { Value: string }).Value);
  },
};

const single = [
  { name: 'a pg Client', open: openPgClient, count: 'postgres' },
  { name: 'a mysql2 connection', open: openMysql2Connection, count: 'mysql' },
];

describeWithServers.each(single)('counted by the server, over $name', ({ open, count }) => {
  openOnce(open);

  async function statementsOf(act: () => unknown): Promise<number> {
    const counted = COUNTERS[count] as (one: OpenedConnection) => Promise<number>;
    const start = await counted(opened);
    const idle = await counted(opened);
    await act();
    return (await counted(opened)) - idle - (idle - start);
  }

  test('a cold verification is one statement, and one from the cache is none', async () => {
    const issuer = createApiKeys({ store, prefix: 'acme' });
    const { key } = await issuer.create({ name: 'CI', organization: { id: 'org_1' } });
    // Without last-used, which is written behind the answer, at a time of its own.
    const lookup = { findByDigest: (digests: readonly string[]) => store.findByDigest(digests) };
    const apiKeys = createApiKeys({ store: lookup, prefix: 'acme' });
    expect(
      await statementsOf(async () => expect(await apiKeys.verify(key)).toMatchObject({ ok: true })),
    ).toBe(1);
    expect(
      await statementsOf(async () => expect(await apiKeys.verify(key)).toMatchObject({ ok: true })),
    ).toBe(0);
    expect(await statementsOf(() => apiKeys.verify('acme_live_0'))).toBe(0);
    await Promise.all([issuer.close(), apiKeys.close()]);
  });

  /** The first deletion clears up as well, with nobody waiting for it; the one connection is free again behind it. */
  async function deleteFirst(): Promise<void> {
    await store.insert(buildRecord(2));
    await store.delete(idOf(2));
    await store.findById(idOf(2));
  }

  test.each<[string, () => Promise<unknown>, number]>([
    ['insert', () => store.insert(buildRecord(1)), 1],
    ['update', () => store.update(idOf(1), { name: 'new', narrows: false }, 1), count === 'mysql' ? 2 : 1],
    // In PostgreSQL, what narrows is told to those who listen.
    ['delete', () => store.delete(idOf(1)), count === 'mysql' ? 1 : 2],
    ['list', () => store.list({ limit: 50, order: 'newest' }), 1],
    ['recordUse', () => store.recordUse([{ id: idOf(2), at: minutesLater(1), previous: false }]), 1],
  ])('%s', async (name, act, expected) => {
    if (name !== 'insert') await store.insert(buildRecord(1));
    if (name === 'delete') await deleteFirst();
    expect(await statementsOf(act)).toBe(expected);
  });
});

describeWithServers('what a change answers on MariaDB, which cannot answer it in the same statement', () => {
  openOnce(openMysql2Pool);

  /** The store over a connection on which something else happens right before or after a statement. */
  function storeWith(when: 'before' | 'after', word: string, act: () => Promise<unknown>): SqlKeyStore {
    const inner = probeQuery(opened.connection);
    const query: SqlQuery = async (text, values) => {
      if (when === 'before' && text.startsWith(word)) await act();
      const result = await inner(text, values);
      if (when === 'after' && text.startsWith(word)) await act();
      return result;
    };
    return new SqlKeyStore({ dialect: 'mysql', query });
  }

  test('is what was written, though it is changed again or deleted at once', async () => {
    await store.insert(buildFullRecord(1));
    await store.insert(buildRecord(2));
    const change = { name: 'ours', narrows: false };
    const later = () => store.update(idOf(1), { name: 'theirs', narrows: false }, 8);
    expect(await storeWith('after', 'UPDATE', later).update(idOf(1), change, 7)).toStrictEqual({
      ...buildFullRecord(1),
      name: 'ours',
      version: 8,
    });
    expect(await store.findById(idOf(1))).toMatchObject({ name: 'theirs', version: 9 });
    const gone = () => store.delete(idOf(2));
    expect(await storeWith('after', 'UPDATE', gone).update(idOf(2), change, 1)).toStrictEqual(
      buildRecord(2, { name: 'ours', version: 2 }),
    );
    expect(await store.findById(idOf(2))).toBeUndefined();
  });

  test('is undefined, and nothing is written, where another came in between', async () => {
    await store.insert(buildRecord(1));
    const earlier = () => store.update(idOf(1), { name: 'theirs', narrows: false }, 1);
    const ours = { name: 'ours', narrows: false };
    expect(await storeWith('before', 'UPDATE', earlier).update(idOf(1), ours, 1)).toBeUndefined();
    expect(await store.findById(idOf(1))).toStrictEqual(buildRecord(1, { name: 'theirs', version: 2 }));
  });
});

/** What the store itself runs statements with. */
function probeQuery(connection: SqlKeyStoreConnection): SqlQuery {
  const pool = connection as { query(options: object): Promise<[unknown, unknown]> };
  return async (sql, values) => {
    const [answer] = await pool.query({ sql, values });
    return Array.isArray(answer)
      ? { rows: answer, affectedRows: 0 }
      : { rows: [], affectedRows: (answer as { affectedRows: number }).affectedRows };
  };
}
