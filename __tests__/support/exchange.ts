import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** An answer as it came over the wire. */
export interface WireAnswer {
  readonly status: number;
  /** Header lines without those that are Node's and Express's own, in the order of the alphabet. */
  readonly fields: readonly string[];
  readonly body: string;
  /** All of it, but for the time of day. */
  readonly bytes: string;
  /** The values of one field, one for each line. */
  values(name: string): string[];
}

export interface ExchangeOptions {
  /** `METHOD path`. @default 'GET /' */
  readonly line?: string;
  readonly body?: string;
  /** Set on the server, where given. */
  readonly maxHeadersCount?: number;
}

/** Only a request that is never answered takes this long. */
const PATIENCE_MS = 3_000;

const OWN_FIELDS = /^(?:date|connection|x-powered-by|keep-alive):/i;

/** Sends header lines exactly as they are given, as no HTTP client would, to an app on a server of its own. */
export async function exchange(
  app: RequestListener,
  lines: readonly string[],
  { maxHeadersCount, ...request }: ExchangeOptions = {},
): Promise<WireAnswer> {
  const server = createServer(app);
  if (maxHeadersCount !== undefined) server.maxHeadersCount = maxHeadersCount;
  const port = await listen(server);
  try {
    return await converse(connect(port, '127.0.0.1'), lines, request);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

export async function listen(server: Pick<Server, 'listen' | 'address'>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** One request and its answer over a connection that the server closes. */
export async function converse(
  socket: Socket,
  lines: readonly string[],
  { line = 'GET /', body = '' }: ExchangeOptions = {},
): Promise<WireAnswer> {
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('no answer, or no end of it')));
  const head = [`${line} HTTP/1.1`, 'Host: api.test', ...lines, 'Connection: close'];
  if (body !== '') head.push(`Content-Length: ${Buffer.byteLength(body)}`);
  socket.write(Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1'));
  let text = '';
  for await (const chunk of socket) text += (chunk as Buffer).toString('latin1');
  return parseAnswer(text);
}

function parseAnswer(text: string): WireAnswer {
  const headEnd = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...fields] = text.slice(0, headEnd).split('\r\n');
  return {
    status: Number(statusLine.split(' ')[1]),
    fields: fields.filter((field) => !OWN_FIELDS.test(field)).sort(),
    body: text.slice(headEnd + 4),
    bytes: text.replace(/^Date: .*$/m, 'Date: -'),
    values: (name) =>
      fields
        .filter((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`))
        .map((field) => field.slice(name.length + 1).trim()),
  };
}
