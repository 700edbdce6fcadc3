import { InvalidInputError } from '../errors.ts';
import { grantsKnownScope, type ScopeCatalogue, scopeHint } from '../keys/scope-catalogue.ts';

/**
 * Refuses scopes that the application has not defined, where it has defined any. The message holds nothing of what was
 * given, which may be a key in the wrong place.
 *
 * @param given - the same scopes as the caller has them, with duplicates: the pointer counts in these
 * @throws InvalidInputError
 */
export function refuseUnknownScopes(
  scopes: readonly string[],
  given: readonly string[] | undefined,
  catalogue: ScopeCatalogue | undefined,
): void {
  if (catalogue === undefined) return;
  const { names } = catalogue;
  const unknown = scopes.find((scope) => !grantsKnownScope(scope, names));
  if (unknown === undefined) return;
  const index = (given ?? scopes).indexOf(unknown);
  throw new InvalidInputError(
    `/scopes/${index}`,
    `is no scope of this application; ${scopeHint(unknown, names)}`,
  );
}
