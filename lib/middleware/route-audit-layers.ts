import { METHODS } from 'node:http';

/*
 * The routers of Express 4 and 5, read without Express. Their layers are not documented, so everything here is taken as
 * it is found: what is missing makes a path unknown or an application opaque, and never a route guarded.
 */

export type Handler = (...args: never[]) => unknown;

/** Where a layer stands: a pattern as it was written, or, where Express keeps none, `undefined`. */
export type PathPart = string | RegExp | undefined;

export interface RouteHandler {
  /** In capitals; absent for all methods. */
  readonly method?: string;
  readonly handler: Handler;
}

export type LayerContent =
  | { readonly kind: 'handler'; readonly handler: Handler }
  | { readonly kind: 'route'; readonly handlers: readonly RouteHandler[] }
  | { readonly kind: 'router'; readonly layers: readonly Layer[] }
  /** An application whose router cannot be had. */
  | { readonly kind: 'opaque' };

export interface Layer {
  /** More than one where it was mounted with an array. */
  readonly parts: readonly PathPart[];
  /** Whether it runs for every path. */
  readonly matchesAll: boolean;
  /** @returns how much of the path it takes for itself, or `undefined` where it does not run */
  match(path: string): string | undefined;
  readonly content: LayerContent;
}

interface RawLayer {
  readonly handle: Handler;
  readonly route?: { readonly path: unknown; readonly stack: readonly RawRouteLayer[] };
  /** Express 4. */
  readonly regexp?: RegExp & { readonly fast_slash?: boolean; readonly fast_star?: boolean };
  readonly keys: readonly { readonly name: string | number }[];
  /** Express 5; `rawPath` from version 2.3 of its router. */
  readonly slash?: boolean;
  readonly matchers?: readonly ((path: string) => { readonly path: string } | false)[];
  readonly rawPath?: unknown;
}

interface RawRouteLayer {
  readonly method?: string;
  readonly handle: Handler;
}

interface RawApp {
  readonly stack?: unknown;
  /** Express 4. */
  readonly lazyrouter?: unknown;
  readonly _router?: { readonly stack: unknown };
  /** Express 5. */
  readonly router?: { readonly stack?: unknown };
}

/** The layers of an application or a router, and of all that is mounted in it; `undefined` for anything else. */
export function layersOf(app: unknown): readonly Layer[] | undefined {
  const stack = stackOf(app);
  return stack && readStack(stack, new Set([stack]));
}

function stackOf(app: unknown): readonly RawLayer[] | undefined {
  if (typeof app !== 'function') return undefined;
  const { stack, lazyrouter, _router } = app as RawApp;
  if (Array.isArray(stack)) return stack;
  // Express 4 makes its router with the first route, and `router` throws there.
  const held = lazyrouter === undefined ? (app as RawApp).router?.stack : (_router?.stack ?? []);
  return Array.isArray(held) ? held : undefined;
}

/** @param above - the stacks that this one is mounted in, for a router that is mounted in itself */
function readStack(stack: readonly RawLayer[], above: ReadonlySet<unknown>): readonly Layer[] {
  return stack.map((raw) => ({
    parts: partsOf(raw),
    matchesAll: raw.slash === true || raw.regexp?.fast_slash === true || raw.regexp?.fast_star === true,
    match: (path) => match(raw, path),
    content: contentOf(raw, above),
  }));
}

function match({ slash, regexp, matchers = [] }: RawLayer, path: string): string | undefined {
  if (slash || regexp?.fast_slash) return '';
  if (regexp !== undefined) return regexp.exec(path)?.[0];
  for (const matcher of matchers) {
    const found = matcher(path);
    if (found) return found.path;
  }
  return undefined;
}

