// Every text that an error of a validate endpoint or of management may be worded in.

/** The end of a path to a member of the request, where its name is short and plain: nothing else of a request is told. */
const POINTER = '(?:The input|(?:/[\\w$~-]{1,32})+)';

const FIXED = [
  ...[
    'about:blank',
    'Bad Request',
    'Unauthorized',
    'Forbidden',
    'Not Found',
    'Conflict',
    'Content Too Large',
  ],
  ...['Unsupported Media Type', 'Too Many Requests', 'api-key', 'request'],
  ...['invalid_request', 'missing_credentials', 'insufficient_scope', 'forbidden', 'not_found', 'conflict'],
  ...[
    'payload_too_large',
    'unsupported_media_type',
    'rate_limited',
    'invalid_client',
    'temporarily_unavailable',
  ],
  ...['unauthorized', 'invalid_request_body', 'rate_limit_exceeded', 'invalid_token'],
  'type.googleapis.com/internal.endor.ai.rpc.v1.HTTPErrorInfo',
  'The body has a text with U+0000, U+FFFD or half of a surrogate pair.',
  'The body has two members of one name.',
  'The body is more than 8 levels deep.',
  'The body is not JSON.',
  'The body is not UTF-8.',
  'The body is not in its Content-Encoding.',
  'The body has more than 16384 bytes.',
  'The body broke off.',
  'The Content-Encoding must be gzip, deflate, br or none.',
  'The body must be application/json, in UTF-8.',
  'The body must be application/x-www-form-urlencoded, in UTF-8.',
  'The form must have a token.',
  'The form has a parameter twice.',
  'The caller needs a key of its own that is good.',
  'The request is not well-formed.',
  'The API key may not be used for this resource.',
  'Nobody is signed in who could manage keys.',
  'Nobody sets this from outside.',
  'You may not grant this scope.',
  'There is no such key.',
  'Too many wrong secrets; try again later.',
  'Problems parsing JSON',
  'Invalid API key',
  'Invalid API key.',
  'API key expired',
  'Expired API key.',
  'API key has been revoked',
  'API key has expired',
  'Key not found',
  'invalid ValidateAPIKeyReq: the body must be one JSON object with key and secret',
  'invalid ValidateAPIKeyReq: it has a field that ValidateAPIKeyReq does not have',
  '',
];
const PATTERNS = [
  `(?:${POINTER})?`,
  `${POINTER} is not known; (?:did you mean "\\w+"\\?|known: [\\w, ]+|nothing is taken here)`,
  `${POINTER} (?:is missing|must be an object|must be an array of scopes|must be at most 1000 scopes)`,
  `${POINTER} must be "\\w+" or "\\w+"`,
  `${POINTER} must be a text of 1 to 100 characters`,
  `${POINTER} must be well-formed Unicode(?: without NUL)?`,
  `${POINTER} must be a time such as "2026-03-01T10:00:00Z" \\(RFC 3339\\)`,
  `${POINTER} must be (?:in the future|after notBefore|before expiresAt)`,
  `${POINTER} must be a whole number from 0 to 2592000000 \\(30 days\\)`,
  `${POINTER} must be 1 to 128 visible ASCII characters without space, quote or backslash \\(RFC 6749 section 3\\.3\\)`,
  `${POINTER} may hold "\\*" only as its end, after a colon, as in "reports:\\*"`,
  `${POINTER} must not be (?:named )?"(?:__proto__|constructor|prototype|toJSON)"`,
  `${POINTER} must be at most (?:10000 bytes as JSON(?:, and is \\d+)?|16 levels deep)`,
  'invalid ValidateAPIKeyReq\\.(?:Key|Secret|IssuingUser|Valid): value (?:is required|must be [\\w ]+)',
].map((source) => new RegExp(`^(?:${source})$`));

const KNOWN = new Set(FIXED);

/** @param {number} status @param {unknown} body @returns {boolean} */
export function isKnownBody(status, body) {
  if (status < 300) return true;
  if (typeof body === 'string') return KNOWN.has(body) || PATTERNS.some((pattern) => pattern.test(body));
  return (
    typeof body !== 'object' || body === null || Object.values(body).every((one) => isKnownBody(status, one))
  );
}
