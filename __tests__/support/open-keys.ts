import {
  type ApiKey,
  type ApiKeys,
  type ApiKeysOptions,
  type CreateInput,
  createApiKeys,
  type KeyEvent,
  type KeyRecord,
  MemoryKeyStore,
} from '../../lib/index.ts';

/** A store that counts look-ups, and can be made to fail or to keep its callers waiting. */
export class ControlledStore extends MemoryKeyStore {
  lookups = 0;
  fault: unknown;
  gate: Promise<void> | undefined;

  override async findByDigest(digests: readonly string[]): Promise<KeyRecord | undefined> {
    this.lookups += 1;
    await this.gate;
    if (this.fault !== undefined) throw this.fault;
    return super.findByDigest(digests);
  }
}

export interface OpenedKeys {
  readonly apiKeys: ApiKeys;
  readonly store: ControlledStore;
  /** A good key, and its record's view. */
  readonly key: string;
  readonly apiKey: ApiKey;
  /** Wall time, in milliseconds; a test may set it. */
  readonly clock: { ms: number };
  readonly events: KeyEvent[];
}

export const START_MS: number = Date.UTC(2026, 2, 1, 10);

const opened: ApiKeys[] = [];

/** The keys of an application over a store in memory, with one key in it. */
export async function openKeys(
  options: Partial<ApiKeysOptions> = {},
  input: Partial<CreateInput> = {},
): Promise<OpenedKeys> {
  const store = new ControlledStore();
  const clock = { ms: START_MS };
  const events: KeyEvent[] = [];
  const apiKeys = createApiKeys({
    store,
    prefix: 'acme',
    now: () => clock.ms,
    onEvent: (event) => events.push(event),
    ...options,
  });
  opened.push(apiKeys);
  const { key, apiKey } = await apiKeys.create({ ...KEY_INPUT, ...input });
  return { apiKeys, store, key, apiKey, clock, events };
}

export const KEY_INPUT: CreateInput = {
  name: 'CI',
  organization: { id: 'org_1', slug: 'acme' },
  scopes: ['reports:read'],
};

/** For `afterEach`. */
export async function closeOpenedKeys(): Promise<void> {
  await Promise.all(opened.splice(0).map((apiKeys) => apiKeys.close()));
}

/** Decisions without what differs from run to run. */
export function decisionsOf(events: readonly KeyEvent[]): object[] {
  const decisions: object[] = [];
  for (const event of events) {
    if (event.type !== 'decision') continue;
    const { at: _at, durationMs: _durationMs, ...rest } = event;
    decisions.push(rest);
  }
  return decisions;
}
