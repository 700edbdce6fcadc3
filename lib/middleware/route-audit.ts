import type { IRouter } from 'express';
import { brandOf, type HandlerBrand, type RouteGuard } from '../http/handler-brand.ts';
import { describe } from '../options.ts';
import {
  type Handler,
  type Layer,
  type LayerContent,
  layersOf,
  type PathPart,
  type RouteHandler,
} from './route-audit-layers.ts';
import { pathFrom, type Sample, samplesOf, shownPath } from './route-audit-paths.ts';

/** One route of an application, and what has to happen before it is reached. */
export interface AuditedRoute {
  /** `GET`, ..., or `ALL`. */
  readonly method: string;
  /**
   * As it was written, with the paths of the routers around it. A regular expression stands as such, and `<unknown>`
   * for a mount whose path Express does not keep.
   */
  readonly path: string;
  /**
   * Whether an `apiKeyAuth()` runs before it, for every path that it is reached by. `own`: it belongs to a router of
   * this package, which decides itself.
   */
  readonly authentication: 'required' | 'optional' | 'none' | 'own';
  /** Those that run before it, in order. */
  readonly guards: readonly RouteGuard[];
}

/**
 * Every route of an application or a router of Express 4 or 5, in the order in which they were mounted, through nested
 * routers and mounted applications. Nothing is called but patterns of paths.
 *
 * What `use()` mounts is taken for middleware, unless it has a path and takes `(req, res)` only: then nothing can come
 * after it, and it is listed. Where it cannot be said that an authenticator runs for all requests that reach a route,
 * the answer is that it does not. A wrapper around `apiKeyAuth()` is not known, as it may leave it out.
 *
 * @throws TypeError for what is neither an application nor a router
 */
export function auditRoutes(app: IRouter): readonly AuditedRoute[] {
  const layers = layersOf(app);
  if (layers !== undefined) return foundIn(layers, []).map(auditedRoute);
  throw new TypeError(
    `auditRoutes: app must be an application or a router of Express, but got ${describe(app)}`,
  );
}

/** A layer on the way to a route, and which of its paths is meant. */
interface Step {
  readonly layer: Layer;
  /** What a request comes past first. */
  readonly earlier: readonly Layer[];
  readonly part: PathPart;
}

interface FoundRoute {
  readonly method: string;
  readonly trail: readonly Step[];
  /** Of the route itself, as far as they run before it answers. */
  readonly brands: readonly HandlerBrand[];
  /** Behind the last step, for a route of a router of ours. */
  readonly ownPath?: string;
}

function foundIn(layers: readonly Layer[], above: readonly Step[]): readonly FoundRoute[] {
  return layers.flatMap((layer, index) => {
    const earlier = layers.slice(0, index);
    return layer.parts.flatMap((part) => foundAt(layer, [...above, { layer, earlier, part }]));
  });
}

function foundAt({ content, matchesAll }: Layer, trail: readonly Step[]): readonly FoundRoute[] {
  if (content.kind === 'router') return foundIn(content.layers, trail);
  if (content.kind === 'opaque') return [{ method: 'ALL', trail, brands: [], ownPath: '/<unknown>' }];
  if (content.kind === 'route') return methodsOf(content.handlers, trail);
  const { handler } = content;
  const brand = brandOf(handler);
  if (brand?.kind === 'own') {
    return brand.routes.map(({ method, path }) => ({ method, trail, brands: [brand], ownPath: path }));
  }
  const endsHere = !matchesAll && (handler.length === 1 || handler.length === 2);
  return endsHere ? [{ method: 'ALL', trail, brands: [] }] : [];
}

/** One for each method; none where all handlers are ours, which only let pass. */
function methodsOf(handlers: readonly RouteHandler[], trail: readonly Step[]): readonly FoundRoute[] {
  const methods = new Set(handlers.map(({ method = 'ALL' }) => method));
  return [...methods].flatMap((method) => {
    const mine = handlersFor(handlers, method);
    const last = mine.findLastIndex(isForeign);
    return last < 0 ? [] : [{ method, trail, brands: brandsOf(mine.slice(0, last)) }];
  });
}

function handlersFor(handlers: readonly RouteHandler[], method: string): readonly Handler[] {
  const mine = handlers.filter((each) => each.method === undefined || each.method === method);
  return mine.map(({ handler }) => handler);
}

/** Handlers of errors run for no request that is let pass. */
function isForeign(handler: Handler): boolean {
  return handler.length <= 3 && brandOf(handler) === undefined;
}

