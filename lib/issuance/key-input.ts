import { InvalidInputError } from '../errors.ts';
import type { Environment, KeyKind, Organization, Owner } from '../keys/api-key.ts';
import {
  booleanProblem,
  type FieldProblem,
  idProblem,
  memberProblem,
  nameProblem,
  scopesProblem,
  textProblem,
  timeOf,
} from '../keys/fields.ts';
import type { KeyFilter } from '../keys/key-filter.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import { copyMetadata, type Json, pointerStep } from '../keys/metadata.ts';
import { describe, nearestName } from '../options.ts';
import type { ListQuery } from '../stores/key-store.ts';

/** What a new key is made of: whose it is, what it may do, and when it ends. */
export interface CreateInput {
  /** For people: 1 to 100 characters. */
  readonly name: string;
  readonly organization: Organization;
  /** @default the organization itself */
  readonly owner?: Owner | undefined;
  /** Duplicates are dropped. At most 1,000 of at most 128 characters. @default [] */
  readonly scopes?: readonly string[] | undefined;
  /** May differ from this instance's: then `verify()` here refuses the key. @default that of `createApiKeys` */
  readonly environment?: Environment | undefined;
  /** In the future, and after `notBefore`. @default never */
  readonly expiresAt?: Date | undefined;
  readonly notBefore?: Date | undefined;
  /** At most 10,000 bytes as JSON. @default {} */
  readonly metadata?: Readonly<Record<string, Json>> | undefined;
  readonly createdBy?: string | undefined;
  /** @default 'opaque' */
  readonly kind?: KeyKind | undefined;
}

/** Members that are present are replaced whole; `null` clears. The rest of a key never changes. */
export interface UpdateInput {
  readonly name?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly metadata?: Readonly<Record<string, Json>> | undefined;
  readonly expiresAt?: Date | null | undefined;
  readonly notBefore?: Date | null | undefined;
}

export const CREATE_MEMBERS = [
  'name',
  'organization',
  'owner',
  'scopes',
  'environment',
  'expiresAt',
  'notBefore',
  'metadata',
  'createdBy',
  'kind',
] as const;
const UPDATE_MEMBERS = ['name', 'scopes', 'metadata', 'expiresAt', 'notBefore'] as const;
const FILTER_MEMBERS = [
  'organizationId',
  'ownerId',
  'ownerType',
  'enabled',
  'revoked',
  'expiringWithinMs',
  'unusedForMs',
  'order',
  'limit',
  'cursor',
] as const;

const IN_THE_FUTURE = 'must be in the future';

/** The input of `create()` with everything decided; times are milliseconds. */
export interface NewKey {
  readonly name: string;
  readonly organization: Organization;
  readonly owner: Owner;
  readonly scopes: readonly string[];
  readonly environment: Environment | undefined;
  readonly expiresAt: number | undefined;
  readonly notBefore: number | undefined;
  readonly metadata: Readonly<Record<string, Json>>;
  readonly createdBy: string | undefined;
  readonly kind: KeyKind;
}

/** @throws InvalidInputError with a pointer to the member that is wrong */
export function readCreateInput(input: unknown, now: number): NewKey {
  const given = membersOf(input, CREATE_MEMBERS, '');
  const members = readMembers(given);
  if (members.expiresAt !== undefined && members.expiresAt <= now)
    throw new InvalidInputError('/expiresAt', IN_THE_FUTURE);
  return {
    ...members,
    kind:
      optionalMember(given['kind'], '/kind', (kind) => memberProblem(kind, ['opaque', 'pair', 'jwt'])) ??
      'opaque',
  };
}

/** What a new key and an imported one have alike. */
export function readMembers(given: Readonly<Record<string, unknown>>): Omit<NewKey, 'kind'> {
  const organization = readOrganization(given['organization']);
  const notBefore = readTime(given['notBefore'], '/notBefore');
  const expiresAt = readTime(given['expiresAt'], '/expiresAt');
  checkOrder(expiresAt, notBefore, '/expiresAt', 'must be after notBefore');
  return {
    name: checkMember(given['name'], '/name', nameProblem),
    organization,
    owner:
      given['owner'] === undefined
        ? { type: 'organization', id: organization.id }
        : readOwner(given['owner']),
    scopes: given['scopes'] === undefined ? [] : readScopes(given['scopes']),
    environment: optionalMember(given['environment'], '/environment', (one) =>
      memberProblem(one, ['live', 'test']),
    ),
    expiresAt,
    notBefore,
    metadata: readMetadata(given['metadata'] === undefined ? {} : given['metadata']),
    createdBy: optionalMember(given['createdBy'], '/createdBy', (text) => textProblem(text, 255)),
  };
}

/** The input of `update()`; `null` is "clear", `undefined` is "leave". */
export interface Changes {
  readonly name?: string;
  readonly scopes?: readonly string[];
  readonly metadata?: Readonly<Record<string, Json>>;
  readonly expiresAt?: number | null;
  readonly notBefore?: number | null;
}

