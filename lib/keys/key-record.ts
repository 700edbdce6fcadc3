import type { ApiKey, Environment, KeyKind, Organization, Owner } from './api-key.ts';
import { isDigest } from './digest.ts';
import {
  booleanProblem,
  type FieldProblem,
  idProblem,
  MAX_SCOPES,
  memberProblem,
  nameProblem,
  scopesProblem,
  shownProblem,
  textProblem,
  timeOf,
} from './fields.ts';
import { copyMetadata, type Json } from './metadata.ts';

/**
 * All that a store keeps of a key. Times are `Date`s of whole milliseconds; what is absent is `undefined`.
 * The key itself is not in it and cannot be had from it.
 */
export interface KeyRecord extends Omit<ApiKey, 'grace'> {
  /**
   * One-way image of the key: `sha256:`, `sha512:` or `hmac-sha256:<pepper id>:` with base64url,
   * `bcrypt:$2b$...`, or `jwt:<id>:<iat>`.
   */
  readonly digest: string;
  /** The key before the last rotation, until its grace ends. */
  readonly previous?: PreviousKey;
}

/** The key that a rotation replaced, which works until `expiresAt`. */
export interface PreviousKey {
  readonly digest: string;
  readonly expiresAt: Date;
  readonly lastUsedAt?: Date;
}

/** A record that is not one. The message names the field and never its value. */
export class UnreadableRecordError extends TypeError {
  constructor(field: string, problem: string) {
    super(`the record's ${field} ${problem}`);
    this.name = 'UnreadableRecordError';
  }
}

/**
 * Completes a record out of someone's own table, where only some of the fields exist, with the defaults that
 * `create()` has: opaque, live, enabled, version 1, owned by its organization, no scopes.
 *
 * @throws UnreadableRecordError when a field that is given is wrong
 */
export function keyRecord(
  fields: Pick<KeyRecord, 'id' | 'digest' | 'organization'> & Partial<KeyRecord>,
): KeyRecord {
  const createdAt = fields.createdAt ?? new Date(0);
  return readRecord({
    kind: 'opaque',
    name: fields.id,
    environment: 'live',
    start: '',
    end: '',
    owner: { type: 'organization', id: fields.organization?.id },
    scopes: [],
    enabled: true,
    version: 1,
    createdAt,
    updatedAt: createdAt,
    metadata: {},
    ...present(fields),
  });
}

/**
 * Copies what a store handed over, field by field, and checks each: types, lengths, the limits of `create()`. Only
 * own members count, so that nothing reaches a key through a prototype; `null` is absent; unknown members are
 * dropped. Absent scopes are no scopes.
 *
 * @throws UnreadableRecordError for anything that is no whole record
 */
export function readRecord(value: unknown): KeyRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UnreadableRecordError('whole', 'must be an object');
  }
  const read = new FieldReader(value, '');
  const createdBy = read.optional('createdBy', (text) => textProblem(text, 255));
  const revocationReason = read.optional('revocationReason', (text) => textProblem(text, 500));
  return Object.freeze({
    id: read.required<string>('id', idProblem),
    digest: read.required<string>('digest', digestProblem),
    kind: read.member<KeyKind>('kind', ['opaque', 'pair', 'jwt']),
    name: read.required<string>('name', nameProblem),
    environment: read.member<Environment>('environment', ['live', 'test']),
    start: read.required<string>('start', shownProblem),
    end: read.required<string>('end', shownProblem),
    organization: readOrganization(read.object('organization')),
    owner: readOwner(read.object('owner')),
    scopes: readScopes(read.own('scopes')),
    enabled: read.required<boolean>('enabled', booleanProblem),
    version: read.required<number>('version', versionProblem),
    createdAt: read.time('createdAt'),
    updatedAt: read.time('updatedAt'),
    metadata: readMetadata(read.own('metadata')),
    ...(createdBy === undefined ? undefined : { createdBy }),
    ...(revocationReason === undefined ? undefined : { revocationReason }),
    ...read.optionalTimes('lastUsedAt', 'expiresAt', 'notBefore', 'revokedAt', 'rotatedAt'),
    ...readPrevious(read.own('previous')),
  });
}

/** Reads own members of one object, each once; what it complains of it names by its path. */
class FieldReader {
  readonly #object: object;
  readonly #path: string;

  constructor(object: object, path: string) {
    this.#object = object;
    this.#path = path;
  }

