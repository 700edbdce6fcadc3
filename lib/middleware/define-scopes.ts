import type { RequestHandler } from 'express';
import { createScopeCatalogue, type ScopeCatalogue, unknownScopeError } from '../keys/scope-catalogue.ts';
import { coversScope } from '../keys/scopes.ts';
import { requireAnyScope, requireScope } from './guards.ts';

/** The scopes of an application, by name: its guards take these names and no others. */
export interface DefinedScopes<Name extends string = string> extends ScopeCatalogue<Name> {
  /**
   * As `requireScope()`, for the scopes that were defined.
   *
   * @throws TypeError for any other, when it is built
   */
  requireScope(...scopes: [Name, ...Name[]]): RequestHandler;
  /**
   * As `requireAnyScope()`, for the scopes that were defined.
   *
   * @throws TypeError for any other, when it is built
   */
  requireAnyScope(...scopes: [Name, ...Name[]]): RequestHandler;
  /** Which of them the scopes of a key cover, those below a `:*` one by one: for whoever compares by name. */
  coveredBy(granted: readonly string[]): Name[];
}

const OWNER = 'defineScopes';

/**
 * The scopes that an application knows, each with what it is for. Given to `createApiKeys({ scopes })`, no key is issued with
 * another one, and `keystile/management` documents them.
 *
 * @throws TypeError for a scope that is none, or that nothing is said of
 */
export function defineScopes<const Descriptions extends Readonly<Record<string, string>>>(
  descriptions: Descriptions,
): DefinedScopes<keyof Descriptions & string> {
  type Name = keyof Descriptions & string;
  const { names, describe } = createScopeCatalogue(OWNER, descriptions);
  const known = new Set<unknown>(names);
  function checked(owner: string, scopes: [string, ...string[]]): [string, ...string[]] {
    // What is no text at all, the guard itself refuses.
    const unknown = scopes.find((scope) => typeof scope === 'string' && !known.has(scope));
    if (unknown !== undefined) throw unknownScopeError(owner, unknown, names);
    return scopes;
  }
  const scopes: DefinedScopes = {
    names,
    describe,
    requireScope: (...wanted) => requireScope(...checked('requireScope', wanted)),
    requireAnyScope: (...wanted) => requireAnyScope(...checked('requireAnyScope', wanted)),
    coveredBy: (granted) => names.filter((name) => coversScope(granted, name)),
  };
  return Object.freeze(scopes) as DefinedScopes<Name>;
}
