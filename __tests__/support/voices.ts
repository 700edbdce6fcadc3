import type { ErrorCode } from '../../lib/index.ts';

/** How a dialect words each code: status, and the whole body with its members in their order. */
export type Voice = Readonly<Record<ErrorCode, readonly [status: number, body: string]>>;

/** What the error itself says; only of a broken request that is told. */
export const OWN_TEXT = 'What is wrong with the request.';

const MISSING = 'This resource needs an API key.';
const INVALID = 'The API key is not valid.';
const NO_SCOPE = 'The API key lacks a scope that this resource needs.';
const FORBIDDEN = 'The API key may not be used for this resource.';
const NO_TLS = 'API keys are accepted over HTTPS only.';
const NOT_FOUND = 'There is no such key.';
const CONFLICT = 'The key is not in a state that allows this.';
const DUPLICATE = 'There is such a key already.';
const METHOD = 'The resource does not have this method.';
const LIMITED = 'Too many wrong secrets; try again later.';
const UNAVAILABLE = 'API keys cannot be checked at the moment; try again soon.';
const FAULT = 'Something went wrong.';

const plutoSays = (error: string, message: string): string => `{"error":"${error}","message":"${message}"}`;
const PLUTO_FAULT = '{"error":"Internal Server Error"}';

const pluto: Voice = {
  missing_credentials: [401, '{"error":"Unauthorized"}'],
  invalid_request: [400, plutoSays('Bad Request', OWN_TEXT)],
  invalid_token: [401, plutoSays('Unauthorized', 'Invalid API key')],
  insufficient_scope: [403, plutoSays('Forbidden', NO_SCOPE)],
  forbidden: [403, plutoSays('Forbidden', FORBIDDEN)],
  tls_required: [403, plutoSays('Forbidden', NO_TLS)],
  not_found: [404, plutoSays('Not Found', NOT_FOUND)],
  conflict: [409, plutoSays('Conflict', CONFLICT)],
  duplicate_key: [409, plutoSays('Conflict', DUPLICATE)],
  method_not_allowed: [405, plutoSays('Method Not Allowed', METHOD)],
  payload_too_large: [413, plutoSays('Content Too Large', OWN_TEXT)],
  unsupported_media_type: [415, plutoSays('Unsupported Media Type', OWN_TEXT)],
  rate_limited: [429, plutoSays('Too Many Requests', LIMITED)],
  temporarily_unavailable: [500, PLUTO_FAULT],
  server_error: [500, PLUTO_FAULT],
};

const nestSays = (message: string, error: string, statusCode: number): string =>
  `{"message":"${message}","error":"${error}","statusCode":${statusCode}}`;
const NEST_FAULT = '{"statusCode":500,"message":"Internal server error"}';

const timbrix: Voice = {
  missing_credentials: [401, '{"message":"Unauthorized","statusCode":401}'],
  invalid_request: [400, nestSays(OWN_TEXT, 'Bad Request', 400)],
  invalid_token: [401, nestSays('Invalid API key', 'Unauthorized', 401)],
  insufficient_scope: [403, nestSays('Insufficient scopes', 'Forbidden', 403)],
  forbidden: [403, nestSays('Forbidden resource', 'Forbidden', 403)],
  tls_required: [403, nestSays(NO_TLS, 'Forbidden', 403)],
  not_found: [404, nestSays(NOT_FOUND, 'Not Found', 404)],
  conflict: [409, nestSays(CONFLICT, 'Conflict', 409)],
  duplicate_key: [409, nestSays(DUPLICATE, 'Conflict', 409)],
  method_not_allowed: [405, nestSays(METHOD, 'Method Not Allowed', 405)],
  payload_too_large: [413, nestSays(OWN_TEXT, 'Content Too Large', 413)],
  unsupported_media_type: [415, nestSays(OWN_TEXT, 'Unsupported Media Type', 415)],
  rate_limited: [429, nestSays(LIMITED, 'Too Many Requests', 429)],
  temporarily_unavailable: [500, NEST_FAULT],
  server_error: [500, NEST_FAULT],
};

const gmiSays = (group: string, code: number, message: string): string =>
  `{"group":"${group}","code":${code},"message":"${message}"}`;
const GMI_INVALID = gmiSays('api-key', 200, 'Invalid API key.');
const GMI_FAULT =
  '{"group":"api-key","code":1201,"message":"Get API key encountered DB error.","traces":["DB error occurred."]}';

const gmi: Voice = {
  missing_credentials: [401, GMI_INVALID],
  invalid_request: [400, gmiSays('request', 0, OWN_TEXT)],
  invalid_token: [401, GMI_INVALID],
  insufficient_scope: [403, gmiSays('api-key', 403, NO_SCOPE)],
  forbidden: [403, gmiSays('api-key', 403, FORBIDDEN)],
  tls_required: [403, gmiSays('api-key', 403, NO_TLS)],
  not_found: [404, gmiSays('api-key', 404, NOT_FOUND)],
  conflict: [409, gmiSays('api-key', 409, CONFLICT)],
  duplicate_key: [409, gmiSays('api-key', 409, DUPLICATE)],
  method_not_allowed: [405, gmiSays('request', 405, METHOD)],
  payload_too_large: [413, gmiSays('request', 413, OWN_TEXT)],
  unsupported_media_type: [415, gmiSays('request', 415, OWN_TEXT)],
  rate_limited: [429, gmiSays('api-key', 429, LIMITED)],
  temporarily_unavailable: [500, GMI_FAULT],
  server_error: [500, GMI_FAULT],
};

