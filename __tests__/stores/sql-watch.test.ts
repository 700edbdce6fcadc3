import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { type ChangeBus, SqlKeyStore, type SqlQuery } from '../../lib/stores/sql-key-store.ts';
import { Ear } from '../support/ear.ts';
import { buildFullRecord, buildRecord, digestOf, idOf } from '../support/records.ts';
import {
  type ConnectionKind,
  connectionKinds,
  type OpenedConnection,
  openForTests,
  openLibsql,
} from '../support/sql-connections.ts';

const OFTEN = { watch: { pollMs: 50 } };
const SELDOM = { watch: { pollMs: 2_000 } };

const stops: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A second process over the same connection, that listens. */
async function listen(connection: OpenedConnection['connection'], options: object = OFTEN): Promise<Ear> {
  const ear = new Ear();
  const { watch } = new SqlKeyStore(connection, options);
  stops.push(await (watch as NonNullable<typeof watch>)(ear.onChange));
  return ear;
}

describe.each(connectionKinds)('watch over $name', (kind: ConnectionKind) => {
  let opened: OpenedConnection;
  let store: SqlKeyStore;
  openForTests(kind, (...given) => {
    [opened, store] = given;
  });

  test('tells each change once, however often it looks', async () => {
    for (const number of [1, 2, 3]) await store.insert(buildRecord(number));
    const ear = await listen(opened.connection);
    await store.update(idOf(1), { revokedAt: new Date(), narrows: true }, 1);
    await store.update(idOf(2), { scopes: [], narrows: true }, 1);
    await store.delete(idOf(3));
    await ear.of(idOf(3));
    await ear.twoLooks();
    expect([...ear.narrowed].sort((one, other) => (one.id < other.id ? -1 : 1))).toEqual([
      { type: 'narrowed', id: idOf(1), version: 2, ended: true },
      { type: 'narrowed', id: idOf(2), version: 2, ended: false },
      { type: 'narrowed', id: idOf(3), version: 2, ended: true },
    ]);
  });

  test('tells again of a key that is narrowed again', async () => {
    await store.insert(buildRecord(1));
    const ear = await listen(opened.connection);
    for (const version of [1, 2, 3]) {
      await store.update(idOf(1), { scopes: [`scope:${version}`], narrows: true }, version);
      await ear.until(() => ear.narrowed.some((change) => change.version === version + 1));
    }
    expect(ear.narrowed.map(({ version }) => version)).toEqual([2, 3, 4]);
  });

  test('does not tell of what was narrowed before it listened', async () => {
    await store.insert(buildRecord(1));
    await store.update(idOf(1), { scopes: [], narrows: true }, 1);
    const ear = await listen(opened.connection);
    await ear.twoLooks();
    expect(ear.narrowed).toEqual([]);
  });

  test('tells by the clock of the database, whatever that of the process says', async () => {
    // PGlite runs in this process, and has no other clock.
    if (kind.name !== 'PGlite') jest.spyOn(Date, 'now').mockReturnValue(0);
    await store.insert(buildRecord(1));
    const ear = await listen(opened.connection);
    await store.update(idOf(1), { scopes: [], narrows: true }, 1);
    await ear.of(idOf(1));
    const [row] = await opened.run('SELECT narrowed_at FROM keystile_keys');
    jest.restoreAllMocks();
    const at = Number((row as { narrowed_at: unknown }).narrowed_at);
    expect(Math.abs(at - Date.now())).toBeLessThan(60_000);
  });

  test('leaves nothing of a deleted record but its id, which is not used again', async () => {
    const ear = await listen(opened.connection);
    await store.insert({ ...buildFullRecord(1), version: 1 });
    expect(await store.delete(idOf(1))).toBe(true);
    await ear.of(idOf(1));
    const [row] = await opened.run('SELECT * FROM keystile_keys');
    const left = Object.entries(row as object).map(([name, value]) => [
      name,
      ArrayBuffer.isView(value) ? Buffer.from(value as Uint8Array).toString() : value,
    ]);
    expect(Object.fromEntries(left)).toMatchObject({
      id: idOf(1),
      kind: 'deleted',
      name: '',
      metadata: '{}',
    });
    expect(JSON.stringify(left)).not.toMatch(/org_2|acme|user_7|admin_1|sha256|Ключ|pro/);
    await expect(store.insert(buildRecord(1))).rejects.toMatchObject({ code: 'duplicate_key', field: 'id' });
    await store.insert(buildRecord(2, { digest: digestOf('key 1') }));
    expect(await store.update(idOf(1), { name: 'back', narrows: false }, 2)).toBeUndefined();
    expect(await store.findById(idOf(1))).toBeUndefined();
  });
});

