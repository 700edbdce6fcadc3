import type { Clock } from '../clock.ts';
import { ConflictError, InvalidInputError, KeyNotFoundError, StoreUnavailableError } from '../errors.ts';
import type { Owner } from '../keys/api-key.ts';
import { idProblem } from '../keys/fields.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { ListQuery } from '../stores/key-store.ts';
import { checkMember, membersOf, readOwner } from './key-input.ts';
import type { ManagedRecords } from './managed-records.ts';

/** Whose keys to revoke: all of an organization, or all of one owner, in whatever organization. */
export type RevokeAllFilter = { readonly organizationId: string } | { readonly owner: Owner };

/** What work on many keys needs; each key goes the way that it goes alone. */
export interface Housekeeping {
  readonly records: ManagedRecords;
  readonly clock: Clock;
  revoke(id: string, reason: string | undefined): Promise<void>;
  /** Erases a record if, as it then is, it may be. */
  erase(id: string, mayErase: (record: KeyRecord) => boolean): Promise<boolean>;
}

interface Selection {
  readonly query: Partial<ListQuery>;
  /** Asked of every record that comes: a store may answer with more than was asked for. */
  includes(record: KeyRecord): boolean;
}

const PAGE = 500;
const DAY_MS = 86_400_000;
const LONGEST_MS = 1e13;

/**
 * Goes through the keys again until there is none left: one may have come meanwhile, under an id that sorts before.
 *
 * @throws ConflictError, StoreUnavailableError that say how many were revoked
 */
export async function revokeAllKeys(
  which: RevokeAllFilter,
  reason: string | undefined,
  { records, revoke }: Housekeeping,
): Promise<{ revoked: number }> {
  const selection = readWhich(which);
  let revoked = 0;
  for (let isDone = false; !isDone; ) {
    let contended = 0;
    const before = revoked;
    await withTally(
      'revokeAll',
      () => `${revoked} revoked`,
      async () => {
        for await (const { id } of selected(records, selection)) {
          const outcome = await outcomeOf(() => revoke(id, reason));
          if (outcome === 'done') revoked += 1;
          if (outcome === 'contended') contended += 1;
        }
      },
    );
    isDone = revoked === before;
    if (isDone && contended > 0) {
      const others = `${contended} not, as others kept changing them`;
      throw new ConflictError(`revokeAll: ${revoked} revoked, ${others}; call it again.`);
    }
  }
  return { revoked };
}

/** @throws StoreUnavailableError that says how many were deleted */
export async function pruneKeys(
  options: { revokedBeforeMs?: number | undefined },
  { records, clock, erase }: Housekeeping,
): Promise<{ deleted: number }> {
  const { revokedBeforeMs = 30 * DAY_MS } = membersOf(options, ['revokedBeforeMs'], '') as typeof options;
  if (!Number.isInteger(revokedBeforeMs) || revokedBeforeMs < 0 || revokedBeforeMs > LONGEST_MS) {
    throw new InvalidInputError('/revokedBeforeMs', `must be a whole number from 0 to ${LONGEST_MS}`);
  }
  const latest = clock.now() - revokedBeforeMs;
  const includes = ({ revokedAt }: KeyRecord) => revokedAt !== undefined && revokedAt.getTime() <= latest;
  let deleted = 0;
  await withTally(
    'prune',
    () => `${deleted} deleted`,
    async () => {
      for await (const { id } of selected(records, { query: { revoked: true }, includes })) {
        if (await erase(id, includes)) deleted += 1;
      }
    },
  );
  return { deleted };
}

function readWhich(which: RevokeAllFilter): Selection {
  const given = membersOf(which, ['organizationId', 'owner'], '');
  const { organizationId, owner } = given;
  if ((organizationId === undefined) === (owner === undefined)) {
    throw new InvalidInputError('', 'must have organizationId or owner, and not both');
  }
  if (owner !== undefined) {
    const { type, id } = readOwner(owner);
    return { query: { revoked: false, ownerType: type, ownerId: id }, includes: isUnrevoked };
  }
  const id = checkMember<string>(organizationId, '/organizationId', idProblem);
  return { query: { revoked: false, organizationId: id }, includes: isUnrevoked };
}

function isUnrevoked({ revokedAt }: KeyRecord): boolean {
  return revokedAt === undefined;
}

async function* selected(records: ManagedRecords, { query, includes }: Selection): AsyncGenerator<KeyRecord> {
  let cursor: string | undefined;
  do {
    const page = await records.list({
      ...query,
      limit: PAGE,
      order: 'oldest',
      ...(cursor === undefined ? undefined : { cursor }),
    });
    if (page.nextCursor !== undefined && page.nextCursor <= (cursor ?? '')) {
      throw new StoreUnavailableError('list() answered with a cursor that leads back.');
    }
    yield* page.records.filter(includes);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

/** A key that is gone needs no revocation; one that others keep changing must not hold up the rest. */
async function outcomeOf(revoke: () => Promise<void>): Promise<'done' | 'gone' | 'contended'> {
  try {
    await revoke();
    return 'done';
  } catch (error) {
    if (error instanceof KeyNotFoundError) return 'gone';
    if (error instanceof ConflictError) return 'contended';
    throw error;
  }
}

/** What is done stays done when the store fails in between, so the error says how much that is. */
async function withTally(call: string, tally: () => string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    throw new StoreUnavailableError(
      `${call}: ${tally()}, then the store failed (${error.message}) Call it again to go on.`,
      { cause: error.cause },
    );
  }
}