function brandsOf(handlers: readonly Handler[]): readonly HandlerBrand[] {
  return handlers.flatMap((handler) => brandOf(handler) ?? []);
}

function auditedRoute(found: FoundRoute): AuditedRoute {
  const { method, trail, ownPath } = found;
  const parts = trail.map(({ part }) => part);
  const path = shownPath(ownPath === undefined ? parts : [...parts, ownPath]);
  const reaching = samplesOf(parts).filter((sample) => reaches(sample, trail));
  const samples = reaching.length > 0 ? reaching : [parts.map(() => undefined)];
  const passed = samples.map((sample) => [...brandsBefore(found, sample), ...found.brands]);
  return Object.freeze({ method, path, authentication: weakest(passed), guards: sharedGuards(passed) });
}

/** Whether Express would come by every step, as far as is known, and cut off what the sample says. */
function reaches(sample: Sample, trail: readonly Step[]): boolean {
  return trail.every(({ layer }, at) => {
    const path = pathFrom(sample, at);
    if (path === undefined) return true;
    const taken = layer.match(path);
    if (taken === undefined) return false;
    return at === trail.length - 1 || below(path, taken) === pathFrom(sample, at + 1);
  });
}

function brandsBefore({ trail, method }: FoundRoute, sample: Sample): readonly HandlerBrand[] {
  return trail.flatMap(({ earlier }, at) => {
    const path = pathFrom(sample, at);
    return earlier.flatMap((layer) => brandsIn(layer, path, method));
  });
}

/** What a request has passed that came through a layer and out of it again. */
function brandsIn(layer: Layer, path: string | undefined, method: string): readonly HandlerBrand[] {
  const { content, matchesAll } = layer;
  if (path === undefined) return matchesAll ? brandsWithin(content, undefined, method) : [];
  const taken = layer.match(path);
  if (taken === undefined || (content.kind !== 'route' && !isWholeSteps(taken, path))) return [];
  return brandsWithin(content, below(path, taken), method);
}

/** What Express leaves of a path for those that are mounted there. */
function below(path: string, taken: string): string {
  return path.slice(taken.length) || '/';
}

/** Express passes over what is mounted under an expression that ends in the middle of a step: `/^\/a/` and `/ab`. */
function isWholeSteps(taken: string, path: string): boolean {
  return path.startsWith(taken) && (path.length === taken.length || path[taken.length] === '/');
}

function brandsWithin(
  content: LayerContent,
  path: string | undefined,
  method: string,
): readonly HandlerBrand[] {
  if (content.kind === 'handler') return brandsOf([content.handler]);
  if (content.kind === 'route') return certainBrands(handlersFor(content.handlers, method));
  return content.kind === 'router' ? brandsInRouter(content.layers, path, method) : [];
}

/** Any handler of somebody else's may leave the route by `next('route')`, and pass over what comes behind it. */
function certainBrands(handlers: readonly Handler[]): readonly HandlerBrand[] {
  const first = handlers.findIndex(isForeign);
  return brandsOf(first < 0 ? handlers : handlers.slice(0, first));
}

/** As `certainBrands`, for a router and `next('router')`. */
function brandsInRouter(
  layers: readonly Layer[],
  path: string | undefined,
  method: string,
): readonly HandlerBrand[] {
  const first = layers.findIndex(({ content }) => {
    if (content.kind === 'handler') return isForeign(content.handler);
    return content.kind === 'route' && content.handlers.some(({ handler }) => isForeign(handler));
  });
  const certain = first < 0 ? layers : layers.slice(0, first);
  return certain.flatMap((layer) => brandsIn(layer, path, method));
}

const STRENGTHS = ['none', 'optional', 'required', 'own'] as const;

/** A route is worth what the weakest way to it is. */
function weakest(passed: readonly (readonly HandlerBrand[])[]): AuditedRoute['authentication'] {
  const strengths = passed.map((brands) => Math.max(0, ...brands.map(strengthOf)));
  return STRENGTHS[Math.min(...strengths)] ?? 'none';
}

function strengthOf(brand: HandlerBrand): number {
  if (brand.kind === 'guard') return 0;
  return STRENGTHS.indexOf(brand.kind === 'own' ? 'own' : brand.mode);
}

function sharedGuards(passed: readonly (readonly HandlerBrand[])[]): readonly RouteGuard[] {
  const [first = [], ...others] = passed;
  const shared = first.filter((brand) => others.every((brands) => brands.includes(brand)));
  return Object.freeze(shared.flatMap((brand) => (brand.kind === 'guard' ? [brand.guard] : [])));
}
