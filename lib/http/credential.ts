import type { IncomingMessage } from 'node:http';
import { type BasicCredential, readBasic } from './basic.ts';

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
  /** Which user-ids of Basic are ids of pairs; a pair with any other belongs to somebody else. */
  readonly basicIds?: ((id: string) => boolean) | undefined;
}

/** What a request carries, where there is one thing: a text, or a pair. */
export type Credential = string | BasicCredential;

export interface CredentialProblem {
  readonly code: 'missing_credentials' | 'invalid_request';
  readonly detail: string | undefined;
}

const BASIC = ['basic'];

const MISSING: CredentialProblem = { code: 'missing_credentials', detail: undefined };
const REPEATED = invalid('A header field that carries the key was sent twice.');
const AMBIGUOUS = invalid('The request carries more than one key.');
const EMPTY = invalid('The key in the header is empty.');
const BROKEN = invalid('The header that carries the key has characters that no key has.');
const TOO_MANY_HEADERS = invalid('The request has more header lines than the server reads.');

/** Node's parser hands header lines over in portions; with fewer pairs than one portion nothing was cut off. */
const PORTION = 32;

/** Node's, where `server.maxHeadersCount` says nothing; 0 there is no limit. */
const DEFAULT_MAX_HEADERS = 1_000;

interface Field {
  readonly name: string;
  readonly lower: string;
  readonly bit: number;
}

export class CredentialReader {
  readonly #fields: readonly Field[];
  readonly #schemes: readonly string[];
  readonly #isTokenCharacter: Uint8Array;
  readonly #basicIds: CredentialRules['basicIds'];

  constructor({ headers, schemes, characters, basicIds }: CredentialRules) {
    this.#fields = headers.map((name, index) => ({ name, lower: name.toLowerCase(), bit: 1 << index }));
    this.#schemes = schemes.map((scheme) => scheme.toLowerCase());
    this.#isTokenCharacter = characterTable(characters);
    this.#basicIds = basicIds;
  }

  read(req: IncomingMessage): Credential | CredentialProblem {
    const found = this.#findOne(req.rawHeaders);
    if (isProblem(found)) return found;
    const pairs = req.rawHeaders.length / 2;
    if (pairs >= PORTION && pairs >= maxHeaderPairs(req)) return TOO_MANY_HEADERS;
    if (typeof found !== 'string') return found;
    if (found === '') return EMPTY;
    return isToken68(found, this.#isTokenCharacter) ? found : BROKEN;
  }

  /** The one credential that is there, of whatever form; one scan of all lines. */
  #findOne(rawHeaders: readonly string[]): Credential | CredentialProblem {
    let seen = 0;
    let found: Credential | CredentialProblem = MISSING;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const field = this.#fieldNamed(rawHeaders[i] as string);
      if (field === undefined) continue;
      if ((seen & field.bit) !== 0) return REPEATED;
      seen |= field.bit;
      const here = this.#in(field, rawHeaders[i + 1] as string);
      if (here !== undefined) found = found === MISSING ? here : AMBIGUOUS;
    }
    return found;
  }

  #fieldNamed(name: string): Field | undefined {
    for (const field of this.#fields) {
      if (name.length !== field.name.length) continue;
      if (name === field.name || name === field.lower || name.toLowerCase() === field.lower) return field;
    }
    return undefined;
  }

  /** What one field carries for us; `undefined` for a foreign scheme. */
  #in(field: Field, value: string): Credential | undefined {
    if (field.lower !== 'authorization') return value;
    const text = afterScheme(value, this.#schemes);
    if (text !== undefined || this.#basicIds === undefined) return text;
    const pair = readBasic(afterScheme(value, BASIC) ?? '');
    return pair !== undefined && this.#basicIds(pair.id) ? pair : undefined;
  }
}

/** How many header lines Node keeps; what came after them is not there to be seen. */
function maxHeaderPairs(req: IncomingMessage): number {
  const { server } = req.socket as { server?: { maxHeadersCount?: number | null } };
  const limit = server?.maxHeadersCount ?? DEFAULT_MAX_HEADERS;
  return limit === 0 ? Number.POSITIVE_INFINITY : limit;
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

export function isProblem(read: Credential | CredentialProblem): read is CredentialProblem {
  return typeof read !== 'string' && 'code' in read;
}

function invalid(detail: string): CredentialProblem {
  return { code: 'invalid_request', detail };
}
