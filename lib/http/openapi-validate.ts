import { jsonContent, type OpenApiPart, objectSchema } from './openapi.ts';

export const DIALECT_NAMES = ['pluto', 'timbrix', 'endor', 'gmi', 'workos', 'introspection'] as const;

/** A dialect of which the document can speak. */
export type DialectName = (typeof DIALECT_NAMES)[number];

/** What a dialect adds to an OpenAPI document: operations by method, by path below where its router is mounted. */
type DialectPaths = { readonly [path: string]: OpenApiPart };

const TEXT: OpenApiPart = { type: 'string' };
const TIME_OR_NULL: OpenApiPart = { type: ['string', 'null'], format: 'date-time' };
const TEXTS: OpenApiPart = { type: 'array', items: TEXT };
const ANY_OBJECT: OpenApiPart = { type: 'object', additionalProperties: true };

/** For whoever sends the key that is asked about as a credential. */
const BEARER: OpenApiPart = { bearer: [] };
const API_KEY: OpenApiPart = { apiKey: [] };

interface EndpointParts {
  readonly id: string;
  readonly summary: string;
  readonly security: readonly OpenApiPart[];
  readonly body?: OpenApiPart;
  readonly good: OpenApiPart;
  readonly error: OpenApiPart;
  /** Statuses of answers in the error format. */
  readonly errors: { readonly [status: string]: string };
}

const UNAUTHORIZED = 'The key is missing or not valid.';
const FAULT = 'The key cannot be checked at the moment.';

function endpoint({ id, summary, security, body, good, error, errors }: EndpointParts): OpenApiPart {
  const failures = Object.entries(errors).map(([status, description]) => [
    status,
    { description, content: jsonContent(error) },
  ]);
  return {
    operationId: id,
    tags: ['validate'],
    summary,
    security,
    ...(body === undefined ? undefined : { requestBody: { required: true, content: body } }),
    responses: {
      200: { description: 'The verdict.', content: jsonContent(good) },
      ...Object.fromEntries(failures),
    },
  };
}

const PLUTO_ERROR = objectSchema({ error: TEXT, message: TEXT }, ['error']);
const PLUTO_ERRORS = { 401: UNAUTHORIZED, 500: FAULT };

const PLUTO: DialectPaths = {
  '/api/runs/auth/validate': {
    get: endpoint({
      id: 'plutoValidate',
      summary: 'Validate a key as Pluto does',
      security: [BEARER],
      good: objectSchema({
        valid: { const: true },
        organization: objectSchema({ id: TEXT, slug: TEXT }),
        user: objectSchema({ id: TEXT }),
      }),
      error: PLUTO_ERROR,
      errors: PLUTO_ERRORS,
    }),
  },
  '/api/slug': {
    post: endpoint({
      id: 'plutoSlug',
      summary: "Get the slug of a key's organization as Pluto does",
      security: [BEARER],
      good: objectSchema({ organization: objectSchema({ slug: TEXT }) }),
      error: PLUTO_ERROR,
      errors: PLUTO_ERRORS,
    }),
  },
};

const TIMBRIX: DialectPaths = {
  '/api-keys/validate': {
    post: endpoint({
      id: 'timbrixValidate',
      summary: 'Validate a key as Timbrix does',
      security: [API_KEY],
      good: objectSchema({
        valid: { const: true },
        id: TEXT,
        name: TEXT,
        organizationId: TEXT,
        scopes: TEXTS,
        expiresAt: TIME_OR_NULL,
        isActive: { const: true },
      }),
      error: objectSchema({ message: TEXT, error: TEXT, statusCode: { type: 'integer' } }, [
        'message',
        'statusCode',
      ]),
      errors: { 401: UNAUTHORIZED, 403: 'The key lacks a scope.', 500: FAULT },
    }),
  },
};

const ENDOR: DialectPaths = {
  '/v1/auth/api-key/validate': {
    post: endpoint({
      id: 'endorValidate',
      summary: 'Validate a key and its secret as Endor Labs does',
      security: [],
      body: jsonContent(
        objectSchema({ key: TEXT, secret: TEXT, valid: { type: 'boolean' }, issuing_user: ANY_OBJECT }, [
          'key',
          'secret',
        ]),
      ),
      good: objectSchema({
        key: TEXT,
        secret: { const: '***' },
        issuing_user: {
          oneOf: [{ type: 'null' }, objectSchema({ uuid: TEXT, meta: ANY_OBJECT, spec: ANY_OBJECT })],
        },
        valid: { type: 'boolean' },
      }),
      error: objectSchema({
        code: { type: 'integer' },
        message: TEXT,
        details: {
          type: 'array',
          items: objectSchema({ '@type': TEXT, status_code: { type: 'integer' }, redirect_url: TEXT }, [
            '@type',
            'status_code',
          ]),
        },
      }),
      errors: {
        400: 'The body cannot be taken.',
        413: 'The body is too large.',
        415: 'The body is no JSON.',
        429: 'Too many wrong secrets.',
        500: 'Something went wrong.',
        503: FAULT,
      },
    }),
  },
};

