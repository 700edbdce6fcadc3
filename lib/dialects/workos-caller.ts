import { ApiKeyError } from '../errors.ts';
import { deprecationHeaders } from '../http/deprecation.ts';
import type { DialectAnswer } from '../http/dialect.ts';
import type { ApiKey } from '../keys/api-key.ts';
import { coversScope } from '../keys/scopes.ts';
import type { DialectRequest, DialectRoute, DialectTools } from './dialect.ts';

/** Answers a request of a caller that may make it. */
export type CallerHandler = (request: DialectRequest, caller: ApiKey) => Promise<DialectAnswer>;

/**
 * Makes what lets requests through to their handlers: those of callers whose own key is good and has a scope. The
 * vendor's emulator takes a key without `Bearer` too.
 */
export function createCallerGate(
  tools: DialectTools,
): (scope: string, handle: CallerHandler) => DialectRoute['handle'] {
  const keyIn = tools.keyIn('Authorization', 'Bearer', '');
  return (scope, handle) => async (request) => {
    const key = keyIn(request);
    if (key === undefined) throw new ApiKeyError('missing_credentials', 'The caller sent no key of its own.');
    const verdict = await tools.verify(key, request);
    if (!verdict.ok) throw new ApiKeyError('invalid_token', "The caller's own key is not accepted.");
    const { apiKey: caller, graceUntil } = verdict;
    if (!coversScope(caller.scopes, scope)) {
      throw new ApiKeyError('insufficient_scope', "The caller's own key lacks a scope.");
    }
    const answer = await handle(request, caller);
    return {
      ...answer,
      headers: { ...deprecationHeaders(caller.rotatedAt, graceUntil), ...answer.headers },
    };
  };
}

/** Which organizations a caller sees: its own, unless its key has the scope for all. */
export interface Sight {
  sees(caller: ApiKey, organizationId: string): boolean;
  seesAll(caller: ApiKey): boolean;
}

export function createSight(anyOrganizationScope: string): Sight {
  const seesAll = ({ scopes }: ApiKey) => coversScope(scopes, anyOrganizationScope);
  return {
    seesAll,
    sees: (caller, organizationId) => caller.organization.id === organizationId || seesAll(caller),
  };
}
