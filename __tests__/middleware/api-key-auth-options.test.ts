import { afterEach, describe, expect, test } from '@jest/globals';
import { type ApiKeyAuthOptions, type ApiKeys, apiKeyAuth } from '../../lib/index.ts';
import { exchange } from '../support/exchange.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

function openApp(express: Express, apiKeys: ApiKeys, options: ApiKeyAuthOptions) {
  const app = express();
  app.use(apiKeyAuth(apiKeys, options), (_req, res) => void res.send('{"code":"accepted"}'));
  return app;
}

describe.each(expressVersions)('headers, schemes and realm on $name', ({ express }) => {
  test.each<[string, ApiKeyAuthOptions, string, string[]]>([
    [
      'the headers in their order',
      { headers: ['X-Api-Token', 'Authorization'] },
      'X-Api-Token, Authorization',
      ['Bearer realm="api"', 'ApiKey realm="api", header="X-Api-Token"'],
    ],
    [
      'as many headers as there may be, whatever their names begin or end with',
      { headers: ['Cookie2', 'X-Cookie', 'c', 'd', 'e', 'f', 'g', 'h'] },
      'Cookie2, X-Cookie, c, d, e, f, g, h',
      ['Cookie2', 'X-Cookie', 'c', 'd', 'e', 'f', 'g', 'h'].map(
        (name) => `ApiKey realm="api", header="${name}"`,
      ),
    ],
    ['one header alone', { headers: ['x-api-key'] }, 'x-api-key', ['ApiKey realm="api", header="x-api-key"']],
    ['Authorization alone', { headers: ['authorization'] }, 'authorization', ['Bearer realm="api"']],
    [
      'several headers beside Authorization',
      { headers: ['X-One', 'Authorization', 'X-Two'] },
      'X-One, Authorization, X-Two',
      ['Bearer realm="api"', 'ApiKey realm="api", header="X-One"', 'ApiKey realm="api", header="X-Two"'],
    ],
    [
      'the schemes',
      { schemes: ['Api-Key', 'Bearer'] },
      'Authorization, X-API-Key',
      ['Api-Key realm="api"', 'Bearer realm="api"', 'ApiKey realm="api", header="X-API-Key"'],
    ],
    [
      'the realm',
      { realm: "Acme's API, v2" },
      'Authorization, X-API-Key',
      [`Bearer realm="Acme's API, v2"`, `ApiKey realm="Acme's API, v2", header="X-API-Key"`],
    ],
    [
      'the defaults where all is undefined',
      {
        headers: undefined,
        schemes: undefined,
        realm: undefined,
        mode: undefined,
        errors: undefined,
      } as object,
      'Authorization, X-API-Key',
      ['Bearer realm="api"', 'ApiKey realm="api", header="X-API-Key"'],
    ],
  ])('Vary and the challenges follow %s', async (_, options, vary, challenges) => {
    const { apiKeys } = await openKeys();
    const answer = await exchange(openApp(express, apiKeys, options), []);
    expect(answer.values('Vary')).toStrictEqual([vary]);
    expect(answer.values('WWW-Authenticate')).toStrictEqual(challenges);
  });

  test.each<[string, ApiKeyAuthOptions, string[]]>([
    ['accepted', { headers: ['X-Api-Token'] }, ['x-api-token: KEY']],
    [
      'accepted',
      { headers: ['X-Api-Token'] },
      ['X-Api-Token: KEY', 'X-API-Key: other', 'Authorization: Bearer x'],
    ],
    ['missing_credentials', { headers: ['X-Api-Token'] }, ['X-API-Key: KEY']],
    ['missing_credentials', { headers: ['X-Api-Token'] }, ['Authorization: Bearer KEY']],
    ['missing_credentials', { headers: ['Authorization'] }, ['X-API-Key: KEY']],
    ['invalid_request', { headers: ['X-One', 'X-Two'] }, ['X-One: KEY', 'X-Two: KEY']],
    ['accepted', { schemes: ['Api-Key'] }, ['Authorization: api-key KEY']],
    ['missing_credentials', { schemes: ['Api-Key'] }, ['Authorization: Bearer KEY']],
    ['accepted', { schemes: ['Api-Key', 'Bearer'] }, ['Authorization: Bearer KEY']],
    ['invalid_request', { schemes: ['Api-Key'] }, ['Authorization: Api-Key']],
    ['accepted', { schemes: ['Api-Key'] }, ['Authorization: Bearer x', 'X-API-Key: KEY']],
  ])('is %s with %j for %j', async (code, options, lines) => {
    const { apiKeys, key } = await openKeys();
    const sent = lines.map((line) => line.replace('KEY', key));
    const answer = await exchange(openApp(express, apiKeys, options), sent);
    expect(JSON.parse(answer.body)).toMatchObject({ code });
  });

  test('are read once: what is done to them later changes nothing', async () => {
    const { apiKeys, key } = await openKeys();
    const headers = ['X-Api-Token'];
    const options = Object.freeze({ headers });
    const app = openApp(express, apiKeys, options);
    headers[0] = 'X-API-Key';
    const answer = await exchange(app, []);
    expect(answer.values('WWW-Authenticate')).toStrictEqual(['ApiKey realm="api", header="X-Api-Token"']);
    expect(answer.values('Vary')).toStrictEqual(['X-Api-Token']);
    expect((await exchange(app, [`X-Api-Token: ${key}`])).status).toBe(200);
  });
});

