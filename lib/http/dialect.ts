import type { ApiKeyError } from '../errors.ts';
import type { Json } from '../keys/metadata.ts';

/**
 * An answer in some vendor's format: `application/json` unless `headers` name another type, under which a text is sent
 * as it stands. A body of `undefined` is no body.
 */
export interface DialectAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Json | undefined;
}

/** How a vendor words a refusal. */
export interface ErrorFormat {
  readonly name: string;
  /** Words an error of whatever code. */
  error(error: ApiKeyError): DialectAnswer;
}
