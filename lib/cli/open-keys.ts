import { type ApiKeys, createApiKeys } from '../api-keys.ts';
import { keyPairs } from '../authentication/key-pairs.ts';
import type { KeyStore } from '../stores/key-store.ts';
import type { Settings } from './settings.ts';
import { UsageError } from './usage-error.ts';

/**
 * Longer than in an application: a person waits here, and nobody else does. Not so long that a change, which may have
 * waited for its row all the while, is older than what those who watch still look at.
 */
const STORE_TIMEOUT_MS = 10_000;

/** @throws UsageError where a setting makes no sense */
export function openKeys({ prefix, environment, peppers }: Settings, store: KeyStore): ApiKeys {
  try {
    return createApiKeys({
      store: withoutListening(store),
      prefix: prefix.value,
      environment: environment.value,
      peppers: peppers.value,
      cache: false,
      storeTimeoutMs: STORE_TIMEOUT_MS,
      verifiers: [keyPairs()],
    });
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message.replace(/^createApiKeys: /, '')) : error;
  }
}

/** Without what a short command has no use for: watching; and noting uses, as looking at a key is none. */
function withoutListening(store: KeyStore): KeyStore {
  const { findMany, insertMany } = store;
  return {
    findByDigest: (digests) => store.findByDigest(digests),
    findById: (id) => store.findById(id),
    insert: (record) => store.insert(record),
    ...(findMany && { findMany: (ids) => findMany.call(store, ids) }),
    ...(insertMany && { insertMany: (records) => insertMany.call(store, records) }),
    update: (id, change, version) => store.update(id, change, version),
    list: (query) => store.list(query),
    delete: async (id) => (await store.delete?.(id)) === true,
    close: async () => store.close?.(),
  };
}