describe('watch of SqlKeyStore', () => {
  test('is not there with watch: false, and changes are written down all the same', async () => {
    const opened = openLibsql(':memory:');
    const silent = new SqlKeyStore(opened.connection, { watch: false });
    expect(silent.watch).toBeUndefined();
    await silent.migrate();
    await silent.insert(buildRecord(1));
    const ear = await listen(opened.connection);
    await silent.update(idOf(1), { scopes: [], narrows: true }, 1);
    expect(await ear.of(idOf(1))).toMatchObject({ version: 2 });
    await stops.pop()?.();
    await opened.close();
  });

  test('does not begin while the database does not answer', async () => {
    const query = async () => Promise.reject(new Error('down'));
    await expect(listen({ dialect: 'sqlite', query })).rejects.toThrow('down');
  });

  test('does not begin where the database does not say what time it is', async () => {
    const query = async () => ({ rows: [], affectedRows: 0 });
    await expect(listen({ dialect: 'sqlite', query })).rejects.toThrow('did not say what time it is');
  });

  test('looks by an index', async () => {
    const opened = openLibsql(':memory:');
    await new SqlKeyStore(opened.connection).migrate();
    const plans: string[] = [];
    const query: SqlQuery = async (text, values) => {
      const rows = await opened.run(`EXPLAIN QUERY PLAN ${text}`, values as string[]);
      plans.push(JSON.stringify(rows));
      return { rows: [{ database_time: 1, id: null }], affectedRows: 0 };
    };
    await listen({ dialect: 'sqlite', query });
    expect(plans.at(-1)).toMatch(/SEARCH changed USING INDEX keystile_keys_narrowed_at/);
    await stops.pop()?.();
    await opened.close();
  });

  test('a change is written though nobody can be told of it', async () => {
    const opened = openLibsql(':memory:');
    const broken = {
      publish: () => Promise.reject(new Error('cut')),
      subscribe: async () => async () => undefined,
    };
    const thrower = {
      ...broken,
      publish: () => {
        throw new Error('cut');
      },
    };
    const hanging = { ...broken, publish: () => new Promise<void>(() => undefined) };
    for (const [index, bus] of [broken, thrower, hanging].entries()) {
      const store = new SqlKeyStore(opened.connection, { watch: { bus } });
      await store.migrate();
      await store.insert(buildRecord(index));
      expect(await store.update(idOf(index), { scopes: [], narrows: true }, 1)).toMatchObject({ version: 2 });
      expect(await store.delete(idOf(index))).toBe(true);
    }
    await opened.close();
  });

  test('a NOTIFY that fails leaves the change as it is', async () => {
    const asked: string[] = [];
    const query = async (text: string) => {
      asked.push(text);
      if (text.includes('pg_notify')) throw new Error('too many notifications in the NOTIFY queue');
      return { rows: [], affectedRows: 1 };
    };
    const store = new SqlKeyStore({ dialect: 'postgres', query });
    expect(await store.delete('a')).toBe(true);
    expect(asked[0]).toContain('UPDATE');
    expect(asked[1]).toContain('pg_notify');
  });
});

