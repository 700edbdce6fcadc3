import type { ServerResponse } from 'node:http';
import type { DialectAnswer } from './dialect.ts';

/** `application/json` unless the answer says otherwise; a text under another type is sent as it stands. */
export function writeAnswer(res: ServerResponse, { status, headers = {}, body }: DialectAnswer): void {
  if (res.headersSent) return;
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (body === undefined) {
    if (status !== 204) res.setHeader('Content-Length', 0);
    res.end();
    return;
  }
  // What another middleware has set is meant for pages of its own: under text/html, a name of a key would be a script.
  const isTyped = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  const type = isTyped ? String(res.getHeader('Content-Type')) : 'application/json';
  const text = typeof body === 'string' && !/json/i.test(type) ? body : JSON.stringify(body);
  res.setHeader('Content-Type', type);
  res.setHeader('Content-Length', Buffer.byteLength(text));
  res.end(text);
}
