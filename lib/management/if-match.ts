import { ApiKeyError, ConflictError } from '../errors.ts';
import type { HttpRequest } from '../http/router.ts';

/** `undefined`: no condition. Otherwise the versions of which the key must have one. */
export type IfMatch = readonly number[] | undefined;

const ENTITY_TAGS = /^(?:W\/)?"[\x21\x23-\x7E]*"(?:[ \t]*,[ \t]*(?:W\/)?"[\x21\x23-\x7E]*")*$/;

/**
 * RFC 9110 section 13.1.1. `*` holds for whatever key there is. Tags that we never gave match nothing, and neither do
 * weak ones: the comparison is the strong one.
 *
 * @throws ApiKeyError `invalid_request`: a condition that cannot be read must not count as none
 */
export function readIfMatch({ headers }: HttpRequest): IfMatch {
  const field = headers['if-match'];
  if (field === undefined || field === '*') return undefined;
  if (!ENTITY_TAGS.test(field)) {
    throw new ApiKeyError('invalid_request', 'If-Match must be an entity tag such as "3".');
  }
  // With the quotes, so that a weak tag is not taken for the number in it.
  return field.split(/[ \t]*,[ \t]*/).flatMap((tag) => {
    const digits = /^"([1-9]\d{0,14})"$/.exec(tag)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
}

/** @throws ConflictError */
export function checkIfMatch(versions: IfMatch, version: number): void {
  if (versions === undefined || versions.includes(version)) return;
  throw new ConflictError('The key has another version than If-Match names; read it again and decide anew.');
}

export function entityTag(version: number): string {
  return `"${version}"`;
}
