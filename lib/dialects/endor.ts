// Endor Labs, APIKeyValidatorService of its API v1 (swagger of 2026-01-29), behind grpc-gateway 2.
import { ApiKeyError, type ErrorCode } from '../errors.ts';
import { deprecationHeaders } from '../http/deprecation.ts';
import type { DialectAnswer } from '../http/dialect.ts';
import { wordsOf } from '../http/problem.ts';
import type { ApiKey } from '../keys/api-key.ts';
import { idProblem } from '../keys/fields.ts';
import type { Json } from '../keys/metadata.ts';
import { checkOptionNames, optionalFunction } from '../options.ts';
import type { MaybePromise } from '../stores/key-store.ts';
import type { Dialect, DialectRequest, DialectTools } from './dialect.ts';

const OWNER = 'endor';

/** In the order in which the vendor writes them. */
const META = [
  'name',
  'annotations',
  'create_time',
  'created_by',
  'description',
  'index_data',
  'kind',
  'parent_kind',
  'parent_uuid',
  'references',
  'tags',
  'update_time',
  'updated_by',
  'upsert_time',
  'version',
] as const;

/** All but the vendor's `token_hash`, which nobody needs to see. */
const SPEC = [
  'email',
  'event_tracking',
  'first_name',
  'groups',
  'last_login_time',
  'last_name',
  'user_name',
] as const;

/** A user in the vendor's own names; times are texts such as `2026-03-01T10:00:00Z`. */
export interface EndorUser {
  readonly uuid?: string | undefined;
  readonly meta?: { readonly [Name in (typeof META)[number]]?: Json | undefined } | undefined;
  readonly spec?: { readonly [Name in (typeof SPEC)[number]]?: Json | undefined } | undefined;
}

/** What the answers of `endor()` may say beyond what a record knows. */
export interface EndorOptions {
  /**
   * What the application knows of the user behind a key that was accepted. It is laid over what the key's record
   * knows: id, organization. What it throws is answered with a 500. @default nothing more is known
   */
  describeUser?: ((apiKey: ApiKey) => MaybePromise<EndorUser | undefined>) | undefined;
}

/**
 * `POST /v1/auth/api-key/validate` with `key` and `secret` in a JSON body; needs `keyPairs()` or `bcryptSecrets()`.
 * Good and bad pairs are both a 200, and `valid` tells them apart.
 *
 * @throws TypeError for an option that is wrong; `validateRouter()` throws one for keys that know no pairs
 */
export function endor(options: EndorOptions = {}): Dialect {
  const given = checkOptionNames(OWNER, options, ['describeUser']);
  const describeUser = optionalFunction<NonNullable<EndorOptions['describeUser']>>(
    OWNER,
    'describeUser',
    given['describeUser'],
  );

  async function validate(request: DialectRequest, tools: DialectTools): Promise<DialectAnswer> {
    const { key, secret } = readPair(await request.json());
    const verdict = await tools.verifyPair(key, secret, request);
    // The vendor's answer lists `secret` as required; a secret is never sent back, so it is blotted out.
    const shown = { key, secret: '***' };
    if (!verdict.ok) {
      if (verdict.reason === 'malformed') checkLength(secret);
      return { status: 200, body: { ...shown, issuing_user: null, valid: false } };
    }
    const { apiKey, graceUntil } = verdict;
    const headers = deprecationHeaders(apiKey.rotatedAt, graceUntil);
    const user = issuingUser(apiKey, await describedBy(describeUser, apiKey));
    return { status: 200, headers, body: { ...shown, issuing_user: user, valid: true } };
  }

  return {
    name: OWNER,
    routes(tools) {
      if (!tools.hasPairs) throw noPairsError();
      return [
        {
          method: 'POST',
          path: '/v1/auth/api-key/validate',
          handle: (request) => validate(request, tools),
        },
      ];
    },
    error: wordError,
    // grpc-gateway: a slash behind a path is another path, and a wrong method is "unimplemented", not 405.
    unmatched: ({ path }) => (path.endsWith('/') ? gatewayAnswer(404, 5) : gatewayAnswer(501, 12)),
  };
}

function noPairsError(): TypeError {
  return new TypeError(
    'endor: its keys are pairs, which need keyPairs() or bcryptSecrets() in createApiKeys({ verifiers: [...] })',
  );
}

const MEMBERS = ['key', 'secret', 'issuing_user', 'valid'];

