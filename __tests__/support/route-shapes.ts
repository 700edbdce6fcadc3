import type { ErrorRequestHandler, RequestHandler, Router } from 'express';
import {
  type ApiKeys,
  apiKeyAuth,
  auditRoutes,
  createApiKeys,
  MemoryKeyStore,
  requireAnyScope,
  requireEnvironment,
  requireOrganization,
  requireScope,
} from '../../lib/index.ts';
import type { Express } from './express-versions.ts';

export type App = ReturnType<Express>;

const opened: ApiKeys[] = [];

/** For `afterEach`. */
export async function closeOpened(): Promise<void> {
  await Promise.all(opened.splice(0).map((apiKeys) => apiKeys.close()));
}

export function open(): ApiKeys {
  const apiKeys = createApiKeys({ store: new MemoryKeyStore() });
  opened.push(apiKeys);
  return apiKeys;
}

export const auth = (mode: 'required' | 'optional' = 'required'): RequestHandler =>
  apiKeyAuth(open(), { mode });
export const end: RequestHandler = (_req, res) => void res.json('reached');
const errorHandler: ErrorRequestHandler = (_error, _req, _res, next) => next();
export const pass: RequestHandler = (_req, _res, next) => next();

/** `GET /a required requireScope(x)`, one line for each route. */
export function auditOf(app: App | Router): readonly string[] {
  return auditRoutes(app).map(({ method, path, authentication, guards }) => {
    const shown = guards.map(({ name, scopes = [] }) => `${name}(${scopes.join()})`);
    return [method, path, authentication, ...shown].join(' ');
  });
}

/** How an application is put together, and what there is to be said of each of its routes. */
export interface Shape {
  readonly name: string;
  arrange(app: App, router: (options?: object) => Router, express: Express): void;
  readonly expected: readonly string[];
}

export const orderShapes: readonly Shape[] = [
  {
    name: 'a route before the authenticator is open, one behind it is not',
    arrange(app) {
      app.get('/before', end);
      app.use(auth());
      app.get('/behind', end);
    },
    expected: ['GET /before none', 'GET /behind required'],
  },
  {
    name: 'guards in the stack of a route count, with what they demand',
    arrange(app) {
      app.use(auth());
      app.post('/a', pass, requireScope('a', 'b'), requireAnyScope('c'), end);
      app.get(
        '/b',
        requireOrganization(() => 'o'),
        requireEnvironment('live'),
        end,
      );
    },
    expected: [
      'POST /a required requireScope(a,b) requireAnyScope(c)',
      'GET /b required requireOrganization() requireEnvironment()',
    ],
  },
  {
    name: 'an authenticator in the stack of a route guards that route alone',
    arrange(app) {
      app.get('/a', auth(), end);
      app.get('/b', [auth('optional'), requireScope('b')], end);
      app.get('/c', end);
    },
    expected: ['GET /a required', 'GET /b optional requireScope(b)', 'GET /c none'],
  },
  {
    name: 'an authenticator behind the handler that answers guards nothing',
    arrange(app) {
      app.get('/a', end, auth());
      app.get('/b', end, auth(), errorHandler);
    },
    expected: ['GET /a none', 'GET /b none'],
  },
  {
    name: 'a guard without an authenticator does not authenticate',
    arrange: (app) => void app.get('/a', requireScope('a'), end),
    expected: ['GET /a none requireScope(a)'],
  },
  {
    name: 'optional and then required is required',
    arrange(app) {
      app.use(auth('optional'));
      app.get('/a', end);
      app.get('/b', auth(), end);
    },
    expected: ['GET /a optional', 'GET /b required'],
  },
  {
    name: 'an authenticator within a wrapper is not known, for it may be left out',
    arrange(app) {
      const inner = auth();
      const wrapper: RequestHandler = (req, res, next) =>
        req.query['open'] ? next() : inner(req, res, next);
      Object.defineProperties(wrapper, Object.getOwnPropertyDescriptors(inner));
      app.use(wrapper);
      app.use(Object.setPrototypeOf(pass.bind(undefined), inner) as RequestHandler);
      app.get('/a', end);
    },
    expected: ['GET /a none'],
  },
  {
    name: 'handlers of errors are no routes and no guards',
    arrange(app) {
      app.use(errorHandler);
      app.get('/a', end);
    },
    expected: ['GET /a none'],
  },
];

export const pathShapes: readonly Shape[] = [
  {
    name: 'an authenticator on a path guards what is below that path',
    arrange(app) {
      app.use('/api', auth());
      app.get('/api', end);
      app.get('/api/a', end);
      app.get('/API/b', end);
      app.get('/apis', end);
    },
    expected: ['GET /api required', 'GET /api/a required', 'GET /API/b required', 'GET /apis none'],
  },
  {
    name: 'an authenticator on an expression guards whole steps of a path, as Express takes it',
    arrange(app) {
      app.use(/^\/api/i, auth());
      app.get('/api', end);
      app.get('/api/a', end);
      app.get('/apis', end);
    },
    expected: ['GET /api required', 'GET /api/a required', 'GET /apis none'],
  },
  {
    name: 'an authenticator on several paths guards each of them',
    arrange(app) {
      app.use(['/a', '/b'], auth());
      app.get(['/a/x', '/c/x'], end);
      app.get('/b/:id', end);
    },
    expected: ['GET /a/x required', 'GET /c/x none', 'GET /b/:id required'],
  },
  {
    name: 'an authenticator on one value does not guard the parameter',
    arrange(app) {
      app.use('/users/me', auth());
      app.get('/users/me', end);
      app.get('/users/:id', end);
    },
    expected: ['GET /users/me required', 'GET /users/:id none'],
  },
  {
    name: 'an authenticator on a parameter guards each value',
    arrange(app) {
      app.use('/orgs/:org', auth());
      app.get('/orgs/:org/keys', end);
      app.get('/orgs/acme/keys', end);
      app.get('/orgs', end);
    },
    expected: ['GET /orgs/:org/keys required', 'GET /orgs/acme/keys required', 'GET /orgs none'],
  },
  {
    name: 'an authenticator on an expression guards where all values match it',
    arrange(app) {
      app.use(/^\/v\d+/i, auth());
      app.use(/^\/w\d+/, auth());
      app.use(/^\/items\/\d+$/i, auth(), requireScope('a'));
      app.get('/v1/a', end);
      app.get('/w1/a', end);
      app.get('/items/:id', end);
      app.use(auth());
      app.get('/items/:id/behind', end);
      app.use(/^\/tags\/\d+/i, requireScope('a'));
      app.get('/tags/:id', end);
    },
    // The route of /w1 takes /W1 too, and that expression does not.
    expected: [
      'GET /v1/a required',
      'GET /w1/a none',
      'GET /items/:id none',
      'GET /items/:id/behind required',
      'GET /tags/:id required',
    ],
  },
  {
    name: 'a route on an expression is guarded by what runs for every path alone',
    arrange(app) {
      app.use('/x', auth());
      app.get(/^\/x\/.*$/, end);
      app.use(auth());
      app.get(/^\/y$/, end);
    },
    expected: ['GET /^\\/x\\/.*$/ none', 'GET /^\\/y$/ required'],
  },
  {
    name: 'capitals do not lead past an authenticator that reads them otherwise',
    arrange(app, router) {
      app.enable('case sensitive routing');
      app.use('/admin', auth());
      const inner = router();
      inner.get('/admin/a', end);
      app.use(inner);
    },
    expected: ['GET /admin/a none'],
  },
];
