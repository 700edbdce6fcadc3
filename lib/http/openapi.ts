import { type ErrorCode, statusOf } from '../errors.ts';
import type { Json } from '../keys/metadata.ts';
import type { ScopeCatalogue } from '../keys/scope-catalogue.ts';
import { titleOf } from './problem.ts';

/** A part of an OpenAPI 3.1 document, and a schema of JSON Schema 2020-12, which is one. */
export type OpenApiPart = { readonly [name: string]: Json };

/** The members of `components.securitySchemes`: how keys are sent, in `Authorization` and in `X-API-Key`. */
export interface SecuritySchemes {
  readonly [name: string]: OpenApiPart;
  readonly bearer: OpenApiPart;
  readonly apiKey: OpenApiPart;
}

/**
 * How a key is sent, for `components.securitySchemes` of an application's own document; a route behind `apiKeyAuth()`
 * then has `security: [{ bearer: [] }, { apiKey: [] }]`. They are those of its default headers and schemes.
 *
 * @param scopes - what keys may be given: each scope and what it is for then stands in `x-scopes`, as OpenAPI has a place
 *   for them in OAuth 2.0 schemes only
 */
export function securitySchemes(scopes?: ScopeCatalogue): SecuritySchemes {
  const known = scopes && Object.fromEntries(scopes.names.map((name) => [name, scopes.describe(name)]));
  const more = known && { 'x-scopes': known };
  return {
    bearer: {
      type: 'http',
      scheme: 'bearer',
      description: 'An API key, in `Authorization: Bearer <key>`.',
      ...more,
    },
    apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key.', ...more },
  };
}

/** An object that has these members and no others. */
export function objectSchema(
  properties: { readonly [name: string]: OpenApiPart },
  required: readonly string[] = Object.keys(properties),
): OpenApiPart {
  return {
    type: 'object',
    properties,
    ...(required.length === 0 ? undefined : { required }),
    additionalProperties: false,
  };
}

export function jsonContent(schema: OpenApiPart): OpenApiPart {
  return { 'application/json': { schema } };
}

export function schemaRef(name: string): OpenApiPart {
  return { $ref: `#/components/schemas/${name}` };
}

/** An answer in problem+json, with one of these codes, which share their status. */
export function problemResponse(
  codes: readonly [ErrorCode, ...ErrorCode[]],
  description: string,
): OpenApiPart {
  const [first] = codes;
  const headers = PROBLEM_HEADERS[first];
  return {
    description,
    headers: { 'Cache-Control': { schema: { const: 'no-store' } }, ...headers },
    content: { 'application/problem+json': { schema: problemSchema(codes) } },
  };
}

const PROBLEM_HEADERS: { readonly [Code in ErrorCode]?: OpenApiPart } = {
  missing_credentials: { 'WWW-Authenticate': { schema: { type: 'string' } } },
  temporarily_unavailable: { 'Retry-After': { required: true, schema: { type: 'string' } } },
};

function problemSchema(codes: readonly [ErrorCode, ...ErrorCode[]]): OpenApiPart {
  const [first] = codes;
  const properties = {
    type: { const: 'about:blank' },
    title: { const: titleOf(first) },
    status: { const: statusOf(first) },
    detail: { type: 'string' },
    code: { enum: [...codes] },
  };
  if (first !== 'invalid_request' && first !== 'forbidden' && first !== 'insufficient_scope') {
    return objectSchema(properties);
  }
  const errors = {
    type: 'array',
    items: objectSchema({ pointer: { type: 'string' }, detail: { type: 'string' } }),
    description: 'What is wrong, by JSON pointer to the member of the body, or `/` and the parameter.',
  };
  return objectSchema({ ...properties, errors }, Object.keys(properties));
}
