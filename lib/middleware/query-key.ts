/** Names under which clients like to put a key in a query string. */
const NAMES = /[?&](?:x-api-key|api[-_]?key|apikey|access_token|token|key)=[^&]/i;

/** Texts of the form of our own keys, under whatever name. Begun at the `=`: a search for the name would be quadratic. */
const KEY_SHAPE = /=[a-z][a-z0-9_]{0,31}_(?:live|test)_[0-9A-Za-z]{38}(?:&|$)/;

/** Whether a URL seems to carry a key. It is only warned of: a query string is no place for one (RFC 6750 section 2.3). */
export function carriesKeyInQuery(url: string): boolean {
  return url.includes('?') && (NAMES.test(url) || KEY_SHAPE.test(url));
}
