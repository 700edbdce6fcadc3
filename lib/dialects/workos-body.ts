import type { Json } from '../keys/metadata.ts';

/** The members of a body; of what is no object, none. */
export function membersOf(body: Json): Readonly<Record<string, Json | undefined>> {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  return isObject ? (body as Readonly<Record<string, Json>>) : {};
}

/** RFC 3339, as the interface's own times are written. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;

/** A time; `null` for none, and `undefined` for what is no time. */
export function readTime(value: Json | undefined): Date | null | undefined {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string' || !DATE_TIME.test(value)) return undefined;
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