/** Processes that hear one another at once, without a server. */
function makeBus(): ChangeBus & { readonly ears: Set<(message: string) => void>; readonly said: string[] } {
  const ears = new Set<(message: string) => void>();
  const said: string[] = [];
  return {
    ears,
    said,
    async publish(message) {
      said.push(message);
      for (const hear of ears) hear(message);
    },
    async subscribe(onMessage) {
      ears.add(onMessage);
      return async () => void ears.delete(onMessage);
    },
  };
}

describe('a bus', () => {
  test('brings a change before the next look is due, and says nothing of the key', async () => {
    const opened = openLibsql(':memory:');
    const bus = makeBus();
    const store = new SqlKeyStore(opened.connection, { watch: { bus } });
    await store.migrate();
    for (const number of [1, 2]) await store.insert(buildRecord(number));
    const ear = await listen(opened.connection, { watch: { ...SELDOM.watch, bus } });
    await ear.until(() => ear.count('alive') > 0);
    const looks = ear.count('alive');
    await store.update(idOf(1), { revokedAt: new Date(), narrows: true }, 1);
    await ear.of(idOf(1));
    expect(ear.count('alive')).toBeLessThanOrEqual(looks + 1);
    expect(bus.said).toEqual(['changed']);
    await store.update(idOf(2), { name: 'wider', narrows: false }, 1);
    expect(bus.said).toHaveLength(1);
    await stops.pop()?.();
    expect(bus.ears.size).toBe(0);
    await opened.close();
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a number', 7],
    ['a text of a megabyte', 'x'.repeat(1_000_000)],
    ['a change that is made up', '{"type":"narrowed","id":"a","version":9007199254740991,"ended":true}'],
    [
      'an object that throws',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('touched');
          },
        },
      ),
    ],
  ])('that says %s makes somebody look, and tell what he sees', async (_, message) => {
    const opened = openLibsql(':memory:');
    const bus = makeBus();
    const store = new SqlKeyStore(opened.connection, { watch: false });
    await store.migrate();
    await store.insert(buildRecord(1));
    const ear = await listen(opened.connection, { watch: { ...SELDOM.watch, bus } });
    for (const hear of bus.ears) hear(message as string);
    await ear.twoLooks();
    expect(ear.narrowed).toEqual([]);
    expect(ear.count('lost')).toBe(0);
    await store.update(idOf(1), { scopes: [], narrows: true }, 1);
    for (const hear of bus.ears) hear(message as string);
    expect(await ear.of(idOf(1))).toEqual({ type: 'narrowed', id: idOf(1), version: 2, ended: false });
    await stops.pop()?.();
    await opened.close();
  });
});

describe('misuse of watch', () => {
  const client = openLibsql(':memory:').connection;

  test.each<[object, string]>([
    [{ watch: true }, 'SqlKeyStore: watch: options must be an object, but got true'],
    [
      { watch: { poll: 1 } },
      'SqlKeyStore: watch: unknown option "poll"; did you mean "pollMs"? (known: listener, bus, pollMs)',
    ],
    [
      { watch: { pollMs: 5_000 } },
      'SqlKeyStore: watch.pollMs must be a whole number from 50 to 2000, but got 5000',
    ],
    [{ watch: { listener: 1 } }, 'SqlKeyStore: watch.listener must be a function, but got 1'],
    [
      { watch: { bus: {} } },
      'SqlKeyStore: watch.bus must be an object with publish() and subscribe(), but got an object',
    ],
    [
      { watch: { bus: makeBus(), listener: async () => undefined } },
      'SqlKeyStore: watch takes a listener or a bus, but got both',
    ],
    [
      { watch: { listener: async () => undefined } },
      'SqlKeyStore: watch.listener is for PostgreSQL, but the connection speaks sqlite: give a bus, or neither',
    ],
  ])('%j is refused', (options, message) => {
    expect(() => new SqlKeyStore(client, options as never)).toThrow(new TypeError(message));
  });

  test.each([{}, { watch: undefined }, { watch: {} }, { watch: { pollMs: undefined, bus: undefined } }])(
    '%j watches',
    (options) => {
      expect(typeof new SqlKeyStore(client, options).watch).toBe('function');
    },
  );
});
