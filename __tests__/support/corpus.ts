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

function ids(prefix: string, numbers: string): string[] {
  return numbers.split(' ').map((number) => `${prefix}-${number}`);
}

/** Cases about parts that are still to be built, by the part they wait for. They are neither run nor passed. */
export const WAITING: readonly { readonly part: string; readonly ids: readonly string[] }[] = [
  {
    part: 'the validate endpoint of endor, for pairs',
    ids: [
      ...ids('KS', '001 002 003 004 009 010 011 015 017 025 030 032 039 040 041 045 047 049 055 056 058 059'),
      ...ids('KS', '060 062 064 066 067'),
      'OS-015',
    ],
  },
  {
    part: 'the validate endpoint of endor, for bcrypt: bcryptSecrets()',
    ids: ['KS-051', 'KS-054', 'OF-011'],
  },
  { part: 'the validate endpoint of endor, for the throttle on wrong secrets', ids: ['KS-070'] },
  { part: 'the validate endpoint of pluto', ids: ['VC-001', 'VC-005'] },
  { part: 'the validate endpoint of timbrix', ids: ['VC-007', 'VC-008'] },
  { part: 'the validate endpoint of gmi', ids: ['VC-014'] },
  { part: 'the validate endpoint of workos', ids: ['VC-015', 'VC-016', 'VC-020', 'VC-021'] },
  {
    part: 'managementRouter()',
    ids: ids('MG', '001 002 010 013 014 016 022 023 026 029 030 032 033 035 038 040 041 042 044 045 047 049'),
  },
  { part: 'a watch over PostgreSQL', ids: ['CR-026', 'CR-028'] },
];

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
    id: 'SF-033',
    reason: 'The text of a key holds no id, so a record under a copied digest is as good as the true one.',
    answer: { status: 200, error: null },
  },
];
