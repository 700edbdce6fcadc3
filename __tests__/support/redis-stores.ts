import { setTimeout as sleep } from 'node:timers/promises';
import { RedisKeyStore, type RedisKeyStoreOptions } from '../../lib/stores/redis-key-store.ts';
import type { startServer } from '../../scripts/services.mjs';
import type { ClientKind, OpenedClient } from './redis-clients.ts';
import { somePrefix } from './redis-clients.ts';

/** A server of a test's own, which may be stopped, killed and set otherwise. */
export type PrivateServer = Awaited<ReturnType<typeof startServer>>;

export interface OpenedRedisStore extends OpenedClient {
  readonly store: RedisKeyStore;
  readonly prefix: string;
  /** The name of a key in Redis. */
  name(rest: string): string;
}

/** A store under a prefix of its own. */
export async function openRedisStore(
  kind: ClientKind,
  { url, ...options }: RedisKeyStoreOptions & { readonly url?: string } = {},
): Promise<OpenedRedisStore> {
  const opened = await kind.open(url);
  const prefix = options.prefix ?? somePrefix();
  const store = new RedisKeyStore(opened.client, { ...options, prefix });
  return {
    ...opened,
    store,
    prefix,
    name: (rest) => `{${prefix}}:${rest}`,
    close() {
      void store.close();
      opened.close();
    },
  };
}

/** Repeats until it no longer throws, as a client reconnects. */
export async function eventually<T>(act: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (performance.now() - start > 20_000) throw error;
      await sleep(50);
    }
  }
}
