import type { IRouter } from 'express';
import { badOption, checkOptionNames } from '../options.ts';
import { type AuditedRoute, auditRoutes } from './route-audit.ts';

/** Which routes are open on purpose. */
export interface AssertGuardedOptions {
  /**
   * Routes that are open on purpose: `'GET /health'`, `'/health'` for all its methods, or an expression that is tried on
   * `GET /health` and on `/health`. One that names no open route is an error, so that none outlives its route.
   *
   * @default []
   */
  except?: readonly (string | RegExp)[] | undefined;
}

const OWNER = 'assertGuarded';

/**
 * For a test: throws an `Error` that lists the routes of an application which a request without a key can reach. A route
 * is guarded if an `apiKeyAuth()` runs before it, with a guard too where that is optional; see {@link auditRoutes}.
 *
 * @throws Error for routes that are open, for an exception that names none, and for an application without routes
 * @throws TypeError for an option that is wrong
 */
export function assertGuarded(app: IRouter, options: AssertGuardedOptions = {}): void {
  const except = readExcept(checkOptionNames(OWNER, options, ['except'])['except']);
  const routes = auditRoutes(app);
  if (routes.length === 0) {
    throw new Error(`${OWNER}: the application has no routes; call it when they are mounted.`);
  }
  const open = routes.filter((route) => !isGuarded(route));
  const stale = except.filter((one) => !open.some((route) => isNamed(one, route)));
  const forgotten = open.filter((route) => !except.some((one) => isNamed(one, route)));
  const complaints = [...complainOfOpen(forgotten), ...complainOfStale(stale)];
  if (complaints.length > 0) throw new Error(`${OWNER}: ${complaints.join('\n')}`);
}

function isGuarded({ authentication, guards }: AuditedRoute): boolean {
  // After optional mode a guard refuses whoever brought no key.
  if (authentication === 'optional') return guards.length > 0;
  return authentication !== 'none';
}

function isNamed(exception: string | RegExp, { method, path }: AuditedRoute): boolean {
  const names = [path, `${method} ${path}`];
  if (typeof exception === 'string') return names.includes(exception);
  // `search` begins at the start whatever flags the expression has.
  return names.some((name) => name.search(exception) >= 0);
}

function complainOfOpen(routes: readonly AuditedRoute[]): readonly string[] {
  if (routes.length === 0) return [];
  const count = routes.length === 1 ? '1 route is' : `${routes.length} routes are`;
  return [
    `${count} open to requests without a key:`,
    ...routes.map((route) => `  ${route.method} ${route.path}${reasonOf(route)}`),
    'Mount app.use(apiKeyAuth(apiKeys)) before each of them, or name it in { except: [...] } where it is open on purpose.',
  ];
}

function reasonOf({ authentication, guards }: AuditedRoute): string {
  if (authentication === 'optional') return ' (the key is optional, and no guard demands one)';
  return guards.length > 0 ? ' (has a guard, but no authenticator before it)' : '';
}

function complainOfStale(except: readonly (string | RegExp)[]): readonly string[] {
  if (except.length === 0) return [];
  return [`These exceptions name no open route, so take them out: ${except.map(String).join(', ')}`];
}

function readExcept(value: unknown): readonly (string | RegExp)[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw badOption(OWNER, 'except', 'an array of texts and expressions', value);
  for (const [index, one] of value.entries()) {
    const isExpression = Object.prototype.toString.call(one) === '[object RegExp]';
    if (typeof one === 'string' || isExpression) continue;
    throw badOption(OWNER, `except[${index}]`, "'GET /path', '/path' or a regular expression", one);
  }
  return value;
}
