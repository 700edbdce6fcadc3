import { InvalidInputError } from '../errors.ts';
import type { ApiKey, Environment, KeyKind } from '../keys/api-key.ts';
import { apiKeyOf } from '../keys/api-key-view.ts';
import type { Digester } from '../keys/digest.ts';
import { idProblem, textProblem } from '../keys/fields.ts';
import type { KeyFilter } from '../keys/key-filter.ts';
import type { KeyMaker, KeyOrder, MadeKey } from '../keys/key-maker.ts';
import { type KeyRecord, readRecord } from '../keys/key-record.ts';
import type { ScopeCatalogue } from '../keys/scope-catalogue.ts';
import { type Housekeeping, pruneKeys, type RevokeAllFilter, revokeAllKeys } from './housekeeping.ts';
import type { ImportInput } from './import-input.ts';
import { type ImportReport, importKeys } from './importer.ts';
import { clippedGrace, graceOf, narrows, refuseEnded } from './key-changes.ts';
import { type Actor, type Conditional, KeyEditor, type KeyEditorParts } from './key-editor.ts';
import { createIdSource } from './key-id.ts';
import {
  type CreateInput,
  checkChangedEnd,
  membersOf,
  readCreateInput,
  readKeyFilter,
  readUpdateInput,
  type UpdateInput,
} from './key-input.ts';
import { refuseUnknownScopes } from './known-scopes.ts';

export interface IssuerParts extends KeyEditorParts {
  readonly prefix: string;
  readonly environment: Environment;
  readonly digester: Digester;
  /** One for each kind of key that can be made here. */
  readonly makers: readonly KeyMaker[];
  /** What a key may be given; `undefined` is anything. */
  readonly scopes: ScopeCatalogue | undefined;
}

/** What is noted of a revocation. */
export interface Revocation {
  /** Kept in the record, at most 500 characters. */
  readonly reason?: string | undefined;
}

/** A new key: shown once, and to be had nowhere else. */
export interface IssuedKey {
  readonly key: string;
  /** Of a pair only, whose id is then the `key`. */
  readonly secret?: string;
  readonly apiKey: ApiKey;
}

const DAY_MS = 86_400_000;
const DEFAULT_GRACE_MS = DAY_MS;
const LONGEST_GRACE_MS = 30 * DAY_MS;

/** The life of a key. Reads and writes the store, never the cache. */
export class Issuer {
  readonly #parts: IssuerParts;
  readonly #editor: KeyEditor;
  readonly #newId: (now: number) => string;

  constructor(
    parts: IssuerParts,
    editor: KeyEditor = new KeyEditor(parts),
    newId: (now: number) => string = createIdSource(),
  ) {
    this.#parts = parts;
    this.#editor = editor;
    this.#newId = newId;
  }

  /** The same issuer, whose audit events name who acts. */
  actingFor(actor: Actor): Issuer {
    return new Issuer(this.#parts, this.#editor.actingFor(actor), this.#newId);
  }

  async create(input: CreateInput): Promise<IssuedKey> {
    const { records, listener, clock } = this.#parts;
    const now = clock.now();
    const { expiresAt, notBefore, kind, createdBy, ...fields } = readCreateInput(input, now);
    refuseUnknownScopes(fields.scopes, input.scopes, this.#parts.scopes);
    const environment = fields.environment ?? this.#parts.environment;
    const id = this.#newId(now);
    const { kept, ...made } = await this.#make(kind, {
      id,
      environment,
      now,
      expiresAt,
      notBefore,
      replaces: undefined,
    });
    const createdAt = new Date(now);
    const record = readRecord({
      ...fields,
      ...kept,
      id,
      kind,
      environment,
      enabled: true,
      version: 1,
      createdAt,
      updatedAt: createdAt,
      createdBy,
      expiresAt: dateOf(expiresAt),
      notBefore: dateOf(notBefore),
    });
    try {
      await records.insert(record);
    } finally {
      // Also after a failure: the record may have come to be all the same.
      listener.inserted();
    }
    this.#editor.audit('create', record, []);
    return { ...made, apiKey: apiKeyOf(record) };
  }

  async get(id: string): Promise<ApiKey | undefined> {
    if (idProblem(id) !== undefined) return undefined;
    const record = await this.#parts.records.find(id);
    return record && apiKeyOf(record);
  }

