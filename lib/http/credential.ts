/**
 * Reads the credential out of a request's header fields.
 *
 *   Authorization = scheme [ 1*SP token68 ]                     ; RFC 9110 section 11.4
 *   scheme        = token                                       ; matched without regard to ASCII case
 *   token68       = 1*( ALPHA / DIGIT / "-._~+/" ) *"="         ; RFC 9110 section 11.2
 *   X-API-Key     = token68
 *
 * From `rawHeaders`: in `req.headers` Node keeps the first of two Authorization lines, and joins two X-API-Key
 * lines, so that ambiguity cannot be seen there. Whatever is ambiguous is refused, never resolved.
 */
export interface CredentialRules {
  /** Names of the fields that are read; all of them. */
  readonly headers: readonly string[];
  /** Schemes of Authorization that carry a key; any other scheme belongs to somebody else. */
  readonly schemes: readonly string[];
  /** Visible ASCII characters that are allowed beside those of token68. */
  readonly characters: string;
}

export interface CredentialProblem {
  readonly code: 'missing_credentials' | 'invalid_request';
  readonly detail: string | undefined;
}

/** @param maxHeaderPairs - how many header lines Node keeps; what came after is not there to be seen */
export type CredentialReader = (
  rawHeaders: readonly string[],
  maxHeaderPairs: () => number,
) => string | CredentialProblem;

const MISSING: CredentialProblem = { code: 'missing_credentials', detail: undefined };
const REPEATED = invalid('A header field that carries the key was sent twice.');
const AMBIGUOUS = invalid('The request carries more than one key.');
const EMPTY = invalid('The key in the header is empty.');
const BROKEN = invalid('The header that carries the key has characters that no key has.');
const TOO_MANY_HEADERS = invalid('The request has more header lines than the server reads.');

/** Node's parser hands header lines over in portions; with fewer pairs than one portion nothing was cut off. */
const PORTION = 32;

export function createCredentialReader({ headers, schemes, characters }: CredentialRules): CredentialReader {
  const fields = headers.map((name, index) => ({ name, lower: name.toLowerCase(), bit: 1 << index }));
  const lowerSchemes = schemes.map((scheme) => scheme.toLowerCase());
  const isTokenCharacter = characterTable(characters);

  function fieldNamed(name: string): (typeof fields)[number] | undefined {
    for (const field of fields) {
      if (name.length !== field.name.length) continue;
      if (name === field.name || name === field.lower || name.toLowerCase() === field.lower) return field;
    }
    return undefined;
  }

  /** The one text that is there, of whatever form; one scan of all lines. */
  function findText(rawHeaders: readonly string[]): string | CredentialProblem {
    let seen = 0;
    let text: string | CredentialProblem = MISSING;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const field = fieldNamed(rawHeaders[i] as string);
      if (field === undefined) continue;
      if ((seen & field.bit) !== 0) return REPEATED;
      seen |= field.bit;
      const part = textIn(field.lower, rawHeaders[i + 1] as string);
      if (part !== undefined) text = text === MISSING ? part : AMBIGUOUS;
    }
    return text;
  }

  function textIn(lowerName: string, value: string): string | undefined {
    return lowerName === 'authorization' ? afterScheme(value, lowerSchemes) : value;
  }

  return (rawHeaders, maxHeaderPairs) => {
    const text = findText(rawHeaders);
    if (typeof text !== 'string') return text;
    const pairs = rawHeaders.length / 2;
    if (pairs >= PORTION && pairs >= maxHeaderPairs()) return TOO_MANY_HEADERS;
    if (text === '') return EMPTY;
    return isToken68(text, isTokenCharacter) ? text : BROKEN;
  };
}

/** What follows one of our schemes, `''` where nothing does; `undefined` after a foreign scheme. */
function afterScheme(value: string, lowerSchemes: readonly string[]): string | undefined {
  if (value === '') return '';
  let end = 0;
  while (end < value.length && !isBlank(value.charCodeAt(end))) end += 1;
  if (!lowerSchemes.includes(value.slice(0, end).toLowerCase())) return undefined;
  // Only spaces part the scheme from the key; a tab stays, and breaks the grammar.
  while (value.charCodeAt(end) === 0x20) end += 1;
  return value.slice(end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** One scan: token characters, at least one, then only `=`. */
function isToken68(text: string, isTokenCharacter: Uint8Array): boolean {
  let i = 0;
  while (i < text.length && isTokenCharacter[text.charCodeAt(i)] === 1) i += 1;
  if (i === 0) return false;
  while (text.charCodeAt(i) === 0x3d) i += 1;
  return i === text.length;
}

function characterTable(more: string): Uint8Array {
  const table = new Uint8Array(128);
  const token68 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/';
  for (const character of token68 + more) table[character.charCodeAt(0)] = 1;
  return table;
}

function invalid(detail: string): CredentialProblem {
  return { code: 'invalid_request', detail };
}
