import { endor, introspection } from '../../lib/dialects.ts';
import { ORGANIZATION_ID, type Presented, presented, USER_ID } from './matrix-keys.ts';
import {
  type Ask,
  type DialectTable,
  type ExpectedAnswer,
  GRACE_FIELDS,
  RETRY_AFTER,
} from './matrix-table.ts';

/** Endpoints that somebody asks about a key that was sent to them. */

const json = (body: string): Ask => ({ lines: ['Content-Type: application/json'], body });
const AMBIGUOUS = [
  `Authorization: Bearer ${presented.good.key}`,
  `Authorization: Bearer ${presented.good.key}`,
];

const askEndor = ({ pairId, secret }: Presented): Ask => json(JSON.stringify({ key: pairId, secret }));
const endorGood = (pairId: string, userId = ORGANIZATION_ID): string =>
  `{"key":"${pairId}","secret":"***","issuing_user":{"meta":{"name":"${userId}","index_data":{"tenant":"${ORGANIZATION_ID}"},"kind":"User","version":"v1"},"spec":{"user_name":"${userId}"},"uuid":"${userId}"},"valid":true}`;
const endorBad = (key: string): ExpectedAnswer => ({
  status: 200,
  body: `{"key":"${key}","secret":"***","issuing_user":null,"valid":false}`,
});
const endorError = (httpStatus: number, code: number, message: string): ExpectedAnswer => ({
  status: httpStatus,
  body: `{"code":${code},"message":"${message}","details":[{"@type":"type.googleapis.com/internal.endor.ai.rpc.v1.HTTPErrorInfo","status_code":${httpStatus}}]}`,
});

export const endorTable: DialectTable = {
  name: 'endor',
  dialect: endor(),
  vendor: 'endor',
  base: '/endor',
  method: 'POST',
  path: '/v1/auth/api-key/validate',
  ask: askEndor,
  special: {
    missing: json('{}'),
    malformed: json('{"key":"endr+MPLCM7HUFpk5acdI","secret":"nonsense"}'),
    'without the scope': askEndor(presented.scopeless),
    'asked about while the store is down': askEndor(presented.cold),
    'asked about with a hostile body': json(
      `{"key":"${presented.good.pairId}","key":"other","secret":"${presented.good.secret}"}`,
    ),
    // It reads no header.
    'asked about with an ambiguous header': {
      lines: [...AMBIGUOUS, ...askEndor(presented.good).lines],
      body: askEndor(presented.good).body as string,
    },
  },
  answers: {
    good: { status: 200, body: endorGood(presented.good.pairId) },
    'good with a user for an owner': { status: 200, body: endorGood(presented.userOwned.pairId, USER_ID) },
    unknown: endorBad(presented.unknown.pairId),
    malformed: endorBad('endr+MPLCM7HUFpk5acdI'),
    missing: endorError(400, 3, 'invalid ValidateAPIKeyReq.Key: value is required'),
    expired: endorBad(presented.expired.pairId),
    revoked: endorBad(presented.revoked.pairId),
    disabled: endorBad(presented.disabled.pairId),
    'in its grace': { status: 200, body: endorGood(presented.rotated.pairId), fields: GRACE_FIELDS },
    'without the scope': { status: 200, body: endorGood(presented.scopeless.pairId) },
    'asked about while the store is down': {
      ...endorError(503, 14, 'API keys cannot be checked at the moment; try again soon.'),
      fields: [RETRY_AFTER],
    },
    'asked about with a hostile body': endorError(400, 3, 'The body has two members of one name.'),
    'asked about with an ambiguous header': { status: 200, body: endorGood(presented.good.pairId) },
  },
};

const askIntrospection = (form: string, caller: Presented = presented.caller): Ask => ({
  lines: [`Authorization: Bearer ${caller.key}`, 'Content-Type: application/x-www-form-urlencoded'],
  body: form,
});
const INACTIVE: ExpectedAnswer = { status: 200, body: '{"active":false}' };
const activeIat = Date.parse('2026-02-28T10:00:00Z') / 1_000;
const active = (id: string, ownerId = ORGANIZATION_ID): string =>
  `{"active":true,"scope":"ie_model invoices:read","client_id":"${id}","sub":"${ownerId}","iat":${activeIat},"jti":"${id}","token_type":"Bearer","organization":{"id":"${ORGANIZATION_ID}","slug":"acme"}}`;
const activeInGrace = (id: string): string =>
  active(id).replace(`"iat":${activeIat}`, `"exp":${Date.parse('2026-03-02T09:00:00Z') / 1_000}`);
const stranger = (error: string): ExpectedAnswer => ({
  status: 401,
  body: '{"error":"invalid_client","error_description":"The caller needs a key of its own that is good."}',
  fields: [`WWW-Authenticate: Bearer realm="api"${error}, Basic realm="api"`],
});

export const introspectionTable: DialectTable = {
  name: 'introspection',
  dialect: introspection(),
  base: '/oauth',
  method: 'POST',
  path: '/introspect',
  ask: ({ key }) => askIntrospection(`token=${key}`),
  special: {
    missing: {
      lines: ['Content-Type: application/x-www-form-urlencoded'],
      body: `token=${presented.good.key}`,
    },
    malformed: askIntrospection('token=nonsense'),
    'without the scope': askIntrospection(`token=${presented.good.key}`, presented.scopeless),
    'asked about while the store is down': askIntrospection(
      `token=${presented.cold.key}`,
      presented.coldCaller,
    ),
    'asked about with a hostile body': askIntrospection(
      `token=${presented.good.key}&token=${presented.unknown.key}`,
    ),
    'asked about with an ambiguous header': {
      lines: [...AMBIGUOUS, 'Content-Type: application/x-www-form-urlencoded'],
      body: `token=${presented.good.key}`,
    },
  },
  answers: {
    good: { status: 200, body: active(presented.good.keyId) },
    'good with a user for an owner': { status: 200, body: active(presented.userOwned.keyId, USER_ID) },
    unknown: INACTIVE,
    malformed: INACTIVE,
    missing: stranger(''),
    expired: INACTIVE,
    revoked: INACTIVE,
    disabled: INACTIVE,
    'in its grace': { status: 200, body: activeInGrace(presented.rotated.keyId) },
    'without the scope': {
      status: 403,
      body: '{"error":"insufficient_scope","error_description":"The key of the caller lacks a scope."}',
      fields: ['WWW-Authenticate: Bearer realm="api", error="insufficient_scope", scope="keys:validate"'],
    },
    'asked about while the store is down': {
      status: 503,
      body: '{"error":"temporarily_unavailable","error_description":"API keys cannot be checked at the moment; try again soon."}',
      fields: [RETRY_AFTER],
    },
    'asked about with a hostile body': {
      status: 400,
      body: '{"error":"invalid_request","error_description":"The form has a parameter twice."}',
    },
    'asked about with an ambiguous header': stranger(''),
  },
};
