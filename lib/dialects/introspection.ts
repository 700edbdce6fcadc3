// OAuth 2.0 Token Introspection, RFC 7662.

import { readJwt } from '../authentication/jwt-text.ts';
import type { Accepted, Verdict } from '../authentication/verdict.ts';
import { ApiKeyError, type ErrorCode } from '../errors.ts';
import { type BasicCredential, readBasic } from '../http/basic.ts';
import { deprecationHeaders } from '../http/deprecation.ts';
import type { DialectAnswer } from '../http/dialect.ts';
import { wordsOf } from '../http/problem.ts';
import type { ApiKey } from '../keys/api-key.ts';
import type { Json } from '../keys/metadata.ts';
import { coversScope, requiredScopeProblem } from '../keys/scopes.ts';
import { badOption, checkOptionNames } from '../options.ts';
import type { Dialect, DialectRequest, DialectTools } from './dialect.ts';

const OWNER = 'introspection';

/** Who may ask `introspection()`, about whose keys, and at which path. */
export interface IntrospectionOptions {
  /** What the caller's own key must be allowed. @default 'keys:validate' */
  scope?: string | undefined;
  /** With this one beside it, a caller sees the keys of every organization. @default 'keys:any-organization' */
  anyOrganizationScope?: string | undefined;
  /** Where it answers, below where it is mounted. @default '/introspect' */
  path?: string | undefined;
}

interface IntrospectionConfig {
  readonly scope: string;
  readonly anyOrganizationScope: string;
  readonly path: string;
}

/**
 * Token introspection for OAuth libraries: `POST /introspect` with a form of `token`. The caller shows a key of its
 * own, as Bearer or as Basic with the key's id for a user-id. Of a token that is not good, or belongs to another
 * organization than the caller, nothing is told but `{"active": false}`.
 *
 * @throws TypeError for an option that is wrong
 */
export function introspection(options: IntrospectionOptions = {}): Dialect {
  const config = readOptions(options);
  return {
    name: OWNER,
    routes(tools) {
      const callers = new Callers(tools);
      return [
        { method: 'POST', path: config.path, handle: (request) => answer(request, tools, callers, config) },
      ];
    },
    error: wordError,
  };
}

async function answer(
  request: DialectRequest,
  tools: DialectTools,
  callers: Callers,
  config: IntrospectionConfig,
): Promise<DialectAnswer> {
  // Before the body is read: to a stranger, every token is the same.
  const caller = await callers.verify(request);
  if (!caller.ok) return strangerAnswer(caller.problem);
  const { scopes, organization } = caller.apiKey;
  if (!coversScope(scopes, config.scope)) return outOfScopeAnswer(config.scope);
  const headers = deprecationHeaders(caller.apiKey.rotatedAt, caller.graceUntil);
  const token = (await request.form()).get('token') ?? '';
  if (token === '') throw new ApiKeyError('invalid_request', 'The form must have a token.');
  const verdict = await tools.verify(token, request);
  const isSeen =
    verdict.ok &&
    (verdict.apiKey.organization.id === organization.id || coversScope(scopes, config.anyOrganizationScope));
  return { status: 200, headers, body: isSeen ? activeBody(token, verdict) : { active: false } };
}

type Caller = Accepted | { readonly ok: false; readonly problem: 'missing' | 'invalid' };

const NOBODY: Caller = { ok: false, problem: 'missing' };
const WRONG: Caller = { ok: false, problem: 'invalid' };

/** Who asks, by a key of its own. */
class Callers {
  readonly #tools: DialectTools;
  readonly #bearerIn: (request: DialectRequest) => string | undefined;

  constructor(tools: DialectTools) {
    this.#tools = tools;
    this.#bearerIn = tools.keyIn('Authorization', 'Bearer');
  }

