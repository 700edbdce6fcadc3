import { createClient } from '@libsql/client';
import {
  type ApiKeys,
  type ApiKeysOptions,
  type CreateInput,
  createApiKeys,
  type KeyEvent,
  type KeyRecord,
  type KeyStore,
  MemoryKeyStore,
} from '../../lib/index.ts';
import { SqlKeyStore } from '../../lib/stores/sql-key-store.ts';

/** A store to manage keys in, made anew for each test. */
export interface ManagedStoreKind {
  readonly name: string;
  open(): Promise<KeyStore>;
}

const clients: { close(): void }[] = [];

export const managedStores: readonly ManagedStoreKind[] = [
  { name: 'MemoryKeyStore', open: async () => new MemoryKeyStore() },
  {
    name: 'SqlKeyStore in memory',
    open: async () => {
      const client = createClient({ url: ':memory:' });
      clients.push(client);
      const store = new SqlKeyStore(client);
      await store.migrate();
      return store;
    },
  },
];

export const NOW_MS: number = Date.UTC(2026, 2, 1, 10, 0, 0, 123);
export const MINUTE_MS = 60_000;
export const DAY_MS: number = 24 * 60 * MINUTE_MS;

/** A time so many milliseconds after the clock's first. */
export function msLater(ms: number): Date {
  return new Date(NOW_MS + ms);
}

export const INPUT: CreateInput = { name: 'CI', organization: { id: 'org_1' }, scopes: ['reports:read'] };

export interface ManagedKeys<Store extends KeyStore = KeyStore> {
  readonly apiKeys: ApiKeys;
  readonly store: Store;
  /** Wall time, in milliseconds; a test may set it. */
  readonly clock: { ms: number };
  readonly events: KeyEvent[];
  /** All that the store holds, past the one under test. */
  records(): Promise<readonly KeyRecord[]>;
}

const opened: ApiKeys[] = [];

export function manageKeys<Store extends KeyStore>(
  store: Store,
  options: Partial<ApiKeysOptions> = {},
): ManagedKeys<Store> {
  const clock = { ms: NOW_MS };
  const events: KeyEvent[] = [];
  const onEvent = (event: KeyEvent): void => void events.push(event);
  const apiKeys = createApiKeys({ store, prefix: 'acme', now: () => clock.ms, onEvent, ...options });
  opened.push(apiKeys);
  const records = async () => (await store.list({ limit: 500, order: 'oldest' })).records;
  return { apiKeys, store, clock, events, records };
}

/** For `afterEach`. */
export async function closeManagedKeys(): Promise<void> {
  await Promise.all(opened.splice(0).map((apiKeys) => apiKeys.close()));
  for (const client of clients.splice(0)) client.close();
}

/** The rejection of a call, which must reject. */
export async function rejectionOf(call: () => Promise<unknown>): Promise<Error> {
  try {
    await call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('the call did not reject');
}

/** The calls that an instance made to its store. */
export function operationsOf(events: readonly KeyEvent[]): string[] {
  const operations: string[] = [];
  for (const event of events) if (event.type === 'store') operations.push(event.operation);
  return operations;
}