const endorSays = (code: number, message: string, status: number, more = ''): string =>
  `{"code":${code},"message":"${message}","details":[{"@type":"type.googleapis.com/internal.endor.ai.rpc.v1.HTTPErrorInfo","status_code":${status}${more}}]}`;
const ENDOR_FORBIDDEN = endorSays(7, 'Unauthorized request for given endpoint', 403, ',"redirect_url":""');

const endor: Voice = {
  missing_credentials: [401, endorSays(16, MISSING, 401)],
  invalid_request: [400, endorSays(3, OWN_TEXT, 400)],
  invalid_token: [401, endorSays(16, INVALID, 401)],
  insufficient_scope: [403, ENDOR_FORBIDDEN],
  forbidden: [403, ENDOR_FORBIDDEN],
  tls_required: [403, ENDOR_FORBIDDEN],
  not_found: [404, endorSays(5, 'Not Found', 404)],
  conflict: [409, endorSays(10, CONFLICT, 409)],
  duplicate_key: [409, endorSays(6, DUPLICATE, 409)],
  method_not_allowed: [501, '{"code":12,"message":"Method Not Allowed","details":[]}'],
  payload_too_large: [413, endorSays(8, OWN_TEXT, 413)],
  unsupported_media_type: [415, endorSays(3, OWN_TEXT, 415)],
  rate_limited: [429, endorSays(8, LIMITED, 429)],
  temporarily_unavailable: [503, endorSays(14, UNAVAILABLE, 503)],
  server_error: [500, endorSays(13, FAULT, 500)],
};

const workosSays = (message: string, code: string): string => `{"message":"${message}","code":"${code}"}`;
const WORKOS_UNAUTHORIZED = workosSays('Unauthorized', 'unauthorized');
const WORKOS_FORBIDDEN = workosSays('Forbidden', 'forbidden');
const WORKOS_UNREADABLE = workosSays('Problems parsing JSON', 'invalid_request_body');

const workos: Voice = {
  missing_credentials: [401, WORKOS_UNAUTHORIZED],
  invalid_request: [400, WORKOS_UNREADABLE],
  invalid_token: [401, WORKOS_UNAUTHORIZED],
  insufficient_scope: [403, WORKOS_FORBIDDEN],
  forbidden: [403, WORKOS_FORBIDDEN],
  tls_required: [403, WORKOS_FORBIDDEN],
  not_found: [404, workosSays('Not Found', 'not_found')],
  conflict: [409, workosSays('Conflict', 'conflict')],
  duplicate_key: [409, workosSays('Conflict', 'conflict')],
  method_not_allowed: [405, workosSays('Method Not Allowed', 'method_not_allowed')],
  payload_too_large: [400, WORKOS_UNREADABLE],
  unsupported_media_type: [400, WORKOS_UNREADABLE],
  rate_limited: [429, workosSays('Too Many Requests', 'rate_limit_exceeded')],
  temporarily_unavailable: [503, workosSays('Service Unavailable', 'service_unavailable')],
  server_error: [500, workosSays('Internal Server Error', 'internal_server_error')],
};

const oauthSays = (error: string, description: string): string =>
  `{"error":"${error}","error_description":"${description}"}`;

const introspection: Voice = {
  missing_credentials: [401, oauthSays('invalid_token', MISSING)],
  invalid_request: [400, oauthSays('invalid_request', OWN_TEXT)],
  invalid_token: [401, oauthSays('invalid_token', INVALID)],
  insufficient_scope: [403, oauthSays('insufficient_scope', NO_SCOPE)],
  forbidden: [403, oauthSays('access_denied', FORBIDDEN)],
  tls_required: [403, oauthSays('access_denied', NO_TLS)],
  not_found: [404, oauthSays('invalid_request', NOT_FOUND)],
  conflict: [409, oauthSays('invalid_request', CONFLICT)],
  duplicate_key: [409, oauthSays('invalid_request', DUPLICATE)],
  method_not_allowed: [405, oauthSays('invalid_request', METHOD)],
  payload_too_large: [413, oauthSays('invalid_request', OWN_TEXT)],
  unsupported_media_type: [415, oauthSays('invalid_request', OWN_TEXT)],
  rate_limited: [429, oauthSays('temporarily_unavailable', LIMITED)],
  temporarily_unavailable: [503, oauthSays('temporarily_unavailable', UNAVAILABLE)],
  server_error: [500, oauthSays('server_error', FAULT)],
};

/** By the name of the dialect. */
export const voices: Readonly<Record<string, Voice>> = {
  pluto,
  timbrix,
  gmi,
  endor,
  workos,
  introspection,
};
