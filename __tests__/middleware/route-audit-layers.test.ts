import { METHODS } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type Router, Router as Router5 } from 'express';
import request from 'supertest';
import { apiKeyAuth, requireScope } from '../../lib/index.ts';
import { expressVersions } from '../support/express-versions.ts';
import { auditOf, auth, closeOpened, end, open, pass } from '../support/route-shapes.ts';

afterEach(closeOpened);

type Method = 'get' | 'post';

describe.each(expressVersions)('the audit of layers on $name', ({ express }) => {
  test('knows an authenticator with no options', () => {
    const app = express();
    app.use(apiKeyAuth(open()));
    app.get('/a', end);

    expect(auditOf(app)).toEqual(['GET /a required']);
  });

  test('lists what takes the request alone', () => {
    const app = express();
    app.use('/hangs', (_req) => undefined);

    expect(auditOf(app)).toEqual(['ALL /hangs none']);
  });

  test('knows that a handler is reached by more than a route on its path, and what guards it all', async () => {
    const app = express();
    app.all(/^\/graphql\/*$/i, auth());
    app.use('/graphql', (_req, res) => void res.json('reached'));
    app.use('/files', auth());
    app.use('/files', (_req, res) => void res.json('reached'));

    expect(auditOf(app)).toEqual(['ALL /graphql none', 'ALL /files required']);
    expect((await request(app).get('/graphql')).status).toBe(401);
    expect((await request(app).get('/graphql/x')).body).toBe('reached');
    expect((await request(app).get('/files/x')).status).toBe(401);
  });

  test('shows a mount on an expression as such, whatever it looks like', () => {
    const inner = express.Router();
    inner.get('/a', end);
    for (const mount of [
      /^\/v\d+/,
      /^\/a-long-path-of-many-words/,
      /x\/c\/?(?=\/|$)/,
      /^\/x\|y\/?(?=\/|$)/,
    ]) {
      const app = express();
      app.use(mount, inner);

      expect(auditOf(app)).toEqual([`GET ${mount}/a none`]);
    }
  });

  test('reads within a mount on an expression', async () => {
    const app = express();
    const inner = express.Router();
    inner.use('/a', auth());
    inner.get('/a', end);
    inner.get('/b', end);
    const mount = /^\/r(?:1?2?3?4?5?6?7?8?)/;
    const between = express.Router();
    between.use(mount, inner);
    app.use('/m', between);

    expect(auditOf(app)).toEqual([`GET /m${mount}/a required`, `GET /m${mount}/b none`]);
    expect((await request(app).get('/m/r1/a')).status).toBe(401);
    expect((await request(app).get('/m/r1/b')).body).toBe('reached');
  });

  test('names each parameter of a mount', () => {
    const app = express();
    const inner = express.Router();
    inner.get('/:part', end);
    app.use('/:org/keys/:key', inner);

    expect(auditOf(app)).toEqual(['GET /:org/keys/:key/:part none']);
  });

  test('takes nothing for sure to run for a route on an expression but what runs for every path', async () => {
    const app = express();
    app.use(/d/, auth());
    app.get(/^\/y$/, end);
    app.use((_req, _res, next) => next());
    app.use(auth());
    app.get(/^\/z$/, end);

    expect(auditOf(app)).toEqual(['GET /^\\/y$/ none', 'GET /^\\/z$/ required']);
    expect((await request(app).get('/y')).body).toBe('reached');
  });

  test('tells a route with one handler for all methods from one with others for some', async () => {
    const app = express();
    const mixed = app.route('/mixed');
    for (const method of METHODS.map((one) => one.toLowerCase() as Method)) {
      mixed[method](method === 'post' ? auth() : pass, end);
    }
    app.all('/all', pass, auth(), end);
    const audit = auditOf(app);

    expect(audit).toHaveLength(METHODS.length + 1);
    expect(audit).toContain('GET /mixed none');
    expect(audit).toContain('POST /mixed required');
    expect(audit.at(-1)).toBe('ALL /all required');
    expect((await request(app).get('/mixed')).body).toBe('reached');
    expect((await request(app).post('/mixed')).status).toBe(401);
  });

  test('a router that is mounted in itself ends, by itself too', () => {
    const router = express.Router();
    router.get('/a', end);
    router.use('/again', router);

    expect(auditOf(router)).toEqual(['GET /a none']);
  });

  test('an application that decides itself what comes to it is not looked into', () => {
    const inner = express();
    inner.get('/a', end);
    const { handle } = inner as unknown as { handle: (...args: unknown[]) => void };
    Object.assign(inner, {
      handle(this: unknown, ...args: unknown[]) {
        handle.apply(this, args);
        throw new Error('no stand-in is taken');
      },
    });
    const app = express();
    app.use('/sub', inner);

    expect(auditOf(app)).toEqual(['ALL /sub/<unknown> none']);
  });

  test('what cannot be read guards nothing behind it', () => {
    const app = express();
    app.use(function mounted_app() {
      throw new Error('no stand-in is taken');
    });
    app.get('/a', end);

    expect(auditOf(app)).toEqual(['ALL /<unknown> none', 'GET /a none']);
  });

  test('what it cannot know of a router makes its paths unknown, and open', () => {
    const router = express.Router();
    router.use('/a', auth());
    router.get('/a', end);
    router.use('/b', express.Router().get('/c', end));
    const known = ['handle', 'route', 'keys'];
    for (const layer of stackOf(router)) {
      for (const member of Object.keys(layer)) if (!known.includes(member)) delete layer[member];
      if (layer['route'] !== undefined) Object.assign(layer['route'] as object, { path: { tokens: [] } });
    }

    expect(auditOf(router)).toEqual(['GET /<unknown> none', 'GET /<unknown>/c none']);
  });

  test('an authenticator of which it cannot know where it runs guards nothing', () => {
    const router = express.Router();
    router.use('/a', auth());
    const [layer = {}] = stackOf(router);
    for (const member of ['regexp', 'slash', 'matchers', 'rawPath']) delete layer[member];
    router.get('/a', end);

    expect(auditOf(router)).toEqual(['GET /a none']);
  });
});

test('the audit of a router of Express 5 that keeps no patterns is told what runs for every path', () => {
  const [, { express }] = expressVersions as unknown as [unknown, (typeof expressVersions)[number]];
  const router = express.Router();
  const inner = express.Router();
  inner.get('/a', end);
  router.use(auth('optional'), inner);
  router.use('/b', auth(), inner);
  for (const layer of stackOf(router)) delete layer['rawPath'];

  expect(auditOf(router)).toEqual(['GET /a optional', 'GET /<unknown>/a optional']);
});

function stackOf(router: unknown): Record<string, unknown>[] {
  return (router as { stack: Record<string, unknown>[] }).stack;
}

describe.each(expressVersions)('the audit of a router that a request passes on $name', ({ express }) => {
  test.each<[string, (gate: Router) => unknown, expected: string]>([
    ['an authenticator on the rest of the path', (gate) => gate.use('/ab', auth()), 'required'],
    ['an authenticator on another path', (gate) => gate.use('/x/ab', auth()), 'none'],
    ['an authenticator behind a guard in a route', guardBefore, 'required requireScope(s)'],
    ['an authenticator behind a handler in a route', handlerBefore, 'none'],
    ['an authenticator behind a route that an optional one is in', optionalBefore, 'none'],
    ['an authenticator behind a router that is left', routerBefore, 'required'],
    ['a route on the beginning of a step', (gate) => gate.all(/^\/a/i, auth()), 'required'],
    ['an authenticator on the beginning of a step', (gate) => gate.use(/^\/a/i, auth()), 'none'],
  ])('with %s', async (_, fill, expected) => {
    const app = express();
    const gate = express.Router();
    fill(gate);
    app.use('/x', gate);
    app.get('/x/ab', end);
    const isOpen = !expected.startsWith('required');

    expect(auditOf(app).at(-1)).toBe(`GET /x/ab ${expected}`);
    expect((await request(app).get('/x/ab')).status === 200).toBe(isOpen);
  });

  test('with an authenticator on nothing more than the path of the router', async () => {
    const app = express();
    const gate = express.Router();
    gate.use(/^\/$/, auth());
    app.use('/x', gate);
    app.get('/x', end);
    app.get('/x/a', end);

    expect(auditOf(app)).toEqual(['GET /x required', 'GET /x/a none']);
    expect((await request(app).get('/x')).status).toBe(401);
    expect((await request(app).get('/x/')).status).toBe(401);
  });

  test('with a guard on some of the paths of a route', () => {
    const app = express();
    app.use(auth());
    app.use(/^\/items\/(?:7|x|q9)(?=\/|$)/i, requireScope('some'));
    app.use('/items', requireScope('all'));
    app.get('/items/:id', end);

    expect(auditOf(app)).toEqual(['GET /items/:id required requireScope(all)']);
  });
});

function guardBefore(gate: Router): void {
  gate.all('/ab', requireScope('s'));
  gate.use(auth());
}

function optionalBefore(gate: Router): void {
  gate.all('/ab', auth('optional'), (_req, _res, next) => next('router'));
  gate.use(auth());
}

function routerBefore(gate: Router): void {
  const left = Router5();
  left.use((_req, _res, next) => next('router'));
  gate.use(left, auth());
}

function handlerBefore(gate: Router): void {
  gate.all('/ab', (_req, _res, next) => next('router'));
  gate.use(auth());
}

test('the audit of Express 4 knows that a mount takes a second slash, which leads past others', async () => {
  const [{ express }] = expressVersions as unknown as [(typeof expressVersions)[number]];
  const app = express();
  const users = express.Router();
  users.get('/', end);
  const admin = express.Router();
  admin.get('/b', end);
  admin.use('/users', users);
  app.use('/admin/b', auth());
  app.use('/admin/users', auth());
  app.use('/admin', admin);

  expect(auditOf(app)).toEqual(['GET /admin/b none', 'GET /admin/users none']);
  expect((await request(app).get('/admin/b')).status).toBe(401);
  expect((await request(app).get('/admin//b')).body).toBe('reached');
  expect((await request(app).get('/admin//users')).body).toBe('reached');
});

test('the audit of Express 4 knows what is mounted on a star', async () => {
  const [{ express }] = expressVersions as unknown as [(typeof expressVersions)[number]];
  const app = express();
  app.use('*', auth());
  app.get(/^\/a$/, end);
  app.get('/b', end);

  expect(auditOf(app)).toEqual(['GET /^\\/a$/ required', 'GET /b required']);
  expect((await request(app).get('/a')).status).toBe(401);
});
