import type { IncomingMessage, ServerResponse } from 'node:http';
import { brandHandler } from './handler-brand.ts';
import { problemBody } from './problem.ts';

/** What `app.use()` takes, in every version of Express. */
export type JwksRouter = (
  req: IncomingMessage & { readonly baseUrl?: string },
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

const WELL_KNOWN = '/.well-known/jwks.json';

/**
 * Answers a JSON Web Key Set (RFC 7517) at `/` and `/.well-known/jwks.json` below where it is mounted; mounted at the
 * root of an application, at the latter only. Everything else passes.
 *
 * @param keys - public keys, which is not checked here
 */
export function jwksRouter(keys: readonly object[]): JwksRouter {
  const body = Buffer.from(JSON.stringify({ keys }));
  const serve: JwksRouter = (req, res, next) => {
    const path = (req.url ?? '').split('?', 1)[0];
    const isHere = path === WELL_KNOWN || ((path === '/' || path === '') && (req.baseUrl ?? '') !== '');
    if (!isHere) {
      next();
      return;
    }
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      answer(res, 405, 'application/problem+json', Buffer.from(problemBody('method_not_allowed')), {
        Allow: 'GET, HEAD',
      });
      return;
    }
    answer(res, 200, 'application/json', body, { 'Cache-Control': 'public, max-age=300' });
  };
  return brandHandler(serve, {
    kind: 'own',
    name: 'jwksRouter',
    routes: [{ method: 'GET', path: WELL_KNOWN }],
  });
}

function answer(
  res: ServerResponse,
  status: number,
  type: string,
  body: Buffer,
  headers: Readonly<Record<string, string>>,
): void {
  res.statusCode = status;
  res.setHeader('Content-Type', type);
  res.setHeader('Content-Length', body.length);
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.end(body);
}
