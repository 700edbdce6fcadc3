import type { StoreUnavailableError } from '../errors.ts';
import type { ApiKey } from '../keys/api-key.ts';
import type { RefusalReason } from '../keys/checks.ts';

/** Why a key is accepted or not, for operators. Tells a client far too much. */
export interface Explanation {
  /** What `verify()` would have said at that moment. */
  readonly verdict: 'accepted' | 'refused' | 'unavailable';
  /** Of a refusal. */
  readonly reason?: RefusalReason;
  /** Of a fault, where the store or a verifier had one. */
  readonly error?: StoreUnavailableError;
  /** The key that was found. */
  readonly apiKey?: ApiKey;
  readonly steps: readonly ExplanationStep[];
}

/** What was looked at, in the order in which it decides. */
export interface ExplanationStep {
  readonly step: StepName;
  /** `info`: it decides nothing. */
  readonly outcome: 'pass' | 'fail' | 'info';
  /** For people, in words of ours, with the times and numbers that were compared. */
  readonly detail: string;
}

/** How a text is recognised and looked up; then the checks of its record, by the reason that each gives. */
export type StepName =
  | 'shape'
  | 'checksum'
  | 'environment'
  | 'cache'
  | 'store'
  | 'verifier'
  | 'version'
  | Exclude<RefusalReason, 'malformed' | 'unknown'>;
