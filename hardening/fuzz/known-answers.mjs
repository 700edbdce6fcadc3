// The answers that there are: every body is one of these texts, and nothing of a request is ever in one.

/** By code: status, title, and what may be said of it. @type {Readonly<Record<string, readonly [number, string, readonly string[]]>>} */
const PROBLEMS = {
  missing_credentials: [401, 'Unauthorized', ['This resource needs an API key.']],
  invalid_request: [
    400,
    'Bad Request',
    [
      'A header field that carries the key was sent twice.',
      'The request carries more than one key.',
      'The key in the header is empty.',
      'The header that carries the key has characters that no key has.',
      'The request has more header lines than the server reads.',
    ],
  ],
  invalid_token: [401, 'Unauthorized', ['The API key is not valid.']],
  rate_limited: [429, 'Too Many Requests', ['Too many wrong secrets; try again later.']],
};

/** @type {ReadonlyMap<string, string>} */
const CODES_BY_BODY = new Map(
  Object.entries(PROBLEMS).flatMap(([code, [status, title, details]]) =>
    details.map((detail) => [JSON.stringify({ type: 'about:blank', title, status, detail, code }), code]),
  ),
);

/** Of an answer of the middleware: its code where status, body and challenges are as they are documented. */
/** @param {{ status: number, body: string, challenges: number }} answer @returns {string | undefined} */
export function codeOf({ status, body, challenges }) {
  const code = CODES_BY_BODY.get(body);
  if (code === undefined || PROBLEMS[code]?.[0] !== status) return undefined;
  return challenges === (code === 'rate_limited' ? 0 : 2) ? code : undefined;
}
