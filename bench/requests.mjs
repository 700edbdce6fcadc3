// Requests as a server hands them to a middleware, without a socket: real objects of node:http. Names and values of
// header lines are new texts each time, as the parser of a server makes them.
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import express from 'express';

/** What a client of an API sends along; the key stands among it. */
const LINES = [
  ['Host', 'api.example.com'],
  ['User-Agent', 'example-client/4.2.0 (linux; x64)'],
  ['Accept', 'application/json'],
  ['Accept-Encoding', 'gzip, br'],
  ['Authorization', undefined],
  ['Content-Type', 'application/json'],
  ['X-Request-Id', '0d6e7f1c-61a5-4f4e-9ef0-3f5a5a1b2c3d'],
  ['Connection', 'keep-alive'],
];

const socket = new Socket();

class LightRequest {
  method = 'GET';
  url = '/reports';
  socket = socket;
  constructor(rawHeaders) {
    this.rawHeaders = rawHeaders;
  }
}

class LightResponse {
  headersSent = false;
  fields = 0;
  field = undefined;
  getHeader() {
    return undefined;
  }
  setHeader(_name, value) {
    this.fields += 1;
    this.field = value;
  }
  removeHeader() {}
}

/** With next to nothing behind their faces, so that what is measured is the middleware and not node:http. */
export function lightRequests(texts) {
  return texts.map((text) => ({ req: new LightRequest(linesWith(text)), res: new LightResponse() }));
}

const app = express();
app.use(() => undefined);

/** @returns from texts as many requests, `{ req, res }`, each with one text as its Bearer key */
export function plainRequests(texts) {
  return texts.map((text) => {
    const req = new IncomingMessage(socket);
    req.method = 'GET';
    req.url = '/reports';
    req.rawHeaders = linesWith(text);
    return { req, res: new ServerResponse(req) };
  });
}

/**
 * As {@link plainRequests}, after Express has prepared them. It gives each a prototype of its own application, and on
 * Node 20 each then has a hidden class of its own: what touches it first, reads and writes alike, costs a microsecond.
 */
export function expressRequests(texts) {
  const all = plainRequests(texts);
  for (const { req, res } of all) app(req, res);
  return all;
}

function linesWith(text) {
  return LINES.flatMap(([name, value]) => [copied(name), copied(value ?? `Bearer ${text}`)]);
}

/** The same text, new: what was hashed or compared before is known to the engine. */
export function copied(text) {
  return Buffer.from(text, 'latin1').latin1Slice();
}
