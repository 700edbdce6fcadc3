import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import {
  type OpenApiDocument,
  type OpenApiOptions,
  openApiDocument,
  securitySchemes,
} from '../../lib/management/management-router.ts';
import { operationsFor } from '../../lib/management/operations.ts';
import { closeManagement, openManagement } from '../support/management-bench.ts';

afterEach(closeManagement);

interface Linted {
  readonly ruleId: string;
  readonly severity: string;
  readonly message: string;
  readonly where: unknown;
}

async function lint(document: OpenApiDocument): Promise<readonly Linted[]> {
  // Whose API it is, and under which license, is the application's to say.
  const config = await createConfig({ extends: ['recommended'], rules: { 'info-license': 'off' } });
  const problems = await lintFromString({ source: JSON.stringify(document), config });
  return problems.map(({ ruleId, severity, message, location }) => ({
    ruleId,
    severity,
    message,
    where: location.map(({ pointer }) => pointer),
  }));
}

describe('a linter', () => {
  test.each<[string, OpenApiOptions]>([
    ['with all dialects', {}],
    ['without dialects', { dialects: [] }],
    ['at the root', { managementPath: '', serverUrl: 'https://api.acme.test/v1' }],
  ])('has nothing to say of the document %s', async (_, options) => {
    expect(await lint(openApiDocument(options))).toEqual([]);
  });

  test('would have', async () => {
    const { components, ...rest } = openApiDocument({ serverUrl: '/' });

    expect((await lint({ ...rest, components: {} })).length).toBeGreaterThan(0);
    expect(components).toHaveProperty('schemas');
  });
});

describe('the document', () => {
  const document = openApiDocument();

  test('has every operation of the router, and no other', () => {
    const paths = Object.entries(openApiDocument({ dialects: [] }).paths);
    const documented = paths.flatMap(([path, item]) =>
      Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const routed = operationsFor(['opaque']).map(
      ({ method, path }) => `${method} /keys${path.replace(':id', '{id}').replace(/\/$/, '')}`,
    );

    expect(documented.sort()).toEqual(routed.sort());
  });

  test('has the validate endpoint of each dialect', () => {
    const { paths } = document;

    expect(Object.keys(paths).filter((path) => !path.startsWith('/keys'))).toEqual([
      '/api/runs/auth/validate',
      '/api/slug',
      '/api-keys/validate',
      '/v1/auth/api-key/validate',
      '/me/api-keys/current',
      '/api_keys/validations',
      '/introspect',
    ]);
  });

  test('has the security schemes that an application can take into its own', () => {
    expect(document.components['securitySchemes']).toMatchObject(securitySchemes());
    expect(securitySchemes()).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    });
  });

  test.each<[unknown, RegExp]>([
    [{ managementPath: 'keys' }, /managementPath must be a path such as/],
    [{ managementPath: '/keys/' }, /managementPath/],
    [{ managementPath: '/{id}' }, /managementPath/],
    [{ serverUrl: 'api.acme.test' }, /serverUrl must be a URL/],
    [{ serverUrl: 'https://api.acme.test/?x' }, /serverUrl/],
    [{ dialects: 'pluto' }, /dialects must be an array/],
    [{ url: '/' }, /unknown option "url"/],
  ])('is refused for %j', (options, message) => {
    expect(() => openApiDocument(options as OpenApiOptions)).toThrow(message);
  });
});

describe('the router', () => {
  test('serves the document with the path that it is mounted at, and the kinds that it can make', async () => {
    const bench = await openManagement({ management: { dialects: ['gmi'] } });

    const response = await fetch(`http://127.0.0.1:${bench.port}/keys/openapi.json`, {
      headers: { 'x-session': 'anna' },
    });
    const body = JSON.parse(await response.text());

    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toEqual({
      ...openApiDocument({ dialects: ['gmi'] }),
      paths: expect.objectContaining({ '/me/api-keys/current': expect.anything() }),
    });
    expect(JSON.stringify(body.paths['/keys'].post)).toContain('"enum":["opaque","pair"]');
  });
});

