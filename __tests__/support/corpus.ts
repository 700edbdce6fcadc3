import { readFileSync } from 'node:fs';
import type { JwtRecipe } from './jwt-builder.ts';

/** One bad input, and the answer it must get. */
export interface CorpusCase {
  readonly id: string;
  readonly category: string;
  readonly why: string;
  /** The fault, clock, option, load or interleaving under which the request is sent. */
  readonly given?: Given;
  /** What `{{jwt}}` stands for. */
  readonly build?: { readonly jwt: JwtRecipe };
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: readonly (readonly [string, string])[];
    readonly body: string | null;
    readonly bodyEncoding?: 'latin1';
  };
  readonly expect: Expected;
}

export interface Given {
  readonly cache?: string;
  readonly store?: { readonly get?: string } & Readonly<Record<string, string>>;
  readonly clock?: string;
  readonly transport?: string;
  readonly option?: string;
  readonly scenario?: string;
  readonly jwks?: string;
  readonly load?: string;
  readonly path?: string;
  /** What went on before the request. */
  readonly before?: string;
}

export interface Expected {
  /** 0: refused when it is put together. */
  readonly status: number | readonly number[];
  /** `code` of the body; `null` is not looked at. */
  readonly error: string | null;
  /** Beginnings of field values; `null` is a field that is not there. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly storeLookups?: number;
  readonly reachesApp?: boolean;
  readonly noEcho?: boolean;
  readonly withinMs?: number | string;
  readonly json?: Readonly<Record<string, unknown>>;
}

export const CORPUS: readonly CorpusCase[] = JSON.parse(
  readFileSync(new URL('../data/bad-inputs.json', import.meta.url), 'utf8'),
);

/** The validate endpoints: there the vendor's own envelope stands in the place of a code. */
const VENDOR_PATHS: readonly string[] = [
  '/api/runs/auth/validate',
  '/api-keys/validate',
  '/v1/auth/api-key/validate',
  '/me/api-keys/current',
  '/api_keys/validations',
];

/** What binds of the expectation of a case. */
export function bindingOf({ request, expect }: CorpusCase): Expected {
  return VENDOR_PATHS.includes(request.path) ? { ...expect, error: null } : expect;
}

/** Cases that the design answers otherwise on purpose: why, and with what. */
export const EXCEPTIONS: readonly {
  readonly id: string;
  readonly reason: string;
  readonly answer: Expected;
}[] = [
  {
    id: 'KF-019',
    reason: 'A key does not tell the pepper of its digest, so to find it unknown costs one look-up.',
    answer: { status: 401, error: 'invalid_token', storeLookups: 1 },
  },
  {
    id: 'JW-071',
    reason: 'Node refuses a head of more than 16 kB by itself, with no body.',
    answer: { status: 431, error: null, storeLookups: 0 },
  },
  {
    id: 'LC-015',
    reason:
      'No scope is empty, so a record with an empty one is broken, and a broken record decides nothing.',
    answer: { status: 503, error: 'temporarily_unavailable' },
  },
  {
    id: 'LC-025',
    reason: 'Keys are not bound to addresses: metadata that says so is for the application to judge.',
    answer: { status: 200, error: null },
  },
  {
    id: 'MG-013',
    reason: '5,000 scopes are more than the 16 kB that a body may have, so they are not even counted.',
    answer: { status: 413, error: 'payload_too_large' },
  },
  {
    id: 'SF-033',
    reason: 'The text of a key holds no id, so a record under a copied digest is as good as the true one.',
    answer: { status: 200, error: null },
  },
  {
    id: 'VC-005',
    reason: "Whatever fails is a 500 on this vendor's server, which its clients do not take for a bad key.",
    answer: { status: 500, error: null, json: { error: 'Internal Server Error' } },
  },
  {
    id: 'VC-020',
    reason: 'The value costs no look-up, but the caller is known by a key of its own, which costs one.',
    answer: { status: 200, error: null, json: { api_key: null }, storeLookups: 1 },
  },
];
