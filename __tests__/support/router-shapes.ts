import { requireScope } from '../../lib/index.ts';
import { auth, end, pass, type Shape } from './route-shapes.ts';

/** Routers in routers, and whatever else is mounted in an application. */
export const routerShapes: readonly Shape[] = [
  {
    name: 'routers in routers, with parameters',
    arrange(app, router) {
      const keys = router({ mergeParams: true });
      keys.get('/', end);
      keys.delete('/:key', requireScope('keys:write'), end);
      const orgs = router();
      orgs.use('/:org/keys', keys);
      orgs.get('/:org', end);
      app.use('/v1/orgs', auth(), orgs);
      app.use('/open', orgs);
    },
    expected: [
      'GET /v1/orgs/:org/keys required',
      'DELETE /v1/orgs/:org/keys/:key required requireScope(keys:write)',
      'GET /v1/orgs/:org required',
      'GET /open/:org/keys none',
      'DELETE /open/:org/keys/:key none requireScope(keys:write)',
      'GET /open/:org none',
    ],
  },
  {
    name: 'a router mounted on two paths, one of them guarded',
    arrange(app, router) {
      const inner = router();
      inner.get('/a', end);
      app.use('/x', auth());
      app.use(['/x', '/y/:id'], inner);
    },
    expected: ['GET /x/a required', 'GET /y/:id/a none'],
  },
  {
    name: 'an authenticator in a router guards it from there on',
    arrange(app, router) {
      const inner = router();
      inner.get('/a', end);
      inner.use(pass, auth());
      inner.get('/b', end);
      app.use('/x', inner);
      app.get('/c', end);
    },
    expected: ['GET /x/a none', 'GET /x/b required', 'GET /c none'],
  },
  {
    name: 'an authenticator that a request passes in another router counts',
    arrange(app, router) {
      const gate = router();
      gate.use(auth());
      app.use('/x', gate);
      app.get('/x/a', end);
      app.get('/y', end);
    },
    expected: ['GET /x/a required', 'GET /y none'],
  },
  {
    name: 'but not where a handler before it may leave that router, or that route',
    arrange(app, router) {
      const gate = router();
      gate.use(pass, auth());
      app.use('/x', gate);
      app.get('/x/a', end);
      app.all('/y', (_req, _res, next) => next('route'), auth());
      app.get('/y', end);
      app.all('/z', auth());
      app.get('/z', end);
    },
    expected: ['GET /x/a none', 'ALL /y none', 'GET /y none', 'GET /z required'],
  },
  {
    name: 'an authenticator for one method guards that method',
    arrange(app) {
      app.post('/a', auth());
      app.route('/a').get(end).post(end);
    },
    expected: ['GET /a none', 'POST /a required'],
  },
  {
    name: 'route(), all() and several methods',
    arrange(app) {
      app.route('/a').all(auth()).get(end).put(requireScope('w'), end);
      app.all('/b', end);
      app.route('/c').all(end);
    },
    expected: ['GET /a required', 'PUT /a required requireScope(w)', 'ALL /b none', 'ALL /c none'],
  },
  {
    name: 'applications that are mounted, and what is mounted in them',
    arrange(app, router, express) {
      const innermost = express();
      innermost.get('/deep', end);
      const inner = express();
      inner.get('/a', end);
      inner.use(auth());
      inner.get('/b', end);
      inner.use('/c/:id', innermost);
      const open = router();
      open.use('/open', innermost);
      app.use('/sub', inner);
      app.use(open);
      app.use('/empty', express());
    },
    expected: [
      'GET /sub/a none',
      'GET /sub/b required',
      'GET /sub/c/:id/deep required',
      'GET /open/deep none',
    ],
  },
  {
    name: 'middleware is no route, but what takes no next is, below a path',
    arrange(app, _router, express) {
      app.use(express.json(), express.static('/nowhere'));
      app.use('/files', express.static('/nowhere'));
      app.use('/graphql', (_req, res) => void res.json('reached'));
      app.use((_req, res) => void res.status(404).end());
    },
    expected: ['ALL /graphql none'],
  },
  {
    name: 'a router that is mounted in itself ends',
    arrange(app, router) {
      const inner = router();
      inner.get('/a', end);
      inner.use('/again', inner);
      app.use(inner);
    },
    expected: ['GET /a none'],
  },
];
