import { describe, expect, test } from '@jest/globals';
import express, { type Express, type RequestHandler } from 'express';
import * as systems from '../examples/migrations.mjs';
import {
  type ApiKeys,
  apiKeyAuth,
  createApiKeys,
  type ImportInput,
  type KeyStore,
  MemoryKeyStore,
} from '../lib/index.ts';
import { testKey } from '../lib/testing.ts';
import { loadDocumented } from './support/documented-code.ts';
import { exchange } from './support/exchange.ts';
import { readPage } from './support/markdown.ts';

const PAGE = 'docs/migration.md';

describe('docs/migration.md', () => {
  test('brings keys along that were kept as they stand', async () => {
    const { open, toImport } = await loadDocumented<{
      open(store: KeyStore): ApiKeys;
      toImport(row: object): ImportInput;
    }>(PAGE, 'toImport');
    const key = '0123456789abcdef0123456789abcdef01234567';
    const row = { api_key: key, user_id: 7, company_id: 3, is_admin: false };
    const apiKeys = open(new MemoryKeyStore());

    expect(await apiKeys.import([toImport(row)])).toEqual({ imported: 1, unchanged: 0, rejected: [] });
    expect(await apiKeys.verify(key)).toMatchObject({
      ok: true,
      apiKey: {
        organization: { id: '3' },
        owner: { type: 'user', id: '7' },
        scopes: ['reports:read'],
        end: '4567',
      },
    });
    expect((await apiKeys.verify(key.replace('0', '1'))).ok).toBe(false);
    expect((await apiKeys.verify((await testKey(apiKeys)).key)).ok).toBe(true);
    await apiKeys.close();
  });

  test.each([
    [{ schemes: ['Api-Key'] }, 'Authorization: Api-Key'],
    [{ headers: ['X-API-Key'] }, 'X-API-Key:'],
    [{}, 'x-api-key:'],
  ])('reads keys where they were read before: %j', async (options, field) => {
    const apiKeys = createApiKeys({ store: new MemoryKeyStore() });
    const { key } = await testKey(apiKeys);
    const app = express();
    app.use(apiKeyAuth(apiKeys, options), (_req, res) => {
      res.json({});
    });

    expect((await exchange(app, [`${field} ${key}`])).status).toBe(200);
    await apiKeys.close();
  });

  test('names every verifier of examples/migrations.mjs, and says how many there are', () => {
    const { text } = readPage(PAGE);
    const { length } = Object.keys(systems);
    const named = Object.keys(systems).filter((name) => new RegExp(`\`${name}[\`(]`).test(text));

    expect(length).toBeGreaterThan(6);
    expect(named).toEqual(Object.keys(systems));
    expect(text).toContain('of seven systems');
    expect(length).toBe(7);
  });
});

describe('the application of docs/migration.md that takes keys and tokens', () => {
  const none: RequestHandler = (_req, res) => {
    res.status(401).json({ error: 'no token' });
  };
  const tokens: RequestHandler = (req, res, next) => {
    if (req.headers.authorization?.startsWith('Bearer token-')) next();
    else none(req, res, next);
  };
  const allowsToken = (scope: string): RequestHandler => {
    return (req, res, next) => {
      if (req.headers.authorization === `Bearer token-${scope}`) next();
      else res.status(403).json({ error: 'no scope' });
    };
  };

  test.each([
    ['a key with the scope', (key: string) => [`X-API-Key: ${key}`], ['reports:read'], 200],
    ['a key without it', (key: string) => [`X-API-Key: ${key}`], [], 403],
    [
      'a key that is none, beside a good token',
      () => ['X-API-Key: no-key', 'Authorization: Bearer token-reports:read'],
      [],
      401,
    ],
    ['a token with the scope', () => ['Authorization: Bearer token-reports:read'], [], 200],
    ['a token without it', () => ['Authorization: Bearer token-other'], [], 403],
    ['nothing', () => [], [], 401],
  ])('answers %s', async (_, fields, scopes, status) => {
    const { createApp } = await loadDocumented<{
      createApp(apiKeys: ApiKeys, ofTokens: RequestHandler, allows: typeof allowsToken): Express;
    }>(PAGE, 'createApp');
    const apiKeys = createApiKeys({ store: new MemoryKeyStore() });
    const { key } = await testKey(apiKeys, { scopes });
    const app = createApp(apiKeys, tokens, allowsToken);

    expect((await exchange(app, fields(key), { line: 'GET /reports' })).status).toBe(status);
    await apiKeys.close();
  });
});
