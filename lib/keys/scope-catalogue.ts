import { badOption, describe, nearestName } from '../options.ts';
import { MAX_SCOPES, textProblem } from './fields.ts';
import { coversScope, requiredScopeProblem } from './scopes.ts';

/** The scopes that an application knows. What `defineScopes()` answers is one. */
export interface ScopeCatalogue<Name extends string = string> {
  readonly names: readonly Name[];
  /** What a scope is for, in the words of whoever defined it. */
  describe(name: Name): string;
}

/** More would not fit into one line of an error. */
const MOST_LISTED = 20;

/**
 * A catalogue of these scopes; frozen, and in the order in which they are given.
 *
 * @throws TypeError for a scope that is none, and for one that nothing is said of
 */
export function createScopeCatalogue(owner: string, descriptions: unknown): ScopeCatalogue {
  if (typeof descriptions !== 'object' || descriptions === null || Array.isArray(descriptions)) {
    throw badOption(owner, 'scopes', 'an object of scopes and what each is for', descriptions);
  }
  const entries = new Map(Object.entries(descriptions));
  const names = [...entries.keys()];
  checkNames(owner, names);
  for (const [name, description] of entries) {
    const problem = textProblem(description, 500);
    if (problem === undefined) continue;
    throw new TypeError(
      `${owner}: what ${describe(name)} is for ${problem}, but got ${describe(description)}`,
    );
  }
  return Object.freeze({
    names: Object.freeze(names),
    describe(name: string) {
      const description = entries.get(name);
      if (description === undefined) throw unknownScopeError(`${owner}: describe`, name, names);
      return description as string;
    },
  });
}

/** @throws TypeError unless the option is a catalogue, whoever made it */
export function readScopeCatalogue(owner: string, value: unknown): ScopeCatalogue | undefined {
  if (value === undefined) return undefined;
  const { names, describe } = (value ?? {}) as Partial<ScopeCatalogue>;
  if (!Array.isArray(names) || typeof describe !== 'function') {
    throw badOption(owner, 'scopes', 'what defineScopes() answered', value);
  }
  checkNames(`${owner}: scopes`, names);
  return Object.freeze({
    names: Object.freeze([...new Set(names)]),
    describe: (name: string) => describe(name),
  });
}

/** Whether a granted scope is one of these, or ends in `:*` and covers at least one of them. */
export function grantsKnownScope(granted: string, names: readonly string[]): boolean {
  return names.some((name) => coversScope([granted], name));
}

/** For a scope that a route demands, in a program: the whole of it is shown unless it is long. */
export function unknownScopeError(owner: string, scope: unknown, names: readonly string[]): TypeError {
  return new TypeError(`${owner}: unknown scope ${describe(scope)}; ${scopeHint(scope, names)}`);
}

/** What may have been meant: the nearest name, or else what there is. Nothing of the scope itself. */
export function scopeHint(scope: unknown, names: readonly string[]): string {
  const nearest = typeof scope === 'string' ? nearestName(scope, names) : undefined;
  if (nearest !== undefined) return `did you mean "${nearest}"?`;
  const rest = names.length > MOST_LISTED ? ` and ${names.length - MOST_LISTED} more` : '';
  return `known: ${names.slice(0, MOST_LISTED).join(', ')}${rest}`;
}

function checkNames(owner: string, names: readonly unknown[]): void {
  if (names.length === 0 || names.length > MAX_SCOPES) {
    throw new TypeError(`${owner}: name 1 to ${MAX_SCOPES} scopes, as in { 'reports:read': 'Read reports' }`);
  }
  for (const name of names) {
    const problem = requiredScopeProblem(name);
    if (problem !== undefined) throw new TypeError(`${owner}: a scope ${problem}, but got ${describe(name)}`);
  }
}
