import { connect, type Socket } from 'node:net';

/**
 * HTTP as bytes on a socket: client libraries refuse a bad request, or mend it, before anybody can see what the
 * server would have answered.
 */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  /** Each character is one byte, U+00FF the last there is. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | null;
  readonly bodyEncoding?: 'latin1' | undefined;
}

export interface RawAnswer {
  readonly status: number;
  /** Every line as it was sent, so a field may be there twice. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** @param last - whether the connection ends with this request */
function requestBytes(request: RawRequest, last = true): Buffer {
  const { method, path, headers, bodyEncoding = 'utf8' } = request;
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const body = Buffer.from(request.body ?? '', bodyEncoding);
  const own: (readonly [string, string])[] = [];
  if (!given.has('host')) own.push(['Host', '127.0.0.1']);
  if (last && !given.has('connection')) own.push(['Connection', 'close']);
  const isFramed = given.has('content-length') || given.has('transfer-encoding');
  if (request.body !== null && !isFramed) own.push(['Content-Length', String(body.length)]);
  const lines = [...own, ...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
  if (/[\u0100-\uffff]/.test(head)) throw new Error('the head of a request is Latin-1');
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

/** Sends one request and reads its answer, to the end of the connection. */
export async function exchange(port: number, request: RawRequest): Promise<RawAnswer> {
  const bytes = requestBytes(request);
  // A server that answers before it has read everything may reset the connection under its own answer.
  for (let tries = 1; tries <= 3; tries += 1) {
    const text = await sendAndRead(port, bytes);
    if (text !== '') return readAnswer(text, request.method).answer;
  }
  throw new Error('the server closed the connection without an answer');
}

/** Sends many requests over one connection, without waiting for the answers in between. */
export async function exchangeAll(port: number, requests: readonly RawRequest[]): Promise<RawAnswer[]> {
  const last = requests.length - 1;
  const bytes = Buffer.concat(requests.map((request, index) => requestBytes(request, index === last)));
  let rest = await sendAndRead(port, bytes);
  return requests.map(({ method }) => {
    const { answer, length } = readAnswer(rest, method);
    rest = rest.slice(length);
    return answer;
  });
}

/** A client that sends its request and goes away when it is told to. */
export function sendAndLeave(port: number, request: RawRequest): { leave(): void } {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(requestBytes(request, false));
  return { leave: () => socket.destroy() };
}

const PIECE = 8_192;

function sendAndRead(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const pieces: Buffer[] = [];
    socket.on('data', (piece) => pieces.push(piece));
    // What was answered before a reset counts.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(pieces).toString('latin1')));
    writePieces(socket, bytes, () => pieces.length === 0 || bytes.length > 20 * PIECE);
  });
}

/** In pieces, so that a server which has had enough is heard before the next one. */
function writePieces(socket: Socket, bytes: Buffer, goOn: () => boolean): void {
  if (bytes.length === 0 || socket.destroyed || !goOn()) return;
  socket.write(bytes.subarray(0, PIECE), () =>
    setImmediate(writePieces, socket, bytes.subarray(PIECE), goOn),
  );
}

function readAnswer(text: string, method: string): { answer: RawAnswer; length: number } {
  const headEnd = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1];
  if (headEnd === -1 || status === undefined) throw new Error(`no HTTP answer: ${text.slice(0, 100)}`);
  const headers = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const field = (name: string) => headers.find(([one]) => one.toLowerCase() === name)?.[1];
  if (field('transfer-encoding') !== undefined) throw new Error('answers in chunks are not read here');
  const start = headEnd + 4;
  const bodyLength = method === 'HEAD' ? 0 : Number(field('content-length') ?? text.length - start);
  const body = Buffer.from(text.slice(start, start + bodyLength), 'latin1').toString('utf8');
  return { answer: { status: Number(status), headers, body }, length: start + bodyLength };
}
