import { createSecretKey, generateKeyPairSync, type webcrypto } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { generateKeyPair } from 'jose';
import { createApiKeys, MemoryKeyStore } from '../../lib/index.ts';
import { type JwtKey, type JwtKeysOptions, jwtKeys } from '../../lib/jwt.ts';
import { makeSigner, privateJwk, publicJwk } from '../support/jwt-builder.ts';
import { keyOption, optionsWith } from '../support/jwt-options.ts';

const es256 = makeSigner('ES256');
const other = makeSigner('ES256');
const current = keyOption('k1', 'current', es256);
const url = new URL('https://keys.test/jwks');
const { subtle } = globalThis.crypto;
const hmac = (await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, [
  'sign',
  'verify',
])) as webcrypto.CryptoKey;
const pss = await generateKeyPair('PS256');
const publicOnly = await generateKeyPair('ES256');
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ format: 'jwk' });
const ed448 = generateKeyPairSync('ed448').privateKey.export({ format: 'jwk' });

const options = optionsWith([current]);
const key = (more: object): object => optionsWith([{ ...current, ...more } as JwtKey]);
const keys = (...list: readonly unknown[]): object => optionsWith(list as readonly JwtKey[]);
const remote = (more: object): object =>
  optionsWith({ jwks: url, algorithms: ['ES256'], ...more } as JwtKeysOptions['keys']);
const anEcKey = 'keys[0].key must be an EC key on P-256 for ES256, but got';
const anEdKey = 'keys[0].key must be an Ed25519 key for EdDSA, but got';
const anAlgorithm = 'must be "ES256" or "EdDSA" or "RS256", but got';
const aUrl =
  'keys.jwks must be a URL with https:, or with http: on this machine, and without a password, but got';

