import { afterEach, describe, expect, test } from '@jest/globals';
import { type TimbrixOptions, timbrix, validateRouter } from '../../lib/dialects.ts';
import { exchange } from '../support/exchange.ts';
import { expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, openKeys, START_MS } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

const PATH = '/api-keys/validate';
const NO_SCOPE = '{"message":"Insufficient scopes","error":"Forbidden","statusCode":403}';

describe.each(expressVersions)('timbrix on $name', ({ express }) => {
  async function openApp(options: TimbrixOptions = {}, scopes: readonly string[] = ['invoices:read']) {
    const expiresAt = new Date(START_MS + 3_600_000);
    const keys = await openKeys({}, { scopes, expiresAt });
    const app = express();
    app.use('/api', validateRouter(keys.apiKeys, timbrix(options)));
    app.use((_req, res) => void res.status(418).send('next'));
    const ask = (line = `POST /api${PATH}`, key = keys.key) =>
      exchange(app, key === '' ? [] : [`X-API-Key: ${key}`], { line });
    return { ...keys, app, ask };
  }

  test('tells the end of a key', async () => {
    const { ask, apiKey } = await openApp();
    const { body } = await ask();

    expect(body).toBe(
      `{"valid":true,"id":"${apiKey.id}","name":"CI","organizationId":"org_1","scopes":["invoices:read"],"expiresAt":"2026-03-01T11:00:00.000Z","isActive":true}`,
    );
  });

  test.each([
    ['nothing is demanded of a key without scopes', [], [], 200],
    ['the key has them all', ['a', 'b:c'], ['b:c', 'a'], 200],
    ['a scope with a star covers what is below it', ['a', 'b:c'], ['b:*', 'a'], 200],
    ['one is missing', ['a', 'b:c'], ['a'], 403],
    ['all are missing', ['a'], [], 403],
  ])('answers by the scopes: %s', async (_, demanded, granted, status) => {
    const { ask } = await openApp({ scopes: demanded }, granted);
    const answer = await ask();

    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.body).toBe(NO_SCOPE);
  });

  test('the scopes that are demanded are those that it was given, whatever becomes of the list', async () => {
    const scopes = ['a'];
    const { ask } = await openApp({ scopes }, ['a']);
    scopes.push('b');

    expect((await ask()).status).toBe(200);
  });

  test('says of an old key that lacks a scope that it is old', async () => {
    const { apiKeys, apiKey, ask } = await openApp({ scopes: ['a'] }, []);
    await apiKeys.rotate(apiKey.id, { gracePeriodMs: 60_000 });
    const answer = await ask();

    expect([answer.status, answer.body]).toStrictEqual([403, NO_SCOPE]);
    expect(answer.values('Sunset')).toStrictEqual(['Sun, 01 Mar 2026 10:01:00 GMT']);
  });

  test.each([
    ['GET', `/api${PATH}`, `Cannot GET /api${PATH}`],
    ['DELETE', `/api${PATH}/`, `Cannot DELETE /api${PATH}/`],
    ['GET', `/api${PATH}?key=sk_secret`, `Cannot GET /api${PATH}`],
    ['OPTIONS', `/api${PATH}`, `Cannot OPTIONS /api${PATH}`],
  ])('has no %s %s, with a key or without one', async (method, path, message) => {
    const { ask, key } = await openApp();

    for (const sent of [key, '']) {
      const { status, body, fields } = await ask(`${method} ${path}`, sent);
      expect([status, body]).toStrictEqual([
        404,
        `{"message":"${message}","error":"Not Found","statusCode":404}`,
      ]);
      expect(fields).toStrictEqual([
        'Cache-Control: no-store',
        `Content-Length: ${body.length}`,
        'Content-Type: application/json; charset=utf-8',
      ]);
    }
  });

  test.each([
    [`POST /api${PATH}/`, 200],
    [`POST /api${PATH}?x=1`, 200],
    [`POST /api${PATH}//`, 418],
    [`POST /api${PATH}/x`, 418],
    ['POST /api/api-keys', 418],
  ])('takes %s for what it is: %i', async (line, status) => {
    const { ask } = await openApp();

    expect((await ask(line)).status).toBe(status);
  });

  test('HEAD is no method of it, and has no body', async () => {
    const { ask } = await openApp();
    const answer = await ask(`HEAD /api${PATH}`);

    expect([answer.status, answer.body]).toStrictEqual([404, '']);
  });
});

describe('timbrix() refuses', () => {
  test.each([
    [{ scope: ['a'] }, 'timbrix: unknown option "scope"; did you mean "scopes"? (known: scopes)'],
    [{ scopes: 'a' }, 'timbrix: scopes must be an array of scopes, but got "a"'],
    [
      { scopes: ['a', 'b c'] },
      'timbrix: scopes[1] must be a scope as requireScope() takes it, but got "b c"',
    ],
    [{ scopes: ['a:*'] }, 'timbrix: scopes[0] must be a scope as requireScope() takes it, but got "a:*"'],
    [null, 'timbrix: options must be an object, but got null'],
  ])('%j', (options, message) => {
    expect(() => timbrix(options as object)).toThrow(new TypeError(message));
  });
});
