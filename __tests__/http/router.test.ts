import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { DialectAnswer } from '../../lib/http/dialect.ts';
import { createRouter, type Route, type RoutedRequest, type RouterParts } from '../../lib/http/router.ts';
import { ApiKeyError, StoreUnavailableError } from '../../lib/index.ts';
import { closeServer } from '../support/body-bench.ts';
import { listen } from '../support/exchange.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { exchange, type RawAnswer, type RawRequest } from '../support/raw-http.ts';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map(closeServer));
});

interface Around {
  readonly at?: string;
  readonly before?: readonly RequestHandler[];
}

type Ask = (line: string, request?: Partial<RawRequest>) => Promise<RawAnswer>;

/** An application around a router, which says of all that the router lets pass what became of it. */
async function serve(express: Express, parts: Partial<RouterParts>, around: Around = {}): Promise<Ask> {
  const app = express();
  for (const handler of around.before ?? []) app.use(handler);
  app.use(around.at ?? '/', createRouter({ name: 'testRouter', routes: [], error: wordError, ...parts }));
  app.use((_req, res) => {
    res.status(200).end('passed');
  });
  const tellError: ErrorRequestHandler = (error, _req, res, _next) => {
    res.status(200).end(`error: ${error.message}`);
  };
  app.use(tellError);
  const server = createServer(app);
  servers.push(server);
  const port = await listen(server);
  return (line, request) => {
    const [method = '', path = ''] = line.split(' ');
    return exchange(port, { method, path, headers: [], body: null, ...request });
  };
}

function wordError({ status, code, message }: ApiKeyError): DialectAnswer {
  return { status, body: { code, message } };
}

/** Answers what it understood of the request. */
function echoing(method: Route['method'], path: string): Route {
  const handle = ({ method: asked, path: below, params }: RoutedRequest) => ({
    status: 200,
    body: { route: `${method} ${path}`, asked: `${asked} ${below}`, params },
  });
  return { method, path, handle };
}

const ROUTES = [
  echoing('GET', '/keys'),
  echoing('POST', '/keys'),
  echoing('GET', '/keys/:id'),
  echoing('DELETE', '/keys/:id'),
  echoing('POST', '/keys/:id/rotate'),
];

const FAIL = new Error('sEcReT-0123456789');

function brokenThenable(): object {
  // Spelt as a member, since a literal with `then` is what a linter takes for a mistake.
  return Object.defineProperty({}, 'then', {
    value: () => {
      throw FAIL;
    },
  });
}

function fieldOf({ headers }: RawAnswer, name: string): string | undefined {
  return new Map(headers).get(name);
}

