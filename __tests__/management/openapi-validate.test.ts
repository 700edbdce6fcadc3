import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import { endor, gmi, introspection, pluto, timbrix, validateRouter, workos } from '../../lib/dialects.ts';
import { type ApiKeys, createApiKeys, keyPairs, MemoryKeyStore } from '../../lib/index.ts';
import { openApiDocument } from '../../lib/management/management-router.ts';
import { FaultStore, rejects } from '../support/fault-store.ts';
import { OpenApiChecker } from '../support/openapi-checker.ts';

const checker = new OpenApiChecker(openApiDocument());
const KEY_SCOPES = ['ie_model', 'keys:validate'];
const FORM = 'application/x-www-form-urlencoded';

let store: FaultStore;
let apiKeys: ApiKeys;
let origin: string;
let close: () => void;

beforeEach(async () => {
  store = new FaultStore(new MemoryKeyStore(), { without: ['watch'] });
  apiKeys = createApiKeys({ store, verifiers: [keyPairs()], cache: false });
  const app = express();
  const uuid = () => '550e8400-e29b-41d4-a716-446655440000';
  const dialects = [
    pluto(),
    timbrix({ scopes: ['ie_model'] }),
    endor(),
    gmi({ uuid }),
    workos(),
    introspection(),
  ];
  for (const dialect of dialects) app.use(validateRouter(apiKeys, dialect));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () => {
    server.close();
    server.closeAllConnections();
  };
});
afterEach(async () => {
  close();
  await apiKeys.close();
});

interface Shown {
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** How each endpoint is asked about a key, and by whom. */
const ENDPOINTS: readonly {
  readonly method: string;
  readonly path: string;
  ask(key: string, caller: string): Shown;
}[] = [
  {
    method: 'GET',
    path: '/api/runs/auth/validate',
    ask: (key) => ({ headers: { authorization: `Bearer ${key}` } }),
  },
  { method: 'POST', path: '/api/slug', ask: (key) => ({ headers: { authorization: `Bearer ${key}` } }) },
  { method: 'POST', path: '/api-keys/validate', ask: (key) => ({ headers: { 'x-api-key': key } }) },
  {
    method: 'GET',
    path: '/me/api-keys/current',
    ask: (key) => ({ headers: { authorization: `Bearer ${key}` } }),
  },
  {
    method: 'POST',
    path: '/v1/auth/api-key/validate',
    ask(key) {
      const [id = '', secret = ''] = key.split('.');
      const body = secret === '' ? { key: id } : { key: id, secret };
      return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    },
  },
  {
    method: 'POST',
    path: '/api_keys/validations',
    ask: (value, caller) => ({
      headers: { authorization: `Bearer ${caller}`, 'content-type': 'application/json' },
      body: JSON.stringify({ value }),
    }),
  },
  {
    method: 'POST',
    path: '/introspect',
    ask: (token, caller) => ({
      headers: { authorization: `Bearer ${caller}`, 'content-type': FORM },
      body: new URLSearchParams({ token }).toString(),
    }),
  },
];

describe.each(ENDPOINTS)('$method $path', ({ method, path, ask }) => {
  const answer = async (shown: Shown): Promise<{ status: number; problems: string[] }> => {
    const response = await fetch(origin + path, { method, ...shown });
    const { status, headers } = response;
    return {
      status,
      problems: checker.problemsOf(method, path, { status, headers, text: await response.text() }),
    };
  };

  test('answers as the document has it, whatever becomes of the key', async () => {
    const input = { name: 'CI', organization: { id: 'org_1', slug: 'acme' }, scopes: KEY_SCOPES };
    const owner = { type: 'user', id: 'user_1' } as const;
    const { key: caller } = await apiKeys.create(input);
    const isPair = path.includes('/auth/api-key/');
    const { key, secret, apiKey } = await apiKeys.create({
      ...input,
      owner,
      kind: isPair ? 'pair' : 'opaque',
    });
    const text = isPair ? `${key}.${secret}` : key;
    const { key: withoutScopes } = await apiKeys.create({ ...input, scopes: [] });

    const answers = [
      await answer(ask(text, caller)),
      await answer(ask('nothing', caller)),
      await answer(ask(text, withoutScopes)),
      await answer(ask(withoutScopes, caller)),
      await answer({ headers: {} }),
      await answer({ ...ask(text, caller), headers: {} }),
    ];
    store.next('findByDigest', rejects(new Error('down')));
    answers.push(await answer(ask(text, caller)));
    await apiKeys.revoke(apiKey.id);
    answers.push(await answer(ask(text, caller)));

    expect(answers.flatMap(({ problems }) => problems)).toEqual([]);
    expect(answers[0]?.status).toBe(200);
    expect(answers[6]?.status).toBeGreaterThanOrEqual(500);
  });
});