/** @throws InvalidInputError with a pointer to the member that is wrong */
export function readUpdateInput(input: unknown): Changes {
  const given = membersOf(input, UPDATE_MEMBERS, '');
  const changes: { -readonly [Name in keyof Changes]: Changes[Name] } = {};
  if (given['name'] !== undefined) changes.name = checkMember(given['name'], '/name', nameProblem);
  if (given['scopes'] !== undefined) changes.scopes = readScopes(given['scopes']);
  if (given['metadata'] !== undefined) changes.metadata = readMetadata(given['metadata']);
  for (const name of ['expiresAt', 'notBefore'] as const) {
    const value = given[name];
    if (value === null) changes[name] = null;
    else if (value !== undefined) changes[name] = readTime(value, `/${name}`) as number;
  }
  return changes;
}

/**
 * Checks the ends of a changed key: a new end like that of a new key, and an old one at least against a new beginning.
 *
 * @throws InvalidInputError
 */
export function checkChangedEnd(changes: Changes, record: KeyRecord, now: number): void {
  const notBefore =
    changes.notBefore === undefined ? record.notBefore?.getTime() : (changes.notBefore ?? undefined);
  if (typeof changes.expiresAt === 'number') {
    if (changes.expiresAt <= now) throw new InvalidInputError('/expiresAt', IN_THE_FUTURE);
    checkOrder(changes.expiresAt, notBefore, '/expiresAt', 'must be after notBefore');
  } else if (changes.expiresAt === undefined && changes.notBefore !== undefined) {
    checkOrder(record.expiresAt?.getTime(), notBefore, '/notBefore', 'must be before expiresAt');
  }
}

function checkOrder(end: number | undefined, start: number | undefined, at: string, problem: string): void {
  if (end !== undefined && start !== undefined && end <= start) throw new InvalidInputError(at, problem);
}

/** @throws InvalidInputError with a pointer to the condition that is wrong */
export function readKeyFilter(input: unknown): KeyFilter & Pick<ListQuery, 'limit' | 'order'> {
  const given = membersOf(input, FILTER_MEMBERS, '');
  const wholeProblem = (min: number, max: number) => (value: unknown) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? undefined
      : `must be a whole number from ${min} to ${max}`;
  const rules: Record<(typeof FILTER_MEMBERS)[number], (value: unknown) => FieldProblem> = {
    organizationId: idProblem,
    ownerId: idProblem,
    ownerType: (one) => memberProblem(one, ['organization', 'user', 'service']),
    enabled: booleanProblem,
    revoked: booleanProblem,
    expiringWithinMs: wholeProblem(0, 1e13),
    unusedForMs: wholeProblem(0, 1e13),
    order: (one) => memberProblem(one, ['newest', 'oldest']),
    limit: wholeProblem(1, 500),
    cursor: idProblem,
  };
  const filter: { -readonly [Name in keyof KeyFilter]: unknown } = {};
  for (const name of FILTER_MEMBERS) {
    if (given[name] !== undefined) filter[name] = checkMember(given[name], `/${name}`, rules[name]);
  }
  const { limit = 50, order = 'newest', ...conditions } = filter as KeyFilter;
  return { ...conditions, limit, order };
}

/** The members of an object, of which none may be unknown. */
export function membersOf(input: unknown, known: readonly string[], at: string): Record<string, unknown> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new InvalidInputError(at, `must be an object, but got ${describe(input)}`);
  }
  for (const name of Object.keys(input)) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    const hint = nearest === undefined ? `known: ${known.join(', ')}` : `did you mean "${nearest}"?`;
    throw new InvalidInputError(`${at}/${pointerStep(name)}`, `is not known; ${hint}`);
  }
  // Without a prototype, so that nothing of one is taken for a member.
  return Object.assign(Object.create(null), input);
}

function readOrganization(value: unknown): Organization {
  const given = membersOf(value, ['id', 'slug'], '/organization');
  const id = checkMember<string>(given['id'], '/organization/id', idProblem);
  const slug = optionalMember<string>(given['slug'], '/organization/slug', (text) => textProblem(text, 255));
  return slug === undefined ? { id } : { id, slug };
}

export function readOwner(value: unknown): Owner {
  const given = membersOf(value, ['type', 'id'], '/owner');
  return {
    type: checkMember(given['type'], '/owner/type', (one) =>
      memberProblem(one, ['organization', 'user', 'service']),
    ),
    id: checkMember(given['id'], '/owner/id', idProblem),
  };
}

function readScopes(value: unknown): readonly string[] {
  const found = scopesProblem(value);
  if (found === undefined) return [...new Set(value as readonly string[])];
  throw new InvalidInputError(
    found.index === undefined ? '/scopes' : `/scopes/${found.index}`,
    found.problem,
  );
}

function readMetadata(value: unknown): Readonly<Record<string, Json>> {
  const result = copyMetadata(value);
  if (result.problem !== undefined) throw new InvalidInputError(`/metadata${result.pointer}`, result.problem);
  return result.copy;
}

export function readTime(value: unknown, at: string): number | undefined {
  if (value === undefined) return undefined;
  const time = timeOf(value);
  if (time === undefined) throw new InvalidInputError(at, `must be a valid Date, but got ${describe(value)}`);
  return time;
}

export function checkMember<T>(value: unknown, at: string, problemOf: (value: unknown) => FieldProblem): T {
  const problem = problemOf(value);
  if (problem !== undefined) throw new InvalidInputError(at, problem);
  return value as T;
}

export function optionalMember<T>(
  value: unknown,
  at: string,
  problemOf: (value: unknown) => FieldProblem,
): T | undefined {
  return value === undefined ? undefined : checkMember<T>(value, at, problemOf);
}
