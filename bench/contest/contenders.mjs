// Everything that is measured, in the order of the table. `home` is the file that opens it; what stands in bench/peers/
// needs the packages of that folder.

const OWN = new URL('own-contenders.mjs', import.meta.url);
const PEERS = new URL('../peers/peer-contenders.mjs', import.meta.url);

/** `packages`: whose versions are printed. `sample`: so many of the keys, where one request takes too long for all. */
export const CONTENDERS = [
  { id: 'empty', name: 'two empty middlewares', kind: 'express', home: OWN },
  { id: 'limit', name: 'SHA-256 and look-up: the limit', kind: 'express', home: OWN },
  { id: 'opaque', name: 'keystile', kind: 'keystile', home: OWN },
  { id: 'peppered', name: 'keystile, with a pepper', kind: 'keystile', home: OWN },
  { id: 'pair', name: 'keystile, id and secret', kind: 'keystile', home: OWN },
  { id: 'jwt', name: 'keystile, JWT (ES256)', kind: 'keystile', home: OWN },
  { id: 'malformed', name: 'keystile, malformed key', kind: 'keystile', home: OWN },
  { id: 'miss-sqlite', name: 'keystile, no cache, SQLite', kind: 'keystile', home: OWN, needs: 'sqlite' },
  {
    id: 'miss-postgres',
    name: 'keystile, no cache, PostgreSQL',
    kind: 'keystile',
    home: OWN,
    needs: 'postgres',
  },
  peer('passport', 'passport-headerapikey, plain keys', ['passport', 'passport-headerapikey']),
  peer('passport-sha256', 'passport-headerapikey, SHA-256', ['passport', 'passport-headerapikey']),
  peer('prefixed', 'prefixed-api-key', ['prefixed-api-key']),
  peer('bearer-hs256', 'express-oauth2-jwt-bearer, HS256', ['express-oauth2-jwt-bearer']),
  peer('bearer-rs256', 'express-oauth2-jwt-bearer, RS256', ['express-oauth2-jwt-bearer']),
  peer('express-jwt-hs256', 'express-jwt, HS256', ['express-jwt', 'jsonwebtoken']),
  peer('express-jwt-rs256', 'express-jwt, RS256', ['express-jwt', 'jsonwebtoken']),
  peer('express-jwt-es256', 'express-jwt, ES256', ['express-jwt', 'jsonwebtoken']),
  peer('better-auth-map', 'better-auth, keys in a Map', ['better-auth', '@better-auth/api-key']),
  peer('better-auth-memory', 'better-auth, memory adapter', ['better-auth', '@better-auth/api-key']),
  {
    ...peer('better-auth-sqlite', 'better-auth, SQLite', ['better-auth', '@better-auth/api-key']),
    needs: 'sqlite',
  },
  { ...peer('bcryptjs', 'bcryptjs on every request, cost 10', ['bcryptjs']), sample: 4 },
];

/** What was wanted and is not there, so that nobody looks for it in the table in vain. */
export const LEFT_OUT = [
  { name: 'keypal', why: 'npm had no package of that name when these figures were made' },
];

export const KEYS = 1_000;
export const SCOPE = 'reports:read';
export const SCOPES = ['users:read', SCOPE];
export const PATH = '/reports';

function peer(id, name, packages) {
  return { id, name, kind: 'peer', home: PEERS, packages };
}
