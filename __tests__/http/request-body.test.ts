import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ErrorRequestHandler } from 'express';
import { createRouter, type HttpRequest } from '../../lib/http/router.ts';
import {
  type BodyBench,
  closeServer,
  inChunks,
  openBodyBench,
  PARSERS,
  type Parsers,
  type Sent,
} from '../support/body-bench.ts';
import { captureOutput } from '../support/capture-output.ts';
import { listen } from '../support/exchange.ts';
import { expressVersions } from '../support/express-versions.ts';
import { exchange, type RawAnswer } from '../support/raw-http.ts';

const LIMIT = 16_384;

/** JSON of so many bytes in all. */
function jsonOf(bytes: number, start = ''): string {
  return JSON.stringify([`${start}${'a'.repeat(bytes - 4 - start.length)}`]);
}

function outcomeOf({ status, body }: RawAnswer): unknown {
  const { json, form, code } = JSON.parse(body);
  return [status, code ?? json ?? form];
}

const GOOD: Sent = { body: '{"a":[1,"é"]}' };
const GOOD_OUTCOME = [200, { a: [1, 'é'] }];

const ACCEPTED: readonly (readonly [what: string, sent: Sent, value: unknown])[] = [
  ['an object', GOOD, { a: [1, 'é'] }],
  ['no body at all', { body: null, type: null }, 'nothing'],
  ['a body of no bytes', { body: '' }, 'nothing'],
  [
    'a charset in capitals and quotes',
    { ...GOOD, type: 'Application/JSON; Charset="UTF-8"' },
    { a: [1, 'é'] },
  ],
  ['a body in chunks', inChunks('{"a":[1,"é"]}'), { a: [1, 'é'] }],
  ['as many bytes as may be', { body: jsonOf(LIMIT) }, ['a'.repeat(LIMIT - 4)]],
  ['as many bytes as may be, in chunks', inChunks(jsonOf(LIMIT)), ['a'.repeat(LIMIT - 4)]],
  ['8 levels', { body: '[[[[[[[["a"]]]]]]]]' }, [[[[[[[['a']]]]]]]]],
  ['gzip', { body: gzipSync('{"a":1}'), headers: [['Content-Encoding', 'gzip']] }, { a: 1 }],
  ['deflate', { body: deflateSync('{"a":1}'), headers: [['Content-Encoding', 'deflate']] }, { a: 1 }],
  ['br', { body: brotliCompressSync('{"a":1}'), headers: [['Content-Encoding', 'br']] }, { a: 1 }],
  ['a coding in capitals', { body: gzipSync('{"a":1}'), headers: [['Content-Encoding', 'GZIP']] }, { a: 1 }],
];

const SECRET = 'sEcReT-0123456789';
const GZIP_BOMB = gzipSync(jsonOf(5_000_000, SECRET), { level: 9 });
const UNFIT = 'invalid_request';

