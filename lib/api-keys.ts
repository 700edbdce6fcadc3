import { type ApiKeysConfig, type ApiKeysOptions, readApiKeysOptions } from './api-keys-options.ts';
import { Authenticator, type RequestSource } from './authentication/authenticator.ts';
import { createCircuit } from './authentication/circuit.ts';
import { EntryReader } from './authentication/entry-reader.ts';
import { LookupCache } from './authentication/lookup-cache.ts';
import { createOwnerCheck } from './authentication/owner-check.ts';
import { createRecordReader } from './authentication/record-reader.ts';
import { createRefusalCounter } from './authentication/refusal-counter.ts';
import { createRehasher } from './authentication/rehasher.ts';
import { createUseRecorder } from './authentication/use-recorder.ts';
import type { Verdict } from './authentication/verdict.ts';
import { createVerifiers } from './authentication/verifiers.ts';
import { startWatcher } from './authentication/watcher.ts';
import { WrongSecrets } from './authentication/wrong-secrets.ts';
import { type Clock, createClock } from './clock.ts';
import { StoreUnavailableError } from './errors.ts';
import { createEvents, type Events } from './events.ts';
import type { ImportInput } from './issuance/import-input.ts';
import type { ImportReport } from './issuance/importer.ts';
import { type IssuedKey, Issuer } from './issuance/issuer.ts';
import type { Conditional } from './issuance/key-editor.ts';
import type { CreateInput, UpdateInput } from './issuance/key-input.ts';
import { createManagedRecords } from './issuance/managed-records.ts';
import type { ApiKey } from './keys/api-key.ts';
import { createDigester } from './keys/digest.ts';
import type { KeyFilter } from './keys/key-filter.ts';
import { badOption, checkOptionNames, describe } from './options.ts';
import { createStoreCaller } from './stores/guarded-store.ts';

/**
 * The keys of one application: checks them, issues them, ends them, over one store and one cache. Management reads
 * the store and never the cache; its calls reject with an `ApiKeyError`, of class `InvalidInputError`,
 * `KeyNotFoundError`, `ConflictError` or `StoreUnavailableError`.
 */
export interface ApiKeys {
  /**
   * Whether a text is a good key, and whose. A cache hit is answered at once, not by a promise; a failing store is a
   * rejection with `StoreUnavailableError`, never a refusal. Never throws.
   */
  verify(text: string): Verdict | Promise<Verdict>;
  /**
   * As `verify()`, for an id and its secret; needs `keyPairs()` or `bcryptSecrets()`. Twenty wrong secrets for one id
   * from one address within a minute, and the call rejects with an `ApiKeyError` of code `rate_limited`.
   */
  verifyPair(id: string, secret: string, options?: { from?: string | undefined }): Verdict | Promise<Verdict>;
  /** Issues a key; `key` is shown here once and cannot be had again. */
  create(input: CreateInput): Promise<IssuedKey>;
  get(id: string): Promise<ApiKey | undefined>;
  /** One page, 50 keys unless `limit` says otherwise, the newest first unless `order` does. */
  list(query?: KeyFilter): Promise<{ apiKeys: readonly ApiKey[]; nextCursor?: string }>;
  update(id: string, changes: UpdateInput, options?: Conditional): Promise<ApiKey>;
  /** Stops a key until it is enabled again. Twice is the same as once. */
  disable(id: string, options?: Conditional): Promise<ApiKey>;
  enable(id: string, options?: Conditional): Promise<ApiKey>;
  /** Stops a key for ever and keeps its record. Twice is the same as once; the first reason stays. */
  revoke(id: string, options?: { reason?: string | undefined } & Conditional): Promise<ApiKey>;
  /**
   * Gives a record a new key. The old one works until its grace ends: 24 hours, or `gracePeriodMs` of 0 to 30 days,
   * but never past the key's own end. A key that is revoked, disabled or expired is a `ConflictError`.
   */
  rotate(id: string, options?: { gracePeriodMs?: number | undefined } & Conditional): Promise<IssuedKey>;
  /** Erases a record; its id is never used again. `false` when there was none. */
  delete(id: string): Promise<boolean>;
  /**
   * Brings in keys that another system issued, with their hashes; a verifier such as `foreignKeys()` then knows their
   * shape. Wrong ones are reported and the rest goes on. Importing again changes nothing.
   */
  import(records: Iterable<ImportInput> | AsyncIterable<ImportInput>): Promise<ImportReport>;
  /** Asks the store one cheap thing. Rejects with `StoreUnavailableError` while it cannot answer. */
  ready(): Promise<void>;
  /** Writes what is pending, stops listening, closes the store. Every later call is a `StoreUnavailableError`. */
  close(): Promise<void>;
}

/** What the middleware needs of an {@link ApiKeys} beside its face. */
export interface Internals {
  verify(text: string, source: RequestSource): Verdict | Promise<Verdict>;
  verifyPair(id: string, secret: string, source: RequestSource): Verdict | Promise<Verdict>;
  readonly events: Events;
  readonly clock: Clock;
  /** Visible ASCII characters, beyond those of token68, that a credential may hold. */
  readonly characters: string;
  /** Which user-ids of `Authorization: Basic` are ids of pairs; absent where Basic is not read. */
  readonly basicIds: ((id: string) => boolean) | undefined;
}

const INTERNALS = Symbol.for('keystile.internals');

/** No digest of a key: what it is the image of cannot be sent. */
const NOBODYS_DIGEST = `sha256:${'A'.repeat(43)}`;

/**
 * Makes the keys of an application. Answers at once, also while the store is down.
 *
 * @throws TypeError for an option that is wrong
 */
