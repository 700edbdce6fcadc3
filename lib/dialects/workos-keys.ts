// WorkOS's interface for managing keys, specification 0.61.0: those of organizations and those of users.
import { ConflictError } from '../errors.ts';
import type { DialectAnswer } from '../http/dialect.ts';
import type { ApiKey, Organization, Owner } from '../keys/api-key.ts';
import type { Json } from '../keys/metadata.ts';
import { coversScope, grantedScopeProblem } from '../keys/scopes.ts';
import type { DialectRequest, DialectRoute, DialectTools } from './dialect.ts';
import { membersOf, readTime } from './workos-body.ts';
import type { CallerHandler, Sight } from './workos-caller.ts';
import {
  ALREADY_EXPIRED,
  type FieldError,
  NO_SUCH_KEY,
  NO_SUCH_ORGANIZATION,
  NOT_GRANTABLE,
  UNREADABLE_BODY,
  unprocessable,
} from './workos-errors.ts';
import { findShown, shownKey } from './workos-key.ts';
import { listKeys } from './workos-page.ts';

export interface WorkosKeysParts {
  readonly tools: DialectTools;
  readonly forManagers: (handle: CallerHandler) => DialectRoute['handle'];
  readonly sight: Sight;
}

const MAX_TRIES = 10;

/** Whatever a caller does not see is answered as if it were not there. */
export function workosKeyRoutes({ tools, forManagers, sight }: WorkosKeysParts): readonly DialectRoute[] {
  const { apiKeys } = tools;
  const { sees, seesAll } = sight;
  const find = (request: DialectRequest, caller: ApiKey) =>
    findShown(
      apiKeys,
      request.params['id'] as string,
      (apiKey) => isManaged(apiKey) && sees(caller, apiKey.organization.id),
    );

  return [
    {
      method: 'DELETE',
      path: '/api_keys/:id',
      handle: forManagers(async (request, caller) => {
        const found = await find(request, caller);
        if (found === undefined) return NO_SUCH_KEY;
        await tools.manageAs(caller, request).revoke(found.id);
        return { status: 204, body: undefined };
      }),
    },
    {
      method: 'POST',
      path: '/api_keys/:id/expire',
      handle: forManagers(async (request, caller) => {
        for (let tries = 1; ; tries += 1) {
          const found = await find(request, caller);
          if (found === undefined) return NO_SUCH_KEY;
          try {
            return await expire(tools, found, request, caller);
          } catch (error) {
            // Somebody came in between, and the vendor has no answer for that: what is there now decides.
            if (!(error instanceof ConflictError) || tries === MAX_TRIES) throw error;
          }
        }
      }),
    },
    {
      method: 'GET',
      path: '/organizations/:organizationId/api_keys',
      handle: forManagers(async ({ params, query }, caller) => {
        const organizationId = params['organizationId'] as string;
        if (!sees(caller, organizationId)) return NO_SUCH_ORGANIZATION;
        return listKeys(apiKeys, { organizationId, ownerType: 'organization' }, query);
      }),
    },
    {
      method: 'POST',
      path: '/organizations/:organizationId/api_keys',
      handle: forManagers(async (request, caller) => {
        const body = await request.json();
        if (body === undefined) return UNREADABLE_BODY;
        const organizationId = request.params['organizationId'] as string;
        if (!sees(caller, organizationId)) return NO_SUCH_ORGANIZATION;
        const owner: Owner = { type: 'organization', id: organizationId };
        return create(tools, { members: membersOf(body), organizationId, owner }, request, caller);
      }),
    },
    {
      method: 'GET',
      path: '/user_management/users/:userId/api_keys',
      handle: forManagers(async ({ params, query }, caller) => {
        const organizationId = query.get('organization_id') || undefined;
        if (organizationId !== undefined && !sees(caller, organizationId)) return NO_SUCH_ORGANIZATION;
        // Of all organizations only for a caller that may see all.
        const within = organizationId ?? (seesAll(caller) ? undefined : caller.organization.id);
        const filter = { ownerType: 'user', ownerId: params['userId'], organizationId: within } as const;
        return listKeys(apiKeys, filter, query);
      }),
    },
    {
      method: 'POST',
      path: '/user_management/users/:userId/api_keys',
      handle: forManagers(async (request, caller) => {
        const body = await request.json();
        if (body === undefined) return UNREADABLE_BODY;
        const members = membersOf(body);
        const { organization_id: organizationId } = members;
        if (!isText(organizationId)) {
          return unprocessable(...missingName(members), { code: 'required', field: 'organization_id' });
        }
        if (!sees(caller, organizationId)) return NO_SUCH_ORGANIZATION;
        const owner: Owner = { type: 'user', id: request.params['userId'] as string };
        return create(tools, { members, organizationId, owner }, request, caller);
      }),
    },
  ];
}

