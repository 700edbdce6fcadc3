import type { ErrorCode } from '../errors.ts';

/** What a client is told it could send: the realm, and the ways that a key is read. */
export interface ChallengeParts {
  readonly realm: string;
  readonly headers: readonly string[];
  readonly schemes: readonly string[];
}

/** The codes whose answer carries challenges, and the error that RFC 6750 section 3.1 has for them. */
const BEARER_ERRORS: { readonly [Code in ErrorCode]?: string } = {
  // No error code where nothing was sent: a request without credentials is not wrong.
  missing_credentials: '',
  invalid_request: ', error="invalid_request"',
  invalid_token: ', error="invalid_token"',
  insufficient_scope: ', error="insufficient_scope"',
};

/**
 * The lines of WWW-Authenticate for an answer; none for a code that has no challenge. One for each scheme of
 * Authorization (RFC 6750 section 3), then one for each other header; `ApiKey` is not a registered scheme, and tells
 * people where to put the key.
 */
export function challengesFor(code: ErrorCode, parts: ChallengeParts, scope?: string): readonly string[] {
  const error = BEARER_ERRORS[code];
  if (error === undefined) return [];
  const realm = `realm="${parts.realm}"`;
  const demanded = scope === undefined ? '' : `, scope="${scope}"`;
  const lines: string[] = [];
  for (const header of parts.headers) {
    if (header.toLowerCase() !== 'authorization') continue;
    for (const scheme of parts.schemes) lines.push(`${scheme} ${realm}${error}${demanded}`);
  }
  for (const header of parts.headers) {
    if (header.toLowerCase() !== 'authorization') lines.push(`ApiKey ${realm}, header="${header}"`);
  }
  return lines;
}
