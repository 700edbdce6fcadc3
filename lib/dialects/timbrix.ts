// Timbrix, API version 1.0, in the error format of the NestJS 12 that it runs on.
import type { ErrorCode } from '../errors.ts';
import { deprecationHeaders } from '../http/deprecation.ts';
import type { DialectAnswer } from '../http/dialect.ts';
import { titleOf, wordsOf } from '../http/problem.ts';
import type { ApiKey } from '../keys/api-key.ts';
import type { RefusalReason } from '../keys/checks.ts';
import type { Json } from '../keys/metadata.ts';
import { coversScope, requiredScopeProblem } from '../keys/scopes.ts';
import { badOption, checkOptionNames } from '../options.ts';
import type { Dialect, DialectRequest } from './dialect.ts';

/** What `timbrix()` demands of a key beside being good. */
export interface TimbrixOptions {
  /** What a key must have, all of it, to be called valid; 403 otherwise. @default [] */
  scopes?: readonly string[] | undefined;
}

/** An exception without a text has no `error`, and Nest's own 500 begins with the status. */
const MISSING = nest(401, { message: 'Unauthorized', statusCode: 401 });
const INVALID = exception('invalid_token', 401, 'Invalid API key');
const EXPIRED = exception('invalid_token', 401, 'API key expired');
const INSUFFICIENT = exception('insufficient_scope', 403, 'Insufficient scopes');
const FAULT = nest(500, { statusCode: 500, message: 'Internal server error' });

const ERRORS: { readonly [Code in ErrorCode]?: DialectAnswer } = {
  missing_credentials: MISSING,
  invalid_token: INVALID,
  insufficient_scope: INSUFFICIENT,
  // What a guard of Nest's that answers `false` makes.
  forbidden: exception('forbidden', 403, 'Forbidden resource'),
  temporarily_unavailable: FAULT,
  server_error: FAULT,
};

/**
 * `POST /api-keys/validate` of Timbrix, which documents it below `/api`.
 *
 * @throws TypeError for an option that is wrong
 */
export function timbrix(options: TimbrixOptions = {}): Dialect {
  const scopes = readScopes(options);
  return {
    name: 'timbrix',
    // Express, on which Nest stands, takes a path with a slash behind it for the same.
    trailingSlash: true,
    routes(tools) {
      const keyIn = tools.keyIn('X-API-Key');
      return [
        {
          method: 'POST',
          path: '/api-keys/validate',
          async handle(request) {
            const key = keyIn(request);
            if (key === undefined) return MISSING;
            const verdict = await tools.verify(key, request);
            if (!verdict.ok) return refusalFor(verdict.reason);
            const { apiKey, graceUntil } = verdict;
            const headers = deprecationHeaders(apiKey.rotatedAt, graceUntil);
            const lacks = scopes.some((scope) => !coversScope(apiKey.scopes, scope));
            const answer = lacks ? INSUFFICIENT : nest(200, validated(apiKey, graceUntil));
            return { ...answer, headers: { ...answer.headers, ...headers } };
          },
        },
      ];
    },
    unmatched: (request) => exception('not_found', 404, `Cannot ${request.method} ${fullPath(request)}`),
    error: (error) => ERRORS[error.code] ?? exception(error.code, error.status, wordsOf(error)),
  };
}

function refusalFor(reason: RefusalReason): DialectAnswer {
  return reason === 'expired' ? EXPIRED : INVALID;
}

/** The facts that its document lists; their names are ours. */
function validated({ id, name, organization, scopes, expiresAt }: ApiKey, graceUntil?: Date): Json {
  const end = graceUntil ?? expiresAt;
  return {
    valid: true,
    id,
    name,
    organizationId: organization.id,
    scopes,
    expiresAt: end?.toISOString() ?? null,
    isActive: true,
  };
}

/** As Nest says it, but for the query, in which somebody may have sent a key. */
function fullPath({ req, path }: DialectRequest): string {
  return req.originalUrl?.split('?', 1)[0] ?? path;
}

function exception(code: ErrorCode, status: number, message: string): DialectAnswer {
  return nest(status, { message, error: titleOf(code), statusCode: status });
}

function nest(status: number, body: Json): DialectAnswer {
  return { status, headers: { 'Content-Type': 'application/json; charset=utf-8' }, body };
}

function readScopes(options: TimbrixOptions): readonly string[] {
  const { scopes = [] } = checkOptionNames('timbrix', options, ['scopes']) as TimbrixOptions;
  if (!Array.isArray(scopes)) throw badOption('timbrix', 'scopes', 'an array of scopes', scopes);
  for (const [index, scope] of scopes.entries()) {
    if (requiredScopeProblem(scope) === undefined) continue;
    throw badOption('timbrix', `scopes[${index}]`, 'a scope as requireScope() takes it', scope);
  }
  return [...scopes];
}
