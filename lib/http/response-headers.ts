import type { ServerResponse } from 'node:http';

/** Adds field names to Vary, beside what another middleware has put there. */
export function addVary(res: ServerResponse, fields: readonly string[], joined: string): void {
  const current = res.getHeader('vary');
  if (current === undefined) {
    res.setHeader('Vary', joined);
    return;
  }
  const present = String(current)
    .toLowerCase()
    .split(',')
    .map((field) => field.trim());
  if (present.includes('*')) return;
  const missing = fields.filter((field) => !present.includes(field.toLowerCase()));
  if (missing.length > 0) res.setHeader('Vary', [current, ...missing].join(', '));
}

/**
 * Keeps an authenticated answer out of shared caches. RFC 9111 section 3.5 does so only for requests with
 * Authorization: one with X-API-Key looks public. A stricter wish that stands there already is left alone.
 */
export function keepPrivate(res: ServerResponse): void {
  const current = res.getHeader('cache-control');
  if (current !== undefined && /\b(?:no-store|private)\b/i.test(String(current))) return;
  res.setHeader('Cache-Control', 'private');
}

/** For a 503. Spread over a few seconds, so that those who were turned away do not come back at one moment. */
export function retryAfterSeconds(): string {
  return String(1 + Math.floor(Math.random() * 3));
}
