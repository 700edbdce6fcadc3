import { type ApiKeysOptions, readApiKeysOptions } from './api-keys-options.ts';
import { assembleParts } from './api-keys-parts.ts';
import type { RequestSource } from './authentication/authenticator.ts';
import type { Explanation } from './authentication/explanation.ts';
import { GivenSource } from './authentication/given-source.ts';
import { warnOfProduction } from './authentication/production-warnings.ts';
import type { Verdict } from './authentication/verdict.ts';
import type { Clock } from './clock.ts';
import { StoreUnavailableError } from './errors.ts';
import type { Events } from './events.ts';
import type { RevokeAllFilter } from './issuance/housekeeping.ts';
import type { ImportInput } from './issuance/import-input.ts';
import type { ImportReport } from './issuance/importer.ts';
import type { IssuedKey, Issuer, Revocation } from './issuance/issuer.ts';
import type { Actor, Conditional } from './issuance/key-editor.ts';
import type { CreateInput, UpdateInput } from './issuance/key-input.ts';
import type { ApiKey, KeyKind } from './keys/api-key.ts';
import type { KeyFilter } from './keys/key-filter.ts';
import type { ScopeCatalogue } from './keys/scope-catalogue.ts';
import { describe } from './options.ts';

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
  /**
   * Why a key is accepted or not, step by step, for operators and never for a client. Asks the store, and leaves no entry,
   * use, count or decision behind. A failing store is told in the answer. The text itself is not in it.
   */
  explain(text: string): Promise<Explanation>;
  /** Issues a key; `key` is shown here once and cannot be had again. */
  create(input: CreateInput): Promise<IssuedKey>;
  /** The key with this id, as the store has it; `undefined` where no key has it. */
  get(id: string): Promise<ApiKey | undefined>;
  /** One page, 50 keys unless `limit` says otherwise, the newest first unless `order` does. */
  list(query?: KeyFilter): Promise<{ apiKeys: readonly ApiKey[]; nextCursor?: string }>;
  /** Changes name, scopes, ends or metadata. Fewer scopes and an earlier end hold at once, as a revocation does. */
  update(id: string, changes: UpdateInput, options?: Conditional): Promise<ApiKey>;
  /** Stops a key until it is enabled again. Twice is the same as once. */
  disable(id: string, options?: Conditional): Promise<ApiKey>;
  /** Ends what `disable()` began. Twice is the same as once; a revoked key stays revoked. */
  enable(id: string, options?: Conditional): Promise<ApiKey>;
  /** Stops a key for ever and keeps its record. Twice is the same as once; the first reason stays. */
  revoke(id: string, options?: Revocation & Conditional): Promise<ApiKey>;
  /**
   * Revokes every key of an organization or of an owner, also those that come while it runs. Where the store fails in
   * between, what is revoked stays so, the error says how many, and a second call goes on.
   */
  revokeAll(which: RevokeAllFilter, options?: Revocation): Promise<{ revoked: number }>;
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
  /** Deletes the records of keys that were revoked at least `revokedBeforeMs` ago: 30 days, unless it is given. */
  prune(options?: { revokedBeforeMs?: number | undefined }): Promise<{ deleted: number }>;
  /** Asks the store one cheap thing. Rejects with `StoreUnavailableError` while it cannot answer. */
  ready(): Promise<void>;
  /** Writes what is pending, stops listening, closes the store. Every later call is a `StoreUnavailableError`. */
  close(): Promise<void>;
}

