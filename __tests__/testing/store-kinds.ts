import { createClient } from '@libsql/client';
import { MemoryKeyStore } from '../../lib/index.ts';
import { RedisKeyStore } from '../../lib/stores/redis-key-store.ts';
import { SqlKeyStore } from '../../lib/stores/sql-key-store.ts';
import type { OpenedStore, StoreAbility } from '../../lib/testing/key-store-cases.ts';
import { type ClientKind, clientKinds, somePrefix } from '../support/redis-clients.ts';
import { withoutServers } from '../support/servers.ts';
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

/** Cases that wait for a look at the table need not wait for long. */
const OFTEN = { watch: { pollMs: 50 } };

/** One table for all cases, emptied before each. */
function sql(kind: ConnectionKind): StoreKind {
  return {
    name: `SqlKeyStore over ${kind.name}`,
    abilities: ['insertMany', 'findMany', 'delete', 'recordUse', 'watch', 'close'],
    async start() {
      const { connection, run, close } = await kind.open();
      await new SqlKeyStore(connection).migrate();
      return {
        async open() {
          await run('DELETE FROM keystile_keys');
          return {
            store: new SqlKeyStore(connection, OFTEN),
            reopen: () => new SqlKeyStore(connection, OFTEN),
          };
        },
        stop: close,
      };
    },
  };
}

/** Two connections to one file, each of which finds the other one writing. */
const twoSqliteClients: StoreKind = {
  name: 'SqlKeyStore over two clients of @libsql/client on one file',
  abilities: ['insertMany', 'findMany', 'delete', 'recordUse', 'watch', 'close'],
  async start() {
    const folder = makeTemporaryFolder();
    const url = `file:${folder.path('keys.db')}`;
    const clients = [createClient({ url, timeout: 1_000 }), createClient({ url, timeout: 1_000 })] as const;
    const [first, second] = clients;
    await new SqlKeyStore(first).migrate();
    return {
      async open() {
        await first.execute('DELETE FROM keystile_keys');
        return { store: new SqlKeyStore(first, OFTEN), reopen: () => new SqlKeyStore(second, OFTEN) };
      },
      async stop() {
        for (const client of clients) client.close();
        folder.remove();
      },
    };
  },
};

/** A prefix for each case, and two clients, of which the second listens by itself. */
function redis(kind: ClientKind): StoreKind {
  return {
    name: `RedisKeyStore over ${kind.name}`,
    abilities: ['delete', 'recordUse', 'watch', 'close'],
    async start() {
      const clients = [await kind.open(), await kind.open(), await kind.open()] as const;
      const [first, second, subscriber] = clients;
      return {
        async open() {
          const prefix = somePrefix();
          const stores = [
            new RedisKeyStore(first.client, { prefix, subscriber: subscriber.client }),
            new RedisKeyStore(second.client, { prefix }),
          ] as const;
          return {
            store: stores[0],
            reopen: () => stores[1],
            cleanUp: async () => void (await Promise.all(stores.map((store) => store.close()))),
          };
        },
        async stop() {
          for (const { close } of clients) close();
        },
      };
    },
  };
}

const redisKinds = withoutServers ? [] : clientKinds.map(redis);

export const storeKinds: readonly StoreKind[] = [
  memory,
  twoSqliteClients,
  ...connectionKinds.map(sql),
  ...redisKinds,
];
