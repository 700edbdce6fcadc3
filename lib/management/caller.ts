import type { ApiKeys, Internals } from '../api-keys.ts';
import { ApiKeyError } from '../errors.ts';
import { challengesFor } from '../http/challenge.ts';
import { passOf } from '../http/request-pass.ts';
import type { HttpRequest } from '../http/router.ts';
import type { Organization, Owner } from '../keys/api-key.ts';
import { idProblem, scopesProblem, textProblem } from '../keys/fields.ts';
import { coversScope } from '../keys/scopes.ts';
import type { Management, ManagementConfig } from './management-options.ts';

/** Who acts in a request, and what they may. */
export interface Caller {
  readonly organization: Organization;
  readonly owner: Owner;
  /** Whether only the owner's keys exist. */
  readonly isUser: boolean;
  readonly grantableScopes: readonly string[];
  readonly actor: string;
  /** The keys, whose audit events name this caller. */
  readonly keys: ApiKeys;
}

/** An answer of `authorize` that is not one. Its message names members and holds no value of them. */
class MalformedAnswer extends TypeError {}

/** Where no authenticator ran that could say more: how keys are sent unless somebody chose otherwise. */
const DEFAULT_CHALLENGE = { realm: 'api', headers: ['Authorization', 'X-API-Key'], schemes: ['Bearer'] };

const MEMBERS: { readonly [Name in keyof Required<Management>]: true } = {
  organization: true,
  user: true,
  grantableScopes: true,
  actor: true,
};

/** @throws ApiKeyError for whoever may not manage keys, and where that cannot be told */
export async function identifyCaller(
  req: HttpRequest,
  config: ManagementConfig,
  internals: Internals,
): Promise<Caller> {
  requireManagingKey(req, config.apiKeyScope);
  const answer = await ask(req, config, internals);
  const { organization, user, grantableScopes, actor } = answer;
  const { ip } = req;
  return {
    organization,
    owner: user === undefined ? { type: 'organization', id: organization.id } : { type: 'user', id: user.id },
    isUser: user !== undefined,
    grantableScopes,
    actor,
    keys: internals.manageAs(ip === undefined ? { actor } : { actor, from: ip }),
  };
}

/**
 * A request that passed an authenticator is made with a key, whoever else it names. What stands on `req.apiKey` may
 * come from an authenticator that is not known here, of another copy of this package: it never helps, and it may cost.
 */
function requireManagingKey(req: HttpRequest, scope: string): void {
  const apiKey: { readonly scopes?: unknown } | null | undefined =
    passOf(req)?.apiKey ?? (req as { apiKey?: object }).apiKey;
  if (apiKey === undefined || apiKey === null) return;
  const { scopes } = apiKey;
  if (Array.isArray(scopes) && coversScope(scopes, scope)) return;
  const challenges = challengesOf(req, 'insufficient_scope', scope);
  throw new ApiKeyError('insufficient_scope', 'The API key lacks the scope to manage keys.', {
    headers: { 'WWW-Authenticate': challenges },
  });
}

async function ask(
  req: HttpRequest,
  { authorize }: ManagementConfig,
  internals: Internals,
): Promise<Management> {
  try {
    const answer: unknown = await authorize(req as unknown as Parameters<typeof authorize>[0]);
    if (answer !== undefined) return readAnswer(answer);
  } catch (error) {
    if (error instanceof ApiKeyError) throw error;
    tellFault(internals, error);
    throw new ApiKeyError('server_error', 'authorize failed.');
  }
  throw new ApiKeyError('missing_credentials', 'Nobody is signed in who could manage keys.', {
    headers: { 'WWW-Authenticate': challengesOf(req, 'missing_credentials') },
  });
}

function challengesOf(
  req: HttpRequest,
  code: 'missing_credentials' | 'insufficient_scope',
  scope?: string,
): string {
  const voice = passOf(req)?.voice;
  const lines = voice?.challenges(code, scope) ?? challengesFor(code, DEFAULT_CHALLENGE, scope);
  return lines.join(', ');
}

/** Unknown members are refused: a misspelt `user` would open the keys of the whole organization. */
function readAnswer(answer: unknown): Management {
  const { organization, user, grantableScopes, actor } = membersOf(answer, '', Object.keys(MEMBERS));
  const problem = scopesProblem(grantableScopes)?.problem;
  if (problem !== undefined) throw new MalformedAnswer(`grantableScopes ${problem}`);
  check('actor', textProblem(actor, 255));
  return {
    organization: readOrganization(organization),
    ...(user === undefined ? undefined : { user: readUser(user) }),
    grantableScopes: [...(grantableScopes as readonly string[])],
    actor: actor as string,
  };
}

function readOrganization(value: unknown): Organization {
  const { id, slug } = membersOf(value, 'organization ', ['id', 'slug']);
  check('organization.id', idProblem(id));
  if (slug === undefined) return { id: id as string };
  check('organization.slug', textProblem(slug, 255));
  return { id: id as string, slug: slug as string };
}

function readUser(value: unknown): { readonly id: string } {
  const { id } = membersOf(value, 'user ', ['id']);
  check('user.id', idProblem(id));
  return { id: id as string };
}

function membersOf(value: unknown, what: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MalformedAnswer(`${what}must be an object`);
  }
  if (!Object.keys(value).every((name) => known.includes(name))) {
    throw new MalformedAnswer(`${what}must have no members but ${known.join(', ')}`);
  }
  return { ...value };
}

function check(name: string, problem: string | undefined): void {
  if (problem !== undefined) throw new MalformedAnswer(`${name} ${problem}`);
}

/** Tells the operator what no client is told. Of a foreign error only that it came: its message may hold anything. */
function tellFault({ events, clock }: Internals, error: unknown): void {
  if (!events.mayWarn('authorize_failed')) return;
  const what = error instanceof MalformedAnswer ? `its answer: ${error.message}` : 'it threw';
  events.warnOnce('authorize_failed', clock.now(), `authorize of managementRouter() failed; ${what}.`);
}