const REFUSED: readonly (readonly [what: string, sent: Sent, status: number, code: string])[] = [
  ['half of a text', { body: `{"secret":"${SECRET}` }, 400, UNFIT],
  ['an unknown word', { body: SECRET }, 400, UNFIT],
  ['9 levels', { body: `[[[[[[[[["${SECRET}"]]]]]]]]]` }, 400, UNFIT],
  ['8,000 levels', { body: `${'['.repeat(8_000)}"${SECRET}"${']'.repeat(8_000)}` }, 400, UNFIT],
  ['U+0000 in an escape', { body: `["${SECRET}\\u0000"]` }, 400, UNFIT],
  ['U+FFFD', { body: `["${SECRET}\ufffd"]` }, 400, UNFIT],
  ['half a surrogate pair', { body: `["${SECRET}\\ud800"]` }, 400, UNFIT],
  ['broken UTF-8', { body: Buffer.from(`["${SECRET}\xff"]`, 'latin1') }, 400, UNFIT],
  ['UTF-8 that is cut off', { body: Buffer.from(`["${SECRET}\xc3"]`, 'latin1') }, 400, UNFIT],
  ['another media type', { body: `["${SECRET}"]`, type: 'text/plain' }, 415, 'unsupported_media_type'],
  [
    'a media type that only begins so',
    { body: '[]', type: 'application/jsonx' },
    415,
    'unsupported_media_type',
  ],
  ['no media type', { body: `["${SECRET}"]`, type: null }, 415, 'unsupported_media_type'],
  [
    'a charset other than UTF-8',
    { body: '[]', type: 'application/json; charset=utf-16le' },
    415,
    'unsupported_media_type',
  ],
  [
    'a charset that was a hole',
    { body: '[]', type: 'application/json; charset=utf-7' },
    415,
    'unsupported_media_type',
  ],
  [
    'a coding that nobody knows',
    { body: SECRET, headers: [['Content-Encoding', SECRET]] },
    415,
    'unsupported_media_type',
  ],
  [
    'what is not in its coding',
    { body: `["${SECRET}"]`, headers: [['Content-Encoding', 'gzip']] },
    400,
    UNFIT,
  ],
  [
    'what is not in its other coding',
    { body: SECRET, headers: [['Content-Encoding', 'deflate']] },
    400,
    UNFIT,
  ],
  ['what is not in its third coding', { body: SECRET, headers: [['Content-Encoding', 'br']] }, 400, UNFIT],
  [
    'half of a gzip',
    { body: gzipSync(`["${SECRET}"]`).subarray(0, -12), headers: [['Content-Encoding', 'gzip']] },
    400,
    UNFIT,
  ],
  ['a bomb', { body: GZIP_BOMB, headers: [['Content-Encoding', 'gzip']] }, 413, 'payload_too_large'],
  [
    'a bomb in br',
    { body: brotliCompressSync(jsonOf(5_000_000, SECRET)), headers: [['Content-Encoding', 'br']] },
    413,
    'payload_too_large',
  ],
  ['one byte more than may be', { body: jsonOf(LIMIT + 1, SECRET) }, 413, 'payload_too_large'],
  ['one byte more than may be, in chunks', inChunks(jsonOf(LIMIT + 1, SECRET)), 413, 'payload_too_large'],
  ['many bytes more than any parser reads', { body: jsonOf(200_000, SECRET) }, 413, 'payload_too_large'],
];

/** What is too long closes the connection; some that is refused is too long to be sent twice at once. */
function isShortRefusal([, { body }, status]: (typeof REFUSED)[number]): boolean {
  return status !== 413 && (body?.length ?? 0) < 1_000;
}

/** Where nobody read before us, more can be seen. */
const REFUSED_WHERE_WE_READ: typeof REFUSED = [
  ['two members of one name', { body: `{"a":"${SECRET}","a":1}` }, 400, UNFIT],
  ['a byte order mark', { body: `\ufeff["${SECRET}"]` }, 400, UNFIT],
];

const FORMS: readonly (readonly [what: string, sent: Sent, outcome: unknown])[] = [
  [
    'parameters',
    { body: 'token=a%2Bb&hint=c+d' },
    [
      200,
      [
        ['token', 'a+b'],
        ['hint', 'c d'],
      ],
    ],
  ],
  ['an empty parameter', { body: 'token=' }, [200, [['token', '']]]],
  ['no body at all', { body: null, type: null }, [200, []]],
  ['a body of no bytes', { body: '' }, [200, []]],
  ['a parameter twice', { body: `token=${SECRET}&token=b` }, [400, UNFIT]],
  ['JSON', { body: `{"token":"${SECRET}"}`, type: 'application/json' }, [415, 'unsupported_media_type']],
  [
    'a charset other than UTF-8',
    { body: 'a=b', type: 'application/x-www-form-urlencoded; charset=iso-8859-1' },
    [415, 'unsupported_media_type'],
  ],
  ['too many bytes', { body: `token=${SECRET}${'a'.repeat(LIMIT)}` }, [413, 'payload_too_large']],
  ['too many parameters', { body: `${SECRET}=1&`.repeat(1_100) }, [413, 'payload_too_large']],
];

