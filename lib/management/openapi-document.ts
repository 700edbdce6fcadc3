import { type OpenApiPart, problemResponse, securitySchemes } from '../http/openapi.ts';
import { DIALECT_PATHS, type DialectName } from '../http/openapi-validate.ts';
import type { KeyKind } from '../keys/api-key.ts';
import { readScopeCatalogue, type ScopeCatalogue } from '../keys/scope-catalogue.ts';
import { badOption, checkOptionNames } from '../options.ts';
import { KEY_SCHEMAS } from './api-key-json.ts';
import { bodySchema, type Inputs } from './inputs.ts';
import { readDialects } from './management-options.ts';
import { type Operation, operationsFor, type Success } from './operations.ts';

/** Which routes the document describes, and where they are. */
export interface OpenApiOptions {
  /** Where the paths begin. @default '/' */
  serverUrl?: string | undefined;
  /** Where `managementRouter()` is mounted. @default '/keys' */
  managementPath?: string | undefined;
  /** The validate endpoints that it describes, each as mounted at the root. @default all of them */
  dialects?: readonly DialectName[] | undefined;
  /** What keys may be given, as in `createApiKeys()`. @default anything of the form of a scope */
  scopes?: ScopeCatalogue | undefined;
}

/** An OpenAPI document of version 3.1, ready for `JSON.stringify()`. */
export interface OpenApiDocument {
  readonly [name: string]: OpenApiPart | readonly OpenApiPart[] | string;
  readonly openapi: string;
  readonly info: OpenApiPart;
  readonly servers: readonly OpenApiPart[];
  readonly tags: readonly OpenApiPart[];
  readonly paths: OpenApiPart;
  readonly components: OpenApiPart;
}

interface DocumentParts {
  readonly serverUrl: string;
  readonly managementPath: string;
  readonly dialects: readonly DialectName[];
  readonly kinds: readonly string[];
  readonly scopes: ScopeCatalogue | undefined;
}

const OWNER = 'openApiDocument';
const ALL_KINDS: readonly KeyKind[] = ['opaque', 'pair', 'jwt'];
const OPTION_NAMES: { readonly [Name in keyof Required<OpenApiOptions>]: true } = {
  serverUrl: true,
  managementPath: true,
  dialects: true,
  scopes: true,
};

/**
 * The document of the management routes and of the validate endpoints. `managementRouter()` serves its own at
 * `GET /openapi.json`, with the path it is mounted at and the kinds of keys that it can make.
 *
 * @throws TypeError for an option that is wrong
 */
export function openApiDocument(options: OpenApiOptions = {}): OpenApiDocument {
  const given = checkOptionNames(OWNER, options, Object.keys(OPTION_NAMES));
  return documentOf({
    serverUrl: readUrl(given['serverUrl'] ?? '/'),
    managementPath: readPath(given['managementPath'] ?? '/keys'),
    dialects: readDialects(OWNER, given['dialects']),
    kinds: ALL_KINDS,
    scopes: readScopeCatalogue(OWNER, given['scopes']),
  });
}

export function documentOf(parts: DocumentParts): OpenApiDocument {
  const { serverUrl, managementPath, dialects, kinds, scopes } = parts;
  const paths: Record<string, OpenApiPart> = {};
  for (const operation of operationsFor(kinds, scopes)) {
    const path = pathOf(managementPath, operation.path);
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: operationPart(operation) };
  }
  const tags = [{ name: 'keys', description: 'Managing API keys.' }];
  if (dialects.length > 0) tags.push({ name: 'validate', description: 'Asking whether a key is good.' });
  const { basic, ...schemes } = {
    ...securitySchemes(scopes),
    basic: { type: 'http', scheme: 'basic', description: 'The id of a key, and the key.' },
  };
  return {
    openapi: '3.1.1',
    info: { title: 'API keys', version: '1', description: 'Managing and validating API keys.' },
    servers: [{ url: serverUrl }],
    tags,
    paths: Object.assign(paths, ...dialects.map((name) => DIALECT_PATHS[name])),
    components: {
      securitySchemes: dialects.includes('introspection') ? { ...schemes, basic } : schemes,
      schemas: KEY_SCHEMAS,
      responses: PROBLEMS,
    },
  };
}