/** proto3 makes no difference between a text that is missing, null or empty. */
function readPair(body: Json | undefined): { key: string; secret: string } {
  if (!isObject(body)) throw refused('the body must be one JSON object with key and secret');
  // Its documents call an unknown member an invalid argument; the framework alone would drop it.
  if (!Object.keys(body).every((name) => MEMBERS.includes(name))) {
    throw refused('it has a field that ValidateAPIKeyReq does not have');
  }
  const { key = null, secret = null, issuing_user = null, valid = null } = body;
  // What a client says of these two is not believed, but they must be what they are called.
  if (issuing_user !== null && !isObject(issuing_user)) throw wrongField('IssuingUser', 'must be an object');
  if (valid !== null && typeof valid !== 'boolean') throw wrongField('Valid', 'must be a boolean');
  const pair = { key: readText('Key', key), secret: readText('Secret', secret) };
  const problem = idProblem(pair.key);
  if (problem !== undefined) throw wrongField('Key', problem);
  if (Buffer.byteLength(pair.secret) > MAX_SECRET_BYTES) throw tooLong(MAX_SECRET_BYTES);
  return pair;
}

const MAX_SECRET_BYTES = 255;

/** bcrypt reads no more, so for an id whose secret is under it more is no secret at all. */
const MAX_BCRYPT_BYTES = 72;

function checkLength(secret: string): void {
  if (Buffer.byteLength(secret) > MAX_BCRYPT_BYTES) throw tooLong(MAX_BCRYPT_BYTES);
}

function tooLong(bytes: number): ApiKeyError {
  return wrongField('Secret', `must be at most ${bytes} bytes`);
}

function readText(field: string, value: Json): string {
  if (value === null || value === '') throw wrongField(field, 'is required');
  if (typeof value !== 'string') throw wrongField(field, 'must be a string');
  return value;
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrongField(field: string, problem: string): ApiKeyError {
  return refused(`${field}: value ${problem}`, '.');
}

function refused(problem: string, separator = ': '): ApiKeyError {
  return new ApiKeyError('invalid_request', `invalid ValidateAPIKeyReq${separator}${problem}`);
}

async function describedBy(
  describeUser: EndorOptions['describeUser'],
  apiKey: ApiKey,
): Promise<EndorUser | undefined> {
  try {
    return await describeUser?.(apiKey);
  } catch (cause) {
    // Whatever it is, and be it an error of ours: the key is good, and nothing was wrong with the request.
    throw new ApiKeyError('server_error', 'describeUser() failed.', { cause });
  }
}

/** The vendor's keys belong to the user who made them. */
function issuingUser({ owner, createdBy, organization }: ApiKey, described: EndorUser = {}): Json {
  const id = owner.type === 'user' ? owner.id : (createdBy ?? owner.id);
  // The vendor's limit for a name is 63 characters.
  const known = {
    name: id.slice(0, 63),
    index_data: { tenant: organization.id },
    kind: 'User',
    version: 'v1',
  };
  return {
    meta: membersOf(META, { ...known, ...described.meta }),
    spec: membersOf(SPEC, { user_name: id, ...described.spec }),
    uuid: described.uuid ?? id,
  };
}

function membersOf(names: readonly string[], values: Readonly<Record<string, Json | undefined>>): Json {
  const known = names.filter((name) => values[name] !== undefined);
  return Object.fromEntries(known.map((name) => [name, values[name] as Json]));
}

/** google.rpc.Code */
const GRPC_CODES: Readonly<Record<ErrorCode, number>> = {
  missing_credentials: 16,
  invalid_request: 3,
  invalid_token: 16,
  insufficient_scope: 7,
  forbidden: 7,
  tls_required: 7,
  not_found: 5,
  conflict: 10,
  duplicate_key: 6,
  method_not_allowed: 12,
  // The next two have no gRPC code of their own, and keep their status.
  payload_too_large: 8,
  unsupported_media_type: 3,
  rate_limited: 8,
  temporarily_unavailable: 14,
  server_error: 13,
};

function wordError(error: ApiKeyError): DialectAnswer {
  const { code, status, headers } = error;
  if (code === 'method_not_allowed') return gatewayAnswer(501, 12);
  const grpcCode = GRPC_CODES[code];
  const info = {
    '@type': 'type.googleapis.com/internal.endor.ai.rpc.v1.HTTPErrorInfo',
    status_code: status,
    // The vendor's 403 has an empty one.
    ...(grpcCode === 7 ? { redirect_url: '' } : undefined),
  };
  const message = VENDOR_WORDS[grpcCode] ?? wordsOf(error);
  return { status, headers, body: { code: grpcCode, message, details: [info] } };
}

const VENDOR_WORDS: Readonly<Record<number, string>> = {
  5: 'Not Found',
  7: 'Unauthorized request for given endpoint',
  12: 'Method Not Allowed',
};

/** What never gets past grpc-gateway has no details. */
function gatewayAnswer(status: number, grpcCode: number): DialectAnswer {
  return { status, body: { code: grpcCode, message: VENDOR_WORDS[grpcCode] ?? '', details: [] } };
}
