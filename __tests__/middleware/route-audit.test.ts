import { afterEach, describe, expect, test } from '@jest/globals';
import express5, { type RequestHandler } from 'express';
import request from 'supertest';
import { pluto, validateRouter } from '../../lib/dialects.ts';
import { auditRoutes } from '../../lib/index.ts';
import { jwtKeys } from '../../lib/jwt.ts';
import { managementRouter } from '../../lib/management/management-router.ts';
import { expressVersions } from '../support/express-versions.ts';
import { keyOption, optionsWith } from '../support/jwt-options.ts';
import {
  type App,
  auditOf,
  auth,
  closeOpened,
  end,
  open,
  orderShapes,
  pathShapes,
} from '../support/route-shapes.ts';
import { routerShapes } from '../support/router-shapes.ts';

afterEach(closeOpened);

describe.each(expressVersions)('auditRoutes on $name', ({ express }) => {
  test.each([...orderShapes, ...pathShapes, ...routerShapes])('$name', ({ arrange, expected }) => {
    const app = express();
    arrange(app, (options) => express.Router(options), express);

    expect(auditOf(app)).toEqual(expected);
  });

  test('an application that cannot be read is open', () => {
    const app = express();
    app.use('/x', function mounted_app() {
      throw new Error('no stand-in is taken');
    });
    app.use('/y', auth(), function mounted_app() {
      return undefined;
    });

    expect(auditOf(app)).toEqual(['ALL /x/<unknown> none', 'ALL /y/<unknown> required']);
  });

  test('reads a router by itself', () => {
    const router = express.Router();
    router.get('/a', auth(), end);

    expect(auditOf(router)).toEqual(['GET /a required']);
  });

  test('tells the routes of our own routers as such', () => {
    const apiKeys = open();
    const app = express();
    app.use('/validate', validateRouter(apiKeys, pluto()));
    app.use('/.well-known/jwks.json', jwtKeys(optionsWith([keyOption('k', 'current')])).jwksRouter());
    app.use('/keys', managementRouter(apiKeys, { authorize: () => undefined }));
    const audit = auditOf(app);

    expect(audit).toContain('GET /validate/api/runs/auth/validate own');
    expect(audit).toContain('POST /keys/:id/rotate own');
    expect(audit.filter((line) => !line.endsWith(' own'))).toEqual([]);
  });

  test('runs nothing of the application, and leaves it as it was', async () => {
    const calls: string[] = [];
    const note =
      (name: string): RequestHandler =>
      (_req, _res, next) => {
        calls.push(name);
        next();
      };
    const inner = express();
    inner.use(note('inner'));
    inner.get('/a', end);
    inner.use((error: unknown, _req: unknown, _res: unknown, next: (error: unknown) => void) => {
      calls.push('error');
      next(error);
    });
    const app = express();
    app.use(note('outer'));
    app.use('/sub', inner);
    auditRoutes(app);
    // What Express would have put off to a later turn.
    await new Promise((resolve) => setImmediate(resolve));

    expect(calls).toEqual([]);
    expect((await request(app).get('/sub/a')).body).toBe('reached');
    expect(calls).toEqual(['outer', 'inner']);
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => undefined],
    ['an object', {}],
  ])('refuses %s', (shown, value) => {
    expect(() => auditRoutes(value as App)).toThrow(
      new TypeError(`auditRoutes: app must be an application or a router of Express, but got ${shown}`),
    );
  });
});

test('on Express 5, leaving out what is optional here and not there is a way to a route as well', () => {
  const app = express5();
  const outer = express5.Router();
  const inner = express5.Router();
  inner.get('/', end);
  outer.use('/:p/b', auth());
  outer.use('/{:p/}b', inner);
  app.use('/a{/:p}', outer);

  expect(auditOf(app)).toEqual(['GET /a{/:p}/{:p/}b none']);
});

describe('auditRoutes on an Express 5 whose router keeps no text of a mount', () => {
  // What its layers have had since version 2.3 alone.
  const olden = (router: unknown): void => {
    for (const layer of (router as { stack: { rawPath?: unknown }[] }).stack) delete layer.rawPath;
  };

  test('says so, and counts what runs for every path and what stands in the router', () => {
    const inner = express5.Router();
    inner.get('/before', end);
    inner.use('/in', auth());
    inner.get('/in/a', end);
    const app = express5();
    app.use('/x', auth());
    app.use('/x', inner);
    app.get('/x/b', end);
    app.use(auth());
    app.use('/y', inner);
    olden(inner);
    olden(app.router);

    expect(auditOf(app)).toEqual([
      'GET /<unknown>/before none',
      'GET /<unknown>/in/a required',
      'GET /x/b required',
      'GET /<unknown>/before required',
      'GET /<unknown>/in/a required',
    ]);
  });
});
