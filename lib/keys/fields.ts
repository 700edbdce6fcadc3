import { grantedScopeProblem } from './scopes.ts';

/**
 * What is wrong with the fields of a key, in words that fit behind the field's name; `undefined` where nothing is.
 * The same rules hold for what a caller gives and for what a store hands back.
 */
export type FieldProblem = string | undefined;

export const MAX_SCOPES = 1_000;

/** Ids of keys, organizations and owners: compared byte for byte in every store, so no letters beyond ASCII. */
export function idProblem(value: unknown): FieldProblem {
  const isId = typeof value === 'string' && /^[\x21-\x7E]{1,255}$/.test(value);
  return isId ? undefined : 'must be 1 to 255 visible ASCII characters';
}

/** A text for people: any characters but NUL, which PostgreSQL cannot hold, and halves of surrogate pairs. */
export function textProblem(value: unknown, longest: number): FieldProblem {
  // No character has more than two units: a text of megabytes is not taken apart to count them.
  const mayFit = typeof value === 'string' && value.length > 0 && value.length <= 2 * longest;
  if (!mayFit || [...value].length > longest) return `must be a text of 1 to ${longest} characters`;
  return /[\0\p{Surrogate}]/u.test(value) ? 'must be well-formed Unicode without NUL' : undefined;
}

export function nameProblem(value: unknown): FieldProblem {
  return textProblem(value, 100);
}

export function memberProblem(value: unknown, allowed: readonly string[]): FieldProblem {
  const isMember = typeof value === 'string' && allowed.includes(value);
  return isMember ? undefined : `must be ${allowed.map((one) => `"${one}"`).join(' or ')}`;
}

export function booleanProblem(value: unknown): FieldProblem {
  return typeof value === 'boolean' ? undefined : 'must be true or false';
}

/** @returns milliseconds since 1970, or `undefined` unless it is a valid `Date`, of whatever realm */
export function timeOf(value: unknown): number | undefined {
  try {
    const time = Date.prototype.getTime.call(value);
    return Number.isNaN(time) ? undefined : time;
  } catch {
    return undefined;
  }
}

export function scopesProblem(value: unknown): { index?: number; problem: string } | undefined {
  if (!Array.isArray(value)) return { problem: 'must be an array of scopes' };
  if (value.length > MAX_SCOPES) return { problem: `must be at most ${MAX_SCOPES} scopes` };
  for (let index = 0; index < value.length; index += 1) {
    const problem = grantedScopeProblem(value[index]);
    if (problem !== undefined) return { index, problem };
  }
  return undefined;
}

/** What is shown of a key: its start and its end. */
export function shownProblem(value: unknown): FieldProblem {
  const isShown = typeof value === 'string' && /^[\x21-\x7E]{0,64}$/.test(value);
  return isShown ? undefined : 'must be at most 64 visible ASCII characters';
}
