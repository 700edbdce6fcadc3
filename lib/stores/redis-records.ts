import { type KeyRecord, readRecord, UnreadableRecordError } from '../keys/key-record.ts';

/**
 * A record as one text:
 *
 *   text   = "1" version revoked used used json   ; "1" is the form
 *   version = 16DIGIT
 *   revoked = "0" / "1"
 *   used   = 17DIGIT / "-" 16DIGIT                 ; milliseconds since 1970
 *          / 17" "                                 ; never
 *          / 17"."                                 ; there is no previous key
 *
 * The first `used` is of the key, the second of the one before it. What changes without a new version has a fixed
 * place before the JSON, so that Redis overwrites 17 bytes and not the record. Scripts know these places.
 */
const FORM = '1';
export const HEAD_LENGTH = 52;
const NEVER = ' '.repeat(17);
const NO_KEY = '.'.repeat(17);

const TIMES = ['createdAt', 'updatedAt', 'expiresAt', 'notBefore', 'revokedAt', 'rotatedAt'] as const;

export function textOfRecord(record: KeyRecord): string {
  const { version, lastUsedAt, previous, ...rest } = record;
  const times = Object.fromEntries(
    TIMES.filter((name) => record[name] !== undefined).map((name) => [name, timeOf(record[name])]),
  );
  const body = {
    ...rest,
    ...times,
    ...(previous && { previous: { digest: previous.digest, expiresAt: timeOf(previous.expiresAt) } }),
  };
  return [
    FORM,
    versionText(version),
    record.revokedAt === undefined ? '0' : '1',
    lastUsedAt === undefined ? NEVER : timeText(lastUsedAt),
    previous === undefined
      ? NO_KEY
      : previous.lastUsedAt === undefined
        ? NEVER
        : timeText(previous.lastUsedAt),
    JSON.stringify(body),
  ].join('');
}

/**
 * @param id - of the record, where it was asked for by its id
 * @throws Error that names the field, and never its value, where the text is not of this form
 */
export function recordOfText(text: string, id?: string): KeyRecord {
  const head = /^1(\d{16})[01]([-\d]\d{16}| {17})([-\d]\d{16}| {17}|\.{17})\{/.exec(text);
  if (head === null) throw unreadable('it has another form');
  const [, version, used = NEVER, previousUsed = NO_KEY] = head;
  const body = parse(text.slice(HEAD_LENGTH));
  try {
    reviveTimes(body, TIMES);
    revivePrevious(body, previousUsed);
    if (used !== NEVER) body['lastUsedAt'] = new Date(Number(used));
    body['version'] = Number(version);
    const record = readRecord(body);
    if (id === undefined || record.id === id) return record;
  } catch (error) {
    throw unreadable(error instanceof UnreadableRecordError ? error.message : 'it cannot be read');
  }
  throw unreadable('it has another id');
}

export function versionText(version: number): string {
  return String(version).padStart(16, '0');
}

/** 17 characters for any time that a `Date` can hold. */
export function timeText(at: Date): string {
  const time = timeOf(at);
  return time < 0 ? `-${String(-time).padStart(16, '0')}` : String(time).padStart(17, '0');
}

/** A time that is none would become `null` in JSON, and be read as one that never comes. */
function timeOf(at: Date | undefined): number {
  const time = at?.getTime();
  if (Number.isInteger(time)) return time as number;
  throw new TypeError('RedisKeyStore: a time in the record is not a valid Date');
}

function parse(json: string): Record<string, unknown> {
  try {
    return JSON.parse(json);
  } catch {
    // The parser's own message quotes the text.
    throw unreadable('it holds no JSON');
  }
}

/** What is no number stays as it is, and is refused with the field's name. */
function reviveTimes(members: Record<string, unknown>, names: readonly string[]): void {
  for (const name of names) {
    const value = members[name];
    if (typeof value === 'number') members[name] = new Date(value);
  }
}

/** Both halves, or neither: an old key that is not known of would no longer be refused. */
function revivePrevious(body: Record<string, unknown>, used: string): void {
  const previous = body['previous'];
  if (used === NO_KEY && previous === undefined) return;
  if (used === NO_KEY || typeof previous !== 'object' || previous === null)
    throw new UnreadableRecordError('previous', 'must be there, or be absent');
  const members = previous as Record<string, unknown>;
  reviveTimes(members, ['expiresAt']);
  if (used !== NEVER) members['lastUsedAt'] = new Date(Number(used));
}

function unreadable(problem: string): Error {
  return new Error(`RedisKeyStore: a record cannot be read: ${problem}`);
}
