import type { ServerResponse } from 'node:http';
import { ApiKeyError } from '../errors.ts';
import type { Json } from '../keys/metadata.ts';
import { writeAnswer } from './answer.ts';
import { mayLackHeaders } from './credential.ts';
import type { DialectAnswer } from './dialect.ts';
import { brandHandler } from './handler-brand.ts';
import { isCalledUtf8, type RequestWithBody, readFormBody, readJsonBody } from './request-body.ts';
import { retryAfterSeconds } from './response-headers.ts';

/** What Express makes of a request, as far as we need it. */
export type HttpRequest = RequestWithBody & {
  readonly originalUrl?: string;
  readonly ip?: string | undefined;
};

type Next = (error?: unknown) => void;

/**
 * What `app.use()` takes, in every version of Express: a handler, and one for the errors of a body parser that was
 * mounted before it, whose messages quote the body.
 */
export type MountableRouter = [
  (req: HttpRequest, res: ServerResponse, next: Next) => void,
  (error: unknown, req: HttpRequest, res: ServerResponse, next: Next) => void,
];

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Below where the router is mounted; a step such as `:id` is handed over as `params.id`. GET answers HEAD too. */
  readonly path: string;
  handle(request: RoutedRequest): DialectAnswer | Promise<DialectAnswer>;
}

export interface RouterParts {
  /** Of the function that made it, for an audit. */
  readonly name: string;
  readonly routes: readonly Route[];
  /** Whether a path with a slash behind it is the same path; otherwise it is `unmatched`, if that is there. */
  readonly trailingSlash?: boolean | undefined;
  /** Words what failed. */
  error(error: ApiKeyError, request: RoutedRequest): DialectAnswer;
  /** A path of ours with a method that it does not have. @default 405, worded by `error`, with `Allow` */
  unmatched?: ((request: RoutedRequest) => DialectAnswer | Promise<DialectAnswer>) | undefined;
}

/** A request for a path of ours. */
export class RoutedRequest {
  /** As it came: `verify()` takes its address from it, and an application's callback whatever it wants. */
  readonly req: HttpRequest;
  readonly method: string;
  /** Below where the router is mounted, without the query. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  #json: Promise<Json | undefined> | undefined;

  constructor(req: HttpRequest, path: string, params: Readonly<Record<string, string>>) {
    this.req = req;
    this.method = req.method ?? 'GET';
    this.path = path;
    this.params = params;
  }

  get query(): URLSearchParams {
    const url = this.req.url ?? '';
    const start = url.indexOf('?');
    return new URLSearchParams(start < 0 ? '' : url.slice(start + 1));
  }

  /** A header field that was sent once; one that was sent twice, or may have been, says nothing. */
  header(name: string): string | undefined {
    if (mayLackHeaders(this.req)) return undefined;
    const lower = name.toLowerCase();
    const { rawHeaders } = this.req;
    let found: string | undefined;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      if (rawHeaders[i]?.toLowerCase() !== lower) continue;
      if (found !== undefined) return undefined;
      found = rawHeaders[i + 1];
    }
    return found;
  }

  /**
   * The body as JSON: UTF-8, at most 16 kB and 8 levels deep. `undefined` for none.
   *
   * @throws ApiKeyError `unsupported_media_type`, `payload_too_large` or `invalid_request`, by rejection
   */
  json(): Promise<Json | undefined> {
    this.#json ??= readJsonBody(this.req);
    return this.#json;
  }

  /** The body as a form, by the same limits; no parameter is there twice. */
  form(): Promise<ReadonlyMap<string, string>> {
    return readFormBody(this.req);
  }
}

/** Serves a table of routes. Paths that are not in it pass; nothing is ever handed to `next` as an error. */
export function createRouter(parts: RouterParts): MountableRouter {
  const table = new RouteTable(parts);

  function answer(req: HttpRequest, res: ServerResponse, next: Next): void {
    const found = table.find(req);
    if (found === undefined) next();
    else respond(res, parts, found);
  }

  /**
   * Answers the fault and carries out nothing: on its way here an error has passed by whatever was mounted between the
   * parser and us, an authenticator, a guard or a limiter.
   */
  function answerParserError(error: unknown, req: HttpRequest, res: ServerResponse, next: Next): void {
    const found = isParserError(error) ? table.find(req) : undefined;
    if (found === undefined) {
      next(error);
      return;
    }
    const fail = () => {
      throw parserError(error as ParserError, req);
    };
    respond(res, parts, { request: found.request, handle: fail });
  }

  const routes = parts.routes.map(({ method, path }) => ({ method, path }));
  return [brandHandler(answer, { kind: 'own', name: parts.name, routes }), answerParserError];
}

