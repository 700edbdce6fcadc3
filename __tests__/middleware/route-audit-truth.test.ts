import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { RequestHandler, Router } from 'express';
import fc from 'fast-check';
import { apiKeyAuth, auditRoutes } from '../../lib/index.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { type App, closeOpened, open } from '../support/route-shapes.ts';

afterAll(closeOpened);

const apiKeys = open();

/** A part of an application. Each route has a path of its own below the others, by which it is found again. */
type Part =
  | { readonly kind: 'route'; readonly path: string; readonly handlers: readonly Step[] }
  | { readonly kind: 'use'; readonly path: string | RegExp; readonly steps: readonly Step[] }
  | {
      readonly kind: 'router' | 'app';
      readonly path: string;
      readonly isSensitive: boolean;
      readonly parts: readonly Part[];
    };

type Step = 'auth' | 'pass' | 'leaveRoute' | 'leaveRouter';

/** The same applications in each run; another number makes others. */
const SEED = Number(process.env['KEYSTILE_SEED'] ?? 20_261_120);

const PATHS = ['/', '/a', '/b', '/A', '/a/b', '/:p', '/a/:p', '/:p/b', '/a/'];
const EXPRESSIONS = [/^\/a/, /^\/a/i, /^\/\d/, /^\/[a-z]+\/b/i];

/** What only one of the two can read. */
const PATTERNS: Readonly<Record<string, readonly string[]>> = {
  'Express 4': ['/:p?/b', '/a*', '/a/*', '/:p(\\d+)', '/ab?c'],
  'Express 5': ['/{:p/}b', '/a{/:p}', '/*rest', '/a/*rest'],
};

const REQUESTS = [
  '/',
  '/a',
  '/A',
  '/a/',
  '/b',
  '/7',
  '/a/b',
  '/A/b',
  '/a/B/',
  '/b/b',
  '/7/b',
  '/a/7',
  '/ac',
].concat([
  '/a/b/a',
  '/a/b/7',
  '/a/a/b',
  '/b/a/b',
  '/a/b/a/b',
  '/7/7',
  '/x-y.z/b',
  '/A/A/A',
  '/%20/b',
  '/a/_',
  '/a//',
  '/a//b',
]);

const step = fc.constantFrom<Step>('auth', 'pass', 'auth', 'pass', 'leaveRoute', 'leaveRouter');

function partsFor(version: string): fc.Arbitrary<readonly Part[]> {
  const paths = [...PATHS, ...(PATTERNS[version] ?? [])];
  const { part } = fc.letrec<{ part: Part }>((tie) => ({
    part: fc.oneof(
      { maxDepth: 3, depthSize: 'medium' },
      fc.record({
        kind: fc.constant('route' as const),
        path: fc.constantFrom(...paths),
        handlers: fc.array(step, { maxLength: 2 }),
      }),
      fc.record({
        kind: fc.constant('use' as const),
        path: fc.constantFrom(...paths, ...EXPRESSIONS),
        steps: fc.array(step, { minLength: 1, maxLength: 2 }),
      }),
      fc.record({
        kind: fc.constantFrom('router' as const, 'router' as const, 'app' as const),
        path: fc.constantFrom(...paths),
        isSensitive: fc.boolean(),
        parts: fc.array(tie('part'), { minLength: 1, maxLength: 4 }),
      }),
    ),
  }));
  return fc.array(part, { minLength: 1, maxLength: 6 });
}

const STEPS: Readonly<Record<Step, () => RequestHandler>> = {
  auth: () => apiKeyAuth(apiKeys),
  pass: () => (_req, _res, next) => next(),
  leaveRoute: () => (_req, _res, next) => next('route'),
  leaveRouter: () => (_req, _res, next) => next('router'),
};

/** Puts it together; a route that is reached puts its number into `reached`: the n-th that is built is the n-th that is listed. */
function build(express: Express, parts: readonly Part[], reached: number[]): App {
  let routes = 0;
  const handlersOf = (steps: readonly Step[]) => steps.map((name) => STEPS[name]());
  const fill = (into: Router, given: readonly Part[]): void => {
    for (const one of given) {
      if (one.kind === 'use') into.use(one.path, handlersOf(one.steps));
      else if (one.kind === 'route') {
        const number = routes++;
        const answer: RequestHandler = (_req, res) => {
          reached.push(number);
          res.end();
        };
        into.get(one.path, [...handlersOf(one.handlers), answer]);
      } else into.use(one.path, nested(one));
    }
  };
  const nested = ({ kind, isSensitive, parts: inner }: Extract<Part, { parts: readonly Part[] }>) => {
    if (kind === 'router') {
      const router = express.Router({ caseSensitive: isSensitive });
      fill(router, inner);
      return router;
    }
    const app = express();
    app.set('case sensitive routing', isSensitive);
    fill(app as unknown as Router, inner);
    return app;
  };
  const app = express();
  fill(app as unknown as Router, parts);
  return app;
}

/** One request without a key; it stays in this process. */
function send(app: App, url: string): Promise<void> {
  const req = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url });
  const res = new ServerResponse(req);
  return new Promise((resolve) => {
    res.end = (() => {
      resolve();
      return res;
    }) as typeof res.end;
    app(req as never, res as never, () => resolve());
  });
}

describe.each(expressVersions)('of applications of $name, whatever they look like,', ({ name, express }) => {
  test('no route that is said to be guarded is reached without a key', async () => {
    let required = 0;
    let passed = 0;
    await fc.assert(
      fc.asyncProperty(partsFor(name), async (parts) => {
        const reached: number[] = [];
        const app = build(express, parts, reached);
        const audit = auditRoutes(app);
        for (const url of REQUESTS) await send(app, url);
        const guarded = audit.flatMap(({ authentication }, i) => (authentication === 'required' ? [i] : []));
        required += guarded.length;
        passed += reached.length;

        expect(guarded.filter((number) => reached.includes(number))).toEqual([]);
        expect(Math.max(-1, ...reached)).toBeLessThan(audit.length);
      }),
      { numRuns: 200, seed: SEED },
    );
    // Else nothing was tried.
    expect(required).toBeGreaterThan(50);
    expect(passed).toBeGreaterThan(50);
  });
});