  async list(query: KeyFilter = {}): Promise<{ apiKeys: readonly ApiKey[]; nextCursor?: string }> {
    const { expiringWithinMs, unusedForMs, ...filter } = readKeyFilter(query);
    const now = this.#parts.clock.now();
    const { records, nextCursor } = await this.#parts.records.list({
      ...filter,
      ...(expiringWithinMs === undefined ? undefined : { expiresBefore: new Date(now + expiringWithinMs) }),
      ...(unusedForMs === undefined ? undefined : { lastUsedBefore: new Date(now - unusedForMs) }),
    });
    const apiKeys = records.map(apiKeyOf);
    return nextCursor === undefined ? { apiKeys } : { apiKeys, nextCursor };
  }

  async update(id: string, changes: UpdateInput, options?: Conditional): Promise<ApiKey> {
    const read = readUpdateInput(changes);
    if (read.scopes !== undefined) refuseUnknownScopes(read.scopes, changes.scopes, this.#parts.scopes);
    const { expiresAt, notBefore, ...members } = read;
    return this.#editor.edit('update', id, options, (record, now) => {
      if (Object.keys(read).length === 0) return 'done';
      checkChangedEnd(read, record, now);
      const clear: ('expiresAt' | 'notBefore')[] = [];
      if (expiresAt === null) clear.push('expiresAt');
      if (notBefore === null) clear.push('notBefore');
      return {
        ...members,
        ...(typeof expiresAt === 'number'
          ? { expiresAt: new Date(expiresAt), ...clippedGrace(record, expiresAt) }
          : undefined),
        ...(typeof notBefore === 'number' ? { notBefore: new Date(notBefore) } : undefined),
        clear,
        narrows: narrows(record, read),
      };
    });
  }

  async disable(id: string, options?: Conditional): Promise<ApiKey> {
    return this.#editor.edit('disable', id, options, ({ enabled }) =>
      enabled ? { enabled: false, narrows: true } : 'done',
    );
  }

  async enable(id: string, options?: Conditional): Promise<ApiKey> {
    return this.#editor.edit('enable', id, options, ({ enabled }) =>
      enabled ? 'done' : { enabled: true, narrows: false },
    );
  }

  /** As an update to an end that is now, which `update()` takes for a mistake. */
  async expire(id: string): Promise<ApiKey> {
    return this.#editor.edit('expire', id, undefined, (record, now) =>
      record.expiresAt !== undefined && record.expiresAt.getTime() <= now
        ? 'done'
        : { expiresAt: new Date(now), ...clippedGrace(record, now), narrows: true },
    );
  }

  async revoke(id: string, options: Revocation & Conditional = {}): Promise<ApiKey> {
    const { reason, ...conditional } = membersOf(options, ['reason', 'ifVersion'], '') as typeof options;
    checkReason(reason);
    return this.#editor.edit('revoke', id, conditional, ({ revokedAt }, now) => {
      if (revokedAt !== undefined) return 'done';
      const why = reason === undefined ? undefined : { revocationReason: reason };
      return { revokedAt: new Date(now), ...why, narrows: true };
    });
  }

  async rotate(
    id: string,
    options: { gracePeriodMs?: number | undefined } & Conditional = {},
  ): Promise<IssuedKey> {
    const { gracePeriodMs = DEFAULT_GRACE_MS, ...conditional } = membersOf(
      options,
      ['gracePeriodMs', 'ifVersion'],
      '',
    ) as typeof options;
    if (!Number.isInteger(gracePeriodMs) || gracePeriodMs < 0 || gracePeriodMs > LONGEST_GRACE_MS) {
      throw new InvalidInputError(
        '/gracePeriodMs',
        `must be a whole number from 0 to ${LONGEST_GRACE_MS} (30 days)`,
      );
    }
    let made: Omit<MadeKey, 'kept'> = { key: '' };
    const apiKey = await this.#editor.edit('rotate', id, conditional, async (record, now) => {
      refuseEnded(record, now);
      const { environment, expiresAt, notBefore, digest } = record;
      const { kept, ...shown } = await this.#make(record.kind, {
        id,
        environment,
        now,
        expiresAt: expiresAt?.getTime(),
        notBefore: notBefore?.getTime(),
        replaces: digest,
      });
      made = shown;
      return { ...kept, rotatedAt: new Date(now), ...graceOf(record, now, gracePeriodMs), narrows: true };
    });
    return { ...made, apiKey };
  }

  import(inputs: Iterable<ImportInput> | AsyncIterable<ImportInput>): Promise<ImportReport> {
    return importKeys(inputs, { ...this.#parts, editor: this.#editor });
  }

  async revokeAll(which: RevokeAllFilter, options: Revocation = {}): Promise<{ revoked: number }> {
    const { reason } = membersOf(options, ['reason'], '') as Revocation;
    checkReason(reason);
    return revokeAllKeys(which, reason, this.#housekeeping());
  }

  async prune(options: { revokedBeforeMs?: number | undefined } = {}): Promise<{ deleted: number }> {
    return pruneKeys(options, this.#housekeeping());
  }

  async delete(id: string): Promise<boolean> {
    return idProblem(id) === undefined && this.#erase(id, () => true);
  }

  /** Erases a record if, as it is right now, it may be. */
  async #erase(id: string, mayErase: (record: KeyRecord) => boolean): Promise<boolean> {
    const { records, listener } = this.#parts;
    const record = await records.find(id);
    if (record !== undefined && !mayErase(record)) return false;
    const ended = () => listener.narrowed(id, Number.POSITIVE_INFINITY, true);
    try {
      const deleted = await records.delete(id, (late) =>
        late === undefined ? listener.readAgain(id) : ended(),
      );
      ended();
      if (deleted && record !== undefined) this.#editor.audit('delete', record, []);
      return deleted;
    } catch (error) {
      listener.readAgain(id);
      throw error;
    }
  }

  #housekeeping(): Housekeeping {
    const { records, clock } = this.#parts;
    return {
      records,
      clock,
      revoke: async (id, reason) => {
        await this.revoke(id, { reason });
      },
      erase: (id, mayErase) => this.#erase(id, mayErase),
    };
  }

  /** @throws TypeError where nobody makes keys of that kind here */
  async #make(kind: KeyKind, order: Omit<KeyOrder, 'prefix' | 'digester'>): Promise<MadeKey> {
    const { makers, prefix, digester } = this.#parts;
    const maker = makers.find((one) => one.kind === kind);
    if (maker !== undefined) return maker.make({ ...order, prefix, digester });
    const verifier = kind === 'jwt' ? 'jwtKeys()' : 'keyPairs()';
    throw new TypeError(`A key of kind "${kind}" needs ${verifier} in createApiKeys({ verifiers: [...] }).`);
  }
}

/** @throws InvalidInputError */
function checkReason(reason: unknown): void {
  const problem = reason === undefined ? undefined : textProblem(reason, 500);
  if (problem !== undefined) throw new InvalidInputError('/reason', problem);
}

function dateOf(time: number | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}
