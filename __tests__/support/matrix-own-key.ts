import { gmi, pluto, timbrix } from '../../lib/dialects.ts';
import { ORGANIZATION_ID, type Presented, presented, USER_ID } from './matrix-keys.ts';
import { type Ask, type DialectTable, type ExpectedAnswer, GRACE_FIELDS } from './matrix-table.ts';

/** Endpoints that a key is sent to by its own holder. */

const bearer = ({ key }: Presented): Ask => ({ lines: [`Authorization: Bearer ${key}`] });
const header = ({ key }: Presented): Ask => ({ lines: [`X-API-Key: ${key}`] });

/** JSON that no parser takes, with two members of one name, NUL and a key that is not asked about. */
const HOSTILE = `{"key":"${presented.unknown.key}","key":"\\u0000","__proto__":{},`;
const withHostileBody = (ask: Ask): Ask => ({
  lines: [...ask.lines, 'Content-Type: application/json'],
  body: HOSTILE,
});
const twice = (ask: Ask): Ask => ({ lines: [...ask.lines, ...ask.lines] });

const PLUTO_GOOD = `{"valid":true,"organization":{"id":"${ORGANIZATION_ID}","slug":"acme"},"user":{"id":"${ORGANIZATION_ID}"}}`;

const plutoRefusal = (message: string): ExpectedAnswer => ({
  status: 401,
  body: `{"error":"Unauthorized","message":"${message}"}`,
});

export const plutoTable: DialectTable = {
  name: 'pluto',
  dialect: pluto(),
  vendor: 'pluto',
  base: '/pluto',
  method: 'GET',
  path: '/api/runs/auth/validate',
  ask: bearer,
  special: {
    missing: { lines: [] },
    malformed: { lines: ['Authorization: Bearer nonsense'] },
    'without the scope': bearer(presented.scopeless),
    'asked about while the store is down': bearer(presented.cold),
    'asked about with a hostile body': withHostileBody(bearer(presented.good)),
    'asked about with an ambiguous header': twice(bearer(presented.good)),
  },
  answers: {
    good: { status: 200, body: PLUTO_GOOD },
    'good with a user for an owner': {
      status: 200,
      body: `{"valid":true,"organization":{"id":"${ORGANIZATION_ID}","slug":"acme"},"user":{"id":"${USER_ID}"}}`,
    },
    unknown: plutoRefusal('Key not found'),
    malformed: plutoRefusal('Invalid API key'),
    missing: { status: 401, body: '{"error":"Unauthorized"}' },
    expired: plutoRefusal('API key has expired'),
    revoked: plutoRefusal('API key has been revoked'),
    disabled: plutoRefusal('Key not found'),
    'in its grace': { status: 200, body: PLUTO_GOOD, fields: GRACE_FIELDS },
    'without the scope': { status: 200, body: PLUTO_GOOD },
    'asked about while the store is down': { status: 500, body: '{"error":"Internal Server Error"}' },
    'asked about with a hostile body': { status: 200, body: PLUTO_GOOD },
    'asked about with an ambiguous header': { status: 401, body: '{"error":"Unauthorized"}' },
  },
};

const nest = (status: number, body: string, fields: readonly string[] = []): ExpectedAnswer => ({
  status,
  body,
  fields,
  type: 'application/json; charset=utf-8',
});
const timbrixGood = (id: string, expiresAt = 'null'): string =>
  `{"valid":true,"id":"${id}","name":"Production API Key","organizationId":"${ORGANIZATION_ID}","scopes":["ie_model","invoices:read"],"expiresAt":${expiresAt},"isActive":true}`;
const TIMBRIX_MISSING = nest(401, '{"message":"Unauthorized","statusCode":401}');
const TIMBRIX_INVALID = nest(401, '{"message":"Invalid API key","error":"Unauthorized","statusCode":401}');

export const timbrixTable: DialectTable = {
  name: 'timbrix',
  dialect: timbrix({ scopes: ['invoices:read'] }),
  vendor: 'timbrix',
  base: '/timbrix/api',
  method: 'POST',
  path: '/api-keys/validate',
  ask: header,
  special: {
    missing: bearer(presented.good),
    malformed: { lines: ['X-API-Key: nonsense'] },
    'without the scope': header(presented.scopeless),
    'asked about while the store is down': header(presented.cold),
    'asked about with a hostile body': withHostileBody(header(presented.good)),
    'asked about with an ambiguous header': twice(header(presented.good)),
  },
  answers: {
    good: nest(200, timbrixGood(presented.good.keyId)),
    'good with a user for an owner': nest(200, timbrixGood(presented.userOwned.keyId)),
    unknown: TIMBRIX_INVALID,
    malformed: TIMBRIX_INVALID,
    missing: TIMBRIX_MISSING,
    expired: nest(401, '{"message":"API key expired","error":"Unauthorized","statusCode":401}'),
    revoked: TIMBRIX_INVALID,
    disabled: TIMBRIX_INVALID,
    'in its grace': nest(
      200,
      timbrixGood(presented.rotated.keyId, '"2026-03-02T09:00:00.000Z"'),
      GRACE_FIELDS,
    ),
    'without the scope': nest(403, '{"message":"Insufficient scopes","error":"Forbidden","statusCode":403}'),
    'asked about while the store is down': nest(500, '{"statusCode":500,"message":"Internal server error"}'),
    'asked about with a hostile body': nest(200, timbrixGood(presented.good.keyId)),
    'asked about with an ambiguous header': TIMBRIX_MISSING,
  },
};

const gmiGood = (id: string, ownerId = ORGANIZATION_ID): string =>
  `{"key":{"id":"${id}","scope":"ie_model","owner":{"id":"${ownerId}"},"type":"ie_model"},"organization":{"id":"${ORGANIZATION_ID}"}}`;
const GMI_INVALID: ExpectedAnswer = {
  status: 401,
  body: '{"group":"api-key","code":200,"message":"Invalid API key."}',
};
const GMI_FAULT: ExpectedAnswer = {
  status: 500,
  body: '{"group":"api-key","code":1201,"message":"Get API key encountered DB error.","traces":["DB error occurred."]}',
};

export const gmiTable: DialectTable = {
  name: 'gmi',
  dialect: gmi(),
  vendor: 'gmi',
  base: '/gmi/api/v1',
  method: 'GET',
  path: '/me/api-keys/current',
  ask: bearer,
  special: {
    missing: header(presented.good),
    malformed: { lines: ['Authorization: Bearer nonsense'] },
    'without the scope': bearer(presented.scopeless),
    'asked about while the store is down': bearer(presented.cold),
    'asked about with a hostile body': withHostileBody(bearer(presented.good)),
    'asked about with an ambiguous header': twice(bearer(presented.good)),
  },
  answers: {
    good: { status: 200, body: gmiGood(presented.good.keyId) },
    'good with a user for an owner': { status: 200, body: gmiGood(presented.userOwned.keyId, USER_ID) },
    unknown: GMI_INVALID,
    malformed: GMI_INVALID,
    missing: GMI_INVALID,
    expired: { status: 401, body: '{"group":"api-key","code":201,"message":"Expired API key."}' },
    revoked: GMI_INVALID,
    disabled: GMI_INVALID,
    'in its grace': { status: 200, body: gmiGood(presented.rotated.keyId), fields: GRACE_FIELDS },
    'without the scope': GMI_FAULT,
    'asked about while the store is down': GMI_FAULT,
    'asked about with a hostile body': { status: 200, body: gmiGood(presented.good.keyId) },
    'asked about with an ambiguous header': GMI_INVALID,
  },
};
