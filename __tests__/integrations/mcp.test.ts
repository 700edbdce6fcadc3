import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import type { OAuthTokenVerifier } from '@modelcontextprotocol/sdk/server/auth/provider.js';
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express, { type RequestHandler } from 'express';
import type { ApiKeys, CreateInput } from '../../lib/index.ts';
import { Canary } from '../support/canary.ts';
import { loadDocumented } from '../support/documented-code.ts';
import { UNKNOWN_KEY } from '../support/key-bench.ts';

interface Documented {
  readonly apiKeys: ApiKeys;
  readonly verifier: OAuthTokenVerifier;
  readonly mcpAuth: RequestHandler;
}

let documented: Documented;
let server: Server;
let url: string;

beforeAll(async () => {
  documented = await loadDocumented<Documented>('docs/integrations.md', 'requireBearerAuth({ verifier');
  const app = express();
  app.post('/mcp', documented.mcpAuth, express.json(), async (req, res) => {
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
    await openMcpServer().connect(transport);
    await transport.handleRequest(req, res, req.body);
  });
  app.get('/auth', documented.mcpAuth, (req, res) => void res.json((req as { auth?: AuthInfo }).auth));
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

/** With one tool, which says who calls it. */
function openMcpServer(): McpServer {
  const mcp = new McpServer({ name: 'reports', version: '1' });
  mcp.registerTool('whoami', { description: 'Who calls' }, ({ authInfo }) => ({
    content: [{ type: 'text', text: JSON.stringify(authInfo) }],
  }));
  return mcp;
}

async function issue(input: Partial<CreateInput> = {}): Promise<{ key: string; id: string }> {
  const { apiKeys } = documented;
  const organization = { id: 'org_1' };
  const { key, apiKey } = await apiKeys.create({ name: 'MCP', organization, scopes: ['tools:*'], ...input });
  return { key, id: apiKey.id };
}

async function ask(
  key: string,
): Promise<{ status: number; challenge: string | null; body: AuthInfo & { error?: string } }> {
  const answer = await fetch(`${url}/auth`, { headers: { authorization: `Bearer ${key}` } });
  return {
    status: answer.status,
    challenge: answer.headers.get('www-authenticate'),
    body: (await answer.json()) as AuthInfo & { error?: string },
  };
}

test('a client of the SDK calls a tool with a key that has no end, and the tool knows whose it is', async () => {
  const { key, id } = await issue();
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  const { content } = await client.callTool({ name: 'whoami' });
  await client.close();
  const [{ text }] = content as [{ text: string }];

  expect(JSON.parse(text)).toMatchObject({
    clientId: id,
    token: key.slice(0, 14),
    scopes: ['tools:read', 'tools:write'],
    extra: { organization: { id: 'org_1' }, owner: { type: 'organization', id: 'org_1' } },
  });
  const canary = new Canary();
  canary.hideKey(key);
  expect(canary.leaksIn(text)).toEqual([]);
});

test('the SDK itself refuses a key without an end, which is why it gets a rolling one', async () => {
  const { key } = await issue();
  const unbridged: OAuthTokenVerifier = {
    async verifyAccessToken(token) {
      const { expiresAt: _expiresAt, ...rest } = await documented.verifier.verifyAccessToken(token);
      return rest;
    },
  };
  const app = express();
  app.get('/', requireBearerAuth({ verifier: unbridged }), (_req, res) => void res.send('let pass'));
  const other = app.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const headers = { authorization: `Bearer ${key}`, connection: 'close' };
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers });
  other.close();

  expect([answer.status, await answer.json()]).toMatchObject([401, { error: 'invalid_token' }]);
});

describe('the end that it is told', () => {
  const nowInSeconds = () => Date.now() / 1_000;

  test('rolls, a minute ahead', async () => {
    const { key } = await issue();
    const before = nowInSeconds();
    const { body } = await ask(key);

    expect(body.expiresAt).toBeGreaterThanOrEqual(before + 60);
    expect(body.expiresAt).toBeLessThanOrEqual(nowInSeconds() + 61);
  });

  test("is the key's own where that comes first", async () => {
    const expiresAt = new Date(Date.now() + 30_000);
    const { key } = await issue({ expiresAt });

    expect((await ask(key)).body.expiresAt).toBe(Math.ceil(expiresAt.getTime() / 1_000));
  });
});

describe('what is answered', () => {
  test.each<[string, number, string, (key: string, id: string) => Promise<string>]>([
    ['an unknown key', 401, 'invalid_token', async () => UNKNOWN_KEY],
    ['what is no key', 401, 'invalid_token', async () => 'nonsense'],
    [
      'a key that was good and is revoked',
      401,
      'invalid_token',
      async (key, id) => {
        expect((await ask(key)).status).toBe(200);
        await documented.apiKeys.revoke(id);
        return key;
      },
    ],
    [
      'a key without the scope',
      403,
      'insufficient_scope',
      async () => (await issue({ scopes: ['tools:write'] })).key,
    ],
  ])('to %s: %i %s', async (_, status, code, arrange) => {
    const { key, id } = await issue();
    const answer = await ask(await arrange(key, id));

    expect([answer.status, answer.body.error]).toEqual([status, code]);
    expect(answer.challenge).toContain(`error="${code}"`);
  });

  test('a key with exactly the scope', async () => {
    const { key } = await issue({ scopes: ['tools:read'] });
    expect(await ask(key)).toMatchObject({ status: 200, body: { scopes: ['tools:read'] } });
  });

  // Last, as it closes the keys.
  test('while the keys cannot be reached: 500, and neither 401 nor a challenge', async () => {
    const { key } = await issue();
    await documented.apiKeys.close();

    expect(await ask(key)).toMatchObject({ status: 500, challenge: null, body: { error: 'server_error' } });
  });
});
