import type { ApiKey } from '../keys/api-key.ts';
import type { RefusalReason } from '../keys/checks.ts';

/** Whether a key is accepted. A fault is neither: then `verify()` rejects with a `StoreUnavailableError`. */
export type Verdict = Accepted | Refused;

/** A key that passed every check at this moment. */
export interface Accepted {
  readonly ok: true;
  readonly apiKey: ApiKey;
  /** The old key was used, during its grace: when that ends. */
  readonly graceUntil?: Date;
}

/** A key that did not pass, and the first check that it failed. */
export interface Refused {
  readonly ok: false;
  /** For logs, never for the client. */
  readonly reason: RefusalReason;
  /** The key that was found and refused; for logs, never for the client. */
  readonly apiKey?: ApiKey;
}