describe.each(expressVersions)('on $name', ({ name: expressName, express }) => {
  describe.each(PARSERS)('behind %s', (name, parsers: Parsers) => {
    let bench: BodyBench;
    let output: { end(): string };
    beforeEach(async () => {
      output = captureOutput();
      bench = await openBodyBench(express, parsers);
    });
    afterEach(async () => {
      await bench.close();
      const text = output.end();
      expect(text.includes(SECRET)).toBe(false);
      // Express tells of what was handed on to it.
      expect(text).not.toMatch(/\bat .*node_modules/);
    });

    /** Express 4 has no Brotli, so where its parser is first nobody gets to know what was in it. */
    const lacksBrotli = expressName === 'Express 4' && /json|raw|text/.test(name);
    const isBrotli = ({ headers = [] }: Sent) => headers.some(([, value]) => value === 'br');
    const NO_BROTLI = [415, 'unsupported_media_type'];

    test.each(ACCEPTED)('JSON: %s is read', async (_what, sent, value) => {
      const expected = lacksBrotli && isBrotli(sent) ? NO_BROTLI : [200, value];
      const answers = await bench.sendAll(sent, GOOD);
      expect(answers.map(outcomeOf)).toEqual([expected, GOOD_OUTCOME]);
    });

    test.each(REFUSED)(
      'JSON: %s is refused, and tells nothing of itself',
      async (_what, sent, ...refusal) => {
        const expected = lacksBrotli && isBrotli(sent) ? NO_BROTLI : refusal;
        const answer = await bench.send(sent);
        expect(outcomeOf(answer)).toEqual(expected);
        expect(JSON.stringify(answer).includes(SECRET)).toBe(false);
        expect(bench.errors.map((error) => [error.code, error.cause])).toEqual([[expected[1], undefined]]);
        expect(bench.errors.some(({ stack }) => stack?.includes(SECRET))).toBe(false);
      },
    );

    test.each(REFUSED.filter(isShortRefusal))(
      'JSON: after %s the connection goes on',
      async (_what, sent, ...refusal) => {
        const expected = lacksBrotli && isBrotli(sent) ? NO_BROTLI : refusal;
        const answers = await bench.sendAll(sent, GOOD, sent, GOOD);
        expect(answers.map(outcomeOf)).toEqual([expected, GOOD_OUTCOME, expected, GOOD_OUTCOME]);
      },
    );

    test.each(FORMS)('a form: %s', async (_what, sent, outcome) => {
      const answer = await bench.send({ ...sent, path: '/form' });
      expect(outcomeOf(answer)).toEqual(outcome);
      expect(JSON.stringify(answer).includes(SECRET)).toBe(false);
    });

    test('a form with brackets is no form of plain parameters, or one with brackets in its names', async () => {
      const answer = await bench.send({ path: '/form', body: 'token[a]=b' });
      const isRead = !name.endsWith('express.urlencoded');
      expect(outcomeOf(answer)).toEqual(isRead ? [200, [['token[a]', 'b']]] : [400, UNFIT]);
    });
  });

  test.each(REFUSED_WHERE_WE_READ)(
    'where nobody read before us, %s is refused',
    async (_what, sent, status, code) => {
      const bench = await openBodyBench(express, () => []);
      const answers = await bench.sendAll(sent, GOOD);
      expect(answers.map(outcomeOf)).toEqual([[status, code], GOOD_OUTCOME]);
      expect(JSON.stringify(answers).includes(SECRET)).toBe(false);
      await bench.close();
    },
  );

  test('where nobody read before us, a form in broken UTF-8 is refused', async () => {
    const bench = await openBodyBench(express, () => []);
    const body = Buffer.from('token=\xff', 'latin1');
    expect(outcomeOf(await bench.send({ path: '/form', body }))).toEqual([400, UNFIT]);
    await bench.close();
  });

  test('what a parser of Express hands on as an error quotes the body', async () => {
    const app = express();
    app.use(express.json());
    const answerAll: ErrorRequestHandler = (error, _req, res, _next) => {
      res.status(200).json([inspect(error)]);
    };
    app.use(answerAll);
    const server = createServer(app);
    const headers = [['Content-Type', 'application/json']] as const;
    const request = { method: 'POST', path: '/', headers, body: `["${SECRET}"` };
    const { body } = await exchange(await listen(server), request);
    await closeServer(server);
    expect(body).toContain(SECRET);
  });

  test('a body that something consumed without a trace is refused', async () => {
    const bench = await openBodyBench(express, () => [
      (req, _res, next) => {
        req.on('end', next).resume();
      },
    ]);
    expect(outcomeOf(await bench.send({ body: '[1]' }))).toEqual([400, UNFIT]);
    expect(
      outcomeOf(await bench.send({ headers: [['Transfer-Encoding', 'chunked']], body: '0\r\n\r\n' })),
    ).toEqual([200, 'nothing']);
    await bench.close();
  });

  test('a body that somebody wanted as text is read all the same', async () => {
    const bench = await openBodyBench(express, () => [
      (req, _res, next) => {
        req.setEncoding('utf8');
        next();
      },
    ]);
    expect(outcomeOf(await bench.send(GOOD))).toEqual(GOOD_OUTCOME);
    expect(outcomeOf(await bench.send({ body: Buffer.from('["\xff"]', 'latin1') }))).toEqual([400, UNFIT]);
    expect(outcomeOf(await bench.send({ body: jsonOf(LIMIT + 1) }))).toEqual([413, 'payload_too_large']);
    await bench.close();
  });

  test('the answer to a body that is too long closes the connection', async () => {
    const bench = await openBodyBench(express, () => []);
    const { status, headers } = await bench.send({
      body: jsonOf(LIMIT + 1),
      headers: [['Connection', 'keep-alive']],
    });
    expect([status, new Map(headers).get('Connection')]).toEqual([413, 'close']);
    await bench.close();
  });

  test('a body that comes byte by byte is read, whenever it comes', async () => {
    const bench = await openBodyBench(express, () => []);
    const socket = connect(bench.port, '127.0.0.1');
    const body = '{"a":[1,"é"]}';
    const length = Buffer.byteLength(body);
    const head = `POST /json HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
    for (const byte of Buffer.from(head + body))
      await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
    expect(await textFrom(socket)).toContain('{"json":{"a":[1,"é"]}}');
    await bench.close();
  });

  test('a client that goes away in the middle of its body harms nobody', async () => {
    const bench = await openBodyBench(express, () => []);
    const socket = connect(bench.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n["${SECRET}`,
    );
    await bench.send(GOOD);
    socket.destroy();
    while (bench.errors.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(bench.errors.map(({ code, message }) => [code, message])).toEqual([
      [UNFIT, 'The body broke off.'],
    ]);
    expect(outcomeOf(await bench.send(GOOD))).toEqual(GOOD_OUTCOME);
    await bench.close();
  });
});