/** A key that was deleted is kept, revoked, for the audit; those of services are not of this interface. */
function isManaged({ revokedAt, owner }: ApiKey): boolean {
  return revokedAt === undefined && owner.type !== 'service';
}

interface NewKey {
  readonly members: Readonly<Record<string, Json | undefined>>;
  readonly organizationId: string;
  readonly owner: Owner;
}

async function create(
  tools: DialectTools,
  { members, organizationId, owner }: NewKey,
  request: DialectRequest,
  caller: ApiKey,
): Promise<DialectAnswer> {
  const [missing] = missingName(members);
  if (missing !== undefined) return unprocessable(missing);
  const expiresAt = readTime(members['expires_at']);
  if (expiresAt === undefined) return unprocessable({ code: 'invalid', field: 'expires_at' });
  // Whatever else is wrong with the members is found by create() itself.
  const scopes = (members['permissions'] ?? []) as readonly string[];
  if (Array.isArray(scopes) && !mayGrant(caller, scopes)) return NOT_GRANTABLE;
  const { key, apiKey } = await tools.manageAs(caller, request).create({
    name: members['name'] as string,
    organization: organizationOf(organizationId, caller),
    owner,
    scopes,
    expiresAt: expiresAt ?? undefined,
    createdBy: caller.id,
  });
  return { status: 201, body: { ...shownKey(apiKey), value: key } };
}

/** Else a key that may do little would make itself one that may do much. */
function mayGrant(caller: ApiKey, scopes: readonly string[]): boolean {
  return scopes.every(
    (scope) => grantedScopeProblem(scope) !== undefined || coversScope(caller.scopes, scope),
  );
}

function organizationOf(id: string, { organization }: ApiKey): Organization {
  return organization.id === id ? organization : { id };
}

function missingName({ name }: NewKey['members']): readonly FieldError[] {
  return isText(name) ? [] : [{ code: 'required', field: 'name' }];
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

/**
 * `{}`, no body and a time that is past are now; `null` clears an end that has not come. A later end gives, and so asks
 * for what issuing the key would; nobody may give it more in between.
 */
async function expire(
  tools: DialectTools,
  { id, version, scopes, expiresAt: end }: ApiKey,
  request: DialectRequest,
  caller: ApiKey,
): Promise<DialectAnswer> {
  const members = membersOf((await request.json()) ?? {});
  const wanted = readTime(members['expires_at']);
  if (wanted === undefined) return unprocessable({ code: 'invalid', field: 'expires_at' });
  const now = tools.now();
  if (end !== undefined && end.getTime() <= now) return ALREADY_EXPIRED;
  const keys = tools.manageAs(caller, request);
  const isNow = members['expires_at'] === undefined || (wanted !== null && wanted.getTime() <= now);
  const isLater = end !== undefined && (wanted === null || wanted > end);
  if (!isNow && isLater && !mayGrant(caller, scopes)) return NOT_GRANTABLE;
  const apiKey = isNow
    ? await keys.expire(id)
    : await keys.update(id, { expiresAt: wanted }, isLater ? { ifVersion: version } : undefined);
  return { status: 200, body: { ...shownKey(apiKey) } };
}
