/** RFC 3339 section 5.6, in upper case; the fraction is read to the millisecond. */
const DATE_TIME =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/**
 * A time as JSON writes it, `2026-03-01T10:00:00Z`; `undefined` for any other text, also for the 30th of February,
 * which `Date` would make the 2nd of March.
 */
export function readDateTime(text: string): Date | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as Clock;
  const [fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] = match.slice(7);
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, day);
  local.setUTCHours(hour, minute, second, Number(fraction.padEnd(3, '0').slice(0, 3)));
  // A day that the month does not have lies in another month.
  const isReal =
    local.getUTCMonth() === month - 1 &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59 &&
    Number(offsetHours) <= 23 &&
    Number(offsetMinutes) <= 59;
  if (!isReal) return undefined;
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000;
  return new Date(local.getTime() + (sign === '-' ? offsetMs : -offsetMs));
}

type Clock = [year: number, month: number, day: number, hour: number, minute: number, second: number];