describe('apiKeyAuth that is built wrongly', () => {
  const names = '(known: mode, headers, schemes, realm, requireTls, errors)';
  const list = 'must be an array of 1 to 8 names';
  const token = 'must be a name as RFC 9110 section 5.6.2 has it';
  test.each<[object | null, string]>([
    [null, 'options must be an object, but got null'],
    [[], 'options must be an object, but got an array of 0'],
    [{ header: ['X-API-Key'] }, `unknown option "header"; did you mean "headers"? ${names}`],
    [{ requireTLS: true }, `unknown option "requireTLS"; did you mean "requireTls"? ${names}`],
    [{ somethingElse: 1 }, `unknown option "somethingElse" ${names}`],
    [{ mode: 'lax' }, 'mode must be "required" or "optional", but got "lax"'],
    [{ headers: 'X-API-Key' }, `headers ${list}, but got "X-API-Key"`],
    [{ headers: [] }, `headers ${list}, but got an array of 0`],
    [{ headers: Array.from('abcdefghi') }, `headers ${list}, but got an array of 9`],
    [{ headers: ['X-API-Key', 'X Y'] }, `headers[1] ${token}, but got "X Y"`],
    [{ headers: ['X\r\nY'] }, `headers[0] ${token}, but got "X\\r\\nY"`],
    [{ headers: [7] }, `headers[0] ${token}, but got 7`],
    [{ headers: ['X-API-Key', 'x-api-key'] }, 'headers has "x-api-key" twice'],
    [{ headers: ['Cookie'] }, 'headers must not include "Cookie": browsers send cookies for others'],
    [{ headers: ['set-cookie'] }, 'headers must not include "set-cookie": browsers send cookies for others'],
    [{ schemes: [] }, `schemes ${list}, but got an array of 0`],
    [{ schemes: ['Bearer:'] }, `schemes[0] ${token}, but got "Bearer:"`],
    [{ schemes: ['Bearer', 'bearer'] }, 'schemes has "bearer" twice'],
    [{ realm: 7 }, 'realm must be 1 to 100 ASCII characters without quote and backslash, but got 7'],
    [{ realm: '' }, 'realm must be 1 to 100 ASCII characters without quote and backslash, but got ""'],
    [
      { realm: 'a"b' },
      'realm must be 1 to 100 ASCII characters without quote and backslash, but got "a\\"b"',
    ],
    [{ requireTls: 'yes' }, 'requireTls must be true or false, but got "yes"'],
    [{ errors: 'json' }, 'errors must be a function or a dialect, but got "json"'],
    [{ errors: { name: 'x' } }, 'errors must be a function or a dialect, but got an object'],
    [{ errors: null }, 'errors must be a function or a dialect, but got null'],
  ])('is a TypeError at once for %j', async (options, message) => {
    const { apiKeys } = await openKeys();
    expect(() => apiKeyAuth(apiKeys, options as ApiKeyAuthOptions)).toThrow(
      new TypeError(`apiKeyAuth: ${message}`),
    );
  });

  test.each<[unknown, string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    [{}, 'an object'],
    [{ verify: () => ({ ok: true }) }, 'an object'],
    ['sk_live_x', '"sk_live_x"'],
  ])('is a TypeError where apiKeys is %j', (apiKeys, got) => {
    expect(() => apiKeyAuth(apiKeys as ApiKeys)).toThrow(
      new TypeError(`apiKeyAuth: apiKeys must be what createApiKeys() answered, but got ${got}`),
    );
  });
});
