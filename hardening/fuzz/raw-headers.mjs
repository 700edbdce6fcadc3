// Bytes on a connection to a server of Express: what its parser makes of them is judged as the server saw it, and what
// does not get past the parser must not get past us.
import { createServer } from 'node:http';
import { connect } from 'node:net';
import express from 'express';
import { apiKeyAuth } from 'keystile';
import { falseAccept, falseRefusal, MARKER, wrong } from './findings.mjs';
import { expectedOf, makeHeaderLines } from './header-lines.mjs';
import { openHeaderKeys } from './headers.mjs';
import { codeOf } from './known-answers.mjs';
import { TEXTS } from './known-keys.mjs';
import { edited, makeTextEdits } from './text-edits.mjs';

/**
 * Each item is a request: its header lines, and changes of its bytes.
 *
 * @typedef {readonly { lines: readonly string[], edits?: readonly import('./text-edits.mjs').TextEdit[], body?: string }[]} RawInput
 */

/** On one connection, so that one that was misread would be seen in those behind it. */
const MOST_REQUESTS = 20;
const PATIENCE_MS = 5_000;
const GOOD_BODY = '{"passed":true}';
/** What Node's parser answers by itself. */
const PARSER_ANSWER =
  /^HTTP\/1\.1 (?:400 Bad Request|431 Request Header Fields Too Large|408 Request Timeout)\r\n/;

/** @returns {Promise<import('./fuzzer.mjs').Fuzzer>} */
export async function fuzzRawHeaders() {
  const { apiKeys, seen } = openHeaderKeys();
  /** What the server was asked on each connection, by its port. @type {Map<number | undefined, string[]>} */
  const asked = new Map();
  const app = express();
  app.disable('x-powered-by');
  app.use(apiKeyAuth(apiKeys));
  app.use((_req, res) => void res.type('json').send(GOOD_BODY));
  const server = createServer({
    keepAliveTimeout: 500,
    requestTimeout: 1_000,
    headersTimeout: 1_000,
    connectionsCheckingInterval: 200,
  });
  server.on('request', (req, res) => {
    asked.get(req.socket.remotePort)?.push(expectedOf(req.rawHeaders));
    app(req, res);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  let requests = 0;

  /** @param {RawInput} input */
  async function check(input) {
    const bytes = Buffer.concat(input.map(bytesOf));
    const { text, expected } = await exchange(port, bytes, asked);
    requests += expected.length;
    if (seen.leaks > 0) return wrong('an event holds the marker');
    return judge(text, expected, bytes);
  }

  return {
    name: 'raw headers',
    make: (choose) => Array.from({ length: 1 + choose.below(MOST_REQUESTS) }, () => makeRequest(choose)),
    check,
    control: () =>
      check([{ lines: ['Authorization', `Bearer ${TEXTS.good}`] }, { lines: ['X-API-Key', TEXTS.good] }]),
    details: () => `${requests.toLocaleString('en')} requests got past the parser`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await apiKeys.close();
    },
  };
}

/** @param {import('./choices.mjs').Choices} choose @returns {RawInput[number]} */
function makeRequest(choose) {
  const lines = makeHeaderLines(choose);
  const body = choose.chance(0.03)
    ? { body: choose.pick(['5\r\nhello\r\n0\r\n\r\n', 'ffffffff\r\n', '5\r\nhe', 'zz\r\n', '']) }
    : undefined;
  // A parser that stops ends the connection, and what stands behind it shows nothing.
  return choose.chance(0.02) ? { lines, edits: makeTextEdits(choose), ...body } : { lines, ...body };
}

/** @param {RawInput[number]} request */
function bytesOf({ lines, edits = [], body }) {
  let head = 'GET / HTTP/1.1\r\nHost: x\r\n';
  if (body !== undefined) head += 'Transfer-Encoding: chunked\r\n';
  for (let i = 0; i < lines.length; i += 2)
    if (lines[i] !== 'Host') head += `${lines[i]}: ${lines[i + 1]}\r\n`;
  return Buffer.from(`${edited(head, edits)}\r\n${body ?? ''}`, 'latin1');
}

/** @param {number} port @param {Buffer} bytes @param {Map<number | undefined, string[]>} asked @returns {Promise<{ text: string, expected: string[] }>} */
function exchange(port, bytes, asked) {
  return new Promise((resolve) => {
    /** @type {string[]} */
    const expected = [];
    /** @type {Buffer[]} */
    const pieces = [];
    const socket = connect(port, '127.0.0.1', () => {
      asked.set(socket.localPort, expected);
      const last = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
      socket.write(Buffer.concat([bytes, Buffer.from(last)]));
    });
    const localPort = () => socket.localPort;
    socket.on('data', (piece) => pieces.push(piece));
    // What was answered before a reset counts.
    socket.on('error', () => undefined);
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    socket.on('close', () => {
      asked.delete(localPort());
      resolve({ text: Buffer.concat(pieces).toString('latin1'), expected });
    });
  });
}

/** @param {string} text @param {readonly string[]} expected @param {Buffer} bytes */
function judge(text, expected, bytes) {
  if (text.includes(MARKER)) return wrong('an answer holds the marker');
  let rest = text;
  for (const [index, wanted] of expected.entries()) {
    // The connection was cut before all was answered, which is the parser's right.
    if (rest === '' || PARSER_ANSWER.test(rest)) break;
    const answer = readAnswer(rest);
    rest = rest.slice(answer.length);
    const finding = judgeOne(answer, wanted, `request ${index}`, bytes);
    if (finding !== undefined) return finding;
  }
  return rest === '' || PARSER_ANSWER.test(rest)
    ? undefined
    : wrong(`nobody asked for ${rest.slice(0, 100)}`);
}

/** @param {ReturnType<typeof readAnswer>} answer @param {string} wanted @param {string} which @param {Buffer} bytes */
function judgeOne({ status, body, challenges }, wanted, which, bytes) {
  if (status === 200 && body === GOOD_BODY) {
    if (wanted !== 'ok') return falseAccept(`${which} passes and ought to be ${wanted}`);
    return Object.values(TEXTS).some((one) => bytes.includes(one))
      ? undefined
      : falseAccept('no good key was sent');
  }
  const code = codeOf({ status, body, challenges });
  if (code === wanted || (code === 'rate_limited' && wanted === 'invalid_token')) return undefined;
  const what = `${which} is answered ${status} ${body.slice(0, 200)} and ought to be ${wanted}`;
  return wanted === 'ok' ? falseRefusal(what) : wrong(what);
}

/** @param {string} text */
function readAnswer(text) {
  const headEnd = text.indexOf('\r\n\r\n');
  const head = text.slice(0, headEnd);
  const length = Number(/\r\nContent-Length: (\d+)/i.exec(head)?.[1] ?? 0);
  const body = text.slice(headEnd + 4, headEnd + 4 + length);
  const challenges = head.match(/\r\nWWW-Authenticate:/gi)?.length ?? 0;
  return { status: Number(head.slice(9, 12)), body, challenges, length: headEnd + 4 + length };
}
