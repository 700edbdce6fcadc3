import { afterEach, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, jwtVerify } from 'jose';
import request from 'supertest';
import { jwtKeys } from '../../lib/jwt.ts';
import { expressVersions } from '../support/express-versions.ts';
import { makeSigner, privateJwk, publicJwk } from '../support/jwt-builder.ts';
import { AUDIENCE, ISSUER, keyOption, optionsWith } from '../support/jwt-options.ts';
import { closeOpenedKeys, openKeys, START_MS } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

const signer = makeSigner('ES256');
const current = keyOption('k1', 'current', signer);

describe.each(expressVersions)('the published keys, on $name', ({ express }) => {
  const rsa = makeSigner('RS256');
  const keys = [
    current,
    { ...keyOption('k2', 'next'), key: privateJwk(makeSigner('ES256')) },
    { id: 'k3', alg: 'RS256', state: 'retired', key: privateJwk(rsa) } as const,
  ];
  const verifier = jwtKeys(optionsWith(keys));
  const app = express();
  app.use('/.well-known/jwks.json', verifier.jwksRouter());
  app.use('/auth', verifier.jwksRouter());
  app.use((_req, res) => {
    res.status(404).send('of the application');
  });

  test('are public parts only, each with its id, algorithm and use', async () => {
    const { status, headers, body } = await request(app).get('/.well-known/jwks.json');
    const names = {
      EC: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
      RSA: ['alg', 'e', 'kid', 'kty', 'n', 'use'],
    };

    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'public, max-age=300',
    });
    expect(body.keys).toMatchObject([
      { ...publicJwk(signer), kid: 'k1', alg: 'ES256', use: 'sig' },
      { kid: 'k2', alg: 'ES256', use: 'sig' },
      { ...publicJwk(rsa), kid: 'k3', alg: 'RS256', use: 'sig' },
    ]);
    for (const key of body.keys) expect(Object.keys(key).sort()).toEqual(names[key.kty as 'EC' | 'RSA']);
  });

  test('let jose verify our keys', async () => {
    const { key, apiKey } = await openKeys({ verifiers: [verifier] }, { kind: 'jwt' });
    const { body } = await request(app).get('/auth/.well-known/jwks.json');
    const { payload } = await jwtVerify(key, createLocalJWKSet(body), {
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: 'apikey+jwt',
      currentDate: new Date(START_MS),
    });

    expect(payload).toMatchObject({ sub: apiKey.id, jti: apiKey.id });
  });

  test.each([
    ['GET', '/auth', 200],
    ['GET', '/auth/', 200],
    ['GET', '/auth/?x=1', 200],
    ['HEAD', '/auth/.well-known/jwks.json', 200],
    ['GET', '/auth/other', 404],
    ['POST', '/auth/other', 404],
    ['POST', '/auth', 405],
    ['DELETE', '/.well-known/jwks.json', 405],
  ])('answer %s %s with %i', async (method, path, status) => {
    const answer = await request(app)[method.toLowerCase() as 'get'](path);

    expect(answer.status).toBe(status);
    expect(answer.headers['allow']).toBe(status === 405 ? 'GET, HEAD' : undefined);
    if (method === 'HEAD') expect(Number(answer.headers['content-length'])).toBeGreaterThan(300);
    if (status === 405) expect(answer.body).toMatchObject({ status, code: 'method_not_allowed' });
  });

  test('do not take the root of an application that they are mounted at', async () => {
    const root = express();
    root.use(verifier.jwksRouter());
    root.get('/', (_req, res) => {
      res.send('of the application');
    });

    expect((await request(root).get('/')).text).toBe('of the application');
    expect((await request(root).get('/.well-known/jwks.json')).body.keys).toHaveLength(3);
  });
});