  async verify(request: DialectRequest): Promise<Caller> {
    const bearer = this.#bearerIn(request);
    if (bearer !== undefined) return accepted(await this.#tools.verify(bearer, request));
    const client = basicClient(request.header('Authorization'));
    if (client === undefined) return NOBODY;
    const verdict = accepted(await this.#verifyClient(client, request));
    return verdict.ok && verdict.apiKey.id === client.id ? verdict : WRONG;
  }

  /** The secret is the key itself, or of a pair its second half; the shape of the two tells which. */
  async #verifyClient({ id, secret }: BasicCredential, request: DialectRequest): Promise<Verdict> {
    const verdict = await this.#tools.verify(secret, request);
    const isNoKey = !verdict.ok && verdict.reason === 'malformed';
    return isNoKey ? this.#tools.verify(`${id}.${secret}`, request) : verdict;
  }
}

function accepted(verdict: Verdict): Caller {
  return verdict.ok ? verdict : WRONG;
}

/** RFC 6749 section 2.3.1: both parts are written as in a form before they are put together. */
function basicClient(header: string | undefined): BasicCredential | undefined {
  const token68 = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(header ?? '')?.[1];
  const pair = token68 === undefined ? undefined : readBasic(token68);
  if (pair === undefined) return undefined;
  try {
    return { id: formDecoded(pair.id), secret: formDecoded(pair.secret) };
  } catch {
    return undefined;
  }
}

/** @throws URIError */
function formDecoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

/** Only what is known: a member that is not there was not said. */
function activeBody(token: string, { apiKey, graceUntil }: Accepted): Json {
  const { id, owner, organization, scopes, notBefore, expiresAt } = apiKey;
  const claims = apiKey.kind === 'jwt' ? claimsOf(token) : NO_CLAIMS;
  const ends = [claims.exp, seconds(expiresAt), seconds(graceUntil)].filter((end) => end !== undefined);
  const members = {
    active: true,
    scope: scopes.join(' '),
    client_id: id,
    sub: owner.id,
    exp: ends.length === 0 ? undefined : Math.min(...ends),
    iat: claims.iat ?? (graceUntil === undefined ? issuedAt(apiKey) : undefined),
    nbf: claims.nbf ?? seconds(notBefore),
    iss: claims.iss,
    aud: claims.aud,
    jti: id,
    token_type: 'Bearer',
    organization: organizationOf(organization),
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Json;
}

interface Claims {
  readonly iss?: string | undefined;
  readonly aud?: string | undefined;
  readonly iat?: number | undefined;
  readonly exp?: number | undefined;
  readonly nbf?: number | undefined;
}

const NO_CLAIMS: Claims = {};

/** Of a JWT that was accepted, so what it says is proved. */
function claimsOf(token: string): Claims {
  const payload = readJwt(token)?.payload ?? new Map();
  const names = ['iss', 'aud', 'iat', 'exp', 'nbf'];
  return Object.fromEntries(names.map((name) => [name, payload.get(name)]));
}

/** The current key's own beginning. Of one in its grace nobody knows it, since several may have gone before. */
function issuedAt({ rotatedAt, createdAt }: ApiKey): number | undefined {
  return seconds(rotatedAt ?? createdAt);
}

function organizationOf({ id, slug }: ApiKey['organization']): Json {
  return slug === undefined ? { id } : { id, slug };
}

function seconds(time: Date | undefined): number | undefined {
  return time === undefined ? undefined : Math.floor(time.getTime() / 1_000);
}

const REALM = 'realm="api"';

/** RFC 6749 section 5.2. */
function strangerAnswer(problem: 'missing' | 'invalid'): DialectAnswer {
  // RFC 6750 section 3.1: no error code where nothing was sent.
  const error = problem === 'missing' ? '' : ', error="invalid_token"';
  return {
    status: 401,
    headers: { 'WWW-Authenticate': `Bearer ${REALM}${error}, Basic ${REALM}` },
    body: { error: 'invalid_client', error_description: 'The caller needs a key of its own that is good.' },
  };
}

function outOfScopeAnswer(scope: string): DialectAnswer {
  const challenge = `Bearer ${REALM}, error="insufficient_scope", scope="${scope}"`;
  return {
    status: 403,
    headers: { 'WWW-Authenticate': challenge },
    body: { error: 'insufficient_scope', error_description: 'The key of the caller lacks a scope.' },
  };
}

/** The names that RFC 6749 and RFC 6750 have for errors. */
const OAUTH_ERRORS: { readonly [Code in ErrorCode]?: string } = {
  missing_credentials: 'invalid_token',
  invalid_token: 'invalid_token',
  insufficient_scope: 'insufficient_scope',
  forbidden: 'access_denied',
  tls_required: 'access_denied',
  rate_limited: 'temporarily_unavailable',
  temporarily_unavailable: 'temporarily_unavailable',
  server_error: 'server_error',
};

function wordError(error: ApiKeyError): DialectAnswer {
  const { code, status, headers } = error;
  const body = { error: OAUTH_ERRORS[code] ?? 'invalid_request', error_description: wordsOf(error) };
  return { status, headers, body };
}

function readOptions(options: IntrospectionOptions): IntrospectionConfig {
  const given = checkOptionNames(OWNER, options, ['scope', 'anyOrganizationScope', 'path']);
  const path = given['path'] ?? '/introspect';
  if (typeof path !== 'string' || !/^(?:\/[\w.~-]+)+$/.test(path)) {
    throw badOption(OWNER, 'path', 'a path such as "/introspect"', path);
  }
  return {
    scope: readScope('scope', given['scope'] ?? 'keys:validate'),
    anyOrganizationScope: readScope(
      'anyOrganizationScope',
      given['anyOrganizationScope'] ?? 'keys:any-organization',
    ),
    path,
  };
}

function readScope(name: string, value: unknown): string {
  const problem = requiredScopeProblem(value);
  if (problem === undefined) return value as string;
  throw badOption(OWNER, name, `a scope, which ${problem}`, value);
}
