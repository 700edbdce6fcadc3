import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { brandHandler, type RouteGuard } from '../http/handler-brand.ts';
import type { ApiKey, Environment } from '../keys/api-key.ts';
import { coversScope, requiredScopeProblem } from '../keys/scopes.ts';
import { badOption, describe } from '../options.ts';
import { voicedPassOf } from './request-state.ts';
import { answerServerError } from './voice.ts';

/**
 * Demands every one of the scopes; 403 `insufficient_scope` otherwise. Decides from `req.apiKey` alone, with no I/O.
 *
 * @throws TypeError without a scope, or with one that is none, when it is built
 */
export function requireScope(...scopes: [string, ...string[]]): RequestHandler {
  checkScopes('requireScope', scopes);
  return scopeGuard('requireScope', scopes, (granted) =>
    scopes.every((scope) => coversScope(granted, scope)),
  );
}

/**
 * Demands one of the scopes; 403 `insufficient_scope` otherwise.
 *
 * @throws TypeError without a scope, or with one that is none, when it is built
 */
export function requireAnyScope(...scopes: [string, ...string[]]): RequestHandler {
  checkScopes('requireAnyScope', scopes);
  return scopeGuard('requireAnyScope', scopes, (granted) =>
    scopes.some((scope) => coversScope(granted, scope)),
  );
}

/**
 * Demands that the key belongs to the organization that the request is about; 403 `forbidden` otherwise, also where
 * `id` answers `undefined`.
 *
 * @param id - the id of that organization, from the request: `(req) => req.params.orgId`
 */
export function requireOrganization(id: (req: Request) => string | undefined): RequestHandler {
  if (typeof id !== 'function') throw badOption('requireOrganization', 'id', 'a function of the request', id);
  return guard({ name: 'requireOrganization' }, ({ organization }, req) => {
    const wanted: unknown = id(req);
    if (wanted === organization.id) return undefined;
    // A promise names nobody yet, and its rejection would end the process.
    Promise.resolve(wanted).catch(() => undefined);
    return { code: 'forbidden' };
  });
}

/** Demands a key of one environment, where an instance accepts both; 403 `forbidden` otherwise. */
export function requireEnvironment(environment: Environment): RequestHandler {
  if (environment !== 'live' && environment !== 'test') {
    throw badOption('requireEnvironment', 'environment', '"live" or "test"', environment);
  }
  return guard({ name: 'requireEnvironment', environment }, (apiKey) =>
    apiKey.environment === environment ? undefined : { code: 'forbidden' },
  );
}

interface Denial {
  readonly code: 'missing_credentials' | 'insufficient_scope' | 'forbidden';
  readonly scope?: string;
}

const NOBODY: Denial = { code: 'missing_credentials' };

function scopeGuard(
  name: 'requireScope' | 'requireAnyScope',
  scopes: readonly string[],
  isEnough: (granted: readonly string[]) => boolean,
) {
  const denial: Denial = { code: 'insufficient_scope', scope: scopes.join(' ') };
  return guard({ name, scopes: Object.freeze([...scopes]) }, ({ scopes: granted }) =>
    isEnough(granted) ? undefined : denial,
  );
}

/** The frame of every guard: needs an authenticator before it and a key; answers in that authenticator's voice. */
function guard(
  demand: RouteGuard,
  denialOf: (apiKey: ApiKey, req: Request) => Denial | undefined,
): RequestHandler {
  return brandHandler(apiKeyGuard, { kind: 'guard', guard: Object.freeze(demand) });

  function apiKeyGuard(req: Request, res: Response, next: NextFunction): void {
    const pass = voicedPassOf(req);
    if (pass === undefined) {
      next(unguardedError(demand.name, req));
      return;
    }
    const { voice, apiKey } = pass;
    let denial: Denial | undefined;
    try {
      denial = apiKey === undefined ? NOBODY : denialOf(apiKey, req);
      if (denial !== undefined) voice.tellRefused(denial.code, apiKey);
    } catch {
      // A callback or the clock of the application's has failed: the request must not get past it.
      answerServerError(res);
      return;
    }
    if (denial === undefined) next();
    else voice.refuse(req, res, denial.code, denial);
  }
}

/** The programmer's error, and so the one thing that is handed to `next`. */
function unguardedError(name: string, req: Request): TypeError {
  const route = `${req.baseUrl}${(req.route as { path?: unknown } | undefined)?.path ?? ''}`;
  return new TypeError(
    `${name} on ${req.method} ${route || '/'} has no authenticator before it: mount app.use(apiKeyAuth(apiKeys)) ahead of this route (docs/warnings.md#guard_before_authenticator)`,
  );
}

function checkScopes(owner: string, scopes: readonly unknown[]): void {
  if (scopes.length === 0)
    throw new TypeError(`${owner}: name at least one scope, as in ${owner}('reports:read')`);
  for (const scope of scopes) {
    const problem = requiredScopeProblem(scope);
    if (problem === undefined) continue;
    const hint = Array.isArray(scope) ? '; give the scopes as arguments, not as an array' : '';
    throw new TypeError(`${owner}: a scope ${problem}, but got ${describe(scope)}${hint}`);
  }
}
