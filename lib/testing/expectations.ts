import { AssertionError } from 'node:assert';
import { timeOf } from '../keys/fields.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { KeyStore, ListQuery } from '../stores/key-store.ts';

/** A record with members left open, which may be `undefined`. */
type Members = { readonly id: string; readonly [member: string]: unknown };

const SHOWN_LINES = 10;
const MOST_PAGES = 1_000;

/**
 * Compares by what is kept: own members in any order, times by their milliseconds, an `undefined` member like one that is
 * not there. `node:assert` would compare prototypes as well, and a test runner with a sandbox has two of each.
 */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [found, wanted] = [linesOf(actual), linesOf(expected)];
  if (found.join('\n') === wanted.join('\n')) return;
  const missing = wanted.filter((line) => !found.includes(line)).map((line) => `- ${line}`);
  const surplus = found.filter((line) => !wanted.includes(line)).map((line) => `+ ${line}`);
  const differences = [...missing.slice(0, SHOWN_LINES), ...surplus.slice(0, SHOWN_LINES)];
  throw wrong([`${what} (- expected, + found)`, ...differences].join('\n'), actual, expected);
}

export function expectNothing(what: string, actual: unknown): void {
  if (actual === undefined || actual === null) return;
  throw wrong(`${what}: nothing was expected\n${linesOf(actual).join('\n')}`, actual, undefined);
}

/** A record of the store, which has to be as it is expected. */
export async function expectStored(store: KeyStore, expected: KeyRecord | Members): Promise<void> {
  expectSame('findById()', await store.findById(expected.id), expected);
}

/** Whether by a throw or a rejection. */
export async function expectFault(what: string, call: () => unknown): Promise<void> {
  const { thrown } = await outcomeOf(call);
  if (thrown === undefined) throw wrong(`${what}: an error was expected`, undefined, Error);
}

export async function expectDuplicate(
  what: string,
  call: () => unknown,
  fields: readonly ('id' | 'digest')[],
): Promise<void> {
  const { thrown } = await outcomeOf(call);
  if (isDuplicate(thrown, fields)) return;
  const found = thrown === undefined ? 'nothing was thrown' : `what was thrown is: ${describeThrown(thrown)}`;
  throw wrong(
    `${what}: DuplicateKeyError('${fields.join("' or '")}') was expected; ${found}`,
    thrown,
    fields,
  );
}

/** By its code, as a store may have loaded another copy of this package. */
export function isDuplicate(thrown: unknown, fields: readonly string[]): boolean {
  const { code, field } = (thrown ?? {}) as { code?: unknown; field?: unknown };
  return code === 'duplicate_key' && fields.includes(String(field));
}

/** How a call ended, also one that throws at once. */
export async function outcomeOf<T>(
  call: () => T,
): Promise<{ readonly value: Awaited<T>; readonly thrown?: undefined } | { readonly thrown: unknown }> {
  try {
    return { value: await call() };
  } catch (thrown) {
    return { thrown: thrown ?? new Error('undefined was thrown') };
  }
}

/** Everything that `list` gives, page after page. */
export async function listAll(
  store: KeyStore,
  query: Partial<ListQuery> = {},
  afterPage: (page: number) => Promise<void> = async () => undefined,
): Promise<KeyRecord[]> {
  const records: KeyRecord[] = [];
  let cursor: string | undefined;
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const from = cursor === undefined ? {} : { cursor };
    const answer = await store.list({ limit: 100, order: 'oldest', ...query, ...from });
    records.push(...answer.records);
    cursor = answer.nextCursor;
    if (cursor === undefined) return records;
    await afterPage(page);
  }
  throw wrong(`list() came to no end within ${MOST_PAGES} pages`, records.length, undefined);
}

function wrong(message: string, actual: unknown, expected: unknown): AssertionError {
  return new AssertionError({ message, actual, expected });
}

function describeThrown(thrown: unknown): string {
  const { code, field } = thrown as { code?: unknown; field?: unknown };
  return `${String(thrown)} (code: ${String(code)}, field: ${String(field)})`;
}

/** One line for each value, with the path to it: the same for whatever is the same. */
function linesOf(value: unknown, path = ''): string[] {
  if (value === undefined) return path === '' ? ['nothing'] : [];
  if (typeof value !== 'object' || value === null) return [line(path, scalarText(value))];
  const kind = Object.prototype.toString.call(value);
  if (kind === '[object Date]') return [line(path, dateText(value))];
  if (kind === '[object Error]') return [line(path, String(value))];
  const lines = Array.isArray(value) ? itemLines(value, path) : memberLines(value, path);
  return lines.length === 0 ? [line(path, Array.isArray(value) ? '[]' : '{}')] : lines;
}

function line(path: string, text: string): string {
  return path === '' ? text : `${path} = ${text}`;
}

function itemLines(items: readonly unknown[], path: string): string[] {
  return items.flatMap((item, index) => linesOf(item ?? null, `${path}[${index}]`));
}

function memberLines(object: object, path: string): string[] {
  const members = Object.entries(object).sort(([one], [other]) => (one < other ? -1 : 1));
  return members.flatMap(([name, value]) => linesOf(value, memberPath(path, name)));
}

function memberPath(path: string, name: string): string {
  if (!/^\w+$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === '' ? name : `${path}.${name}`;
}

function dateText(date: object): string {
  const time = timeOf(date);
  return time === undefined ? 'a Date that is no time' : `${new Date(time).toISOString()} (Date)`;
}

function scalarText(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : `${String(value)} (${typeof value})`;
}
