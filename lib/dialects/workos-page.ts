import type { ApiKeys } from '../api-keys.ts';
import type { DialectAnswer } from '../http/dialect.ts';
import type { ApiKey } from '../keys/api-key.ts';
import { idProblem } from '../keys/fields.ts';
import type { KeyFilter } from '../keys/key-filter.ts';
import { unprocessable } from './workos-errors.ts';
import { findShown, idsShownAs, shownId, shownKey } from './workos-key.ts';

/**
 * How each order shows a list, and what its two cursors ask for. `normal` is `desc` with the cursors the other way
 * round: there `before` asks for older keys.
 */
const ORDERS = {
  desc: { shows: 'newest', after: 'older', before: 'newer' },
  asc: { shows: 'oldest', after: 'newer', before: 'older' },
  normal: { shows: 'newest', after: 'newer', before: 'older' },
} as const;

type Order = (typeof ORDERS)[keyof typeof ORDERS];

interface Page {
  readonly order: Order;
  readonly limit: number;
  /** Where the page begins, and on which side of it the page lies. */
  readonly from: { readonly id: string; readonly side: 'older' | 'newer' } | undefined;
}

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;

/** One page of the keys that fit the filter, without those that were deleted. */
export async function listKeys(
  apiKeys: ApiKeys,
  filter: KeyFilter,
  query: URLSearchParams,
): Promise<DialectAnswer> {
  const page = readPage(query);
  if (typeof page === 'string') return unprocessable({ code: 'invalid', field: page });
  const { order, limit, from } = page;
  const side = from?.side ?? (order.shows === 'newest' ? 'older' : 'newer');
  // Read from the cursor outwards, whatever the order in which it is shown.
  const reads = side === 'older' ? 'newest' : 'oldest';
  const cursor = from && (await cursorOf(apiKeys, from.id, filter));
  const { apiKeys: read, nextCursor } = await apiKeys.list({
    ...filter,
    revoked: false,
    order: reads,
    limit,
    cursor,
  });
  const rows = reads === order.shows ? read : [...read].reverse();
  const [newest, oldest] = order.shows === 'newest' ? [rows[0], rows.at(-1)] : [rows.at(-1), rows[0]];
  const [isBehind, isAhead] = [nextCursor !== undefined, from !== undefined];
  const cursors = {
    older: idIf(side === 'older' ? isBehind : isAhead, oldest),
    newer: idIf(side === 'newer' ? isBehind : isAhead, newest),
  };
  return {
    status: 200,
    body: {
      object: 'list',
      data: rows.map((apiKey) => shownKey(apiKey)),
      list_metadata: { before: cursors[order.before], after: cursors[order.after] },
    },
  };
}

function idIf(isThere: boolean, apiKey: ApiKey | undefined): string | null {
  return isThere && apiKey !== undefined ? shownId(apiKey.id) : null;
}

/**
 * Our id of a cursor, also where that key is gone: only its place in the order counts. One of another organization is
 * as good as gone, or its cursor would tell that there is such a key.
 */
async function cursorOf(
  apiKeys: ApiKeys,
  shown: string,
  { organizationId }: Pick<KeyFilter, 'organizationId'>,
): Promise<string> {
  const isThere = ({ organization }: ApiKey) =>
    organizationId === undefined || organization.id === organizationId;
  const found = await findShown(apiKeys, shown, isThere);
  return found?.id ?? (idsShownAs(shown)[0] as string);
}

/** @returns the name of the parameter that is wrong, where one is */
function readPage(query: URLSearchParams): Page | string {
  const name = query.get('order') || 'desc';
  if (!isOrder(name)) return 'order';
  const order = ORDERS[name];
  const limit = query.get('limit') || String(DEFAULT_LIMIT);
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > MAX_LIMIT) return 'limit';
  const [after, before] = [query.get('after') || undefined, query.get('before') || undefined];
  if (after !== undefined && (before !== undefined || !isId(after))) return 'after';
  if (before !== undefined && !isId(before)) return 'before';
  const from = cursorIn(order.after, after) ?? cursorIn(order.before, before);
  return { order, limit: Number(limit), from };
}

function cursorIn(side: 'older' | 'newer', id: string | undefined): Page['from'] {
  return id === undefined ? undefined : { id, side };
}

function isOrder(name: string): name is keyof typeof ORDERS {
  return Object.hasOwn(ORDERS, name);
}

function isId(shown: string): boolean {
  return idProblem(shown) === undefined && idsShownAs(shown).length > 0;
}
