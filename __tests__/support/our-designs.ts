import { Authenticator } from '../../lib/authentication/authenticator.ts';
import { EntryReader } from '../../lib/authentication/entry-reader.ts';
import type { KeyVerifier } from '../../lib/authentication/key-verifier.ts';
import { type CacheConfig, LookupCache } from '../../lib/authentication/lookup-cache.ts';
import type { RecordReader } from '../../lib/authentication/record-reader.ts';
import type { Verifiers } from '../../lib/authentication/verifiers.ts';
import { WrongSecrets } from '../../lib/authentication/wrong-secrets.ts';
import { type Clock, createClock } from '../../lib/clock.ts';
import { createEvents } from '../../lib/events.ts';
import { createApiKeys, type Verdict } from '../../lib/index.ts';
import { KeyEditor } from '../../lib/issuance/key-editor.ts';
import type { ManagedRecords } from '../../lib/issuance/managed-records.ts';
import { DECOY_RECORD } from '../../lib/keys/key-record.ts';
import type { MaybePromise } from '../../lib/stores/key-store.ts';
import {
  type Changed,
  type ChangeKind,
  type Decision,
  type Design,
  digestFor,
  planOf,
  STALE_MS,
  TTL_MS,
  type World,
} from './scheduler.ts';

/*
 * What ships, twice. `whole` is all of it behind its public face. `core` is the part in which races can be lost or won,
 * the real cache, floors, authenticator and editor, with nothing between them and the store: deadlines, breaker and
 * record checks know of no versions, and take most of the time. So `core` can go through many more interleavings.
 */

const CACHE = { maxEntries: 16, ttlMs: TTL_MS, staleIfErrorMs: STALE_MS, maxMisses: 16, missTtlMs: 5_000 };

export function whole({ store, now }: World): Design {
  const apiKeys = createApiKeys({ store, now, storeTimeoutMs: 60_000, cache: CACHE });
  const changes: Record<ChangeKind, (id: string) => Promise<Changed>> = {
    revoke: (id) => apiKeys.revoke(id),
    disable: (id) => apiKeys.disable(id),
    enable: (id) => apiKeys.enable(id),
    narrow: (id) => apiKeys.update(id, { scopes: ['a'] }),
    widen: (id) => apiKeys.update(id, { scopes: ['a', 'b', 'c'] }),
    async rotate(id) {
      const { key, apiKey } = await apiKeys.rotate(id, { gracePeriodMs: 0 });
      return { version: apiKey.version, text: key };
    },
    async delete(id) {
      await apiKeys.delete(id);
      return { version: Number.POSITIVE_INFINITY };
    },
  };
  return {
    ask: (text) => decisionOf(apiKeys.verify(text)),
    change: (id, kind) => changes[kind](id),
    close: () => apiKeys.close(),
  };
}

export function core(world: World): Design {
  return coreWith(world, CACHE);
}

/** The same, but for entries that live until they are told of a change. Good as long as no message is lost. */
export function untilTold(world: World): Design {
  return coreWith(world, { ...CACHE, ttlMs: 3_600_000 });
}

function coreWith({ store, now, spareText }: World, config: CacheConfig): Design {
  const clock: Clock = { ...createClock(now) };
  const cache = new LookupCache(config, clock);
  const reader = readerOf((digests) => store.findByDigest(digests), clock);
  const environments = ['live'] as const;
  const parts = { environments, cache, reader, ownerCheck: undefined, rehash: undefined, clock };
  const authenticator = new Authenticator({
    environments,
    verifiers: VERIFIERS,
    cache,
    reader,
    entryReader: new EntryReader(parts),
    uses: undefined,
    refusals: { count: () => undefined, flush: () => undefined },
    wrongSecrets: new WrongSecrets(clock),
    clock,
    events: SILENT,
  });
  const records: ManagedRecords = {
    find: (id) => store.findById(id),
    insert: () => store.insert(),
    findMany: async () => new Map<string, never>(),
    insertMany: async () => new Set<string>(),
    update: (id, change, version) => store.update(id, change, version),
    list: () => store.list(),
    delete: (id) => store.delete(id),
  };
  const editor = new KeyEditor({ records, listener: cache, clock, events: SILENT });
  // The watch has begun: the parts of it that matter here are a floor and how long it is held.
  void store.watch((change) => {
    if (change.type === 'narrowed') cache.toldNarrowed(change.id, change.version, change.ended, 30_000);
  });
  return {
    ask: (text) => decisionOf(authenticator.verify(text)),
    async change(id, kind) {
      if (kind === 'delete') {
        await store.delete(id).catch((error: Error) => {
          cache.readAgain(id);
          throw error;
        });
        cache.narrowed(id, Number.POSITIVE_INFINITY, true);
        return { version: Number.POSITIVE_INFINITY };
      }
      const text = spareText();
      const { version } = await editor.edit(
        kind,
        id,
        undefined,
        (record) => planOf(kind, record, digestFor(text)) ?? 'done',
      );
      return kind === 'rotate' ? { version, text } : { version };
    },
  };
}

const SILENT = createEvents();

const VERIFIER: KeyVerifier = {
  name: 'any text',
  examples: [],
  matches: () => true,
  async find(text, lookup) {
    const record = await lookup.byDigest(lookup.digests(text));
    return record && { record };
  },
};

const VERIFIERS: Verifiers = {
  isReadable: () => true,
  shapeOf: () => VERIFIER,
  pairVerifierOf: () => undefined,
  hasPairs: false,
  makers: [],
  characters: '',
  basicIds: undefined,
};

function readerOf(byDigest: RecordReader['byDigest'], clock: Clock): RecordReader {
  return {
    byDigest,
    byId: async () => undefined,
    digests: (text) => [digestFor(text)],
    now: clock.now,
    matchOf: ({ digest }) => ({ previous: false, digest }),
    decoy: () => DECOY_RECORD,
  };
}

function decisionOf(verdict: MaybePromise<Verdict>): MaybePromise<Decision> {
  return verdict instanceof Promise ? verdict.then(decided) : decided(verdict);
}

function decided(verdict: Verdict): Decision {
  return verdict.ok ? verdict.apiKey.scopes : 'refused';
}
