import { existsSync } from 'node:fs';
import type { KeyStore } from '../stores/key-store.ts';
import { sendingTo } from '../stores/redis-client.ts';
import { RedisKeyStore } from '../stores/redis-key-store.ts';
import { openConnection } from '../stores/sql-connection.ts';
import type { SqlDialect, SqlQuery } from '../stores/sql-dialect.ts';
import { SqlKeyStore } from '../stores/sql-key-store.ts';
import { type Loaded, packagesOf } from './packages.ts';
import { connectRedis } from './redis-connection.ts';
import type { Settings } from './settings.ts';
import { connectSql } from './sql-connections.ts';
import { readStoreAddress, type StoreAddress } from './store-address.ts';
import { RefusedError, UsageError } from './usage-error.ts';

export const DEFAULT_TABLE = 'keystile_keys';

/** The store of a command, and what lies under it. */
export interface OpenStore {
  readonly store: KeyStore;
  readonly address: StoreAddress;
  readonly driver: Loaded;
  readonly sql?: { readonly dialect: SqlDialect; readonly table: string; readonly query: SqlQuery };
  /** Of Redis: what it says of its persistence and its memory. */
  info?(): Promise<string>;
  /** The clock of the store, in milliseconds since 1970. */
  now(): Promise<number>;
  /** Makes the table; nothing where none is needed. */
  migrate(): Promise<void>;
  close(): Promise<void>;
}

const NO_STORE =
  'No store is named. Give --store sqlite:keys.db (or postgres://..., mysql://..., redis://...), or set ' +
  'KEYSTILE_STORE, or "store" in keystile.config.json.';

/**
 * @param mayCreate - whether the file of an SQLite store may be made; a mistyped name would otherwise be a new one
 * @throws UsageError, RefusedError
 */
export async function openStore(settings: Settings, cwd: string, mayCreate: boolean): Promise<OpenStore> {
  const address = storeAddress(settings, cwd);
  if (address.kind === 'sqlite' && !mayCreate && !existsSync(address.target))
    throw new RefusedError(`There is no file ${address.target}; keystile migrate makes it.`);
  return address.kind === 'redis' ? openRedis(settings, address, cwd) : openSql(settings, address, cwd);
}

/** @throws UsageError where none is named, or it is no address */
export function storeAddress({ store }: Settings, cwd: string): StoreAddress {
  if (store.value === undefined) throw new UsageError(NO_STORE);
  return readStoreAddress(store.value, cwd);
}

async function openSql(settings: Settings, address: StoreAddress, cwd: string): Promise<OpenStore> {
  const { connection, driver, close } = await connectSql(address, packagesOf(cwd), cwd);
  const table = settings.table.value ?? DEFAULT_TABLE;
  // Nobody watches here; that others hear of what is done here is not affected.
  const store = new SqlKeyStore(connection, { table });
  const { query, rules } = openConnection(connection, undefined);
  const now = async (): Promise<number> => {
    const { rows } = await query(`SELECT ${rules.now} AS now_ms`, []);
    return Number((rows[0] as { now_ms: unknown }).now_ms);
  };
  const sql = { dialect: rules.name, table, query };
  return { store, address, driver, sql, now, migrate: () => store.migrate(), close };
}

async function openRedis(settings: Settings, address: StoreAddress, cwd: string): Promise<OpenStore> {
  const { client, driver, close } = await connectRedis(address, packagesOf(cwd), cwd);
  const prefix = settings.table.value ?? 'keystile';
  const store = new RedisKeyStore(client, { prefix, durable: settings.durable.value });
  const send = sendingTo('keystile', client);
  const info = async (): Promise<string> => {
    const parts = ['persistence', 'memory'].map((part) => send(undefined, ['INFO', part]));
    return (await Promise.all(parts)).join('\n');
  };
  const now = async (): Promise<number> => {
    const [seconds, micros] = (await send(undefined, ['TIME'])) as string[];
    return Number(seconds) * 1_000 + Number(micros) / 1_000;
  };
  return { store, address, driver, info, now, migrate: async () => undefined, close };
}