const PROBLEMS: { readonly [name: string]: OpenApiPart } = {
  InvalidRequest: problemResponse(['invalid_request'], 'Something in the request cannot be taken.'),
  MissingCredentials: problemResponse(
    ['missing_credentials', 'invalid_token'],
    'Nobody is signed in who could manage keys.',
  ),
  Forbidden: problemResponse(
    ['forbidden', 'insufficient_scope', 'tls_required'],
    'The caller may not do this.',
  ),
  NotFound: problemResponse(['not_found'], 'The caller has no such key.'),
  Conflict: problemResponse(
    ['conflict', 'duplicate_key'],
    'The key has another version than If-Match names, or is in a state that does not allow this.',
  ),
  PayloadTooLarge: problemResponse(['payload_too_large'], 'The body has more than 16,384 bytes.'),
  UnsupportedMediaType: problemResponse(['unsupported_media_type'], 'The body is no JSON in UTF-8.'),
  RateLimited: problemResponse(['rate_limited'], 'The caller must wait.'),
  ServerError: problemResponse(['server_error'], 'Something went wrong.'),
  Unavailable: problemResponse(['temporarily_unavailable'], 'The keys cannot be reached at the moment.'),
};

const IF_MATCH: OpenApiPart = {
  name: 'If-Match',
  in: 'header',
  description: 'The `ETag` that the key must still have; several may be given, and `*` is any.',
  schema: { type: 'string' },
};

function operationPart(operation: Operation): OpenApiPart {
  const { name, summary, description, path, query = {}, body = {}, isChange, success } = operation;
  const parameters = [
    ...(path.includes(':id') ? [ID_PARAMETER] : []),
    ...queryParameters(query),
    ...(isChange ? [IF_MATCH] : []),
  ];
  return {
    operationId: name,
    tags: ['keys'],
    summary,
    ...(description === undefined ? undefined : { description }),
    security: [{ bearer: [] }, { apiKey: [] }],
    ...(parameters.length === 0 ? undefined : { parameters }),
    ...bodyPart(body),
    responses: { [success.status]: successPart(success), ...problemsOf(operation) },
  };
}

const ID_PARAMETER: OpenApiPart = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The id of a key.',
  schema: { type: 'string' },
};

function queryParameters(query: Inputs): readonly OpenApiPart[] {
  return Object.entries(query).map(([name, { schema, description }]) => ({
    name,
    in: 'query',
    ...(description === undefined ? undefined : { description }),
    schema,
  }));
}

function bodyPart(body: Inputs): OpenApiPart {
  const inputs = Object.values(body);
  if (inputs.length === 0) return {};
  const required = inputs.some(({ isRequired }) => isRequired);
  return { requestBody: { required, content: { 'application/json': { schema: bodySchema(body) } } } };
}

const RESPONSE_HEADERS: { readonly [Name in NonNullable<Success['headers']>[number]]: OpenApiPart } = {
  ETag: { description: 'The version, for `If-Match`.', schema: { type: 'string' } },
  Location: { description: 'The path of the new key.', schema: { type: 'string' } },
};

function successPart({ description, content, headers = [] }: Success): OpenApiPart {
  const known = headers.map((name) => [name, { required: true, ...RESPONSE_HEADERS[name] }]);
  return {
    description,
    headers: { 'Cache-Control': { schema: { const: 'no-store' } }, ...Object.fromEntries(known) },
    ...(content === undefined ? undefined : { content }),
  };
}

function problemsOf({ path, body, isChange, method }: Operation): OpenApiPart {
  const isWrite = body !== undefined;
  const names: Readonly<Record<string, string | false | undefined>> = {
    400: 'InvalidRequest',
    401: 'MissingCredentials',
    403: 'Forbidden',
    404: path.includes(':id') && 'NotFound',
    409: (isChange || method === 'POST') && 'Conflict',
    413: isWrite && 'PayloadTooLarge',
    415: isWrite && 'UnsupportedMediaType',
    429: 'RateLimited',
    500: 'ServerError',
    503: 'Unavailable',
  };
  const present = Object.entries(names).filter(([, name]) => typeof name === 'string');
  return Object.fromEntries(
    present.map(([status, name]) => [status, { $ref: `#/components/responses/${name}` }]),
  );
}

function pathOf(base: string, path: string): string {
  const whole = base + path.replaceAll(/:(\w+)/g, '{$1}');
  return whole.length > 1 && whole.endsWith('/') ? whole.slice(0, -1) : whole;
}

function readUrl(value: unknown): string {
  if (typeof value === 'string' && /^(?:https?:\/\/[^\s?#]+|\/[^\s?#]*)$/.test(value)) return value;
  throw badOption(OWNER, 'serverUrl', 'a URL or a path, without query and fragment', value);
}

function readPath(value: unknown): string {
  if (typeof value === 'string' && /^(?:\/[\w.~-]+)*$/.test(value)) return value;
  throw badOption(OWNER, 'managementPath', 'a path such as "/keys"', value);
}
