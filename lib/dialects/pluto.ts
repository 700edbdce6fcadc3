// Trainy Pluto (once mlop), as its server of 12 August 2026 answers: its middleware, and the two routes behind it.
import type { ErrorCode } from '../errors.ts';
import { deprecationHeaders } from '../http/deprecation.ts';
import type { DialectAnswer } from '../http/dialect.ts';
import { titleOf, wordsOf } from '../http/problem.ts';
import type { ApiKey, Organization } from '../keys/api-key.ts';
import type { RefusalReason } from '../keys/checks.ts';
import type { Json } from '../keys/metadata.ts';
import type { Dialect, DialectRequest, DialectTools } from './dialect.ts';

/** 401 without a message: no header, an empty one, a scheme without a key, a key without a scheme, two spaces. */
const MISSING = refusal();

/** What its users are told, by why a key was refused; of the last five it knows nothing, and so has no such key. */
const REFUSALS: Readonly<Record<RefusalReason, DialectAnswer>> = {
  malformed: refusal('Invalid API key'),
  unknown: refusal('Key not found'),
  expired: refusal('API key has expired'),
  revoked: refusal('API key has been revoked'),
  rotated: refusal('Key not found'),
  disabled: refusal('Key not found'),
  not_yet_valid: refusal('Key not found'),
  owner_inactive: refusal('Key not found'),
  wrong_environment: refusal('Key not found'),
};

/** Any other method, and a slash behind a path, once the key is good. */
const NOT_FOUND: DialectAnswer = {
  status: 404,
  headers: { 'Content-Type': 'text/plain; charset=UTF-8' },
  body: '404 Not Found',
};

/** Whatever throws. */
const FAULT: DialectAnswer = { status: 500, body: { error: 'Internal Server Error' } };

const ERRORS: { readonly [Code in ErrorCode]?: DialectAnswer } = {
  missing_credentials: MISSING,
  invalid_token: REFUSALS.malformed,
  temporarily_unavailable: FAULT,
  server_error: FAULT,
};

/**
 * `GET /api/runs/auth/validate` and `POST /api/slug` of Trainy Pluto. Keys that it issued are known by `plutoKeys()`.
 */
export function pluto(): Dialect {
  return {
    name: 'pluto',
    routes: (tools) => [
      {
        method: 'GET',
        path: '/api/runs/auth/validate',
        handle: (request) => answerTo(request, tools, (apiKey) => ok(validated(apiKey))),
      },
      {
        method: 'POST',
        path: '/api/slug',
        handle: (request) =>
          answerTo(request, tools, (apiKey) => ok({ organization: { slug: slugOf(apiKey.organization) } })),
      },
    ],
    unmatched: (request, tools) => answerTo(request, tools, () => NOT_FOUND),
    error: (error) =>
      ERRORS[error.code] ?? {
        status: error.status,
        body: { error: titleOf(error.code), message: wordsOf(error) },
      },
  };
}

async function answerTo(
  request: DialectRequest,
  tools: DialectTools,
  answer: (apiKey: ApiKey) => DialectAnswer,
): Promise<DialectAnswer> {
  // Its middleware takes the second word, after whatever scheme; X-API-Key it does not read.
  const key = request.header('Authorization')?.split(' ')[1];
  if (!key) return MISSING;
  const verdict = await tools.verify(key, request);
  if (!verdict.ok) return REFUSALS[reasonFor(key, verdict.reason, verdict.apiKey, tools.now())];
  const { apiKey, graceUntil } = verdict;
  const { headers, ...rest } = answer(apiKey);
  return { ...rest, headers: { ...headers, ...deprecationHeaders(apiKey.rotatedAt, graceUntil) } };
}

/** It looks up whatever begins with a prefix of its own, and looks at the end of a key before its revocation. */
function reasonFor(
  key: string,
  reason: RefusalReason,
  apiKey: ApiKey | undefined,
  now: number,
): RefusalReason {
  if (reason === 'malformed' && /^mlp[si]_/.test(key)) return 'unknown';
  const hasExpired = apiKey?.expiresAt !== undefined && apiKey.expiresAt.getTime() <= now;
  return reason === 'revoked' && hasExpired ? 'expired' : reason;
}

function validated({ organization, createdBy, owner }: ApiKey): Json {
  return {
    valid: true,
    organization: { id: organization.id, slug: slugOf(organization) },
    user: { id: createdBy ?? owner.id },
  };
}

function slugOf({ id, slug }: Organization): string {
  return slug ?? id;
}

function ok(body: Json): DialectAnswer {
  return { status: 200, body };
}

function refusal(message?: string): DialectAnswer {
  const body = { error: 'Unauthorized' };
  return { status: 401, body: message === undefined ? body : { ...body, message } };
}
