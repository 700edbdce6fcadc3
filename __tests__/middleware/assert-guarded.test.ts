import { afterEach, describe, expect, test } from '@jest/globals';
import { assertGuarded, requireScope } from '../../lib/index.ts';
import { expressVersions } from '../support/express-versions.ts';
import { auth, closeOpened, end } from '../support/route-shapes.ts';

afterEach(closeOpened);

describe.each(expressVersions)('assertGuarded on $name', ({ express }) => {
  /** Two open routes, a guarded one, and one whose key is optional. */
  function arrange() {
    const app = express();
    const inner = express.Router();
    inner.get('/health', end);
    inner.post('/health', end);
    app.use('/v1', inner);
    app.get('/optional', auth('optional'), end);
    app.get('/scoped', auth('optional'), requireScope('a'), end);
    app.get('/forgotten', requireScope('a'), end);
    app.use(auth());
    app.get('/reports', end);
    return app;
  }

  test('lists every open route, why a guard is not enough, and what to do', () => {
    expect(() => assertGuarded(arrange())).toThrow(
      new Error(
        [
          'assertGuarded: 4 routes are open to requests without a key:',
          '  GET /v1/health',
          '  POST /v1/health',
          '  GET /optional (the key is optional, and no guard demands one)',
          '  GET /forgotten (has a guard, but no authenticator before it)',
          'Mount app.use(apiKeyAuth(apiKeys)) before each of them, or name it in { except: [...] } where it is open on purpose.',
        ].join('\n'),
      ),
    );
  });

  test.each<[string, readonly (string | RegExp)[]]>([
    ['by path', ['/v1/health', '/optional', '/forgotten']],
    ['by method and path', ['GET /v1/health', 'POST /v1/health', 'GET /optional', 'GET /forgotten']],
    ['by expressions', [/^\/v1\//, /^GET \/(?:optional|forgotten)$/]],
  ])('lets pass what is excepted %s', (_, except) => {
    expect(() => assertGuarded(arrange(), { except })).not.toThrow();
  });

  test('an expression with a memory excepts the same each time', () => {
    const app = express();
    app.get('/a', end);

    expect(() => assertGuarded(app, { except: [/^\/a$/g] })).not.toThrow();
  });

  test('does not except another method, nor a path by its beginning', () => {
    const except = ['GET /v1/health', '/opt', '/optional', '/forgotten'];

    expect(() => assertGuarded(arrange(), { except })).toThrow(
      /^assertGuarded: 1 route is open to requests without a key:\n {2}POST \/v1\/health\nMount [^\n]+\nThese exceptions name no open route, so take them out: \/opt$/,
    );
  });

  test('refuses an expression that names no open route beside those that do', () => {
    const app = express();
    app.get('/a', end);
    app.get('/b', end);

    expect(() => assertGuarded(app, { except: [/^\/a$/, /\/b$/, /^b/] })).toThrow(
      new Error('assertGuarded: These exceptions name no open route, so take them out: /^b/'),
    );
    expect(() => assertGuarded(app, { except: [/^\/a$/] })).toThrow(
      /^assertGuarded: 1 route is open [^\n]+\n {2}GET \/b\n/,
    );
  });

  test('refuses an exception for a route that is guarded by now, or gone', () => {
    const app = express();
    app.use(auth());
    app.get('/a', end);

    expect(() => assertGuarded(app, { except: ['/a', /^\/gone/] })).toThrow(
      new Error('assertGuarded: These exceptions name no open route, so take them out: /a, /^\\/gone/'),
    );
    expect(() => assertGuarded(app)).not.toThrow();
  });

  test('refuses an application without routes, where it would prove nothing', () => {
    expect(() => assertGuarded(express())).toThrow(/^assertGuarded: the application has no routes/);
  });
});

test.each<[string, unknown, string]>([
  ['an unknown option', { exept: [] }, 'unknown option "exept"; did you mean "except"?'],
  ['no array', { except: '/a' }, 'except must be an array of texts and expressions, but got "/a"'],
  ['another thing', { except: [7] }, "except[0] must be 'GET /path', '/path' or a regular expression"],
])('assertGuarded refuses %s', (_, options, message) => {
  expect(() => assertGuarded((() => undefined) as never, options as object)).toThrow(TypeError);
  expect(() => assertGuarded((() => undefined) as never, options as object)).toThrow(message);
});
