import { afterEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { apiKeyAuth } from '../../lib/index.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

/** An app in which another middleware has set a header field before ours. */
async function openApp(express: Express, name: string, value: string | string[] | undefined) {
  const { apiKeys, key } = await openKeys();
  const app = express();
  app.use((_req, res, next) => {
    if (value !== undefined) res.setHeader(name, value);
    next();
  });
  app.use(apiKeyAuth(apiKeys));
  app.get('/', (_req, res) => void res.end());
  app.get('/own', (_req, res) => void res.set('Cache-Control', 'max-age=60').end());
  app.get('/varied', (_req, res) => void res.vary('Accept').end());
  const ask = async (path: string, text: string) =>
    (await request(app).get(path).set('X-API-Key', text)).headers;
  return { key, ask };
}

describe.each(expressVersions)('Vary on $name', ({ express }) => {
  test.each<[string, string | string[] | undefined, string]>([
    ['names the headers that are read', undefined, 'Authorization, X-API-Key'],
    ['keeps what stands there', 'Origin', 'Origin, Authorization, X-API-Key'],
    ['keeps several lines', ['Origin', 'Accept'], 'Origin, Accept, Authorization, X-API-Key'],
    ['names nothing twice', 'x-api-key, Origin', 'x-api-key, Origin, Authorization'],
    ['is left alone where all is named', 'AUTHORIZATION ,X-API-Key', 'AUTHORIZATION, X-API-Key'],
    ['does not take a longer name for its own', 'X-API-Key-Id', 'X-API-Key-Id, Authorization, X-API-Key'],
    ['is left alone where it is *', '*', '*'],
    ['is left alone where * is in it', 'Accept, *', 'Accept, *'],
  ])('%s, on answers and refusals alike', async (_, earlier, expected) => {
    const { key, ask } = await openApp(express, 'Vary', earlier);
    expect(namesOf((await ask('/', key))['vary'])).toBe(expected);
    expect(namesOf((await ask('/', 'wrong'))['vary'])).toBe(expected);
  });

  test('can be added to by a handler', async () => {
    const { key, ask } = await openApp(express, 'Vary', undefined);
    expect((await ask('/varied', key))['vary']).toBe('Authorization, X-API-Key, Accept');
  });
});

describe.each(expressVersions)('Cache-Control on $name', ({ express }) => {
  test.each<[string, string | string[] | undefined, string]>([
    ['is private', undefined, 'private'],
    ['replaces an earlier public', 'public, max-age=60', 'private'],
    ['replaces an earlier max-age', 'max-age=60', 'private'],
    ['keeps an earlier no-store', 'no-store', 'no-store'],
    ['keeps an earlier no-store in any case', 'No-Store', 'No-Store'],
    ['keeps an earlier no-store among others', 'no-cache, no-store', 'no-cache, no-store'],
    ['keeps an earlier no-store of several lines', ['no-cache', 'no-store'], 'no-cache, no-store'],
    ['keeps an earlier private', 'private, max-age=5', 'private, max-age=5'],
  ])('%s, before the handler runs; a refusal is no-store', async (_, earlier, expected) => {
    const { key, ask } = await openApp(express, 'Cache-Control', earlier);
    expect((await ask('/', key))['cache-control']).toBe(expected);
    expect((await ask('/', 'wrong'))['cache-control']).toBe('no-store');
  });

  test('is the handler’s where it sets one', async () => {
    const { key, ask } = await openApp(express, 'Cache-Control', undefined);
    expect((await ask('/own', key))['cache-control']).toBe('max-age=60');
  });
});

/** Written one way, for a list may have any white space. */
function namesOf(value: string | undefined): string {
  return String(value)
    .split(',')
    .map((name) => name.trim())
    .join(', ');
}