export function createApiKeys(options: ApiKeysOptions): ApiKeys {
  const config = readApiKeysOptions(options);
  const { store } = config;
  const parts = assemble(config);
  const { authenticator, issuer, caller, uses, refusals, watcher, verifiers, events, clock } = parts;
  let closing: Promise<void> | undefined;

  function closedError(): StoreUnavailableError {
    return new StoreUnavailableError('These API keys are closed.');
  }

  async function whileOpen<T>(call: () => Promise<T>): Promise<T> {
    if (closing !== undefined) throw closedError();
    return call();
  }

  async function closeAll(): Promise<void> {
    refusals.flush();
    await watcher?.stop();
    await uses?.drain();
    if ('close' in store && store.close !== undefined) {
      const close = store.close.bind(store);
      await caller.call({ operation: 'close', run: close });
    }
  }

  function verify(text: string, source?: RequestSource): Verdict | Promise<Verdict> {
    if (closing !== undefined) return Promise.reject(closedError());
    try {
      return authenticator.verify(text, source);
    } catch (error) {
      // The application's clock, or one of its verifiers.
      return Promise.reject(error);
    }
  }

  function verifyPair(id: string, secret: string, source: RequestSource): Verdict | Promise<Verdict> {
    if (closing !== undefined) return Promise.reject(closedError());
    if (!verifiers.hasPairs) return Promise.reject(noPairsError());
    try {
      return authenticator.verifyPair(id, secret, source);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  const apiKeys: ApiKeys = {
    verify: (text) => verify(text),
    verifyPair: (id, secret, where = {}) => verifyPair(id, secret, new GivenSource(where)),
    create: (input) => whileOpen(() => issuer.create(input)),
    get: (id) => whileOpen(() => issuer.get(id)),
    list: (query) => whileOpen(() => issuer.list(query)),
    update: (id, changes, conditional) => whileOpen(() => issuer.update(id, changes, conditional)),
    disable: (id, conditional) => whileOpen(() => issuer.disable(id, conditional)),
    enable: (id, conditional) => whileOpen(() => issuer.enable(id, conditional)),
    revoke: (id, revocation) => whileOpen(() => issuer.revoke(id, revocation)),
    rotate: (id, rotation) => whileOpen(() => issuer.rotate(id, rotation)),
    delete: (id) => whileOpen(() => issuer.delete(id)),
    import: (records) => whileOpen(() => issuer.import(records)),
    ready: () =>
      whileOpen(async () => {
        await caller.call({ operation: 'findByDigest', run: () => store.findByDigest([NOBODYS_DIGEST]) });
      }),
    close: () => {
      closing ??= closeAll();
      return closing;
    },
  };
  const { characters, basicIds } = verifiers;
  const internals: Internals = { verify, verifyPair, events, clock, characters, basicIds };
  // Not enumerable, so that it shows in no log and no copy passes for the original.
  Object.defineProperty(apiKeys, INTERNALS, { value: internals });
  return Object.freeze(apiKeys);
}

/** An address that a caller names; it is checked when it is needed, so that a mistake is a rejection. */
class GivenSource implements RequestSource {
  readonly #options: unknown;

  constructor(options: unknown) {
    this.#options = options;
  }

  get ip(): string | undefined {
    const { from } = checkOptionNames('verifyPair', this.#options, ['from']);
    if (from === undefined || typeof from === 'string') return from;
    throw badOption('verifyPair', 'from', 'a text', from);
  }
}

function noPairsError(): TypeError {
  return new TypeError(
    'verifyPair: pairs need keyPairs() or bcryptSecrets() in createApiKeys({ verifiers: [...] })',
  );
}

/** @throws TypeError unless it is what `createApiKeys()` answered */
export function internalsOf(owner: string, apiKeys: ApiKeys): Internals {
  const internals = (apiKeys as { [INTERNALS]?: Internals } | undefined)?.[INTERNALS];
  if (internals !== undefined) return internals;
  throw new TypeError(
    `${owner}: apiKeys must be what createApiKeys() answered, but got ${describe(apiKeys)}`,
  );
}

function assemble(config: ApiKeysConfig) {
  const { store, prefix, environment, environments } = config;
  const clock = createClock(config.now);
  const events = createEvents(config.onEvent);
  const caller = createStoreCaller(config.storeTimeoutMs, clock, events);
  const cache = new LookupCache(config.cache, clock);
  const digester = createDigester(config.peppers, config.acceptPlainDigests);
  const circuit = createCircuit(clock, config.storeTimeoutMs);
  const reader = createRecordReader({ store, caller, circuit, digester, clock });
  const verifiers = createVerifiers(prefix, environments, config.verifiers);
  const refusals = createRefusalCounter(prefix, clock, events);
  const uses = createUseRecorder(store, caller);
  const ownerCheck = config.ownerStatus && createOwnerCheck(config.ownerStatus, caller);
  const rehash = createRehasher(store, caller, clock);
  const entryReader = new EntryReader({ environments, cache, reader, ownerCheck, rehash, clock });
  const authenticator = new Authenticator({
    environments,
    verifiers,
    cache,
    reader,
    entryReader,
    uses,
    refusals,
    wrongSecrets: new WrongSecrets(clock),
    clock,
    events,
  });
  const records = createManagedRecords(store, caller);
  const { makers } = verifiers;
  const issuer = new Issuer({
    prefix,
    environment,
    records,
    digester,
    makers,
    listener: cache,
    clock,
    events,
  });
  const watcher = startWatcher({ store, caller, cache, clock, events });
  return { authenticator, issuer, caller, uses, refusals, watcher, verifiers, events, clock };
}
