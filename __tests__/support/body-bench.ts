import { createServer, type Server } from 'node:http';
import type { RequestHandler } from 'express';
import { createRouter } from '../../lib/http/router.ts';
import type { ApiKeyError, Json } from '../../lib/index.ts';
import { listen } from './exchange.ts';
import type { Express } from './express-versions.ts';
import { exchange, exchangeAll, type RawAnswer, type RawRequest } from './raw-http.ts';

/** An application that answers the body which it was sent, as it understood it. */
export interface BodyBench {
  readonly port: number;
  /** What was worded so far. */
  readonly errors: readonly ApiKeyError[];
  /** A body under a media type, over a connection of its own. */
  send(body: Sent): Promise<RawAnswer>;
  /** Over one connection. */
  sendAll(...bodies: readonly Sent[]): Promise<RawAnswer[]>;
  close(): Promise<void>;
}

export interface Sent {
  readonly path?: '/json' | '/form';
  /** @default JSON to `/json`, a form to `/form`; `null`: none */
  readonly type?: string | null;
  readonly headers?: RawRequest['headers'];
  readonly body: string | Buffer | null;
}

export type Parsers = (express: Express) => readonly RequestHandler[];

/** All that an application may have mounted ahead of us, and nothing. */
export const PARSERS: readonly (readonly [name: string, parsers: Parsers])[] = [
  ['no parser', () => []],
  [
    'express.json and express.urlencoded',
    (express) => [express.json(), express.urlencoded({ extended: true })],
  ],
  ['express.urlencoded that reads no brackets', (express) => [express.urlencoded({ extended: false })]],
  ['express.raw for everything', (express) => [express.raw({ type: () => true })]],
  ['express.text for everything', (express) => [express.text({ type: () => true })]],
];

export async function openBodyBench(express: Express, parsers: Parsers): Promise<BodyBench> {
  const errors: ApiKeyError[] = [];
  const app = express();
  // As in production but for the name: Express is silent in tests, and tells most in development.
  app.set('env', 'development');
  for (const parser of parsers(express)) app.use(parser);
  app.use(
    createRouter({
      name: 'testRouter',
      routes: [
        {
          method: 'POST',
          path: '/json',
          handle: async (request) => ({ status: 200, body: { json: (await request.json()) ?? 'nothing' } }),
        },
        {
          method: 'POST',
          path: '/form',
          handle: async (request) => ({ status: 200, body: { form: [...(await request.form())] as Json } }),
        },
      ],
      error(error) {
        errors.push(error);
        return { status: error.status, body: { code: error.code, message: error.message } };
      },
    }),
  );
  const server = createServer(app);
  const port = await listen(server);
  return {
    port,
    errors,
    send: (sent) => exchange(port, requestOf(sent)),
    sendAll: (...bodies) => exchangeAll(port, bodies.map(requestOf)),
    close: () => closeServer(server),
  };
}

export function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

const TYPES = { '/json': 'application/json', '/form': 'application/x-www-form-urlencoded' };

function requestOf({ path = '/json', type = TYPES[path], headers = [], body }: Sent): RawRequest {
  const typed: RawRequest['headers'] = type === null ? [] : [['Content-Type', type]];
  const bytes = body === null ? null : Buffer.from(body).toString('latin1');
  return { method: 'POST', path, headers: [...typed, ...headers], body: bytes, bodyEncoding: 'latin1' };
}

/** A body in chunks of one byte. */
export function inChunks(text: string): Pick<Sent, 'headers' | 'body'> {
  const chunks = [...text].map(
    (character) => `${Buffer.byteLength(character).toString(16)}\r\n${character}\r\n`,
  );
  return { headers: [['Transfer-Encoding', 'chunked']], body: `${chunks.join('')}0\r\n\r\n` };
}