test.each([
  ['is read', '{"a":1}', { 'content-type': 'application/json' }, '{"json":{"a":1}}'],
  ['may be empty', '', { 'content-type': 'application/json' }, '{"json":"nothing"}'],
  ['may be none', '', {}, '{"json":"nothing"}'],
])('over HTTP/2, a body of no stated length %s', async (_what, body, headers, expected) => {
  const [handler] = createRouter({
    name: 'testRouter',
    routes: [
      {
        method: 'POST',
        path: '/json',
        handle: async (request) => ({ status: 200, body: { json: (await request.json()) ?? 'nothing' } }),
      },
    ],
    error: ({ code, status }) => ({ status, body: code }),
  });
  const server = createHttp2Server((req, res) => {
    handler(req as unknown as HttpRequest, res as unknown as ServerResponse, () => res.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const stream = session.request({ ':method': 'POST', ':path': '/json', ...headers });
  stream.end(body);
  let text = '';
  for await (const chunk of stream) text += chunk;
  session.destroy();
  await new Promise((resolve) => server.close(resolve));
  expect(text).toBe(expected);
});

test("a body that never ends is ended by the server's own time limit", async () => {
  const codes: string[] = [];
  const [handler] = createRouter({
    name: 'testRouter',
    routes: [
      {
        method: 'POST',
        path: '/',
        handle: async (request) => ({ status: 200, body: (await request.json()) ?? null }),
      },
    ],
    error({ code, status }) {
      codes.push(code);
      return { status, body: code };
    },
  });
  const server = createServer(
    { requestTimeout: 50, headersTimeout: 50, connectionsCheckingInterval: 20 },
    (req, res) => handler(req, res, () => res.end()),
  );
  const socket = connect(await listen(server), '127.0.0.1');
  socket.write(
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[',
  );
  const answer = await textFrom(socket);
  await closeServer(server);
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(codes).toEqual([UNFIT]);
});

async function textFrom(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await once(socket, 'close');
  return text;
}
