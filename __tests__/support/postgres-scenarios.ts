import { expect } from '@jest/globals';
import pg from 'pg';
import type { KeyRecord } from '../../lib/index.ts';
import { SqlKeyStore } from '../../lib/stores/sql-key-store.ts';
import type { CountedAnswer, Stage } from './arrangement.ts';
import { Ear } from './ear.ts';
import { buildRecord } from './records.ts';
import { createDatabase } from './servers.ts';

const CHANGE = { revokedAt: new Date(), narrows: true };

/** A table in PostgreSQL with the good key in it, of whose changes the application hears as it would with this store. */
interface Table {
  readonly store: SqlKeyStore;
  readonly ear: Ear;
  readonly good: KeyRecord;
  connect(): Promise<pg.Client>;
  /** The same to the records that the application reads. */
  revokeGood(): Promise<unknown>;
}

async function withTable<T>({ app, keys }: Stage, act: (table: Table) => Promise<T>): Promise<T> {
  const database = await createDatabase('postgres');
  const pool = new pg.Pool({ connectionString: database.url, max: 5 });
  const clients: pg.Client[] = [];
  const store = new SqlKeyStore(pool);
  await store.migrate();
  const good = keys.recordOf('GOOD');
  await store.insert(good);
  const ear = new Ear();
  const stop = await store.watch?.((change) => {
    app.store.tell(change);
    ear.onChange(change);
  });
  try {
    return await act({
      store,
      ear,
      good,
      async connect() {
        const client = new pg.Client(database.url);
        await client.connect();
        clients.push(client);
        return client;
      },
      revokeGood: () => app.store.real.update(good.id, CHANGE, good.version),
    });
  } finally {
    await stop?.();
    for (const client of clients) await client.end();
    await pool.end();
    await database.drop();
  }
}

/** The first to write is the last to commit, after those who watch have seen what came later. */
export function committedOutOfOrder(stage: Stage): Promise<CountedAnswer[]> {
  return withTable(stage, async ({ store, ear, good, connect, revokeGood }) => {
    await store.insert(buildRecord(1));
    expect(await stage.send()).toMatchObject({ status: 200 });
    const slow = await connect();
    await slow.query('BEGIN');
    await new SqlKeyStore(slow).update(good.id, CHANGE, good.version);
    await store.update(buildRecord(1).id, CHANGE, 1);
    await ear.of(buildRecord(1).id);
    await ear.twoLooks();
    expect(await stage.send()).toMatchObject({ status: 200, lookups: 0 });
    await Promise.all([slow.query('COMMIT'), revokeGood()]);
    await ear.of(good.id);
    return [await stage.send()];
  });
}

/** In one transaction, whose news would be longer than a notification may be. */
export function revokedInBulk(stage: Stage): Promise<CountedAnswer[]> {
  return withTable(stage, async ({ store, ear, good, connect, revokeGood }) => {
    const ids = Array.from({ length: 100 }, (_, number) => `${number}${'-'.repeat(252)}`);
    for (const [number, id] of ids.entries()) await store.insert(buildRecord(number, { id }));
    expect(await stage.send()).toMatchObject({ status: 200 });
    const client = await connect();
    const writer = new SqlKeyStore(client);
    await client.query('BEGIN');
    for (const id of ids) expect(await writer.update(id, CHANGE, 1)).toMatchObject({ version: 2 });
    await writer.update(good.id, CHANGE, good.version);
    await Promise.all([client.query('COMMIT'), revokeGood()]);
    await Promise.all([...ids, good.id].map((id) => ear.of(id)));
    return [await stage.send()];
  });
}
