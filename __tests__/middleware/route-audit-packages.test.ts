import { createBullBoard } from '@bull-board/api';
import { ExpressAdapter } from '@bull-board/express';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { OAuthServerProvider } from '@modelcontextprotocol/sdk/server/auth/provider.js';
import { mcpAuthMetadataRouter, mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { router as jsonServerRouter } from 'json-server';
import { expressVersions } from '../support/express-versions.ts';
import { auditOf, auth, closeOpened, end } from '../support/route-shapes.ts';

afterEach(closeOpened);

const url = new URL('https://auth.test/');

/** With what makes it offer all of its endpoints. */
const provider = {
  clientsStore: { getClient: () => undefined, registerClient: (client: unknown) => client },
  revokeToken: () => undefined,
} as unknown as OAuthServerProvider;

const metadata = {
  issuer: url.href,
  authorization_endpoint: `${url.href}authorize`,
  token_endpoint: `${url.href}token`,
  response_types_supported: ['code'],
};

// What is expected was read in the sources of the package, whose routers are those of Express 5, by eye.
describe.each(expressVersions)('routers of the MCP SDK in an application of $name', ({ express }) => {
  test('an authorization server, open before the authenticator and guarded behind it', () => {
    const app = express();
    app.use(mcpAuthRouter({ provider, issuerUrl: url }));
    app.use(auth());
    app.use('/inner/:tenant', mcpAuthRouter({ provider, issuerUrl: url }));
    const expected = [
      'ALL /authorize',
      'POST /token',
      'GET /.well-known/oauth-protected-resource',
      'GET /.well-known/oauth-authorization-server',
      'POST /register',
      'POST /revoke',
    ];

    expect(auditOf(app)).toEqual([
      ...expected.map((line) => `${line} none`),
      ...expected.map((line) => `${line.replace(' /', ' /inner/:tenant/')} required`),
    ]);
  });

  test('a resource server', () => {
    const app = express();
    app.use(mcpAuthMetadataRouter({ oauthMetadata: metadata, resourceServerUrl: new URL('/mcp', url) }));
    app.post('/mcp', auth(), end);

    expect(auditOf(app)).toEqual([
      'GET /.well-known/oauth-protected-resource/mcp none',
      'GET /.well-known/oauth-authorization-server none',
      'POST /mcp required',
    ]);
  });
});

test("the MCP SDK's own application, and one of Express 4 that it is mounted in", () => {
  const mcp = createMcpExpressApp();
  mcp.use(mcpAuthRouter({ provider, issuerUrl: url }));
  mcp.post('/mcp', auth(), end);
  const [express4] = expressVersions;
  const app = (express4 as (typeof expressVersions)[number]).express();
  app.use('/sub', mcp);

  expect(auditOf(mcp)).toHaveLength(7);
  expect(auditOf(app)).toEqual(auditOf(mcp).map((line) => line.replace(' /', ' /sub/')));
  expect(auditOf(app)).toContain('POST /sub/mcp required');
});

// json-server brings Express 4 with it, and makes its routes of what is in its data; counted in its sources by eye.
test.each(expressVersions)('the routers of json-server in an application of $name', ({ express }) => {
  const app = express();
  app.use(auth());
  app.use('/api', jsonServerRouter({ posts: [{ id: 1 }], profile: { name: 'x' } }));
  expect(auditOf(app)).toEqual(
    [
      'GET /api/db',
      'GET /api/:resource/:id/:nested',
      'POST /api/:resource/:id/:nested',
      'GET /api/posts',
      'POST /api/posts',
      ...['GET', 'PUT', 'PATCH', 'DELETE'].map((method) => `${method} /api/posts/:id`),
      ...['GET', 'POST', 'PUT', 'PATCH'].map((method) => `${method} /api/profile`),
    ].map((line) => `${line} required`),
  );
});

// Express 5; 5 pages and 34 endpoints in its sources.
test.each(expressVersions)('the dashboard of Bull Board in an application of $name', ({ express }) => {
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath('/admin');
  createBullBoard({ queues: [], serverAdapter });
  const app = express();
  app.use('/admin', auth(), serverAdapter.getRouter());
  const audited = auditOf(app);
  expect(audited.filter((line) => /^[A-Z]+ \/admin\/api\/\S+ required$/.test(line))).toHaveLength(34);
  expect(audited.filter((line) => /^GET \/admin(?!\/api)\S* required$/.test(line))).toHaveLength(5);
  expect(audited).toHaveLength(39);
  expect(audited).toContain('PUT /admin/api/queues/:queueName/:jobId/retry required');
});
