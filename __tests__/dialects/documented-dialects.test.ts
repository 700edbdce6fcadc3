import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Express } from 'express';
import type { ApiKeys, IssuedKey } from '../../lib/index.ts';
import { root } from '../support/built-package.ts';
import { exchange } from '../support/exchange.ts';
import { codeBlocks, readPage } from '../support/markdown.ts';

const blocks = codeBlocks(readPage('docs/dialects.md')).filter(({ language }) => language === 'ts');

/** The one block that has a text in it. */
function blockWith(text: string): string {
  const found = blocks.filter(({ code }) => code.includes(text));
  expect(found).toHaveLength(1);
  return found[0]?.code ?? '';
}

interface Documented {
  readonly app: Express;
  readonly apiKeys: ApiKeys;
  readonly gateway: Promise<IssuedKey>;
}

/** What a block exports, as whoever copies it has it. */
async function load(name: string, text: string): Promise<Documented> {
  const folder = `${root}.cache/documented-dialects`;
  mkdirSync(folder, { recursive: true });
  const path = `${folder}/${name}-${process.pid}.ts`;
  writeFileSync(path, blockWith(text));
  return (await import(path)) as Documented;
}

const FORM = 'Content-Type: application/x-www-form-urlencoded';

test.each([
  ['pluto', 'plutoKeys()', 'GET /api/runs/auth/validate', 401, '{"error":"Unauthorized"}'],
  ['timbrix', 'timbrix({', 'POST /api/api-keys/validate', 401, '{"message":"Unauthorized","statusCode":401}'],
  [
    'gmi',
    'gmi({ uuid })',
    'GET /api/v1/me/api-keys/current',
    401,
    '{"group":"api-key","code":200,"message":"Invalid API key."}',
  ],
  [
    'workos',
    'export const serviceKey',
    'POST /api_keys/validations',
    401,
    '{"message":"Unauthorized","code":"unauthorized"}',
  ],
])("%s's example answers", async (name, text, line, status, body) => {
  const { app } = await load(name, text);
  const answer = await exchange(app, [], { line });
  expect([answer.status, answer.body]).toEqual([status, body]);
});

test('there is no other example', () => {
  expect(blocks).toHaveLength(8);
});

test('all are mounted with one line each, before the parser and the authenticator', async () => {
  const { app } = await load('all', 'errors: gmi()');
  const ask = (line: string, lines: readonly string[] = [], body = '') =>
    exchange(app, lines, { line, body });
  const json = ['Content-Type: application/json'];
  const answers = [
    await ask('GET /api/runs/auth/validate'),
    await ask('POST /timbrix/api/api-keys/validate'),
    await ask('POST /v1/auth/api-key/validate', json, '{"key":"a","secret":"b"}'),
    await ask('GET /me/api-keys/current'),
    await ask('POST /api_keys/validations', json, '{"value":"a"}'),
    await ask('GET /reports'),
  ];
  expect(answers.map(({ status, body }) => [status, body])).toEqual([
    [401, '{"error":"Unauthorized"}'],
    [401, '{"message":"Unauthorized","statusCode":401}'],
    [200, '{"key":"a","secret":"***","issuing_user":null,"valid":false}'],
    [401, '{"group":"api-key","code":200,"message":"Invalid API key."}'],
    [401, '{"message":"Unauthorized","code":"unauthorized"}'],
    [401, '{"group":"api-key","code":200,"message":"Invalid API key."}'],
  ]);
});

test("endor's example tells the address of a user", async () => {
  const { app, apiKeys } = await load('endor', 'describeUser');
  const { key, secret } = await apiKeys.create({
    name: 'CI',
    organization: { id: 'org_1' },
    owner: { type: 'user', id: 'user_7' },
    kind: 'pair',
  });
  const request = { line: 'POST /v1/auth/api-key/validate', body: JSON.stringify({ key, secret }) };
  const { body } = await exchange(app, ['Content-Type: application/json'], request);
  expect(JSON.parse(body)).toMatchObject({
    valid: true,
    issuing_user: { spec: { email: 'ada@example.com' } },
  });
  await apiKeys.close();
});

test("introspection's example answers the gateway that it makes", async () => {
  const { app, apiKeys, gateway } = await load('introspection', 'introspection()');
  const { key, apiKey } = await gateway;
  const basic = Buffer.from(`${apiKey.id}:${key}`).toString('base64');
  const request = { line: 'POST /oauth2/introspect', body: `token=${key}` };
  const { body } = await exchange(app, [`Authorization: Basic ${basic}`, FORM], request);
  expect(JSON.parse(body)).toMatchObject({ active: true, scope: 'keys:validate', client_id: apiKey.id });
  await apiKeys.close();
});

describe('the dialect of your own', () => {
  let documented: Documented;
  let issued: IssuedKey;
  beforeAll(async () => {
    documented = await load('forward-auth', 'forwardAuth(');
    const organization = { id: 'org_1' };
    issued = await documented.apiKeys.create({ name: 'CI', organization, scopes: ['reports:read', 'a'] });
  });
  afterAll(() => documented.apiKeys.close());

  const ask = (lines: readonly string[], line = 'GET /proxy/verify') =>
    exchange(documented.app, lines, { line });

  test('is as short as it is said to be', () => {
    expect(blockWith('forwardAuth(').trimEnd().split('\n').length).toBeLessThan(60);
  });

  test('lets a good key pass, with what the proxy is to hand on', async () => {
    const answer = await ask([`X-API-Key: ${issued.key}`]);
    expect([answer.status, answer.body]).toEqual([200, '{"allowed":true}']);
    expect(answer.fields).toEqual([
      'Cache-Control: no-store',
      'Content-Length: 16',
      'Content-Type: application/json',
      'X-Organization: org_1',
      'X-Scopes: reports:read a',
    ]);
  });

  test('refuses all others', async () => {
    const twice = [`X-API-Key: ${issued.key}`, `X-API-Key: ${issued.key}`];
    for (const lines of [[], ['X-API-Key: nonsense'], twice, [`Authorization: Bearer ${issued.key}`]]) {
      const { status, body } = await ask(lines);
      expect([status, body]).toEqual([401, '{"allowed":false}']);
    }
  });

  test('words what goes wrong, there and in the whole API', async () => {
    const method = await ask([], 'POST /proxy/verify');
    expect([method.status, method.values('Allow'), method.body]).toEqual([
      405,
      ['GET, HEAD'],
      '{"allowed":false,"code":"method_not_allowed"}',
    ]);
    const voice = await ask([], 'GET /reports');
    expect([voice.status, voice.body]).toEqual([401, '{"allowed":false,"code":"missing_credentials"}']);
    const { status, body } = await ask([`X-API-Key: ${issued.key}`], 'GET /reports');
    expect([status, body]).toEqual([200, '{"organization":"org_1"}']);
    await documented.apiKeys.close();
    const down = await ask([`X-API-Key: ${issued.key}`]);
    expect([down.status, down.body]).toEqual([503, '{"allowed":false,"code":"temporarily_unavailable"}']);
  });
});