const UUID: OpenApiPart = { type: 'string', format: 'uuid' };
const GMI_SCOPES = ['ie_model', 'ce_resource'];

const GMI: DialectPaths = {
  '/me/api-keys/current': {
    get: endpoint({
      id: 'gmiCurrent',
      summary: 'Get the key of the request as GMI Cloud does',
      security: [BEARER],
      good: objectSchema({
        key: objectSchema(
          {
            id: UUID,
            scope: { enum: GMI_SCOPES },
            owner: objectSchema({ id: UUID }),
            type: { const: 'ie_model' },
          },
          ['id', 'scope', 'owner'],
        ),
        organization: objectSchema({ id: UUID }),
      }),
      error: objectSchema({ group: TEXT, code: { type: 'integer' }, message: TEXT, traces: TEXTS }, [
        'group',
        'code',
      ]),
      errors: { 401: UNAUTHORIZED, 500: FAULT },
    }),
  },
};

const WORKOS_KEY = objectSchema({
  object: { const: 'api_key' },
  id: TEXT,
  owner: {
    oneOf: [
      objectSchema({ type: { const: 'organization' }, id: TEXT }),
      objectSchema({ type: { const: 'user' }, id: TEXT, organization_id: TEXT }),
    ],
  },
  name: TEXT,
  obfuscated_value: TEXT,
  last_used_at: TIME_OR_NULL,
  expires_at: TIME_OR_NULL,
  permissions: TEXTS,
  created_at: { type: 'string', format: 'date-time' },
  updated_at: { type: 'string', format: 'date-time' },
});

const WORKOS: DialectPaths = {
  '/api_keys/validations': {
    post: endpoint({
      id: 'workosValidate',
      summary: 'Validate a key as WorkOS does',
      security: [BEARER],
      body: jsonContent(objectSchema({ value: TEXT })),
      good: objectSchema({ api_key: { oneOf: [{ type: 'null' }, WORKOS_KEY] } }),
      error: objectSchema({ message: TEXT, code: TEXT }),
      errors: {
        400: 'The body cannot be read.',
        401: "The caller's own key is missing or not valid.",
        403: "The caller's own key lacks a scope.",
        429: 'Too many wrong secrets.',
        500: 'Something went wrong.',
        503: FAULT,
      },
    }),
  },
};

const SECONDS: OpenApiPart = { type: 'integer' };
const FORM = 'application/x-www-form-urlencoded';

const INTROSPECTION: DialectPaths = {
  '/introspect': {
    post: endpoint({
      id: 'introspect',
      summary: 'Introspect a key by RFC 7662',
      security: [BEARER, { basic: [] }],
      body: { [FORM]: { schema: objectSchema({ token: TEXT, token_type_hint: TEXT }, ['token']) } },
      good: {
        oneOf: [
          objectSchema({ active: { const: false } }),
          objectSchema(
            {
              active: { const: true },
              scope: TEXT,
              client_id: TEXT,
              sub: TEXT,
              exp: SECONDS,
              iat: SECONDS,
              nbf: SECONDS,
              iss: TEXT,
              aud: TEXT,
              jti: TEXT,
              token_type: { const: 'Bearer' },
              organization: objectSchema({ id: TEXT, slug: TEXT }, ['id']),
            },
            ['active', 'scope', 'client_id', 'sub', 'jti', 'token_type', 'organization'],
          ),
        ],
      },
      error: objectSchema({ error: TEXT, error_description: TEXT }),
      errors: {
        400: 'The form cannot be taken.',
        401: "The caller's own key is missing or not valid.",
        403: "The caller's own key lacks a scope.",
        413: 'The form is too large.',
        415: 'The body is no form.',
        429: 'Too many wrong secrets.',
        500: 'Something went wrong.',
        503: FAULT,
      },
    }),
  },
};

/** The validate endpoint of each dialect, as it answers by default. */
export const DIALECT_PATHS: { readonly [Name in DialectName]: DialectPaths } = {
  pluto: PLUTO,
  timbrix: TIMBRIX,
  endor: ENDOR,
  gmi: GMI,
  workos: WORKOS,
  introspection: INTROSPECTION,
};
