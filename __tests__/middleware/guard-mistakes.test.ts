import { afterEach, describe, expect, test } from '@jest/globals';
import type { RequestHandler } from 'express';
import request from 'supertest';
import {
  apiKeyAuth,
  requireAnyScope,
  requireEnvironment,
  requireOrganization,
  requireScope,
} from '../../lib/index.ts';
import { errorCatcher } from '../support/error-catcher.ts';
import { expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

const guards: readonly { name: string; guard: RequestHandler }[] = [
  { name: 'requireScope', guard: requireScope('reports:read') },
  { name: 'requireAnyScope', guard: requireAnyScope('reports:read') },
  { name: 'requireOrganization', guard: requireOrganization(() => 'org_1') },
  { name: 'requireEnvironment', guard: requireEnvironment('live') },
];

const messagesOf = (errors: readonly unknown[]) => errors.map((error) => (error as Error).message);
const mount =
  'has no authenticator before it: mount app.use(apiKeyAuth(apiKeys)) ahead of this route (docs/warnings.md#guard_before_authenticator)';

describe.each(expressVersions)('a guard without an authenticator on $name', ({ express }) => {
  test.each(guards)(
    '$name hands the programmer’s error to the app, and nobody gets past it',
    async ({ name, guard }) => {
      const { failed, handler } = errorCatcher();
      const app = express();
      const reached: string[] = [];
      app.get('/reports/:id', guard, (req, res) => void res.json(reached.push(req.path)));
      app.use(handler);
      const answer = await request(app).get('/reports/7').set('X-API-Key', 'anything');
      expect(answer.text).toBe('error handler');
      expect(failed[0]).toBeInstanceOf(TypeError);
      expect(messagesOf(failed)).toStrictEqual([`${name} on GET /reports/:id ${mount}`]);
      expect(reached).toStrictEqual([]);
    },
  );

  test.each<[string, string, (app: ReturnType<typeof express>) => void]>([
    [
      'in a router',
      'POST /api/reports',
      (app) => {
        const router = express.Router();
        router.post('/reports', requireScope('a'));
        app.use('/api', router);
      },
    ],
    ['mounted on a path', 'POST /api', (app) => void app.use('/api', requireScope('a'))],
    ['mounted on the whole app', 'POST /', (app) => void app.use(requireScope('a'))],
  ])('names the route of one that is %s', async (_, route, arrange) => {
    const { failed, handler } = errorCatcher();
    const app = express();
    arrange(app);
    app.use(handler);
    await request(app).post('/api/reports');
    expect(messagesOf(failed)).toStrictEqual([`requireScope on ${route} ${mount}`]);
  });

  test('is not fooled by what other middleware has put on req.apiKey', async () => {
    const { failed, handler } = errorCatcher();
    const { apiKey } = await openKeys();
    const reached: string[] = [];
    const app = express();
    app.use((req, _res, next) => {
      (req as { apiKey: unknown }).apiKey = apiKey;
      next();
    });
    app.get('/', requireScope('reports:read'), (req, res) => void res.json(reached.push(req.path)));
    app.use(handler);
    expect((await request(app).get('/')).text).toBe('error handler');
    expect(messagesOf(failed)).toStrictEqual([`requireScope on GET / ${mount}`]);
    expect(reached).toStrictEqual([]);
  });

  test('is not fooled by an authenticator that comes after it', async () => {
    const { failed, handler } = errorCatcher();
    const { apiKeys, key } = await openKeys();
    const app = express();
    app.get('/', requireScope('reports:read'), apiKeyAuth(apiKeys), (_req, res) => void res.send('secret'));
    app.use(handler);
    expect((await request(app).get('/').set('X-API-Key', key)).text).toBe('error handler');
    expect(failed).toHaveLength(1);
  });
});

describe('a guard that is built wrongly', () => {
  const build =
    (guard: unknown, ...args: unknown[]) =>
    () =>
      (guard as (...given: unknown[]) => unknown)(...args);
  const grammar =
    'a scope must be 1 to 128 visible ASCII characters without space, quote or backslash (RFC 6749 section 3.3)';
  test.each<[() => unknown, string]>([
    [build(requireScope), "requireScope: name at least one scope, as in requireScope('reports:read')"],
    [
      build(requireAnyScope),
      "requireAnyScope: name at least one scope, as in requireAnyScope('reports:read')",
    ],
    [build(requireScope, ''), `requireScope: ${grammar}, but got ""`],
    [build(requireScope, 'a', 'b c'), `requireScope: ${grammar}, but got "b c"`],
    [build(requireScope, 'say"'), `requireScope: ${grammar}, but got "say\\""`],
    [build(requireScope, undefined), `requireScope: ${grammar}, but got undefined`],
    [
      build(requireScope, ['a', 'b']),
      `requireScope: ${grammar}, but got an array of 2; give the scopes as arguments, not as an array`,
    ],
    [
      build(requireAnyScope, 'reports:*'),
      'requireAnyScope: a scope must not hold "*": a route demands one thing, but got "reports:*"',
    ],
    [
      build(requireScope, '*'),
      'requireScope: a scope must not hold "*": a route demands one thing, but got "*"',
    ],
    [build(requireScope, '__proto__'), 'requireScope: a scope must not be "__proto__", but got "__proto__"'],
    [
      build(requireOrganization, 'org_1'),
      'requireOrganization: id must be a function of the request, but got "org_1"',
    ],
    [
      build(requireEnvironment, 'prod'),
      'requireEnvironment: environment must be "live" or "test", but got "prod"',
    ],
    [
      build(requireEnvironment),
      'requireEnvironment: environment must be "live" or "test", but got undefined',
    ],
  ])('is a TypeError at once (%#)', (mistake, message) => {
    expect(mistake).toThrow(new TypeError(message));
  });
});
