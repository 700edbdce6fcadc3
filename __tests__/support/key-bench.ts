import { jest } from '@jest/globals';
import {
  type ApiKey,
  type ApiKeys,
  type ApiKeysOptions,
  type CreateInput,
  createApiKeys,
  type KeyRecord,
  MemoryKeyStore,
  type Verdict,
} from '../../lib/index.ts';
import { FaultStore, type StoreMethod } from './fault-store.ts';
import { KEY_INPUT, START_MS } from './open-keys.ts';

export const PREFIX = 'acme';

/** Has the shape of a key of {@link PREFIX} and its checksum, and stands in no store. */
export const UNKNOWN_KEY = 'acme_live_000000000000000000000000000000000PGKJi';

export interface KeyBench {
  readonly apiKeys: ApiKeys;
  readonly store: FaultStore;
  /** What the fault store stands in front of. */
  readonly memory: MemoryKeyStore;
  /** A good key of `org_1` that may `reports:read`, and what `create()` answered of it. */
  readonly key: string;
  readonly apiKey: ApiKey;
  /** What the store holds of it now. */
  record(): Promise<KeyRecord>;
  /** Another process over the same records: its own cache, and no watch. */
  otherProcess(options?: Partial<ApiKeysOptions>): ApiKeys;
}

export interface BenchOptions extends Partial<ApiKeysOptions> {
  readonly input?: Partial<CreateInput>;
  /** Methods that the store does not have. `watch` by default, so that the cache is all there is. */
  readonly without?: readonly StoreMethod[];
}

/** The keys of an application over a store that can be made to fail, with one key in it. */
export async function openBench({
  input,
  without = ['watch'],
  ...options
}: BenchOptions = {}): Promise<KeyBench> {
  const memory = new MemoryKeyStore();
  const store = new FaultStore(memory, { without });
  const openOver = (over: FaultStore, given: Partial<ApiKeysOptions>): ApiKeys =>
    createApiKeys({ store: over, prefix: PREFIX, ...given });
  const apiKeys = openOver(store, options);
  const { key, apiKey } = await apiKeys.create({ ...KEY_INPUT, ...input });
  return {
    apiKeys,
    store,
    memory,
    key,
    apiKey,
    record: async () => (await memory.findById(apiKey.id)) as KeyRecord,
    otherProcess: (given = {}) =>
      openOver(new FaultStore(memory, { without: ['watch'] }), { ...options, ...given }),
  };
}

/** A bench that watches, whose key is cached. Its store says nothing but what the test makes it say. */
export async function openWatching(options: BenchOptions = {}): Promise<KeyBench> {
  const bench = await openBench({ without: [], ...options });
  await settle();
  await bench.apiKeys.verify(bench.key);
  return bench;
}

/** Whether the key is read from the store when it is next verified. */
export async function readsAgain({ apiKeys, store, key }: KeyBench): Promise<boolean> {
  const before = store.count('findByDigest');
  await apiKeys.verify(key);
  return store.count('findByDigest') > before;
}

/** Keys of {@link PREFIX} that stand in no store of the test's. */
export async function makeStrangeKeys(count: number): Promise<readonly string[]> {
  const elsewhere = createApiKeys({ store: new MemoryKeyStore(), prefix: PREFIX });
  const made = Array.from({ length: count }, () => elsewhere.create(KEY_INPUT));
  return (await Promise.all(made)).map(({ key }) => key);
}

/** Holds all clocks and timers; `advance` moves both clocks, `setWallClock` the wall clock alone. */
export function holdClocks(): void {
  jest.useFakeTimers({ now: START_MS, doNotFake: ['queueMicrotask', 'nextTick', 'setImmediate'] });
}

export async function advance(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
}

export function setWallClock(ms: number): void {
  jest.setSystemTime(ms);
}

/** Lets everything happen that waits for no timer. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** `'accepted'`, the reason of a refusal, or the code of a fault. */
export async function outcomeOf(verdict: Verdict | Promise<Verdict>): Promise<string> {
  try {
    const { ok, ...rest } = await verdict;
    return ok ? 'accepted' : String((rest as { reason?: string }).reason);
  } catch (error) {
    return (error as { code?: string }).code ?? `no ApiKeyError: ${error}`;
  }
}
