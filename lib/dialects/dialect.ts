import type { ApiKeys } from '../api-keys.ts';
import type { Verdict } from '../authentication/verdict.ts';
import type { ApiKeyError } from '../errors.ts';
import type { DialectAnswer } from '../http/dialect.ts';
import type { Route, RoutedRequest } from '../http/router.ts';
import type { ApiKey } from '../keys/api-key.ts';
import type { MaybePromise } from '../stores/key-store.ts';

/** A request for one of a dialect's paths. */
export type DialectRequest = RoutedRequest;

/** One path of a vendor's, and what is answered there. */
export type DialectRoute = Route;

/** What a dialect decides with. */
export interface DialectTools {
  readonly apiKeys: ApiKeys;
  /** Whether these keys know pairs, without which `verifyPair()` always rejects. */
  readonly hasPairs: boolean;
  /** The clock of these keys: milliseconds since 1970. */
  now(): number;
  /**
   * Makes a reader for the one key in a header field, such as `tools.keyIn('Authorization', 'Bearer')`. It answers
   * `undefined` for no key and for whatever is ambiguous: the field twice, another scheme, characters that no key has.
   * Among the schemes of Authorization, `''` stands for a key without one.
   */
  keyIn(header: string, ...schemes: readonly string[]): (request: DialectRequest) => string | undefined;
  /** As `apiKeys.verify()`; a failing store rejects, and is then worded by the dialect's `error`. */
  verify(text: string, request: DialectRequest): MaybePromise<Verdict>;
  /** As `apiKeys.verifyPair()`, with wrong secrets counted by the address of the request. */
  verifyPair(id: string, secret: string, request: DialectRequest): MaybePromise<Verdict>;
  /** The same keys, whose audit events name the caller's key and the address of the request. */
  manageAs(caller: ApiKey, request: DialectRequest): ManagedKeys;
}

/** {@link ApiKeys}, and what only some vendors' interfaces have. */
export interface ManagedKeys extends ApiKeys {
  /** Ends a key now; one that has ended already stays as it is. */
  expire(id: string): Promise<ApiKey>;
}

/**
 * One vendor's wire format: where the credential is, what each verdict answers, and how a fault looks. For
 * `validateRouter()`, and as `errors` of `apiKeyAuth()` for the refusals of a whole API.
 */
export interface Dialect {
  readonly name: string;
  /** The paths that it answers, below where its router is mounted. */
  routes(tools: DialectTools): readonly DialectRoute[];
  /** Words an error of whatever code; what a route throws comes here too. */
  error(error: ApiKeyError): DialectAnswer;
  /** Whether a path with a slash behind it is the same path. @default false */
  readonly trailingSlash?: boolean;
  /**
   * A path of the dialect's with another method, or with a slash behind it that is not the same path. @default 405 for
   * the one, worded by `error`; the other passes to whatever is mounted next
   */
  unmatched?(request: DialectRequest, tools: DialectTools): MaybePromise<DialectAnswer>;
}