/** Answers whatever happens; what is neither an answer nor an error of ours is a 500. */
function respond(res: ServerResponse, parts: RouterParts, { request, handle }: Found): void {
  const send = (answer: DialectAnswer) => writeAnswer(res, answer);
  const fail = (fault: unknown) => {
    try {
      send(wordError(parts, request, fault));
    } catch {
      // A field or a body that cannot be written.
      endBare(res);
    }
  };
  try {
    const answer = handle(request);
    // Not by its class: a dialect of an application's may answer any promise.
    if ('then' in answer) Promise.resolve(answer).then(send).catch(fail);
    else send(answer);
  } catch (error) {
    fail(error);
  }
}

function wordError(parts: RouterParts, request: RoutedRequest, fault: unknown): DialectAnswer {
  const error =
    fault instanceof ApiKeyError ? fault : new ApiKeyError('server_error', 'Something went wrong.');
  return withRetryAfter(error, parts.error(error, request));
}

/** The last resort, where a dialect cannot even word its error. */
function endBare(res: ServerResponse): void {
  if (!res.headersSent) {
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    res.writeHead(500, { 'Cache-Control': 'no-store', 'Content-Length': 0 });
  }
  res.end();
}

/** Connection, Retry-After and the like belong to the error, however it is worded. */
function withRetryAfter(error: ApiKeyError, { status, headers, body }: DialectAnswer): DialectAnswer {
  const retryAfter = status === 503 ? { 'Retry-After': retryAfterSeconds() } : undefined;
  return { status, headers: { ...retryAfter, ...error.headers, ...headers }, body };
}

interface Found {
  readonly request: RoutedRequest;
  handle(request: RoutedRequest): DialectAnswer | Promise<DialectAnswer>;
}

interface CompiledRoute {
  readonly route: Route;
  readonly steps: readonly string[];
}

class RouteTable {
  readonly #parts: RouterParts;
  readonly #routes: readonly CompiledRoute[];

  constructor(parts: RouterParts) {
    this.#parts = parts;
    this.#routes = parts.routes.map((route) => ({ route, steps: stepsOf(route.path) }));
  }

  find(req: HttpRequest): Found | undefined {
    const path = (req.url ?? '').split('?', 1)[0] || '/';
    const { trailingSlash, unmatched } = this.#parts;
    const hasSlash = path.length > 1 && path.endsWith('/');
    const steps = stepsOf(hasSlash ? path.slice(0, -1) : path);
    const matching = this.#routes.flatMap((compiled) => {
      const params = paramsOf(compiled.steps, steps);
      return params === undefined ? [] : [{ route: compiled.route, params }];
    });
    const [first] = matching;
    if (first === undefined) return undefined;
    const isExact = !hasSlash || trailingSlash === true;
    if (!isExact && unmatched === undefined) return undefined;
    const method = req.method === 'HEAD' ? 'GET' : req.method;
    const here = isExact ? matching.find(({ route }) => route.method === method) : undefined;
    if (here !== undefined) {
      const request = new RoutedRequest(req, path, here.params);
      return { request, handle: (routed) => here.route.handle(routed) };
    }
    const request = new RoutedRequest(req, path, first.params);
    return { request, handle: unmatched ?? (() => refuseMethod(matching.map(({ route }) => route.method))) };
  }
}

function refuseMethod(methods: readonly Route['method'][]): never {
  const allowed = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const headers = { Allow: [...new Set(allowed)].join(', ') };
  throw new ApiKeyError('method_not_allowed', `The methods here are ${headers.Allow}.`, { headers });
}

function stepsOf(path: string): readonly string[] {
  return path.split('/').slice(1);
}

/** `undefined` where the paths differ. */
function paramsOf(
  pattern: readonly string[],
  steps: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (pattern.length !== steps.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, wanted] of pattern.entries()) {
    const step = steps[index] as string;
    if (wanted.startsWith(':') && step !== '') params[wanted.slice(1)] = decodeStep(step);
    else if (wanted !== step) return undefined;
  }
  return params;
}

/** A step that nobody can decode stays as it is, and is the name of nothing. */
function decodeStep(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

interface ParserError {
  readonly status?: number;
}

/**
 * As Express's own parsers mark theirs: `entity.parse.failed`, `encoding.unsupported`, ... Those of node:zlib come
 * through them with a number and a status, and no such mark.
 */
function isParserError(error: unknown): error is ParserError {
  const { type, code, errno, status } = (error ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof type === 'string') return PARSER_ERROR.test(type);
  return status === 400 && typeof errno === 'number' && ZLIB_ERROR.test(String(code));
}

const PARSER_ERROR = /^(?:entity|encoding|charset|request|stream|parameters|querystring)\./;
const ZLIB_ERROR = /^(?:Z_|ZSTD_|ERR_)/;

/** Its text quotes the body, so nothing of it goes on. */
function parserError({ status }: ParserError, req: HttpRequest): ApiKeyError {
  if (status === 413) return new ApiKeyError('payload_too_large', 'The body is too large.');
  if (status === 415 || !isCalledUtf8(req))
    return new ApiKeyError('unsupported_media_type', 'The body must be in UTF-8.');
  return new ApiKeyError('invalid_request', 'The body cannot be read.');
}