test.each<[string, object, string]>([
  [
    'no issuer',
    { ...options, issuer: undefined },
    'issuer must be a text of 1 to 255 characters, but got undefined',
  ],
  [
    'an empty audience',
    { ...options, audience: '' },
    'audience must be a text of 1 to 255 characters, but got ""',
  ],
  [
    'several audiences',
    { ...options, audience: ['a'] },
    'audience must be a text of 1 to 255 characters, but got an array of 1',
  ],
  [
    'no longest life',
    { ...options, maxLifetimeMs: undefined },
    'maxLifetimeMs must be a whole number from 1000 to 315360000000, but got undefined',
  ],
  [
    'a longest life as a text',
    { ...options, maxLifetimeMs: '1h' },
    'maxLifetimeMs must be a whole number from 1000 to 315360000000, but got "1h"',
  ],
  [
    'a longest life of no seconds',
    { ...options, maxLifetimeMs: 999 },
    'maxLifetimeMs must be a whole number from 1000 to 315360000000, but got 999',
  ],
  [
    'no keys',
    { ...options, keys: undefined },
    'keys must be an array of keys or { jwks, algorithms }, but got undefined',
  ],
  [
    'a name that is near one',
    { ...options, audiences: 'a' },
    'unknown option "audiences"; did you mean "audience"? (known: issuer, audience, maxLifetimeMs, keys)',
  ],
  ['an empty list of keys', keys(), 'keys must have one key in the state "current", but got 0'],
  [
    'no current key',
    keys(keyOption('k1', 'next'), keyOption('k2', 'retired')),
    'keys must have one key in the state "current", but got 0',
  ],
  [
    'two current keys',
    keys(current, keyOption('k2', 'current')),
    'keys must have one key in the state "current", but got 2',
  ],
  ['two keys of one id', keys(current, keyOption('k1', 'next')), 'two keys have the id "k1"'],
  ['a key that is no object', keys('k1'), 'keys[0]: options must be an object, but got "k1"'],
  [
    'a misspelt member of a key',
    key({ kid: 'k1' }),
    'keys[0]: unknown option "kid"; did you mean "id"? (known: id, alg, state, key)',
  ],
  [
    'a key without an id',
    key({ id: undefined }),
    'keys[0].id must be 1 to 255 visible ASCII characters, but got undefined',
  ],
  ['a key without an algorithm', key({ alg: undefined }), `keys[0].alg ${anAlgorithm} undefined`],
  ['an HMAC', key({ alg: 'HS256' }), `keys[0].alg ${anAlgorithm} "HS256"`],
  ['no signature', key({ alg: 'none' }), `keys[0].alg ${anAlgorithm} "none"`],
  [
    'a key without a state',
    key({ state: undefined }),
    'keys[0].state must be "next" or "current" or "retired", but got undefined',
  ],
  [
    'a state that there is not',
    key({ state: 'old' }),
    'keys[0].state must be "next" or "current" or "retired", but got "old"',
  ],
  ['no key material', key({ key: undefined }), 'keys[0].key must be a CryptoKey or a JWK, but got undefined'],
  [
    'a secret as a text',
    key({ key: 'a secret of at least thirty-two bytes' }),
    'keys[0].key must be a CryptoKey or a JWK, but got a text',
  ],
  [
    'a secret as bytes',
    key({ key: new Uint8Array(32) }),
    'keys[0].key must be a CryptoKey or a JWK, but got bytes',
  ],
  [
    'a secret as a KeyObject',
    key({ key: createSecretKey(Buffer.alloc(32)) }),
    'keys[0].key must be a CryptoKey or a JWK, but got a KeyObject',
  ],
  ['a secret as a JWK', key({ key: { kty: 'oct', k: 'A'.repeat(43) } }), `${anEcKey} a shared secret`],
  ['a secret as a CryptoKey', key({ key: hmac }), `${anEcKey} a CryptoKey for HMAC`],
  [
    'an Ed25519 key for ES256',
    key({ key: privateJwk(makeSigner('EdDSA')) }),
    `${anEcKey} another kind of key`,
  ],
  ['a P-256 key for EdDSA', key({ alg: 'EdDSA' }), `${anEdKey} another kind of key`],
  ['a P-384 key for ES256', key({ key: p384 }), `${anEcKey} another kind of key`],
  ['an Ed448 key for EdDSA', key({ alg: 'EdDSA', key: ed448 }), `${anEdKey} another kind of key`],
  [
    'a key for RSA-PSS',
    keys(current, { id: 'k2', alg: 'RS256', state: 'next', key: pss.publicKey }),
    'keys[1].key must be an RSA key of at least 2048 bits for RS256, but got a CryptoKey for RSA-PSS',
  ],
  [
    'an RSA key of 1024 bits',
    keys(current, { id: 'k2', alg: 'RS256', state: 'next', key: publicJwk(makeSigner('RS256', 1024)) }),
    'keys[1].key must be an RSA key of at least 2048 bits for RS256, but got another kind of key',
  ],
  [
    'RS256 to sign with',
    keys(keyOption('k1', 'current', makeSigner('RS256'))),
    'keys[0] cannot be "current": RS256 checks only; sign with ES256 or EdDSA',
  ],
  [
    'a public JWK to sign with',
    key({ key: publicJwk(es256) }),
    'keys[0].key must be a private key that may sign, as it is "current"',
  ],
  [
    'a public CryptoKey to sign with',
    key({ key: publicOnly.publicKey }),
    'keys[0].key must be a private key that may sign, as it is "current"',
  ],
  [
    'a private part of another pair',
    key({ key: { ...privateJwk(es256), d: privateJwk(other).d } }),
    `${anEcKey} a JWK that is none`,
  ],
  [
    'a point that is on no curve',
    key({ key: { ...publicJwk(es256), x: publicJwk(other).x } }),
    `${anEcKey} a JWK that is none`,
  ],
  [
    'a JWK for another algorithm',
    key({ key: { ...privateJwk(es256), alg: 'ES384' } }),
    'keys[0].key is a JWK for another purpose than ES256',
  ],
  [
    'a JWK to encrypt with',
    key({ key: { ...privateJwk(es256), use: 'enc' } }),
    'keys[0].key is a JWK for another purpose than ES256',
  ],
  ['an address as a text', remote({ jwks: 'https://keys.test/jwks' }), `${aUrl} a text`],
  [
    'an address without TLS',
    remote({ jwks: new URL('http://keys.test/a') }),
    `${aUrl} one with http://keys.test`,
  ],
  [
    'an address that only looks local',
    remote({ jwks: new URL('http://127.0.0.1.keys.test/') }),
    `${aUrl} one with http://127.0.0.1.keys.test`,
  ],
  ['a file', remote({ jwks: new URL('file:///keys.json') }), `${aUrl} one with file://`],
  [
    'an address with a password',
    remote({ jwks: new URL('https://a:secret@keys.test/') }),
    `${aUrl} one with https://keys.test`,
  ],
  [
    'a user of an address',
    remote({ jwks: new URL('https://a@keys.test/') }),
    `${aUrl} one with https://keys.test`,
  ],
  [
    'a password alone',
    remote({ jwks: new URL('https://:secret@keys.test/') }),
    `${aUrl} one with https://keys.test`,
  ],
  [
    'another protocol on this machine',
    remote({ jwks: new URL('ftp://localhost/') }),
    `${aUrl} one with ftp://localhost`,
  ],
  [
    'a name that only ends as that of this machine',
    remote({ jwks: new URL('http://notlocalhost/') }),
    `${aUrl} one with http://notlocalhost`,
  ],
  ['something like an address', remote({ jwks: { href: 'https://keys.test/' } }), `${aUrl} an object`],
  ['no address', remote({ jwks: undefined }), `${aUrl} undefined`],
  ['a number as address', remote({ jwks: 5 }), `${aUrl} 5`],
  [
    'null in the place of keys',
    { ...options, keys: null },
    'keys must be an array of keys or { jwks, algorithms }, but got null',
  ],
  [
    'no algorithms',
    remote({ algorithms: undefined }),
    'keys.algorithms must be an array of at least one algorithm, but got undefined',
  ],
  [
    'an empty list of algorithms',
    remote({ algorithms: [] }),
    'keys.algorithms must be an array of at least one algorithm, but got an array of 0',
  ],
  [
    'an HMAC among the algorithms',
    remote({ algorithms: ['ES256', 'HS256'] }),
    `keys.algorithms[1] ${anAlgorithm} "HS256"`,
  ],
  [
    'a time-out of nothing',
    remote({ timeoutMs: 0 }),
    'keys.timeoutMs must be a whole number from 1 to 9000, but got 0',
  ],
  [
    'a stale time that never ends',
    remote({ staleMs: Number.POSITIVE_INFINITY }),
    'keys.staleMs must be a whole number from 0 to 86400000, but got Infinity',
  ],
  [
    'a misspelt member of a remote set',
    remote({ algorithm: 'ES256' }),
    'keys: unknown option "algorithm"; did you mean "algorithms"? (known: jwks, algorithms, timeoutMs, staleMs)',
  ],
])('jwtKeys() refuses %s', (_, given, message) => {
  expect(() => jwtKeys(given as JwtKeysOptions)).toThrow(new TypeError(`jwtKeys: ${message}`));
});

