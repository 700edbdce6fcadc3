import type { Dialect } from '../../lib/dialects.ts';
import { type Presented, presented, type Subject } from './matrix-keys.ts';
import type { Vendor } from './openapi.ts';

/** What can come of a question about a key. */
export const OUTCOMES = [
  'good',
  'good with a user for an owner',
  'unknown',
  'malformed',
  'missing',
  'expired',
  'revoked',
  'disabled',
  'in its grace',
  'without the scope',
  'asked about while the store is down',
  'asked about with a hostile body',
  'asked about with an ambiguous header',
] as const;

export type Outcome = (typeof OUTCOMES)[number];

/** Those that a key of the matrix brings about, and which it is. */
const SUBJECT_OF = {
  good: 'good',
  'good with a user for an owner': 'userOwned',
  unknown: 'unknown',
  expired: 'expired',
  revoked: 'revoked',
  disabled: 'disabled',
  'in its grace': 'rotated',
} as const satisfies { readonly [Name in Outcome]?: Subject };

type SpecialOutcome = Exclude<Outcome, keyof typeof SUBJECT_OF>;

/** All that a dialect sends, and all that it is to answer. */
export interface DialectTable {
  readonly name: string;
  readonly dialect: Dialect;
  /** Whose contract the answers are held against. */
  readonly vendor?: Vendor;
  /** Where it is mounted, beside all others. */
  readonly base: string;
  readonly method: string;
  readonly path: string;
  ask(subject: Presented): Ask;
  /** What no key of the matrix brings about by itself. */
  readonly special: Readonly<Record<SpecialOutcome, Ask>>;
  readonly answers: Readonly<Record<Outcome, ExpectedAnswer>>;
}

/** Header lines and a body. */
export interface Ask {
  readonly lines: readonly string[];
  readonly body?: string;
}

export interface ExpectedAnswer {
  readonly status: number;
  /** Whole, with its members in their order. */
  readonly body: string;
  /** Header lines beside Cache-Control, Content-Length and Content-Type. */
  readonly fields?: readonly string[];
  /** @default 'application/json' */
  readonly type?: string;
}

/** What a key in its grace is answered with: replaced an hour ago, and at its end in 23. */
export const GRACE_FIELDS = ['Deprecation: @1772355600', 'Sunset: Mon, 02 Mar 2026 09:00:00 GMT'];

/** Which of one to three seconds is left to chance. */
export const RETRY_AFTER = 'Retry-After: 1 to 3';

/** All header lines that are expected, but for Node's and Express's own, in the order of the alphabet. */
export function expectedFields({
  body,
  fields = [],
  type = 'application/json',
}: ExpectedAnswer): readonly string[] {
  return [
    'Cache-Control: no-store',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Content-Type: ${type}`,
    ...fields,
  ].sort();
}

/** What is sent for an outcome. */
export function askFor(table: DialectTable, outcome: Outcome): Ask {
  const subjects: { readonly [Name in Outcome]?: Subject } = SUBJECT_OF;
  const subject = subjects[outcome];
  return subject === undefined ? table.special[outcome as SpecialOutcome] : table.ask(presented[subject]);
}
