import { Writable } from 'node:stream';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import express, { type RequestHandler } from 'express';
import { type LoggerOptions, pino, stdSerializers } from 'pino';
import request from 'supertest';
import { apiKeyAuth } from '../../lib/index.ts';
import { Canary } from '../support/canary.ts';
import { loadDocumented } from '../support/documented-code.ts';
import { closeOpenedKeys, KEY_INPUT, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

let loggerOptions: LoggerOptions;
beforeAll(async () => {
  ({ loggerOptions } = await loadDocumented<{ loggerOptions: LoggerOptions }>(
    'docs/integrations.md',
    'pino',
  ));
});

function openLog(options: LoggerOptions) {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { log: pino(options, stream), lines };
}

async function openLogged(options: LoggerOptions) {
  const keys = await openKeys();
  const { log, lines } = openLog(options);
  const canary = new Canary();
  canary.hideKey(keys.key);
  const seen: (string | undefined)[] = [];
  const app = express();
  const logRequest: RequestHandler = (req, res, next) => {
    log.info({ req, res }, 'request');
    seen.push(req.get('x-api-key') ?? req.get('authorization'));
    next();
  };
  app.use(logRequest, apiKeyAuth(keys.apiKeys));
  app.get('/', (req, res) => {
    log.info({ apiKey: req.apiKey }, 'good');
    res.send('let pass');
  });
  return { ...keys, app, log, lines, canary, seen };
}

const PLACES: [string, (key: string) => Record<string, string>, string, number][] = [
  ['Authorization', (key) => ({ authorization: `Bearer ${key}` }), '/', 200],
  ['X-API-Key', (key) => ({ 'x-api-key': key }), '/', 200],
  ['a mistyped header', (key) => ({ 'x-apikey': key }), '/', 401],
  ['a header that nobody thought of', (key) => ({ 'x-acme-secret-thing': key }), '/', 401],
  ['a cookie', (key) => ({ cookie: `key=${key}` }), '/', 401],
  ['the query', () => ({}), '/?api_key=KEY', 401],
  ['the path', () => ({}), '/keys/KEY', 401],
];

describe('with the documented options of pino', () => {
  test.each(PLACES)('a key in %s is not in the log', async (_, headersOf, path, status) => {
    const { app, key, lines, canary } = await openLogged(loggerOptions);
    await request(app).get(path.replace('KEY', key)).set(headersOf(key)).expect(status);

    expect(lines.length).toBeGreaterThan(0);
    expect(canary.leaksIn(lines)).toEqual([]);
    expect(() => lines.map((line) => JSON.parse(line))).not.toThrow();
  });

  test('what is said besides is there', async () => {
    const { app, key, lines, apiKey } = await openLogged(loggerOptions);
    await request(app).get('/reports?page=2').set('x-api-key', key).set('user-agent', 'curl');
    await request(app).get('/').set('x-api-key', key);

    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      req: { method: 'GET', url: '/reports', headers: { 'user-agent': 'curl', 'x-api-key': '[redacted]' } },
    });
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ apiKey: { id: apiKey.id, start: apiKey.start } });
  });

  test('the request itself keeps its header', async () => {
    const { app, key, seen } = await openLogged(loggerOptions);
    await request(app).get('/').set('x-api-key', key).expect(200);

    expect(seen).toEqual([key]);
  });

  test('what create() and verify() answer, and what a failing store throws, hold no key there', async () => {
    const { apiKeys, key, store, log, lines, canary } = await openLogged(loggerOptions);
    const issued = await apiKeys.create(KEY_INPUT);
    canary.hideKey(issued.key);
    log.info(issued, 'issued');
    log.info({ issued, verdict: await apiKeys.verify(key) }, 'verified');
    log.info(`what somebody wrote: ${key}`);
    store.fault = new Error(`not found: ${issued.key}`);
    const error: unknown = await Promise.resolve(apiKeys.verify(issued.key)).catch((thrown) => thrown);
    log.error(error, 'down');

    expect(lines).toHaveLength(4);
    expect(canary.leaksIn(lines)).toEqual([]);
  });
});

test.each(PLACES)(
  'with the serializers of pino alone, a key in %s is in the log',
  async (_, headersOf, path) => {
    const { app, key, lines, canary } = await openLogged({ serializers: stdSerializers });
    await request(app).get(path.replace('KEY', key)).set(headersOf(key));

    expect(canary.leaksIn(lines)).not.toEqual([]);
  },
);
