import { type ApiKeyError, type ErrorCode, statusOf } from '../errors.ts';
import type { Json } from '../keys/metadata.ts';

/** Status phrases: what RFC 9457 section 4.2.1 wants as the title where the type is `about:blank`. */
const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** One fixed text for each code: nothing of a request, a key or a fault gets into an answer. */
const DETAILS: Readonly<Record<ErrorCode, string>> = {
  missing_credentials: 'This resource needs an API key.',
  invalid_request: 'The request is not well-formed.',
  invalid_token: 'The API key is not valid.',
  insufficient_scope: 'The API key lacks a scope that this resource needs.',
  forbidden: 'The API key may not be used for this resource.',
  tls_required: 'API keys are accepted over HTTPS only.',
  not_found: 'There is no such key.',
  conflict: 'The key is not in a state that allows this.',
  duplicate_key: 'There is such a key already.',
  method_not_allowed: 'The resource does not have this method.',
  payload_too_large: 'The body is too large.',
  unsupported_media_type: 'The body must be JSON.',
  rate_limited: 'Too many wrong secrets; try again later.',
  temporarily_unavailable: 'API keys cannot be checked at the moment; try again soon.',
  server_error: 'Something went wrong.',
};

/** The phrase of a code's status. */
export function titleOf(code: ErrorCode): string {
  return TITLES[statusOf(code)] as string;
}

export function detailOf(code: ErrorCode): string {
  return DETAILS[code];
}

/** What is wrong with one member of an input. */
export interface InputProblem {
  /** JSON pointer (RFC 6901). */
  readonly pointer: string;
  readonly detail: string;
}

/** Of a broken request, what is wrong with it: those texts are fixed too, and there are several for a code. */
const OWN_WORDS: readonly ErrorCode[] = ['invalid_request', 'payload_too_large', 'unsupported_media_type'];

/** What an answer may say of an error. */
export function wordsOf({ code, message }: ApiKeyError): string {
  return OWN_WORDS.includes(code) ? message : DETAILS[code];
}

/** Of each code, once it was asked for: a flood of bad keys is to cost little. */
const BODIES = new Map<ErrorCode, string>();

/** RFC 9457 `application/problem+json`. */
export function problemBody(code: ErrorCode, detail?: string): string {
  if (detail !== undefined) return JSON.stringify(problemOf(code, detail));
  const known = BODIES.get(code) ?? JSON.stringify(problemOf(code));
  BODIES.set(code, known);
  return known;
}

/** As {@link problemBody}, not yet a text. `errors` is an extension member, as the example of section 3 has it. */
export function problemOf(
  code: ErrorCode,
  detail: string = DETAILS[code],
  errors?: readonly InputProblem[],
): { readonly [name: string]: Json } {
  const problem = { type: 'about:blank', title: titleOf(code), status: statusOf(code), detail, code };
  return errors === undefined ? problem : { ...problem, errors: errors.map((one) => ({ ...one })) };
}
