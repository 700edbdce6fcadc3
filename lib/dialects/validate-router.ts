import { type ApiKeys, type Internals, internalsOf } from '../api-keys.ts';
import { CredentialReader } from '../http/credential.ts';
import type { DialectAnswer } from '../http/dialect.ts';
import { passOf } from '../http/request-pass.ts';
import { createRouter, type MountableRouter, type RoutedRequest } from '../http/router.ts';
import { describe } from '../options.ts';
import type { MaybePromise } from '../stores/key-store.ts';
import type { Dialect, DialectTools } from './dialect.ts';

/**
 * Serves a vendor's "validate API key" endpoint from these keys, for `app.use()`, under whatever path. Mount it before
 * `apiKeyAuth()`: who may ask is the dialect's affair. Every answer is `Cache-Control: no-store`.
 *
 * @throws TypeError for what is no dialect, when it is built
 */
export function validateRouter(apiKeys: ApiKeys, dialect: Dialect): MountableRouter {
  checkDialect(dialect);
  const internals = internalsOf('validateRouter', apiKeys);
  const tools = createTools(apiKeys, internals);
  const { trailingSlash } = dialect;
  const unmatched = dialect.unmatched?.bind(dialect);
  return createRouter({
    name: 'validateRouter',
    routes: dialect.routes(tools).map((route) => ({
      ...route,
      handle: (request) => {
        warnOfAuth(request, internals);
        return notStored(route.handle(request));
      },
    })),
    error: (error) => uncached(dialect.error(error)),
    trailingSlash,
    unmatched: unmatched && ((request) => notStored(unmatched(request, tools))),
  });
}

function createTools(apiKeys: ApiKeys, internals: Internals): DialectTools {
  const { clock, characters } = internals;
  return {
    apiKeys,
    hasPairs: internals.hasPairs,
    now: () => clock.now(),
    keyIn(header, ...schemes) {
      const reader = new CredentialReader({ headers: [header], schemes, characters });
      return ({ req }) => {
        const read = reader.read(req);
        return typeof read === 'string' ? read : undefined;
      };
    },
    verify: (text, { req }) => internals.verify(text, req),
    verifyPair: (id, secret, { req }) => internals.verifyPair(id, secret, req),
    manageAs(caller, { req }) {
      const actor = { actor: caller.id, from: req.ip };
      return { ...internals.manageAs(actor), expire: (id) => internals.expire(id, actor) };
    },
  };
}

/** Clients without a key of the caller's own would never come this far. */
function warnOfAuth({ req }: RoutedRequest, { events, clock }: Internals): void {
  if (!events.mayWarn('validate_router_behind_auth') || passOf(req) === undefined) return;
  const message =
    'validateRouter() stands behind apiKeyAuth(), which refuses whoever does not bring a good key: mount it before.';
  events.warnOnce('validate_router_behind_auth', clock.now(), message);
}

function notStored(answer: MaybePromise<DialectAnswer>): MaybePromise<DialectAnswer> {
  return 'then' in answer ? Promise.resolve(answer).then(uncached) : uncached(answer);
}

function uncached({ status, headers, body }: DialectAnswer): DialectAnswer {
  return { status, headers: { 'Cache-Control': 'no-store', ...headers }, body };
}

function checkDialect(dialect: unknown): asserts dialect is Dialect {
  const { routes, error } = (dialect ?? {}) as Partial<Dialect>;
  if (typeof routes === 'function' && typeof error === 'function') return;
  const hint = typeof dialect === 'function' ? '; call it: validateRouter(apiKeys, pluto())' : '';
  throw new TypeError(
    `validateRouter: dialect must be one of keystile/dialects or one of your own, but got ${describe(dialect)}${hint}`,
  );
}
