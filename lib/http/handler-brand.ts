/** What a guard demands, as far as its options say. */
export interface RouteGuard {
  readonly name: 'requireScope' | 'requireAnyScope' | 'requireOrganization' | 'requireEnvironment';
  /** All of them for `requireScope`, one of them for `requireAnyScope`. */
  readonly scopes?: readonly string[];
  readonly environment?: string;
}

/** What a handler that this package made does to a request. */
export type HandlerBrand =
  | { readonly kind: 'authenticator'; readonly mode: 'required' | 'optional' }
  | { readonly kind: 'guard'; readonly guard: RouteGuard }
  | { readonly kind: 'own'; readonly name: string; readonly routes: readonly OwnRoute[] };

/** A route of a router of ours, below where it is mounted. */
export interface OwnRoute {
  readonly method: string;
  readonly path: string;
}

/** From the registry, so that handlers of the one module format are known to the other. */
const BRAND = Symbol.for('keystile.handler');

interface Branded {
  readonly [BRAND]?: { readonly handler: unknown; readonly brand: HandlerBrand };
}

/** @returns the handler itself */
export function brandHandler<T extends object>(handler: T, brand: HandlerBrand): T {
  return Object.defineProperty(handler, BRAND, { value: Object.freeze({ handler, brand }) });
}

/**
 * `undefined` for what we did not make. The brand names its handler: a wrapper that was given all members of one of
 * ours, or inherits them, may decide not to call it, and is somebody else's.
 */
export function brandOf(handler: object): HandlerBrand | undefined {
  const held = (handler as Branded)[BRAND];
  return held?.handler === handler ? held.brand : undefined;
}
