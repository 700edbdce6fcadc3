import { afterEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import {
  ApiKeyError,
  apiKeyAuth,
  type ErrorFormat,
  type ErrorHandler,
  requireScope,
} from '../../lib/index.ts';
import { API_KEY_CHALLENGE, problemOf, refusalFields } from '../support/answers.ts';
import { errorCatcher } from '../support/error-catcher.ts';
import { exchange } from '../support/exchange.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

async function openApp(express: Express, errors: ErrorFormat | ErrorHandler) {
  const keys = await openKeys();
  const { failed, handler } = errorCatcher();
  const reached: string[] = [];
  const app = express();
  app.use(apiKeyAuth(keys.apiKeys, { errors }));
  app.get('/admin', requireScope('admin'));
  app.use((req, res) => void res.json(reached.push(req.path)));
  app.use(handler);
  return { ...keys, app, failed, reached };
}

const TWO_LINES = ['Bearer realm="api", error="invalid_token"', API_KEY_CHALLENGE];

describe.each(expressVersions)('errors as a function on $name', ({ express }) => {
  test('is given the error and a response whose status and header fields are set', async () => {
    const heard: unknown[] = [];
    const { app } = await openApp(express, (error, req, res) => {
      heard.push(
        error instanceof ApiKeyError,
        error.code,
        error.status,
        error.message,
        error.headers,
        req.path,
      );
      heard.push(res.statusCode, { ...res.getHeaders() });
      res.json({ oops: error.code });
    });
    const answer = await exchange(app, ['X-API-Key: wrong'], { line: 'GET /reports' });
    const [isError, code, status, message, headers, path, statusSet, fieldsSet] = heard;
    expect({ isError, code, status, path, statusSet }).toStrictEqual({
      isError: true,
      code: 'invalid_token',
      status: 401,
      path: '/reports',
      statusSet: 401,
    });
    expect(message).toBe('The API key is not valid.');
    expect(headers).toStrictEqual({ 'WWW-Authenticate': TWO_LINES.join(', ') });
    expect(fieldsSet).toMatchObject({
      vary: 'Authorization, X-API-Key',
      'cache-control': 'no-store',
      'www-authenticate': TWO_LINES,
    });
    expect(answer.status).toBe(401);
    expect(answer.body).toBe('{"oops":"invalid_token"}');
    expect(answer.values('WWW-Authenticate')).toStrictEqual(TWO_LINES);
    expect(answer.values('Content-Type')).toStrictEqual(['application/json; charset=utf-8']);
  });

  test('is asked by the guards too', async () => {
    const { app, key } = await openApp(express, (error, _req, res) => void res.send(`own ${error.code}`));
    const answer = await request(app).get('/admin').set('X-API-Key', key);
    expect(answer.status).toBe(403);
    expect(answer.text).toBe('own insufficient_scope');
  });

  test('gets Retry-After while the store is down', async () => {
    const { app, key, store } = await openApp(express, (error, _req, res) => void res.json(error.headers));
    store.fault = new Error('down');
    const answer = await request(app).get('/').set('X-API-Key', key);
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(answer.body).toStrictEqual({ 'Retry-After': answer.headers['retry-after'] });
    expect(answer.headers).not.toHaveProperty('www-authenticate');
  });

  test('may answer later', async () => {
    const { app } = await openApp(express, (async (_error, _req, res) => {
      await new Promise((resolve) => setImmediate(resolve));
      res.send('late');
    }) satisfies ErrorHandler);
    const answer = await request(app).get('/');
    expect(answer.status).toBe(401);
    expect(answer.text).toBe('late');
  });

  const failures: readonly [string, ErrorHandler][] = [
    [
      'throws',
      () => {
        throw new Error('secret detail');
      },
    ],
    ['rejects', (async () => Promise.reject(new Error('secret detail'))) as unknown as ErrorHandler],
  ];

  test.each(failures)('makes a 500 of fixed text where it %s, and nobody gets past it', async (_, errors) => {
    const { app, failed, reached } = await openApp(express, errors);
    const answer = await exchange(app, ['X-API-Key: wrong']);
    expect(answer.status).toBe(500);
    expect(answer.body).toBe(problemOf('server_error'));
    expect(answer.fields).toStrictEqual(refusalFields(answer.body));
    expect({ failed, reached }).toStrictEqual({ failed: [], reached: [] });
  });

  test.each(failures)('makes a 500 of fixed text for a guard where it %s', async (_, errors) => {
    const { app, key, failed, reached } = await openApp(express, errors);
    const answer = await exchange(app, [`X-API-Key: ${key}`], { line: 'GET /admin' });
    expect(answer.body).toBe(problemOf('server_error'));
    expect({ failed, reached }).toStrictEqual({ failed: [], reached: [] });
  });

  test.each(failures)('makes a 500 without Retry-After of a 503 where it %s', async (_, errors) => {
    const { app, key, store } = await openApp(express, errors);
    store.fault = new Error('down');
    const answer = await exchange(app, [`X-API-Key: ${key}`]);
    expect(answer.fields).toStrictEqual(refusalFields(problemOf('server_error')));
  });

  test('ends an answer that it has begun when it fails', async () => {
    const { app, failed } = await openApp(express, (_error, _req, res) => {
      res.write('begun');
      throw new Error('secret detail');
    });
    expect((await request(app).get('/')).text).toBe('begun');
    expect(failed).toStrictEqual([]);
  });
});

describe.each(expressVersions)('errors as a vendor’s format on $name', ({ express }) => {
  const vendor: ErrorFormat = {
    name: 'vendor',
    error: ({ code, status, headers }) => ({
      status: status === 401 ? 200 : status,
      headers: { 'X-Vendor': 'yes', ...headers },
      body: { valid: false, code },
    }),
  };

  test('answers as it says, with our Vary and Cache-Control', async () => {
    const { app } = await openApp(express, vendor);
    const answer = await exchange(app, ['X-API-Key: wrong']);
    expect(answer.status).toBe(200);
    expect(answer.body).toBe('{"valid":false,"code":"invalid_token"}');
    expect(answer.fields).toStrictEqual([
      'Cache-Control: no-store',
      'Content-Length: 38',
      'Content-Type: application/json',
      'Vary: Authorization, X-API-Key',
      `WWW-Authenticate: ${TWO_LINES.join(', ')}`,
      'X-Vendor: yes',
    ]);
  });

  test('carries no challenge unless it says so', async () => {
    const { app } = await openApp(express, {
      name: 'terse',
      error: () => ({ status: 403, body: { message: 'Nö' } }),
    });
    const answer = await exchange(app, []);
    expect(answer.fields).toStrictEqual([
      'Cache-Control: no-store',
      'Content-Length: 17',
      'Content-Type: application/json',
      'Vary: Authorization, X-API-Key',
    ]);
  });

  test('is the voice of the guards too', async () => {
    const { app, key } = await openApp(express, vendor);
    const answer = await request(app).get('/admin').set('X-API-Key', key);
    expect(answer.status).toBe(403);
    expect(answer.body).toStrictEqual({ valid: false, code: 'insufficient_scope' });
  });

  test('may name its own media type, and a body of undefined is none', async () => {
    const { app } = await openApp(express, {
      name: 'odd',
      error: ({ code }) =>
        code === 'invalid_token'
          ? { status: 401, headers: { 'content-type': 'application/vnd.odd+json' }, body: 'no' }
          : { status: 401, body: undefined },
    });
    const bad = await exchange(app, ['X-API-Key: wrong']);
    expect([bad.values('Content-Type'), bad.body]).toStrictEqual([['application/vnd.odd+json'], '"no"']);
    const none = await exchange(app, []);
    expect([none.values('Content-Length'), none.body]).toStrictEqual([['0'], '']);
  });

  test('makes a 500 of fixed text where it throws', async () => {
    const { app, failed, reached } = await openApp(express, {
      name: 'broken',
      error: () => {
        throw new Error('secret detail');
      },
    });
    const answer = await exchange(app, ['X-API-Key: wrong']);
    expect(answer.body).toBe(problemOf('server_error'));
    expect({ failed, reached }).toStrictEqual({ failed: [], reached: [] });
  });
});
