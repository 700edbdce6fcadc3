import { StoreUnavailableError } from '../errors.ts';
import { type KeyRecord, readRecord, UnreadableRecordError } from '../keys/key-record.ts';
import { redactedError } from './redacted-error.ts';

/** An answer that came, and cannot be believed: a broken record, somebody else's, one older than is known to be. */
export class WrongAnswerError extends Error {}

export interface Fault {
  readonly error: StoreUnavailableError;
  /**
   * Whether what was read earlier may still decide: where no answer came. One that cannot be understood may be the
   * news that the key has ended, written by a later version of this package.
   */
  readonly mayUseStale: boolean;
}

/**
 * Anything that a look-up can throw, as the one error that leaves the package.
 *
 * @param secrets - what a verifier may quote and nobody may see: the text that it was given
 */
export function faultOf(thrown: unknown, secrets: readonly string[] = []): Fault {
  if (thrown instanceof StoreUnavailableError) return { error: thrown, mayUseStale: true };
  if (thrown instanceof WrongAnswerError) {
    const error = new StoreUnavailableError(thrown.message, { cause: thrown.cause });
    return { error, mayUseStale: false };
  }
  const error = new StoreUnavailableError('A verifier failed.', { cause: redactedError(thrown, secrets) });
  return { error, mayUseStale: true };
}

/**
 * The record that a store answered with, copied and checked; `undefined` where it found none.
 *
 * @throws WrongAnswerError for anything else
 */
export function answeredRecord(operation: string, answer: unknown): KeyRecord | undefined {
  if (answer === undefined || answer === null) return undefined;
  try {
    return readRecord(answer);
  } catch (error) {
    // What else is thrown comes from a getter or a proxy of the store's, and may hold anything.
    throw wrongRecord(
      operation,
      error instanceof UnreadableRecordError ? error.message : 'it cannot be read',
    );
  }
}

export function wrongRecord(operation: string, problem: string): WrongAnswerError {
  return new WrongAnswerError(`${operation}() answered with a record that cannot be used.`, {
    cause: new Error(problem),
  });
}
