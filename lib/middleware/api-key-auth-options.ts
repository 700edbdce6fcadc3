import type { ErrorFormat } from '../http/dialect.ts';
import { badOption, checkOptionNames, describe, oneOf } from '../options.ts';
import type { ErrorHandler } from './voice.ts';

/** Where keys are read from, who must bring one, and who words a refusal. */
export interface ApiKeyAuthOptions {
  /**
   * `optional` lets requests without a key pass as anonymous. One with a bad key is refused all the same, and a store
   * that is down is a 503. @default 'required'
   */
  mode?: 'required' | 'optional' | undefined;
  /** All header fields that are read; `Vary` and the challenges follow. @default ['Authorization', 'X-API-Key'] */
  headers?: readonly string[] | undefined;
  /** Schemes of Authorization that carry a key, such as `Api-Key`. @default ['Bearer'] */
  schemes?: readonly string[] | undefined;
  /** @default 'api' */
  realm?: string | undefined;
  /** Refuses what comes over plain HTTP before anything is read, by the hop nearest to us. @default false */
  requireTls?: boolean | undefined;
  /**
   * Who words a refusal: a vendor's format, or a function that ends the response; status and header fields are set
   * when it is called. If it throws, the answer is a 500. @default RFC 9457 problem+json
   */
  errors?: ErrorFormat | ErrorHandler | undefined;
}

export interface ApiKeyAuthConfig {
  readonly mode: 'required' | 'optional';
  readonly headers: readonly string[];
  readonly schemes: readonly string[];
  readonly realm: string;
  readonly requireTls: boolean;
  readonly errors: ErrorFormat | ErrorHandler | undefined;
}

const OWNER = 'apiKeyAuth';
const OPTION_NAMES: { readonly [Name in keyof Required<ApiKeyAuthOptions>]: true } = {
  mode: true,
  headers: true,
  schemes: true,
  realm: true,
  requireTls: true,
  errors: true,
};
const MOST_HEADERS = 8;

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;

/** @throws TypeError for the first option that is wrong */
export function readApiKeyAuthOptions(options: ApiKeyAuthOptions): ApiKeyAuthConfig {
  checkOptionNames(OWNER, options, Object.keys(OPTION_NAMES));
  return Object.freeze({
    mode: oneOf(OWNER, 'mode', options.mode, 'required', ['required', 'optional']),
    headers: readHeaders(options.headers),
    schemes: readTokens('schemes', options.schemes, ['Bearer']),
    realm: readRealm(options.realm),
    requireTls: oneOf(OWNER, 'requireTls', options.requireTls, false, [true, false]),
    errors: readErrors(options.errors),
  });
}

function readHeaders(value: unknown): readonly string[] {
  const headers = readTokens('headers', value, ['Authorization', 'X-API-Key']);
  const cookie = headers.find((name) => /^(?:set-)?cookie$/i.test(name));
  if (cookie === undefined) return headers;
  throw new TypeError(
    `${OWNER}: headers must not include ${describe(cookie)}: browsers send cookies for others`,
  );
}

function readTokens(name: string, value: unknown, fallback: readonly string[]): readonly string[] {
  if (value === undefined) return fallback;
  const isList = Array.isArray(value) && value.length > 0 && value.length <= MOST_HEADERS;
  if (!isList) throw badOption(OWNER, name, `an array of 1 to ${MOST_HEADERS} names`, value);
  const seen = new Set<string>();
  for (const [index, token] of (value as unknown[]).entries()) {
    if (typeof token !== 'string' || !TOKEN.test(token)) {
      throw badOption(OWNER, `${name}[${index}]`, 'a name as RFC 9110 section 5.6.2 has it', token);
    }
    if (seen.has(token.toLowerCase())) throw new TypeError(`${OWNER}: ${name} has ${describe(token)} twice`);
    seen.add(token.toLowerCase());
  }
  return Object.freeze([...(value as string[])]);
}

function readRealm(value: unknown): string {
  if (value === undefined) return 'api';
  if (typeof value === 'string' && /^[\x20-\x21\x23-\x5B\x5D-\x7E]{1,100}$/.test(value)) return value;
  throw badOption(OWNER, 'realm', '1 to 100 ASCII characters without quote and backslash', value);
}

function readErrors(value: unknown): ErrorFormat | ErrorHandler | undefined {
  if (value === undefined || typeof value === 'function') return value as ErrorHandler | undefined;
  if (typeof (value as Partial<ErrorFormat> | null)?.error === 'function') return value as ErrorFormat;
  throw badOption(OWNER, 'errors', 'a function or a dialect', value);
}
