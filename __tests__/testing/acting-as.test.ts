import { describe, expect, test } from '@jest/globals';
import type { RequestHandler } from 'express';
import request from 'supertest';
import {
  getApiKey,
  requireAnyScope,
  requireEnvironment,
  requireOrganization,
  requireScope,
} from '../../lib/index.ts';
import { type ActingAsOptions, actingAs } from '../../lib/testing.ts';
import { errorCatcher } from '../support/error-catcher.ts';
import { expressVersions } from '../support/express-versions.ts';

const show: RequestHandler = (req, res) =>
  void res.json({ onRequest: req.apiKey, same: getApiKey(req) === req.apiKey });

describe.each(expressVersions)('actingAs on $name', ({ express }) => {
  function appFor(options: ActingAsOptions | undefined, ...handlers: readonly RequestHandler[]) {
    const app = express();
    app.use(actingAs(options));
    app.get('/', ...handlers, show);
    return app;
  }

  test('puts a key on the request, with what it was given and without a secret', async () => {
    const options: ActingAsOptions = {
      scopes: ['reports:*'],
      organization: { id: 'org_1', slug: 'acme' },
      owner: { type: 'user', id: 'u_1' },
      environment: 'test',
    };
    const { body, headers } = await request(appFor(options)).get('/').set('Authorization', 'Bearer nonsense');

    expect(body).toMatchObject({ onRequest: options, same: true });
    expect(JSON.stringify(body)).not.toContain('sha256');
    expect(headers).not.toHaveProperty('www-authenticate');
  });

  test('is a live key of its organization with no scopes, where nothing else is said', async () => {
    const { body } = await request(appFor(undefined)).get('/');

    expect(body.onRequest).toMatchObject({
      scopes: [],
      organization: { id: 'org_test' },
      owner: { type: 'organization', id: 'org_test' },
      environment: 'live',
      enabled: true,
    });
  });

  test.each<[string, RequestHandler, number]>([
    ['a scope that it has', requireScope('reports:read'), 200],
    ['a scope that it lacks', requireScope('keys:write'), 403],
    ['one of two scopes', requireAnyScope('keys:write', 'reports:read'), 200],
    ['its organization', requireOrganization(() => 'org_1'), 200],
    ['another organization', requireOrganization(() => 'org_2'), 403],
    ['its environment', requireEnvironment('live'), 200],
    ['another environment', requireEnvironment('test'), 403],
  ])('guards decide as ever: %s', async (_, guard, status) => {
    const app = appFor({ scopes: ['reports:*'], organization: { id: 'org_1' } }, guard);
    const answer = await request(app).get('/');

    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.body).toMatchObject({ status: 403, code: expect.any(String) });
  });

  test.each<[string, (app: ReturnType<typeof express>) => void]>([
    ['in production', (app) => void app.set('env', 'production')],
    ['where nobody can say', (app) => void app.set('env', undefined)],
  ])('lets nobody pass %s', async (_, set) => {
    const { failed, handler } = errorCatcher();
    const app = appFor({ scopes: ['reports:*'] });
    set(app);
    app.use(handler);
    const { text } = await request(app).get('/');

    expect(text).toBe('error handler');
    expect(failed.map(String)).toEqual([
      'Error: actingAs is for tests: it lets every request pass, so it lets none pass in production.',
    ]);
  });
});

test.each<[string, object, string]>([
  ['an unknown option', { scope: ['a'] }, 'actingAs: unknown option "scope"; did you mean "scopes"?'],
  ['a scope that is none', { scopes: ['*'] }, "actingAs: the record's scopes"],
  ['an organization without an id', { organization: {} }, "actingAs: the record's organization"],
  ['another environment', { environment: 'prod' }, "actingAs: the record's environment"],
])('actingAs refuses %s', (_, options, message) => {
  expect(() => actingAs(options)).toThrow(TypeError);
  expect(() => actingAs(options)).toThrow(message);
});