/** Bodies at the edges of what is taken: the document and the router must draw the line at the same place. */
const EDGES: readonly (readonly [method: string, path: string, body: object])[] = [
  ...[
    {},
    { name: 'x' },
    { name: '' },
    { name: 'x'.repeat(100) },
    { name: 'x'.repeat(101) },
    { name: 1 },
  ].flatMap((body) => [['POST', '/keys', body] as const, ['PATCH', '/keys/:id', body] as const]),
  ...[
    { scopes: [] },
    { scopes: ['reports:*', 'reports:read'] },
    { scopes: ['reports*'] },
    { scopes: ['*'] },
    { scopes: [':*'] },
    { scopes: ['a b'] },
    { scopes: ['a"b'] },
    { scopes: ['a\\b'] },
    { scopes: ['prototype'] },
    { scopes: [`reports:${'x'.repeat(120)}`] },
    { scopes: [`reports:${'x'.repeat(121)}`] },
    { scopes: Array.from({ length: 1_000 }, (_, n) => `reports:${n}`) },
    { scopes: Array.from({ length: 1_001 }, (_, n) => `r:${n}`) },
    { metadata: {} },
    { metadata: { a: [1, null, { b: 'c' }] } },
    { metadata: [] },
    { expiresAt: '2027-01-01T00:00:00Z' },
    { expiresAt: '2027-01-01T00:00:00.123456+05:30' },
    { expiresAt: '2027-13-01T00:00:00Z' },
    { expiresAt: '2027-02-29T00:00:00Z' },
    { expiresAt: '2027-01-01' },
    { expiresAt: 1_800_000_000 },
    { expiresAt: null },
    { notBefore: '2026-01-01T00:00:00-00:00' },
    { notBefore: null },
    { rateless: 1 },
  ].flatMap((member) => [
    ['POST', '/keys', { name: 'x', ...member }] as const,
    ['PATCH', '/keys/:id', member] as const,
  ]),
  ...['opaque', 'pair', 'jwt', null].map((kind) => ['POST', '/keys', { name: 'x', kind }] as const),
  ...['live', 'test', 'prod'].map((environment) => ['POST', '/keys', { name: 'x', environment }] as const),
  ...[0, 2_592_000_000, 2_592_000_001, -1, 0.5, '1', null].map(
    (gracePeriodMs) => ['POST', '/keys/:id/rotate', { gracePeriodMs }] as const,
  ),
  ...['x', 'x'.repeat(500), 'x'.repeat(501), '', 5].map(
    (reason) => ['POST', '/keys/:id/revoke', { reason }] as const,
  ),
];

test.each(EDGES)('%s %s takes what the document has, and nothing else: %j', async (method, path, body) => {
  const bench = await openManagement();
  const { id } = await bench.make();
  const at = path.replace(':id', id);

  const { status } = await bench.ask(method, at, { body });

  expect(status < 300).toBe(bench.checker.takesBody(method, at, body));
  expect([200, 201, 400]).toContain(status);
});

const QUERIES: readonly (readonly [name: string, text: string, value: unknown])[] = [
  ...[0, 1, 500, 501, 1.5].map((limit) => ['limit', String(limit), limit] as const),
  ...[true, false, 1].map((enabled) => ['enabled', String(enabled), enabled] as const),
  ...['newest', 'oldest', 'down'].map((order) => ['order', order, order] as const),
  ...['user', 'service', 'organization', 'team'].map((type) => ['ownerType', type, type] as const),
  ...[0, 1e13, 1e13 + 1, -1].map((ms) => ['unusedForMs', String(ms), ms] as const),
  ...[0, 1e13, 1e13 + 1].map((ms) => ['expiringWithinMs', String(ms), ms] as const),
  ...['a', 'a'.repeat(255), 'a'.repeat(256), ''].map((id) => ['cursor', id, id] as const),
];

test.each(QUERIES)('GET /keys?%s=%s is taken as the document has it', async (name, text, value) => {
  const bench = await openManagement();

  const { status } = await bench.ask('GET', `/keys?${name}=${text}`);

  expect(status === 200).toBe(bench.checker.takesParameter('GET', '/keys', name, value));
  expect([200, 400]).toContain(status);
});

describe('each schema of the document', () => {
  let ajv: Ajv2020;
  beforeAll(() => {
    ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    addFormats.default(ajv);
    ajv.addKeyword('components');
  });

  test('is one that a strict validator understands', () => {
    const found: object[] = [];
    JSON.stringify(openApiDocument(), (name, value) => {
      if (name === 'schema') found.push(value);
      return value;
    });
    const { components } = openApiDocument();
    for (const [index, schema] of found.entries()) {
      const $id = `https://document.test/${index}`;
      expect(() => ajv.compile({ ...schema, $id, components })).not.toThrow();
    }
    expect(found.length).toBeGreaterThan(40);
  });
});
