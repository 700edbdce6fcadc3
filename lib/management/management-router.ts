import { type ApiKeys, type Internals, internalsOf } from '../api-keys.ts';
import { type ApiKeyError, type ErrorCode, InvalidInputError } from '../errors.ts';
import type { DialectAnswer } from '../http/dialect.ts';
import { type InputProblem, problemOf } from '../http/problem.ts';
import { createRouter, type MountableRouter, type Route, type RoutedRequest } from '../http/router.ts';
import { identifyCaller } from './caller.ts';
import { DeniedError } from './denied-error.ts';
import { readIfMatch } from './if-match.ts';
import { NO_INPUTS } from './inputs.ts';
import {
  type ManagementConfig,
  type ManagementOptions,
  readManagementOptions,
} from './management-options.ts';
import { documentOf } from './openapi-document.ts';
import { type Operation, operationsFor } from './operations.ts';
import { readBody, readQuery } from './read-input.ts';
import { VisibleKeys } from './visible-keys.ts';

export { type OpenApiPart, type SecuritySchemes, securitySchemes } from '../http/openapi.ts';
export type { DialectName } from '../http/openapi-validate.ts';
export type { Management, ManagementOptions } from './management-options.ts';
export { type OpenApiDocument, type OpenApiOptions, openApiDocument } from './openapi-document.ts';

/**
 * HTTP for managing keys, for `app.use()`, under whatever path: create, list, get, update, rotate, disable, enable,
 * revoke, and `GET /openapi.json`. Reads the store and never the cache. Every answer is `Cache-Control: no-store`.
 *
 * @throws TypeError for an option that is wrong, when it is built; there is no default for `authorize`
 */
export function managementRouter(apiKeys: ApiKeys, options: ManagementOptions): MountableRouter {
  const internals = internalsOf('managementRouter', apiKeys);
  const config = readManagementOptions(options);
  const kinds = [...new Set(internals.kinds)];
  const operations = operationsFor(kinds, internals.scopes).map((operation) =>
    routeOf(operation, config, internals),
  );
  return createRouter({
    name: 'managementRouter',
    routes: [documentRoute(config, internals, kinds), ...operations],
    trailingSlash: true,
    error: wordError,
  });
}

function routeOf(operation: Operation, config: ManagementConfig, internals: Internals): Route {
  const { method, path, query = NO_INPUTS, body, isChange } = operation;
  return {
    method,
    path,
    async handle(request) {
      const caller = await identifyCaller(request.req, config, internals);
      const answer = await operation.run({
        caller,
        visible: new VisibleKeys(caller),
        id: request.params['id'] ?? '',
        ifMatch: isChange ? readIfMatch(request.req) : undefined,
        query: readQuery(query, request.query),
        body: body === undefined ? {} : readBody(body, await request.json()),
        base: baseOf(request),
      });
      return unstored(answer);
    },
  };
}

/** Behind `authorize` like the rest. Stands before `/:id`, which would take its name for an id. */
function documentRoute(config: ManagementConfig, internals: Internals, kinds: readonly string[]): Route {
  return {
    method: 'GET',
    path: '/openapi.json',
    async handle(request) {
      await identifyCaller(request.req, config, internals);
      const { dialects } = config;
      const { scopes } = internals;
      const managementPath = baseOf(request);
      const document = documentOf({ serverUrl: '/', managementPath, dialects, kinds, scopes });
      return unstored({ status: 200, body: { ...document } });
    },
  };
}

/** The path under which the application mounted us. Slashes at its beginning would make another host of it. */
function baseOf({ req }: RoutedRequest): string {
  const { baseUrl = '' } = req as { readonly baseUrl?: string };
  return baseUrl.replace(/^[/\\]+/, '/');
}

function unstored({ status, headers, body }: DialectAnswer): DialectAnswer {
  return { status, headers: { ...headers, 'Cache-Control': 'no-store' }, body };
}

/** Codes whose message is worded for the client; the others' may name an id or quote a store. */
const SPEAKING: ReadonlySet<ErrorCode> = new Set([
  'missing_credentials',
  'invalid_request',
  'insufficient_scope',
  'forbidden',
  'conflict',
  'method_not_allowed',
  'payload_too_large',
  'unsupported_media_type',
  'rate_limited',
]);

function wordError(error: ApiKeyError): DialectAnswer {
  const { code, message, status } = error;
  const problem = inputProblem(error);
  const detail = problem === undefined && SPEAKING.has(code) ? message : undefined;
  return unstored({
    status,
    headers: { 'Content-Type': 'application/problem+json' },
    body: problemOf(code, detail, problem && [problem]),
  });
}

function inputProblem(error: ApiKeyError): InputProblem | undefined {
  if (error instanceof DeniedError) return { pointer: shownPointer(error.field), detail: error.message };
  if (!(error instanceof InvalidInputError)) return undefined;
  const { field, message } = error;
  const pointer = shownPointer(field);
  // The message begins with the whole field, of which a part may be a text of the client's.
  const problem = message.slice((field === '' ? 'The input' : field).length);
  return { pointer, detail: `${pointer === '' ? 'The input' : pointer}${problem}` };
}

/**
 * Names of unknown members and in metadata are the client's, and may be anything, a key in the wrong place too: a
 * pointer ends before the first one that is long or strange.
 */
function shownPointer(field: string): string {
  return /^(?:\/[\w$~-]{1,32}(?=\/|$))*/.exec(field)?.[0] ?? '';
}