  own(name: string): unknown {
    const value = Object.hasOwn(this.#object, name)
      ? (this.#object as Record<string, unknown>)[name]
      : undefined;
    return value ?? undefined;
  }

  required<T>(name: string, problemOf: (value: unknown) => FieldProblem): T {
    return this.#checked<T>(name, this.own(name), problemOf);
  }

  /** One of several texts: ours, and not the copy that a driver makes of it for each record. */
  member<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.required<T>(name, (one) => memberProblem(one, allowed));
    return allowed.find((one) => one === value) ?? value;
  }

  optional(name: string, problemOf: (value: unknown) => FieldProblem): string | undefined {
    const value = this.own(name);
    return value === undefined ? undefined : this.#checked<string>(name, value, problemOf);
  }

  object(name: string): FieldReader {
    const value = this.own(name);
    if (typeof value === 'object' && value !== null) return new FieldReader(value, `${this.#path}${name}.`);
    throw new UnreadableRecordError(this.#path + name, 'must be an object');
  }

  /** A copy of its own, so that whoever holds the store's `Date` cannot move it. */
  time(name: string): Date {
    return this.#copiedTime(name, this.own(name));
  }

  optionalTimes<Name extends string>(...names: readonly Name[]): { [K in Name]?: Date } {
    const times: { [K in Name]?: Date } = {};
    for (const name of names) {
      const value = this.own(name);
      if (value !== undefined) times[name] = this.#copiedTime(name, value);
    }
    return times;
  }

  #copiedTime(name: string, value: unknown): Date {
    const time = timeOf(value);
    if (time === undefined) throw new UnreadableRecordError(this.#path + name, 'must be a valid Date');
    return new Date(time);
  }

  #checked<T>(name: string, value: unknown, problemOf: (value: unknown) => FieldProblem): T {
    const problem = problemOf(value);
    if (problem !== undefined) throw new UnreadableRecordError(this.#path + name, problem);
    return value as T;
  }
}

function readOrganization(read: FieldReader): Organization {
  const id = read.required<string>('id', idProblem);
  const slug = read.optional('slug', (text) => textProblem(text, 255));
  return Object.freeze(slug === undefined ? { id } : { id, slug });
}

function readOwner(read: FieldReader): Owner {
  const type = read.member<Owner['type']>('type', ['organization', 'user', 'service']);
  return Object.freeze({ type, id: read.required<string>('id', idProblem) });
}

function readScopes(value: unknown): readonly string[] {
  if (value === undefined) return Object.freeze([]);
  // Copied before it is checked: whoever owns the array cannot change it in between. One more than is allowed, so
  // that too many are still too many.
  const scopes = Array.isArray(value)
    ? Array.from({ length: Math.min(value.length, MAX_SCOPES + 1) }, (_, index) => ownItem(value, index))
    : value;
  const found = scopesProblem(scopes);
  if (found === undefined) return Object.freeze(scopes as readonly string[]);
  const at = found.index === undefined ? 'scopes' : `scopes[${found.index}]`;
  throw new UnreadableRecordError(at, found.problem);
}

/** A hole would be filled by the prototype. */
function ownItem(items: readonly unknown[], index: number): unknown {
  return Object.hasOwn(items, index) ? items[index] : undefined;
}

/** One for all who have none: an empty object takes 56 bytes. */
const NO_METADATA: Readonly<Record<string, Json>> = Object.freeze({});

function readMetadata(value: unknown): Readonly<Record<string, Json>> {
  if (value === undefined) return NO_METADATA;
  const result = copyMetadata(value);
  if (result.problem !== undefined) throw new UnreadableRecordError('metadata', result.problem);
  return Object.keys(result.copy).length === 0 ? NO_METADATA : result.copy;
}

function readPrevious(value: unknown): { previous?: PreviousKey } {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null)
    throw new UnreadableRecordError('previous', 'must be an object');
  const read = new FieldReader(value, 'previous.');
  const digest = read.required<string>('digest', digestProblem);
  const previous = { digest, expiresAt: read.time('expiresAt'), ...read.optionalTimes('lastUsedAt') };
  return { previous: Object.freeze(previous) };
}

function digestProblem(value: unknown): FieldProblem {
  return isDigest(value) ? undefined : 'must be a digest of a known form';
}

function versionProblem(value: unknown): FieldProblem {
  const isVersion = Number.isSafeInteger(value) && (value as number) >= 1;
  return isVersion ? undefined : 'must be a whole number of at least 1';
}

function present(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => (value ?? undefined) !== undefined));
}

const DECOY_TIME = new Date(Date.UTC(2026, 0, 2, 3, 45, 56, 789));

/**
 * A record of nobody's. It is read where there is none, so that the time of an answer does not tell whether there is
 * one: copying and checking a record is most of what a look-up costs here. So it is like a revoked one in all its
 * members, and as mixed in its characters: its times are of this century, as a number takes the longer to write the longer
 * it is, and its digest is no row of one letter. It has ended, with the lowest version that there is, so that
 * nothing that is noted of it could ever end a key of this id.
 */
export const DECOY_RECORD: KeyRecord = readRecord({
  id: '00000000-5c1f-7b7d-9a4e-3f6c0d2b81e7',
  digest: 'sha256:k3Jx9QpZ0_vLw7RtB2nY-5sHcUeGdMaOiK8fT4XqW1E',
  kind: 'opaque',
  name: 'Decoy',
  environment: 'live',
  start: 'sk_live_0000',
  end: '0000',
  organization: { id: 'organization', slug: 'decoy' },
  owner: { type: 'user', id: 'nobody' },
  scopes: ['decoy:read'],
  enabled: true,
  version: 1,
  createdAt: DECOY_TIME,
  updatedAt: DECOY_TIME,
  revokedAt: DECOY_TIME,
  metadata: {},
});
