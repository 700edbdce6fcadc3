import { workos } from '../../lib/dialects.ts';
import { ORGANIZATION_ID, type Presented, presented, USER_ID } from './matrix-keys.ts';
import { type Ask, type DialectTable, type ExpectedAnswer, RETRY_AFTER } from './matrix-table.ts';

/** The endpoint that a caller with a key of its own asks about another. */

const askAbout = (body: string, caller: Presented = presented.caller): Ask => ({
  lines: [`Authorization: Bearer ${caller.key}`, 'Content-Type: application/json'],
  body,
});
const bodyFor = ({ key }: Presented): string => JSON.stringify({ value: key });

const ORGANIZATION = `{"type":"organization","id":"${ORGANIZATION_ID}"}`;
const described = (id: string, owner = ORGANIZATION, end = 'null'): ExpectedAnswer => ({
  status: 200,
  body: `{"api_key":{"object":"api_key","id":"api_key_${id}","owner":${owner},"name":"Production API Key","obfuscated_value":"acme_live_9fQx...k3xT","last_used_at":null,"expires_at":${end},"permissions":["ie_model","invoices:read"],"created_at":"2026-02-28T10:00:00.000Z","updated_at":"2026-03-01T08:00:00.000Z"}}`,
});
const NULL: ExpectedAnswer = { status: 200, body: '{"api_key":null}' };
const UNAUTHORIZED: ExpectedAnswer = {
  status: 401,
  body: '{"message":"Unauthorized","code":"unauthorized"}',
};

export const workosTable: DialectTable = {
  name: 'workos',
  dialect: workos(),
  vendor: 'workos',
  base: '/workos',
  method: 'POST',
  path: '/api_keys/validations',
  ask: (subject) => askAbout(bodyFor(subject)),
  special: {
    missing: { lines: ['Content-Type: application/json'], body: bodyFor(presented.good) },
    malformed: askAbout('{"value":"nonsense"}'),
    'without the scope': askAbout(bodyFor(presented.good), presented.scopeless),
    'asked about while the store is down': askAbout(bodyFor(presented.cold)),
    'asked about with a hostile body': askAbout(`{"value":"${presented.good.key}","value":"other"}`),
    'asked about with an ambiguous header': {
      lines: [
        `Authorization: Bearer ${presented.caller.key}`,
        `Authorization: Bearer ${presented.caller.key}`,
        'Content-Type: application/json',
      ],
      body: bodyFor(presented.good),
    },
  },
  answers: {
    good: described(presented.good.keyId),
    'good with a user for an owner': described(
      presented.userOwned.keyId,
      `{"type":"user","id":"${USER_ID}","organization_id":"${ORGANIZATION_ID}"}`,
    ),
    unknown: NULL,
    malformed: NULL,
    missing: UNAUTHORIZED,
    expired: NULL,
    revoked: NULL,
    disabled: NULL,
    'in its grace': described(presented.rotated.keyId, ORGANIZATION, '"2026-03-02T09:00:00.000Z"'),
    'without the scope': { status: 403, body: '{"message":"Forbidden","code":"forbidden"}' },
    'asked about while the store is down': {
      status: 503,
      body: '{"message":"Service Unavailable","code":"service_unavailable"}',
      fields: [RETRY_AFTER],
    },
    'asked about with a hostile body': {
      status: 400,
      body: '{"message":"Problems parsing JSON","code":"invalid_request_body"}',
    },
    'asked about with an ambiguous header': UNAUTHORIZED,
  },
};
