import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SqlKeyStore } from '../../lib/stores/sql-key-store.ts';
import { buildFullRecord, buildRecord, digestOf, idOf } from '../support/records.ts';
import { SERVER_TIMEOUT_MS } from '../support/servers.ts';
import { connectionKinds, type OpenedConnection, quoted } from '../support/sql-connections.ts';

const TABLE = 'old_keys';
const MIGRATE = 'SqlKeyStore: table old_keys lacks a column of this version: run migrate()';

describe.each(connectionKinds)('a table of version 0.1 over $name', ({ dialect, open }) => {
  let opened: OpenedConnection;
  const storeOf = (): SqlKeyStore => new SqlKeyStore(opened.connection, { table: TABLE });

  beforeAll(async () => {
    opened = await open();
  }, SERVER_TIMEOUT_MS);
  afterAll(() => opened.close());
  beforeEach(async () => {
    await opened.run(`DROP TABLE IF EXISTS ${quoted(dialect, TABLE)}`);
    for (const statement of oldSchema()) await opened.run(statement);
    await opened.run(INSERT, VALUES);
  });

  /** The same without what later versions have added. */
  function oldSchema(): string[] {
    const schema = SqlKeyStore.schema(dialect, { table: TABLE });
    const statements = schema
      .split(';\n')
      .filter((text) => text !== '' && !/^CREATE INDEX.*narrowed_at/.test(text));
    return statements.map((text) => text.replace(/,\n {2}(INDEX by_)?narrowed_at[^\n]*?(?=,?\n)/g, ''));
  }

  test('is read as it is, and says what to do where that is not enough', async () => {
    expect(await storeOf().findById(idOf(1))).toMatchObject({ id: idOf(1), name: 'Old' });
    expect(await storeOf().findByDigest([digestOf('key 1')])).toMatchObject({ id: idOf(1) });
    const calls = [
      () => storeOf().update(idOf(1), { scopes: [], narrows: true }, 1),
      () => storeOf().delete(idOf(1)),
      () => storeOf().insert(buildRecord(2)),
      () => storeOf().watch?.(() => undefined),
    ];
    for (const call of calls) await expect(call()).rejects.toThrow(MIGRATE);
  });

  test('becomes one of this version, by any number of processes at once, and twice', async () => {
    await Promise.all([storeOf().migrate(), storeOf().migrate(), storeOf().migrate()]);
    await storeOf().migrate();
    expect(await storeOf().update(idOf(1), { scopes: [], narrows: true }, 1)).toMatchObject({ version: 2 });
    await storeOf().insert(buildFullRecord(2));
    expect(await storeOf().findById(idOf(2))).toStrictEqual(buildFullRecord(2));
    const [row] = await opened.run(`SELECT narrowed_at FROM ${quoted(dialect, TABLE)} WHERE version = 2`);
    expect(Number((row as { narrowed_at: unknown }).narrowed_at)).toBeGreaterThan(1.7e12);
    const stop = await storeOf().watch?.(() => undefined);
    await stop?.();
  });

  const MEMBERS = {
    id: idOf(1),
    digest: digestOf('key 1'),
    kind: 'opaque',
    name: 'Old',
    environment: 'live',
    key_start: '',
    key_end: '',
    organization_id: 'org_1',
    owner_type: 'organization',
    owner_id: 'org_1',
    scopes: '[]',
    metadata: '{}',
    enabled: 1,
    version: 1,
    created_at: 0,
    updated_at: 0,
  };
  const VALUES = Object.values(MEMBERS);
  const INSERT = `INSERT INTO ${quoted(dialect, TABLE)} (${Object.keys(MEMBERS)}) VALUES (${VALUES.map(() => '?')})`;
});