test.each<[string, object]>([
  ['frozen options', Object.freeze(options)],
  ['members that are given as undefined', remote({ timeoutMs: undefined, staleMs: undefined })],
  ['http on this machine', remote({ jwks: new URL('http://localhost:1/') })],
  ['http on this machine, by IPv6', remote({ jwks: new URL('http://[::1]:1/') })],
  ['http on this machine, by a longer address', remote({ jwks: new URL('http://127.10.200.12/') })],
  ['private keys that do not sign', keys(current, { ...current, id: 'k2', state: 'next' })],
  ['public CryptoKeys', keys(current, { ...current, id: 'k2', state: 'retired', key: publicOnly.publicKey })],
  ['RS256 to check with', keys(current, keyOption('k2', 'retired', makeSigner('RS256')))],
  [
    'a JWK that says what it is for',
    key({ key: { ...privateJwk(es256), alg: 'ES256', use: 'sig', kid: 'x' } }),
  ],
])('jwtKeys() takes %s', (_, given) => {
  expect(jwtKeys(given as JwtKeysOptions).name).toBe('jwt');
});

test('two of them in one application are refused', () => {
  const verifiers = [jwtKeys(options), jwtKeys(options)];

  expect(() => createApiKeys({ store: new MemoryKeyStore(), verifiers })).toThrow(TypeError);
});

test('the keys of another issuer can neither sign nor be published', async () => {
  const verifier = jwtKeys(remote({}) as JwtKeysOptions);
  const apiKeys = createApiKeys({ store: new MemoryKeyStore(), verifiers: [verifier] });
  const input = { name: 'CI', organization: { id: 'org_1' }, kind: 'jwt' } as const;

  await expect(apiKeys.create(input)).rejects.toThrow(
    new TypeError('A key of kind "jwt" cannot be made with a remote JWKS: only its issuer can sign.'),
  );
  expect(() => verifier.jwksRouter()).toThrow(
    new TypeError('jwksRouter: the keys of a remote JWKS are published by their issuer.'),
  );
  await apiKeys.close();
});