/** What the middleware needs of an {@link ApiKeys} beside its face. */
export interface Internals {
  verify(text: string, source: RequestSource): Verdict | Promise<Verdict>;
  verifyPair(id: string, secret: string, source: RequestSource): Verdict | Promise<Verdict>;
  /** As `verify`, for a text out of a header field that is yet to be asked about; `undefined` where it is not sound. */
  verifySound(
    text: string,
    source: RequestSource,
    isSound: (text: string) => boolean,
  ): Verdict | Promise<Verdict> | undefined;
  readonly events: Events;
  readonly clock: Clock;
  /** Visible ASCII characters, beyond those of token68, that a credential may hold. */
  readonly characters: string;
  /** Which user-ids of `Authorization: Basic` are ids of pairs; absent where Basic is not read. */
  readonly basicIds: ((id: string) => boolean) | undefined;
  /** Whether `verifyPair()` has a verifier. */
  readonly hasPairs: boolean;
  /** The kinds of keys that `create()` can make. */
  readonly kinds: readonly KeyKind[];
  /** What keys may be given; `undefined` is anything. */
  readonly scopes: ScopeCatalogue | undefined;
  /** The same keys, whose audit events say who acts and from where. */
  manageAs(actor: Actor): ApiKeys;
  /** Ends a key now; one that has ended already stays as it is. */
  expire(id: string, actor: Actor): Promise<ApiKey>;
  /** Says what these keys lack, for whoever knows that they serve in production. */
  warnOfProduction(): void;
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
  const parts = assembleParts(config);
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

  const verifySound: Internals['verifySound'] = (text, source, isSound) => {
    if (closing !== undefined) return isSound(text) ? Promise.reject(closedError()) : undefined;
    try {
      return authenticator.verifySound(text, source, isSound);
    } catch (error) {
      return Promise.reject(error);
    }
  };

  function verifyPair(id: string, secret: string, source: RequestSource): Verdict | Promise<Verdict> {
    if (closing !== undefined) return Promise.reject(closedError());
    if (!verifiers.hasPairs) return Promise.reject(noPairsError());
    try {
      return authenticator.verifyPair(id, secret, source);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  const face = (issuer: Issuer): ApiKeys => ({
    verify: (text) => verify(text),
    verifyPair: (id, secret, where = {}) => verifyPair(id, secret, new GivenSource(where)),
    explain: (text) => whileOpen(() => parts.explainer.explain(text)),
    create: (input) => whileOpen(() => issuer.create(input)),
    get: (id) => whileOpen(() => issuer.get(id)),
    list: (query) => whileOpen(() => issuer.list(query)),
    update: (id, changes, conditional) => whileOpen(() => issuer.update(id, changes, conditional)),
    disable: (id, conditional) => whileOpen(() => issuer.disable(id, conditional)),
    enable: (id, conditional) => whileOpen(() => issuer.enable(id, conditional)),
    revoke: (id, revocation) => whileOpen(() => issuer.revoke(id, revocation)),
    rotate: (id, rotation) => whileOpen(() => issuer.rotate(id, rotation)),
    revokeAll: (which, revocation) => whileOpen(() => issuer.revokeAll(which, revocation)),
    delete: (id) => whileOpen(() => issuer.delete(id)),
    prune: (options) => whileOpen(() => issuer.prune(options)),
    import: (records) => whileOpen(() => issuer.import(records)),
    ready: () =>
      whileOpen(async () => {
        await caller.call({ operation: 'findByDigest', run: () => store.findByDigest([NOBODYS_DIGEST]) });
      }),
    close: () => {
      closing ??= closeAll();
      return closing;
    },
  });
  const { characters, basicIds } = verifiers;
  const kinds = verifiers.makers.map(({ kind }) => kind);
  const manageAs = (actor: Actor): ApiKeys => withInternals(face(issuer.actingFor(actor)));
  const expire = (id: string, actor: Actor) => whileOpen(() => issuer.actingFor(actor).expire(id));
  const internals: Internals = {
    verify,
    verifySound,
    verifyPair,
    events,
    clock,
    characters,
    basicIds,
    hasPairs: verifiers.hasPairs,
    kinds,
    scopes: config.scopes,
    manageAs,
    expire,
    warnOfProduction: () => warnOfProduction(config, clock, events),
  };
  function withInternals(apiKeys: ApiKeys): ApiKeys {
    // Not enumerable, so that it shows in no log and no copy passes for the original.
    Object.defineProperty(apiKeys, INTERNALS, { value: internals });
    return Object.freeze(apiKeys);
  }
  return withInternals(face(issuer));
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
