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
  /** Schemes of Authorization that carry a key, `''` for a key without one; any other belongs to somebody else. */
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
/** A text that is not sound. */
export const BROKEN: CredentialProblem = invalid(
  'The header that carries the key has characters that no key has.',
);
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
  /** 1 at each length that one of the names has. */
  readonly #lengths: Uint8Array;
  readonly #schemes: readonly string[];
  readonly #isTokenCharacter: Uint8Array;
  readonly #basicIds: CredentialRules['basicIds'];
  /** The start of Authorization as nearly all clients write it. */
  readonly #usualStart: string;

  constructor({ headers, schemes, characters, basicIds }: CredentialRules) {
    this.#fields = headers.map((name, index) => ({ name, lower: name.toLowerCase(), bit: 1 << index }));
    this.#lengths = new Uint8Array(1 + Math.max(...headers.map(({ length }) => length)));
    for (const { length } of headers) this.#lengths[length] = 1;
    this.#schemes = schemes.map((scheme) => scheme.toLowerCase());
    this.#isTokenCharacter = characterTable(characters);
    this.#basicIds = basicIds;
    this.#usualStart = `${schemes[0] ?? ''} `;
  }

  read(req: IncomingMessage): Credential | CredentialProblem {
    const found = this.find(req);
    return typeof found !== 'string' || this.isSound(found) ? found : BROKEN;
  }

  /** As {@link read}, but a text is yet to be asked about: it may have characters that no key has. */
  find(req: IncomingMessage): Credential | CredentialProblem {
    const { rawHeaders } = req;
    const found = this.#findOne(rawHeaders);
    if (typeof found !== 'string' && isProblem(found)) return found;
    if (rawHeaders.length >= 2 * PORTION && mayLackHeaders(req)) return TOO_MANY_HEADERS;
    return found === '' ? EMPTY : found;
  }

  /** Whether a text is of the grammar that keys have. Can be handed on by itself. */
  readonly isSound = (text: string): boolean => isToken68(text, this.#isTokenCharacter);

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
    // Nearly every other name differs in its length.
    if (this.#lengths[name.length] !== 1) return undefined;
    for (const field of this.#fields) {
      if (name === field.name || name === field.lower || name.toLowerCase() === field.lower) return field;
    }
    return undefined;
  }

  /** What one field carries for us; `undefined` for a foreign scheme. */
  #in(field: Field, value: string): Credential | undefined {
    if (field.lower !== 'authorization') return value;
    const start = this.#usualStart;
    if (value.startsWith(start) && value.charCodeAt(start.length) !== 0x20) return value.slice(start.length);
    const text = afterScheme(value, this.#schemes);
    if (text !== undefined || this.#basicIds === undefined) return text;
    const pair = readBasic(afterScheme(value, BASIC) ?? '');
    return pair !== undefined && this.#basicIds(pair.id) ? pair : undefined;
  }
}

/** Whether there may have been more header lines than we were given, so that one may have come twice unseen. */
export function mayLackHeaders(req: IncomingMessage): boolean {
  const pairs = req.rawHeaders.length / 2;
  return pairs >= PORTION && pairs >= maxHeaderPairs(req);
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
  if (!lowerSchemes.includes(value.slice(0, end).toLowerCase())) {
    return end === value.length && lowerSchemes.includes('') ? value : undefined;
  }
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
