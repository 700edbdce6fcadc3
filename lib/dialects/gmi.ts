// GMI Cloud's IAM Service API, version 2.4.0.
import { type ApiKeyError, type ErrorCode, InvalidInputError } from '../errors.ts';
import { deprecationHeaders } from '../http/deprecation.ts';
import type { DialectAnswer } from '../http/dialect.ts';
import { wordsOf } from '../http/problem.ts';
import type { ApiKey } from '../keys/api-key.ts';
import type { Json } from '../keys/metadata.ts';
import { checkOptionNames, optionalFunction } from '../options.ts';
import type { Dialect } from './dialect.ts';

/** How `gmi()` tells of ids that are no UUIDs. */
export interface GmiOptions {
  /**
   * The UUID of an id that is none itself, the same one each time; all ids of this interface are UUIDs. Without it,
   * and where it answers something else, a key with such an id is answered 500.
   */
  uuid?: ((id: string, of: GmiIdOwner) => string) | undefined;
}

/** Whose id it is. */
export type GmiIdOwner = 'key' | 'organization' | 'owner';

/** RFC 9562 section 4, of whatever version. */
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** All that a key may be for; the wire has room for one of them. */
const SCOPES = ['ie_model', 'ce_resource'];

/** For a missing or a malformed header too: its document has no other code. */
const INVALID = answer(401, 'api-key', 200, { message: 'Invalid API key.' });
const EXPIRED = answer(401, 'api-key', 201, { message: 'Expired API key.' });
const FAULT = answer(500, 'api-key', 1201, {
  message: 'Get API key encountered DB error.',
  traces: ['DB error occurred.'],
});

const ERRORS: { readonly [Code in ErrorCode]?: DialectAnswer } = {
  missing_credentials: INVALID,
  invalid_token: INVALID,
  temporarily_unavailable: FAULT,
  server_error: FAULT,
};

/** What is wrong with the request itself, and not with its key, is of the group `request`. */
const REQUEST_ERRORS: readonly ErrorCode[] = [
  'method_not_allowed',
  'payload_too_large',
  'unsupported_media_type',
];

/**
 * `GET /me/api-keys/current` of GMI Cloud, which serves it below `/api/v1`.
 *
 * @throws TypeError for an option that is wrong
 */
export function gmi(options: GmiOptions = {}): Dialect {
  const given = checkOptionNames('gmi', options, ['uuid']);
  const uuid = optionalFunction<NonNullable<GmiOptions['uuid']>>('gmi', 'uuid', given['uuid']);
  function uuidOf(id: string, of: GmiIdOwner): string | undefined {
    const found: unknown = UUID.test(id) ? id : uuid?.(id, of);
    if (typeof found === 'string' && UUID.test(found)) return found;
    // A promise, most likely: it names nobody yet, and its rejection would end the process.
    Promise.resolve(found).catch(() => undefined);
    return undefined;
  }

  return {
    name: 'gmi',
    routes(tools) {
      const keyIn = tools.keyIn('Authorization', 'Bearer');
      return [
        {
          method: 'GET',
          path: '/me/api-keys/current',
          async handle(request) {
            const key = keyIn(request);
            if (key === undefined) return INVALID;
            const verdict = await tools.verify(key, request);
            if (!verdict.ok) return verdict.reason === 'expired' ? EXPIRED : INVALID;
            const { apiKey, graceUntil } = verdict;
            const body = describedKey(apiKey, uuidOf);
            if (body === undefined) return FAULT;
            return { status: 200, headers: deprecationHeaders(apiKey.rotatedAt, graceUntil), body };
          },
        },
      ];
    },
    error: wordError,
  };
}

/** `undefined` where the wire has no place for it: it could only be told wrongly. */
function describedKey(
  { id, scopes, owner, organization }: ApiKey,
  uuidOf: (id: string, of: GmiIdOwner) => string | undefined,
): Json | undefined {
  const scope = scopes.find((one) => SCOPES.includes(one));
  const keyId = uuidOf(id, 'key');
  const ownerId = uuidOf(owner.id, 'owner');
  const organizationId = uuidOf(organization.id, 'organization');
  if (scope === undefined || keyId === undefined || ownerId === undefined || organizationId === undefined)
    return undefined;
  // Deprecated, and it knows this one value only.
  const type = scope === 'ie_model' ? { type: scope } : undefined;
  return { key: { id: keyId, scope, owner: { id: ownerId }, ...type }, organization: { id: organizationId } };
}

/** Codes that its documents do not have are told by the status of the answer. */
function wordError(error: ApiKeyError): DialectAnswer {
  const { code, status } = error;
  const message = wordsOf(error);
  if (error instanceof InvalidInputError) {
    const detail = { field: error.field.slice(1).replaceAll('/', '.'), reason: error.message };
    return answer(400, 'request', 0, { validationDetail: [detail] });
  }
  if (code === 'invalid_request') return answer(400, 'request', 0, { message });
  const group = REQUEST_ERRORS.includes(code) ? 'request' : 'api-key';
  return ERRORS[code] ?? answer(status, group, status, { message });
}

/** Members that are empty are left out, as Go does it. */
function answer(
  status: number,
  group: 'api-key' | 'request',
  code: number,
  more: Readonly<Record<string, Json>>,
): DialectAnswer {
  return { status, body: { group, code, ...more } };
}
