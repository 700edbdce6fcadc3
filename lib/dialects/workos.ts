// WorkOS, API key interface of specification 0.61.0; where that is silent, the vendor's emulator 0.7.1.
import type { DialectAnswer } from '../http/dialect.ts';
import { requiredScopeProblem } from '../keys/scopes.ts';
import { badOption, checkOptionNames } from '../options.ts';
import type { Dialect } from './dialect.ts';
import { membersOf } from './workos-body.ts';
import { createCallerGate, createSight } from './workos-caller.ts';
import { NOT_FOUND, UNREADABLE_BODY, wordError } from './workos-errors.ts';
import { shownKey } from './workos-key.ts';
import { workosKeyRoutes } from './workos-keys.ts';

/** Which scopes callers of `workos()` need, and for what. */
export interface WorkosOptions {
  /** What the caller's own key needs to ask about keys. @default 'keys:validate' */
  validateScope?: string | undefined;
  /** What it needs to create, list, expire and delete keys. @default 'keys:manage' */
  manageScope?: string | undefined;
  /** With it, a caller sees the keys of all organizations and not of its own alone. @default 'keys:any-organization' */
  anyOrganizationScope?: string | undefined;
}

const DEFAULTS = {
  validateScope: 'keys:validate',
  manageScope: 'keys:manage',
  anyOrganizationScope: 'keys:any-organization',
};

const INVALID: DialectAnswer = { status: 200, body: { api_key: null } };

/**
 * `POST /api_keys/validations` of WorkOS, and its interface for the keys of organizations and of users. The caller is
 * known by a key of its own; of the key that it asks about, whatever is wrong is one answer, `api_key: null`.
 *
 * @throws TypeError for an option that is wrong
 */
export function workos(options: WorkosOptions = {}): Dialect {
  const { validateScope, manageScope, anyOrganizationScope } = readOptions(options);
  const sight = createSight(anyOrganizationScope);
  return {
    name: 'workos',
    routes(tools) {
      const forCallers = createCallerGate(tools);
      return [
        {
          method: 'POST',
          path: '/api_keys/validations',
          handle: forCallers(validateScope, async (request, caller) => {
            const body = await request.json();
            if (body === undefined) return UNREADABLE_BODY;
            const { value } = membersOf(body);
            if (typeof value !== 'string') return INVALID;
            const verdict = await tools.verify(value, request);
            if (!verdict.ok || !sight.sees(caller, verdict.apiKey.organization.id)) return INVALID;
            return { status: 200, body: { api_key: shownKey(verdict.apiKey, verdict.graceUntil) } };
          }),
        },
        ...workosKeyRoutes({
          tools,
          sight,
          forManagers: (handle) => forCallers(manageScope, handle),
        }),
      ];
    },
    error: wordError,
    // A method that a path has not is a path that is not there.
    unmatched: () => NOT_FOUND,
  };
}

function readOptions(options: WorkosOptions): typeof DEFAULTS {
  const names = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[];
  const given = checkOptionNames('workos', options, names);
  const scopes = { ...DEFAULTS };
  for (const name of names) {
    const scope = given[name];
    if (scope === undefined) continue;
    if (requiredScopeProblem(scope) !== undefined) {
      throw badOption('workos', name, 'a scope as requireScope() takes it', scope);
    }
    scopes[name] = scope as string;
  }
  return scopes;
}
