/** What is answered with a code, written down apart from the code under test. */
const ANSWERS: Readonly<Record<string, readonly [status: number, title: string, detail: string]>> = {
  missing_credentials: [401, 'Unauthorized', 'This resource needs an API key.'],
  invalid_token: [401, 'Unauthorized', 'The API key is not valid.'],
  insufficient_scope: [403, 'Forbidden', 'The API key lacks a scope that this resource needs.'],
  forbidden: [403, 'Forbidden', 'The API key may not be used for this resource.'],
  tls_required: [403, 'Forbidden', 'API keys are accepted over HTTPS only.'],
  rate_limited: [429, 'Too Many Requests', 'Too many wrong secrets; try again later.'],
  temporarily_unavailable: [
    503,
    'Service Unavailable',
    'API keys cannot be checked at the moment; try again soon.',
  ],
  server_error: [500, 'Internal Server Error', 'Something went wrong.'],
  invalid_request: [400, 'Bad Request', ''],
};

/** The whole body, as text, of an answer in problem+json. */
export function problemOf(code: string, ownDetail?: string): string {
  const [status, title, detail] = ANSWERS[code] ?? [0, '', ''];
  return JSON.stringify({ type: 'about:blank', title, status, detail: ownDetail ?? detail, code });
}

export const API_KEY_CHALLENGE = 'ApiKey realm="api", header="X-API-Key"';

/** All header lines of a refusal, but Node's and Express's own, in the order of the alphabet. */
export function refusalFields(body: string, more: readonly string[] = []): string[] {
  return [
    'Cache-Control: no-store',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Content-Type: application/problem+json',
    'Vary: Authorization, X-API-Key',
    ...more,
  ].sort();
}

/** The two lines of a challenge; the parameters are those of the first. */
export function challengeFields(parameters: string): string[] {
  return [`WWW-Authenticate: Bearer realm="api"${parameters}`, `WWW-Authenticate: ${API_KEY_CHALLENGE}`];
}