function contentOf({ handle, route }: RawLayer, above: ReadonlySet<unknown>): LayerContent {
  if (route !== undefined) return { kind: 'route', handlers: routeHandlers(route.stack) };
  const isApp = handle.name === 'mounted_app';
  const stack = isApp ? stackBehind(handle) : stackOf(handle);
  if (stack !== undefined && !above.has(stack)) {
    return { kind: 'router', layers: readStack(stack, new Set([...above, stack])) };
  }
  return isApp ? { kind: 'opaque' } : { kind: 'handler', handler: handle };
}

function routeHandlers(stack: readonly RawRouteLayer[]): readonly RouteHandler[] {
  const handlers = stack.map(({ method, handle }) =>
    method === undefined ? { handler: handle } : { method: method.toUpperCase(), handler: handle },
  );
  return forAllMethods(handlers) ?? handlers;
}

/** `app.all()` registers its handlers under every method that there is. */
function forAllMethods(handlers: readonly RouteHandler[]): readonly RouteHandler[] | undefined {
  const under = (method: string) =>
    handlers.filter((each) => each.method === method).map(({ handler }) => handler);
  const first = under('GET');
  if (handlers.length !== first.length * METHODS.length) return undefined;
  const isSame = METHODS.every((method) => {
    const others = under(method);
    return first.every((handler, i) => handler === others[i]);
  });
  return isSame ? first.map((handler) => ({ handler })) : undefined;
}

function partsOf({ route, regexp, keys, slash, rawPath }: RawLayer): readonly PathPart[] {
  const written = route === undefined ? rawPath : route.path;
  if (written !== undefined) {
    return [written].flat(Number.POSITIVE_INFINITY as 1).map((one) => (isPart(one) ? one : undefined));
  }
  if (slash) return [''];
  return regexp === undefined ? [undefined] : patternsBehind(regexp, keys);
}

function isPart(value: unknown): value is PathPart {
  return typeof value === 'string' || Object.prototype.toString.call(value) === '[object RegExp]';
}

const MOUNT_END = '\\/?(?=\\/|$)';

/**
 * What Express 4 made an expression of, since it keeps the expression alone: text, and names that stand for one step. Of
 * an array it puts the expressions side by side. What else there was remains an expression.
 */
function patternsBehind(
  regexp: RegExp,
  keys: readonly { readonly name: string | number }[],
): readonly PathPart[] {
  const sources = regexp.source
    .split(`${MOUNT_END}|`)
    .map((one, i, all) => one + (i < all.length - 1 ? MOUNT_END : ''));
  const names = keys.map(({ name }) => name);
  const patterns = sources.map((source) => {
    if (!source.startsWith('^') || !source.endsWith(MOUNT_END)) return undefined;
    const text = source
      .slice(1, -MOUNT_END.length)
      .replace(/\(\?:\\\/\(\[\^\/\]\+\?\)\)/g, () => `/:${names.shift()}`)
      .replace(/\\([/.-])/g, '$1');
    return /[\\^$*+?()[\]{}|]/.test(text) ? undefined : text;
  });
  return patterns.includes(undefined) ? [regexp] : patterns;
}

/**
 * Of the application that `app.use(path, otherApp)` mounted. Express puts a function around it that nothing can be read
 * from; but what that does first is to make the request one of its application's. It is given a stand-in for a request,
 * which takes that in, and from then on has no path, so that Express leaves before any other handler. Express 4 leaves an
 * application without routes at once.
 */
function stackBehind(handle: Handler): readonly RawLayer[] | undefined {
  let app: unknown;
  let hasLeft = false;
  const parent = { request: {}, response: {} };
  const request = {
    app: parent,
    query: {},
    get url() {
      return app === undefined ? '/' : undefined;
    },
  };
  const standIn = new Proxy(request, {
    setPrototypeOf(_target, prototype) {
      app ??= (prototype as { app?: unknown }).app;
      return true;
    },
  });
  const response = { setHeader: () => undefined };
  try {
    (handle as (...args: unknown[]) => void)(standIn, response, () => {
      hasLeft = true;
    });
  } catch {
    return undefined;
  }
  return app === undefined && hasLeft ? [] : stackOf(app);
}
