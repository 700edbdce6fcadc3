import { type ApiKeyError, type ErrorCode, InvalidInputError } from '../errors.ts';
import type { DialectAnswer } from '../http/dialect.ts';

const UNAUTHORIZED = refused(401, 'Unauthorized', 'unauthorized');
const FORBIDDEN = refused(403, 'Forbidden', 'forbidden');

/** Of whatever kind the problem is: the vendor has this one answer for a body that it cannot read. */
export const UNREADABLE_BODY: DialectAnswer = refused(400, 'Problems parsing JSON', 'invalid_request_body');

export const NOT_FOUND: DialectAnswer = refused(404, 'Not Found', 'not_found');
export const NO_SUCH_KEY: DialectAnswer = refused(404, 'API Key not found.', 'entity_not_found');
export const NO_SUCH_ORGANIZATION: DialectAnswer = refused(
  404,
  'Organization not found.',
  'entity_not_found',
);
export const ALREADY_EXPIRED: DialectAnswer = refused(
  409,
  'API key is already expired',
  'api_key_already_expired',
);
export const NOT_GRANTABLE: DialectAnswer = refused(
  403,
  'A key grants only permissions that it has.',
  'forbidden',
);

const ANSWERS: Readonly<Record<ErrorCode, DialectAnswer>> = {
  missing_credentials: UNAUTHORIZED,
  invalid_token: UNAUTHORIZED,
  invalid_request: UNREADABLE_BODY,
  payload_too_large: UNREADABLE_BODY,
  unsupported_media_type: UNREADABLE_BODY,
  insufficient_scope: FORBIDDEN,
  forbidden: FORBIDDEN,
  tls_required: FORBIDDEN,
  not_found: NOT_FOUND,
  conflict: refused(409, 'Conflict', 'conflict'),
  duplicate_key: refused(409, 'Conflict', 'conflict'),
  method_not_allowed: refused(405, 'Method Not Allowed', 'method_not_allowed'),
  rate_limited: refused(429, 'Too Many Requests', 'rate_limit_exceeded'),
  temporarily_unavailable: refused(503, 'Service Unavailable', 'service_unavailable'),
  server_error: refused(500, 'Internal Server Error', 'internal_server_error'),
};

/** What is wrong with one member of a body, or one parameter of a query. */
export interface FieldError {
  readonly code: string;
  readonly field: string;
}

/** Members of ours, and what this interface calls them. */
const FIELDS: Readonly<Record<string, string>> = {
  scopes: 'permissions',
  expiresAt: 'expires_at',
  organization: 'organization_id',
  organizationId: 'organization_id',
  owner: 'user_id',
  ownerId: 'user_id',
};

export function wordError(error: ApiKeyError): DialectAnswer {
  if (error instanceof InvalidInputError) return unprocessable({ code: 'invalid', field: fieldOf(error) });
  // A challenge belongs to what is wrong with the credential: the vendor knows no difference between its faults.
  if (error.headers['WWW-Authenticate'] !== undefined && error.code === 'invalid_request')
    return UNAUTHORIZED;
  return ANSWERS[error.code];
}

export function unprocessable(...errors: readonly FieldError[]): DialectAnswer {
  return { status: 422, body: { message: 'Validation failed.', errors: errors.map((one) => ({ ...one })) } };
}

function fieldOf({ field }: InvalidInputError): string {
  const [, member = ''] = field.split('/');
  return FIELDS[member] ?? member;
}

function refused(status: number, message: string, code: string): DialectAnswer {
  return { status, body: { message, code } };
}
