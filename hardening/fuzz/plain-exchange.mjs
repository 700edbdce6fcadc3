// Requests and responses of node:http without a socket, as the parser of a server makes them.
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

const socket = new Socket();

/**
 * @param {object} parts
 * @param {string} [parts.method]
 * @param {string} [parts.url]
 * @param {readonly string[]} parts.lines
 * @param {Buffer} [parts.body]
 * @returns {any} as Express has prepared it, as far as anybody here looks
 */
export function requestOf({ method = 'GET', url = '/', lines, body }) {
  const req = /** @type {any} */ (new IncomingMessage(socket));
  req.httpVersionMajor = 1;
  req.httpVersionMinor = 1;
  req.method = method;
  req.url = url;
  req.originalUrl = url;
  // What Node's own parser calls; `headers` is made from them where it is asked for.
  req._addHeaderLines(lines, lines.length);
  req.rawHeaders = lines;
  if (body !== undefined) {
    if (body.length > 0) req.push(body);
    req.complete = true;
    req.push(null);
  }
  return req;
}

/**
 * @typedef {object} PlainAnswer
 * @property {number} status
 * @property {string} body
 * @property {Readonly<Record<string, any>>} headers
 */

/** @param {any} req @param {(answer: PlainAnswer) => void} onAnswer @returns {any} */
export function responseTo(req, onAnswer) {
  const res = new ServerResponse(req);
  /** @type {any} */ (res).end = (/** @type {string | undefined} */ body = '') => {
    onAnswer({ status: res.statusCode, body, headers: res.getHeaders() });
    return res;
  };
  return res;
}
