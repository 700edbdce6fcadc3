import { afterEach, describe, expect, test } from '@jest/globals';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { defineScopes } from '../../lib/index.ts';
import { openApiDocument, securitySchemes } from '../../lib/management/management-router.ts';
import { closeManagement, openManagement } from '../support/management-bench.ts';

afterEach(closeManagement);

const scopes = defineScopes({
  'reports:read': 'Read reports',
  'reports:write': 'Change reports',
  'files:read': 'Read files',
  'files:read:own': 'Read own files',
  plain: 'A scope without parts',
  ':first': 'With nothing before its colon',
  'last:': 'With nothing behind it',
});

describe('a router of keys with a catalogue', () => {
  test('answers 400 with a pointer to a scope that is unknown, and within what may be granted', async () => {
    const { ask, records } = await openManagement({ apiKeys: { scopes } });
    const body = { name: 'CI', scopes: ['reports:read', 'reports:raed'] };
    const answer = await ask('POST', '/keys', { body });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      code: 'invalid_request',
      errors: [
        {
          pointer: '/scopes/1',
          detail: '/scopes/1 is no scope of this application; did you mean "reports:read"?',
        },
      ],
    });
    expect(await records()).toEqual([]);
  });

  test('issues and changes keys with the known ones, and those above them', async () => {
    const { ask } = await openManagement({ apiKeys: { scopes } });
    const made = await ask('POST', '/keys', { body: { name: 'CI', scopes: ['reports:*', 'files:read'] } });
    const path = `/keys/${made.body.apiKey.id}`;

    expect(made.status).toBe(201);
    expect((await ask('PATCH', path, { body: { scopes: ['reports:write'] } })).status).toBe(200);
    expect((await ask('PATCH', path, { body: { scopes: ['reports:delete'] } })).status).toBe(400);
  });

  test('describes them in the document that it serves', async () => {
    const { port } = await openManagement({ apiKeys: { scopes } });
    const headers = { 'x-session': 'anna' };
    const served = await fetch(`http://127.0.0.1:${port}/keys/openapi.json`, { headers });
    const body = JSON.parse(await served.text());
    const { properties } = body.paths['/keys'].post.requestBody.content['application/json'].schema;

    expect(properties.scopes.items).toEqual(itemsOf(openApiDocument({ scopes }), '/keys', 'post'));
    expect(body.components.securitySchemes.bearer['x-scopes']).toMatchObject({
      'reports:read': 'Read reports',
    });
  });
});

describe.each<['/keys' | '/keys/{id}', 'post' | 'patch']>([
  ['/keys', 'post'],
  ['/keys/{id}', 'patch'],
])('the scopes of a body, at %s', (path, method) => {
  const schema = itemsOf(openApiDocument({ scopes }), path, method);

  test('are each described', () => {
    expect(schema).toMatchObject({
      oneOf: expect.arrayContaining([{ const: 'reports:write', description: 'Change reports' }]) as unknown,
    });
  });

  const isValid = new Ajv2020().compile(schema);
  test.each([...scopes.names, 'reports:*', 'files:*', 'files:read:*'])('%s may be given', (scope) => {
    expect(isValid(scope)).toBe(true);
  });

  test.each(['reports', 'reports:raed', 'invoices:*', 'reports:read:*', 'plain:*', 'last:*', '*', ':*'])(
    '%s may not',
    (scope) => {
      expect(isValid(scope)).toBe(false);
    },
  );
});

test('a linter has nothing to say of the document', async () => {
  const config = await createConfig({ extends: ['recommended'], rules: { 'info-license': 'off' } });
  const source = JSON.stringify(openApiDocument({ scopes }));

  expect(await lintFromString({ source, config })).toEqual([]);
});

test('without a catalogue the document has none', () => {
  expect(itemsOf(openApiDocument(), '/keys', 'post')).toHaveProperty('pattern');
  expect(securitySchemes().bearer).not.toHaveProperty('x-scopes');
});

test('openApiDocument refuses what is no catalogue', () => {
  const wrong = ['reports:read'] as unknown as typeof scopes;
  expect(() => openApiDocument({ scopes: wrong })).toThrow(
    new TypeError('openApiDocument: scopes must be what defineScopes() answered, but got an array of 1'),
  );
});

function itemsOf(document: object, path: string, method: string): object {
  // biome-ignore lint/suspicious/noExplicitAny: a document of JSON
  const { paths } = document as any;
  return paths[path][method].requestBody.content['application/json'].schema.properties.scopes.items;
}
