/**
 * What went wrong, in words that a program can compare. Stable within a major version; the messages are not.
 * docs/errors.md has an entry for each.
 */
export type ErrorCode =
  | 'missing_credentials'
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'forbidden'
  | 'tls_required'
  | 'not_found'
  | 'conflict'
  | 'duplicate_key'
  | 'method_not_allowed'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'temporarily_unavailable'
  | 'server_error';

const STATUS: Readonly<Record<ErrorCode, number>> = {
  missing_credentials: 401,
  invalid_request: 400,
  invalid_token: 401,
  insufficient_scope: 403,
  forbidden: 403,
  tls_required: 403,
  not_found: 404,
  conflict: 409,
  duplicate_key: 409,
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  temporarily_unavailable: 503,
  server_error: 500,
};

/** What an error carries beside its code and message. */
export interface ApiKeyErrorOptions {
  /** Header fields that belong to the answer, such as `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * An error with an HTTP answer: `status` and `headers` are what Express's own error handler sends.
 * Holds no key, digest or pepper, in its message as little as in its properties.
 */
export class ApiKeyError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, options: ApiKeyErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.status = STATUS[code];
    this.headers = Object.freeze({ ...options.headers });
  }
}

/** Input of a management call that cannot be taken; nothing was written. */
export class InvalidInputError extends ApiKeyError {
  /** JSON pointer (RFC 6901) to the member that is wrong: `/scopes/0`. */
  readonly field: string;

  constructor(field: string, problem: string) {
    super('invalid_request', `${field === '' ? 'The input' : field} ${problem}`);
    this.field = field;
  }
}

/** No key has this id. */
export class KeyNotFoundError extends ApiKeyError {
  constructor(id: string) {
    super('not_found', `There is no key with the id ${quoteId(id)}.`);
  }
}

/** The key is in a state, or has a version, that does not allow the call. */
export class ConflictError extends ApiKeyError {
  constructor(message: string) {
    super('conflict', message);
  }
}

/** What a store's `insert` throws where the id or the digest is taken. */
export class DuplicateKeyError extends ApiKeyError {
  readonly field: 'id' | 'digest';

  constructor(field: 'id' | 'digest') {
    super('duplicate_key', `A key with this ${field} exists already.`);
    this.field = field;
  }
}

/** The store failed, did not answer in time, or answered nonsense: "don't know", which is never "no". */
export class StoreUnavailableError extends ApiKeyError {
  constructor(message: string, options: ApiKeyErrorOptions = {}) {
    super('temporarily_unavailable', message, options);
  }
}

/** HTTP status of a code. */
export function statusOf(code: ErrorCode): number {
  return STATUS[code];
}

/** An id as it may stand in a message: somebody may have handed us a key instead of its id. */
function quoteId(id: string): string {
  return /^[0-9a-f-]{1,64}$/i.test(id) ? `"${id}"` : 'given';
}
