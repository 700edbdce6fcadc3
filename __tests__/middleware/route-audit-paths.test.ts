import { afterEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { expressVersions } from '../support/express-versions.ts';
import { auditOf, auth, closeOpened, end } from '../support/route-shapes.ts';

afterEach(closeOpened);

type Path = string | RegExp;

/** What is guarded, the route, and a path by which a request without a key comes to it. */
type WayPast = readonly [guarded: readonly Path[], route: string, way: string];

const waysPast: readonly WayPast[] = [
  [[/^\/items\/\d+/i], '/items/:id', '/items/x'],
  [[/^\/items\/[a-z]+/i], '/items/:id', '/items/7'],
  [[/^\/items\/(?:\d+|[a-z]+)/i], '/items/:id', '/items/Q9'],
  [[/^\/items\/\w+/i], '/items/:id', '/items/a-b.c'],
  [[/^\/items\/[\w.-]{1,35}(?![\w.-])/i], '/items/:id', '/items/0f8fad5b-d9cb-469f-a165-70867728950e'],
  [[/^\/items\/[\w.-]+/i], '/items/:id', '/items/@'],
  [[/^\/items\/[\w.@~!-]+/i], '/items/:id', '/items/%20'],
  [[/^\/items\/\w{2,}/i], '/items/:identifier', '/items/7'],
  [[/^\/items\/:\w+/i], '/items/:identifier', '/items/7'],
  [[/^\/a$/i], '/a', '/a/'],
  [[/^\/a\/$/i], '/a', '/a'],
  [[/^\/a\/$/i], '/a/', '/a'],
  [[/^\/a/], '/a', '/A'],
  [[/^\/items\/[^/]+/], '/items/:id', '/ITEMS/7'],
];

const pastExpress4: readonly WayPast[] = [
  [['/a/:p'], '/a/:p?', '/a'],
  [[/^\/a\/?$/i], '/a/:p?', '/a/7'],
  [[/^\/a\w/i], '/a:p?', '/a'],
  [['/:p/b'], '/:p?/b', '/b'],
  [[/^\/a\/\d/i], '/a/:part(\\d+)?', '/a'],
  [[/^\/a\/?$/i], '/a/:part(\\d+)?', '/a/7'],
  [['/a/:p/:q'], '/a/:p?/:q?', '/a'],
  [[/^\/a\/[^/]+\/?$/i], '/a/:p*', '/a/7/7'],
  [['/files/:step'], '/files/*', '/files/'],
  [['/files/:step'], '/files/*', '/files//x'],
  [[/^\/files\/?.?\/?$/i], '/files/*', '/files/x/x'],
];

const pastExpress5: readonly WayPast[] = [
  [['/a/:p'], '/a{/:p}', '/a'],
  [[/^\/a\/?$/i], '/a{/:p}', '/a/7'],
  [['/a/b'], '/a{/b{/c}}', '/a'],
  [['/a/b/c', /^\/a\/?$/i], '/a{/b{/c}}', '/a/b'],
  [['/a/b', /^\/a\/?$/i], '/a{/b}{/c}', '/a/c'],
  [['/a/b/c', '/a/c', /^\/a\/?$/i], '/a{/b}{/c}', '/a/b'],
  [['/:p/b'], '/{:p/}b', '/b'],
  [['/files/:step'], '/files/*rest', '/files//x'],
  [['/files/:step', /^\/files\/\/.+/i], '/files/*rest', '/files//'],
  [['/files/:step/:next', /^\/files\/\/.*/i], '/files/*rest', '/files/x'],
  [[/^\/files\/.{2,}/i], '/files/*rest', '/files/7'],
  [[/^\/files\/.{2,}/i], '/files/*"the rest"', '/files/7'],
  [[/^\/items\/(?:\w{2,}|.*:.*)/i], '/items/:"an id"', '/items/7'],
];

/** What is guarded, the route, and a path by which it is reached with a key alone, as by all others. */
const guardedByPath: readonly WayPast[] = [
  [['/items'], '/items/:id', '/items/7'],
  [['/items/:id'], '/items/:id/parts/:part', '/items/7/parts/8'],
  [['/a'], '/a/', '/a'],
  [[/^\/a:b/i], '/a\\:b', '/a:b'],
  [[/^\/a\/[^/]+:undo/i], '/a/:id\\:undo', '/a/7:undo'],
];

const guardedOnExpress4: readonly WayPast[] = [
  [[/^\/$/], '/', '/'],
  [['/items'], '/items/:id(\\d+)', '/items/7'],
  [[/^\/\d+/], '/:id(\\d+)', '/7'],
  [['/a/:p', /^\/a\/?$/i], '/a/:p?', '/a/b'],
  [['/files'], '/files/*', '/files/a/b'],
];

const guardedOnExpress5: readonly WayPast[] = [
  [['/items'], '/items/:"an id"', '/items/7'],
  [['/a/:p', /^\/a\/?$/i], '/a{/:p}', '/a/b'],
  [['/files'], '/files/*rest', '/files/a/b'],
];

/** With as much that is optional as is tried in all ways. */
const tangled = (isExpress4: boolean) =>
  isExpress4 ? '/a/:b?/:c?/:d?/:e?/:f?/:g?' : '/a{/b}{/c}{/d}{/e}{/f}{/g}';

for (const { name, express } of expressVersions) {
  const isExpress4 = name === 'Express 4';

  function appWith([guarded, route]: WayPast) {
    const app = express();
    for (const path of guarded) app.use(path, auth());
    app.get(route, end);
    return app;
  }

  describe(`the audit of paths on ${name}`, () => {
    test.each([...waysPast, ...(isExpress4 ? pastExpress4 : pastExpress5)])(
      'with %p guarded finds that %s is open',
      async (...given) => {
        const app = appWith(given);
        const [, route, way] = given;

        expect(auditOf(app)).toEqual([`GET ${route.replace(/\/$/, '')} none`]);
        expect((await request(app).get(way)).body).toBe('reached');
      },
    );

    test.each([...guardedByPath, ...(isExpress4 ? guardedOnExpress4 : guardedOnExpress5)])(
      'with %p guarded finds that %s is guarded',
      async (...given) => {
        const app = appWith(given);
        const [, route, way] = given;

        expect(auditOf(app)).toEqual([`GET ${route.replace(/(?<=.)\/$/, '')} required`]);
        expect((await request(app).get(way)).status).toBe(401);
      },
    );

    test('gives a path up that can be written in too many ways: what runs for every path runs for it', () => {
      const app = express();
      const inner = express.Router();
      const path = tangled(isExpress4);
      const worse = path + (isExpress4 ? '/:h?' : '{/h}');
      inner.get([path, worse], end);
      app.use('/m', auth('optional'));
      app.use('/m', inner);
      app.use(auth());
      app.get(worse, end);

      expect(auditOf(app)).toEqual([
        `GET /m${path} optional`,
        `GET /m${worse} none`,
        `GET ${worse} required`,
      ]);
    });

    test('tries capitals in one part of a path after the other', async () => {
      const app = express();
      const inner = express.Router();
      app.use(/^\/v1\/a/, auth());
      app.use(/^\/V1\/A/, auth());
      inner.get('/a', end);
      app.use('/v1', inner);

      expect(auditOf(app)).toEqual(['GET /v1/a none']);
      expect((await request(app).get('/v1/A')).body).toBe('reached');
    });

    test('knows the two ways to write where a router is mounted', async () => {
      const app = express();
      const inner = express.Router();
      inner.get('/', end);
      app.use(/^\/v1$/i, auth());
      app.use('/v1', inner);
      app.use('/v2/', auth());
      app.use('/v2/', inner);
      app.get('/', end);

      expect(auditOf(app)).toEqual(['GET /v1 none', 'GET /v2 required', 'GET / none']);
      expect((await request(app).get('/v1/')).body).toBe('reached');
      expect((await request(app).get('/v2/')).status).toBe(401);
    });
  });
}

describe('the audit of a router of Express 5', () => {
  const [, { express }] = expressVersions as unknown as [unknown, (typeof expressVersions)[number]];

  test('knows that its mount takes what is optional wherever it is there', async () => {
    const app = express();
    const inner = express.Router();
    inner.get('/r', end);
    app.use('/a/:b/r', auth());
    app.use('/a{/:b}', inner);

    expect(auditOf(app)).toEqual(['GET /a{/:b}/r required']);
    expect((await request(app).get('/a/r')).status).toBe(404);
    expect((await request(app).get('/a/b/r')).status).toBe(401);
  });

  test('is not stopped by a way to write its mount that cannot be', async () => {
    const app = express();
    const inner = express.Router();
    inner.get('/r', end);
    app.use('/:a/b', auth());
    app.use('/*rest/b', inner);

    expect(auditOf(app)).toEqual(['GET /*rest/b/r none']);
    expect((await request(app).get('/x/x/b/r')).body).toBe('reached');
  });
});
