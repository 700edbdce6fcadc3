import { createClient } from '@libsql/client';
import { MemoryKeyStore } from '../../lib/index.ts';
import { SqlKeyStore } from '../../lib/stores/sql-key-store.ts';
import type { OpenedStore, StoreAbility } from '../../lib/testing/key-store-cases.ts';
import { type ConnectionKind, connectionKinds, makeTemporaryFolder } from '../support/sql-connections.ts';

/** What the cases of one kind of store share, such as a connection. */
export interface StartedKind {
  /** A store without records. */
  open(): Promise<OpenedStore>;
  stop(): Promise<unknown>;
}

/** A kind of store that the kit is run on: one row for each. */
export interface StoreKind {
  readonly name: string;
  /** Which optional methods it has: all cases that need another one do not concern it. */
  readonly abilities: readonly StoreAbility[];
  start(): Promise<StartedKind>;
}

const memory: StoreKind = {
  name: 'MemoryKeyStore',
  abilities: ['delete', 'recordUse', 'watch'],
  start: async () => ({
    open: async () => {
      const store = new MemoryKeyStore();
      return { store, reopen: () => store };
    },
    stop: async () => undefined,
  }),
};

/** One table for all cases, emptied before each. */
function sql(kind: ConnectionKind): StoreKind {
  return {
    name: `SqlKeyStore over ${kind.name}`,
    abilities: ['delete', 'recordUse'],
    async start() {
      const { connection, run, close } = await kind.open();
      await new SqlKeyStore(connection).migrate();
      return {
        async open() {
          await run('DELETE FROM keystile_keys');
          return { store: new SqlKeyStore(connection), reopen: () => new SqlKeyStore(connection) };
        },
        stop: close,
      };
    },
  };
}

/** Two connections to one file, each of which finds the other one writing. */
const twoSqliteClients: StoreKind = {
  name: 'SqlKeyStore over two clients of @libsql/client on one file',
  abilities: ['delete', 'recordUse'],
  async start() {
    const folder = makeTemporaryFolder();
    const url = `file:${folder.path('keys.db')}`;
    const clients = [createClient({ url, timeout: 1_000 }), createClient({ url, timeout: 1_000 })] as const;
    const [first, second] = clients;
    await new SqlKeyStore(first).migrate();
    return {
      async open() {
        await first.execute('DELETE FROM keystile_keys');
        return { store: new SqlKeyStore(first), reopen: () => new SqlKeyStore(second) };
      },
      async stop() {
        for (const client of clients) client.close();
        folder.remove();
      },
    };
  },
};

export const storeKinds: readonly StoreKind[] = [memory, twoSqliteClients, ...connectionKinds.map(sql)];
