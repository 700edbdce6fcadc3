// Endpoints that read a body, and what each may answer.
import { TEXTS } from './known-keys.mjs';

const [PAIR_ID = '', PAIR_SECRET = ''] = TEXTS.pair.split('.');

/**
 * @typedef {object} Target
 * @property {string} method
 * @property {string} url
 * @property {'form' | 'json'} [speaks] - absent: it reads no body
 * @property {readonly number[]} statuses - without faults of the store
 * @property {readonly string[]} members - names that mean something to it
 * @property {Readonly<Record<string, unknown>>} [good] - a body that it takes
 * @property {readonly string[]} [callers] - where not every caller may ask: those who may
 * @property {number} lookups - the most for one request
 * @property {(body: any) => boolean} [accepts] - whether an answer says that what the body asks about is good
 */

/** A path of management that changes nothing that others here need. */
const OWN_KEY = '/00000000-0000-7000-8000-00000000aaaa';
const PROBLEMS = [400, 401, 403, 404, 409, 413, 415];
const CALLERS = ['good'];

/** @type {Readonly<Record<string, Target>>} */
export const TARGETS = {
  endor: {
    method: 'POST',
    url: '/v1/auth/api-key/validate',
    speaks: 'json',
    statuses: [200, 400, 413, 415, 429],
    members: ['key', 'secret', 'valid', 'issuing_user'],
    good: { key: PAIR_ID, secret: PAIR_SECRET },
    lookups: 1,
    accepts: (body) => body.valid !== false,
  },
  workos: {
    method: 'POST',
    url: '/api_keys/validations',
    speaks: 'json',
    statuses: [200, 400, 401, 429],
    members: ['value'],
    good: { value: TEXTS.good },
    callers: CALLERS,
    lookups: 2,
    accepts: (body) => body.api_key !== null,
  },
  introspection: {
    method: 'POST',
    url: '/introspect',
    speaks: 'form',
    statuses: [200, 400, 401, 413, 415, 429],
    members: ['token', 'token_type_hint'],
    good: { token: TEXTS.good },
    callers: CALLERS,
    lookups: 2,
    accepts: (body) => body.active !== false,
  },
  timbrix: {
    method: 'POST',
    url: '/api-keys/validate',
    statuses: [200, 401],
    members: [],
    callers: CALLERS,
    lookups: 1,
  },
  pluto: {
    method: 'POST',
    url: '/api/slug',
    statuses: [200, 401],
    members: [],
    callers: CALLERS,
    lookups: 1,
  },
  gmi: {
    method: 'GET',
    url: '/me/api-keys/current',
    statuses: [200, 401],
    members: [],
    callers: CALLERS,
    lookups: 1,
  },
  create: {
    method: 'POST',
    url: '/',
    speaks: 'json',
    statuses: [201, ...PROBLEMS],
    members: ['name', 'scopes', 'environment', 'expiresAt', 'notBefore', 'metadata', 'kind'],
    good: { name: 'A key', scopes: ['reports:read'], metadata: { team: 'a' } },
    callers: CALLERS,
    lookups: 1,
  },
  update: {
    method: 'PATCH',
    url: OWN_KEY,
    speaks: 'json',
    statuses: [200, ...PROBLEMS],
    members: ['name', 'scopes', 'metadata', 'expiresAt', 'notBefore'],
    good: { name: 'Another name' },
    callers: CALLERS,
    lookups: 3,
  },
  rotate: {
    method: 'POST',
    url: `${OWN_KEY}/rotate`,
    speaks: 'json',
    statuses: [200, ...PROBLEMS],
    members: ['gracePeriodMs'],
    good: { gracePeriodMs: 0 },
    callers: CALLERS,
    lookups: 3,
  },
};

/** The key that `update` and `rotate` are about. */
export const OWN_KEY_ID = OWN_KEY.slice(1);
