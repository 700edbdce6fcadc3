import type { ApiKeyError } from '../errors.ts';
import type { Json } from '../keys/metadata.ts';

/** An answer in some vendor's format. A body of `undefined` is no body. */
export interface DialectAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Json | undefined;
}

/** How a vendor words a refusal. */
export interface ErrorFormat {
  readonly name: string;
  error(error: ApiKeyError): DialectAnswer;
}