describe.each(expressVersions)('on $name', ({ express }) => {
  test.each([
    ['GET /keys', 'GET /keys', {}],
    ['POST /keys', 'POST /keys', {}],
    ['GET /keys?limit=5', 'GET /keys', {}],
    ['GET /keys/a', 'GET /keys/:id', { id: 'a' }],
    ['DELETE /keys/a%2Fb%20c', 'DELETE /keys/:id', { id: 'a/b c' }],
    ['GET /keys/%zz', 'GET /keys/:id', { id: '%zz' }],
    ['GET /keys/__proto__', 'GET /keys/:id', { id: '__proto__' }],
    ['POST /keys/a/rotate', 'POST /keys/:id/rotate', { id: 'a' }],
  ])('%s is answered by %s', async (line, route, params) => {
    const ask = await serve(express, { routes: ROUTES });
    const under = await serve(express, { routes: ROUTES }, { at: '/api/v1' });
    const expected = { route, asked: line.split('?')[0], params };
    expect(JSON.parse((await ask(line)).body)).toEqual(expected);
    expect(JSON.parse((await under(line.replace(' ', ' /api/v1'))).body)).toEqual(expected);
  });

  test('HEAD is answered as GET is, without the body', async () => {
    const ask = await serve(express, { routes: ROUTES });
    const { status, body, headers } = await ask('HEAD /keys');
    const got = await ask('GET /keys');
    expect([status, body]).toEqual([200, '']);
    // HEAD has one letter more than GET, which is echoed.
    expect(Number(new Map(headers).get('Content-Length'))).toBe(got.body.length + 1);
  });

  test.each([
    'GET /',
    'GET /Keys',
    'GET /keysa',
    'GET /keys/a/b',
    'GET //keys',
    'GET /keys//rotate',
    'GET /keys/',
  ])('%s is not ours, and passes', async (line) => {
    const ask = await serve(express, { routes: ROUTES });
    expect((await ask(line)).body).toBe('passed');
  });

  test.each([
    ['PUT /keys', 'GET, HEAD, POST'],
    ['OPTIONS /keys', 'GET, HEAD, POST'],
    ['PATCH /keys/a', 'GET, HEAD, DELETE'],
    ['HEAD /keys/a/rotate', 'POST'],
  ])('%s is a 405 that tells the methods', async (line, allow) => {
    const ask = await serve(express, { routes: ROUTES });
    const answer = await ask(line);
    expect([answer.status, fieldOf(answer, 'Allow')]).toEqual([405, allow]);
    expect(answer.body).toBe(
      line.startsWith('HEAD')
        ? ''
        : `{"code":"method_not_allowed","message":"The methods here are ${allow}."}`,
    );
  });

  test('a path with a slash behind it can be the same path', async () => {
    const ask = await serve(express, { routes: ROUTES, trailingSlash: true });
    expect(JSON.parse((await ask('GET /keys/')).body)).toMatchObject({
      route: 'GET /keys',
      asked: 'GET /keys/',
    });
    expect((await ask('GET /keys//')).body).toBe('passed');
  });

  test('what has no route at a path of ours can be answered by the dialect', async () => {
    const unmatched = ({ method, path }: RoutedRequest) => ({ status: 418, body: `${method} ${path}` });
    const ask = await serve(express, { routes: ROUTES, unmatched });
    const lines = ['PUT /keys', 'GET /keys/', 'PUT /keys/a/', 'GET /other/', 'GET /keys'];
    const answers = await Promise.all(lines.map((line) => ask(line)));
    expect(
      answers.map(({ status, body }) => [status, status === 418 ? JSON.parse(body) : undefined]),
    ).toEqual([
      [418, 'PUT /keys'],
      [418, 'GET /keys/'],
      [418, 'PUT /keys/a/'],
      [200, undefined],
      [200, undefined],
    ]);
  });

  test('a route sees the query, and a header field that is there once', async () => {
    const handle = (request: RoutedRequest) => ({
      status: 200,
      body: [...request.query]
        .flat()
        .concat(['X-One', 'x-two', 'X-None'].map((name) => request.header(name) ?? '-')),
    });
    const ask = await serve(express, { routes: [{ method: 'GET', path: '/', handle }] });
    const headers = [
      ['x-ONE', '1'],
      ['X-Two', '2'],
      ['X-Two', '2'],
    ] as const;
    expect(JSON.parse((await ask('GET /?a=1&a=%20', { headers })).body)).toEqual([
      'a',
      '1',
      'a',
      ' ',
      '1',
      '-',
      '-',
    ]);
  });

  const cyclic: unknown[] = [];
  cyclic.push(cyclic);

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw FAIL;
      },
    ],
    ['rejects', () => Promise.reject(FAIL)],
    [
      'throws nothing',
      () => {
        throw undefined;
      },
    ],
    ['rejects with nothing', () => Promise.reject(undefined)],
    ['answers nothing', () => undefined],
    ['promises nothing', () => Promise.resolve(undefined)],
    ['promises no answer', () => Promise.resolve({ body: {} })],
    ['has a field that cannot be written', () => ({ status: 200, headers: { 'X-A': '\n' }, body: null })],
    [
      'promises a field that cannot be written',
      async () => ({ status: 200, headers: { 'X-A': '\n' }, body: null }),
    ],
    ['has a body that cannot be written', () => ({ status: 200, body: cyclic })],
    ['promises a body that cannot be written', async () => ({ status: 200, body: 1n })],
    ['is a thenable that throws', () => brokenThenable()],
  ])('a route that %s is a 500 in the words of the dialect', async (_what, handle) => {
    const ask = await serve(express, {
      routes: [{ method: 'GET', path: '/', handle: handle as Route['handle'] }],
    });
    const { status, body } = await ask('GET /');
    expect([status, body]).toEqual([500, '{"code":"server_error","message":"Something went wrong."}']);
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw FAIL;
      },
    ],
    ['answers nothing', () => undefined],
    ['has a field that cannot be written', () => ({ status: 500, headers: { 'X-A': '\n' }, body: null })],
    ['has a body that cannot be written', () => ({ status: 500, headers: { 'X-A': 'b' }, body: 1n })],
  ])('a dialect whose wording of an error %s is a 500 with no body', async (_what, error) => {
    for (const handle of [
      () => Promise.reject(FAIL),
      () => {
        throw FAIL;
      },
    ]) {
      const ask = await serve(express, {
        routes: [{ method: 'GET', path: '/', handle }],
        error: error as RouterParts['error'],
      });
      const { status, body, headers } = await ask('GET /');
      expect([status, body]).toEqual([500, '']);
      expect(headers.map(([name]) => name)).toEqual([
        'Cache-Control',
        'Content-Length',
        'Date',
        'Connection',
      ]);
    }
  });

  test('an error of ours keeps its code and its header fields; a 503 always says when to come back', async () => {
    const errors: ApiKeyError[] = [
      new ApiKeyError('rate_limited', 'Wait.', { headers: { 'Retry-After': '17' } }),
      new StoreUnavailableError('down'),
      new StoreUnavailableError('down', { headers: { 'Retry-After': '17' } }),
    ];
    const routes = errors.map(
      (error, index): Route => ({
        method: 'GET',
        path: `/${index}`,
        handle: () => Promise.reject(error),
      }),
    );
    const ask = await serve(express, { routes });
    const answers = await Promise.all(errors.map((_error, index) => ask(`GET /${index}`)));
    expect(answers.map((answer) => [answer.status, fieldOf(answer, 'Retry-After')])).toEqual([
      [429, '17'],
      [503, expect.stringMatching(/^[123]$/)],
      [503, '17'],
    ]);
  });

  test.each([
    ['JSON', { a: '<script>' }],
    ['a text', '<script>'],
  ])('%s is application/json, whatever type another middleware has set', async (_what, body) => {
    const before: RequestHandler = (_req, res, next) => {
      res.setHeader('Content-Type', 'text/html');
      next();
    };
    const routes: Route[] = [{ method: 'GET', path: '/', handle: () => ({ status: 200, body }) }];
    const ask = await serve(express, { routes }, { before: [before] });
    const answer = await ask('GET /');
    expect([fieldOf(answer, 'Content-Type'), answer.body]).toEqual([
      'application/json',
      JSON.stringify(body),
    ]);
  });

  test('what somebody else has answered meanwhile stays as it is', async () => {
    const before: RequestHandler = (_req, res, next) => {
      next();
      res.status(504).end('too late');
    };
    const handle = async () => ({ status: 200, body: 'late' });
    const failing = async () => {
      throw FAIL;
    };
    const routes: Route[] = [
      { method: 'GET', path: '/answers', handle },
      { method: 'GET', path: '/fails', handle: failing },
    ];
    const ask = await serve(express, { routes }, { before: [before] });
    for (const path of ['/answers', '/fails']) {
      const { status, body } = await ask(`GET ${path}`);
      expect([status, body]).toEqual([504, 'too late']);
    }
  });

  describe('behind a parser that cannot read the body,', () => {
    const headers = [['Content-Type', 'application/json']] as const;
    const broken = { headers, body: '{"a":' };
    const reading: Route = {
      method: 'POST',
      path: '/read',
      handle: async (request) => ({ status: 200, body: (await request.json()) ?? null }),
    };

    test.each([
      ['JSON that is broken', broken, 'invalid_request'],
      [
        'no body, in a coding that nobody knows',
        { headers: [...headers, ['Content-Encoding', 'foo'], ['Content-Length', '0']], body: '' },
        'unsupported_media_type',
      ],
      [
        'no body, of characters that nobody knows',
        {
          headers: [
            ['Content-Type', 'application/json; charset=foo'],
            ['Content-Length', '0'],
          ],
          body: '',
        },
        'unsupported_media_type',
      ],
    ] as const)('no route gets past what refuses the request: %s', async (_what, request, code) => {
      const ran: string[] = [];
      const counting = (method: Route['method'], path: string): Route => ({
        method,
        path,
        handle() {
          ran.push(`${method} ${path}`);
          return { status: 200, body: null };
        },
      });
      const refusing: RequestHandler = (_req, res) => void res.status(403).end();
      const routes = [reading, counting('POST', '/acts'), counting('GET', '/acts')];
      const unmatched = counting('POST', 'unmatched').handle;
      const ask = await serve(express, { routes, unmatched }, { before: [express.json(), refusing] });

      for (const line of ['POST /read', 'POST /acts', 'GET /acts', 'DELETE /acts']) {
        expect(JSON.parse((await ask(line, request)).body).code).toBe(code);
      }
      expect(ran).toEqual([]);
      expect((await ask('POST /acts')).status).toBe(403);
    });

    test('a path that is not ours goes to who handles errors there', async () => {
      const ask = await serve(express, { routes: [reading] }, { before: [express.json()] });
      expect((await ask('POST /elsewhere', broken)).body).toMatch(/^error: .*JSON/);
    });

    test.each([
      ['an error of the application', FAIL],
      ['an error with a status', Object.assign(new Error('no'), { status: 400 })],
      ['an error with another mark', Object.assign(new Error('no'), { type: 'card.declined', status: 400 })],
      ['a text', 'no'],
    ])('%s is not ours to answer', async (_what, error) => {
      const ask = await serve(
        express,
        { routes: [reading] },
        { before: [(_req, _res, next) => next(error)] },
      );
      expect((await ask('POST /read', broken)).body).toMatch(/^error: /);
    });
  });
});
