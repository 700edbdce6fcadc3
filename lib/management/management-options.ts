import type { Request } from 'express';
import { DIALECT_NAMES, type DialectName } from '../http/openapi-validate.ts';
import type { Organization } from '../keys/api-key.ts';
import { requiredScopeProblem } from '../keys/scopes.ts';
import { badOption, checkOptionNames } from '../options.ts';
import type { MaybePromise } from '../stores/key-store.ts';

/** Who may manage keys over HTTP, and what the document of the routes describes. */
export interface ManagementOptions {
  /**
   * Who acts; asked for every request, and the one source of owner and organization. `undefined` is a 401; a thrown
   * `ApiKeyError` is answered as it says; whatever else is thrown, and an answer of another form, is a 500.
   */
  authorize: (req: Request) => MaybePromise<Management | undefined>;
  /** What a key needs, where a request that passed `apiKeyAuth()` manages keys with one. @default 'keys:manage' */
  apiKeyScope?: string | undefined;
  /** The validate endpoints that `GET /openapi.json` describes. @default all of them */
  dialects?: readonly DialectName[] | undefined;
}

/** Somebody who manages keys, and how far. */
export interface Management {
  /** Whose keys there are; those of all others do not exist for this caller. */
  readonly organization: Organization;
  /** Where given, only this user's keys exist, and new ones are this user's; else they are the organization's. */
  readonly user?: { readonly id: string } | undefined;
  /** The most that a key made, widened, rotated or enabled here may do; `[]` is nothing. */
  readonly grantableScopes: readonly string[];
  /** For the audit and as `createdBy`: 1 to 255 characters. */
  readonly actor: string;
}

export interface ManagementConfig {
  readonly authorize: (req: Request) => unknown;
  readonly apiKeyScope: string;
  readonly dialects: readonly DialectName[];
}

const OWNER = 'managementRouter';
const OPTION_NAMES: { readonly [Name in keyof Required<ManagementOptions>]: true } = {
  authorize: true,
  apiKeyScope: true,
  dialects: true,
};

/** @throws TypeError for the first option that is wrong */
export function readManagementOptions(options: ManagementOptions): ManagementConfig {
  const { authorize, apiKeyScope, dialects } = checkOptionNames(OWNER, options, Object.keys(OPTION_NAMES));
  if (typeof authorize !== 'function') {
    throw badOption(OWNER, 'authorize', 'a function that answers who acts; there is no default', authorize);
  }
  return Object.freeze({
    authorize: authorize as ManagementConfig['authorize'],
    apiKeyScope: readScope(apiKeyScope),
    dialects: readDialects(OWNER, dialects),
  });
}

function readScope(value: unknown): string {
  if (value === undefined) return 'keys:manage';
  const problem = requiredScopeProblem(value);
  if (problem === undefined) return value as string;
  throw new TypeError(`${OWNER}: apiKeyScope ${problem}`);
}

/** @throws TypeError */
export function readDialects(owner: string, value: unknown): readonly DialectName[] {
  if (value === undefined) return DIALECT_NAMES;
  const isList =
    Array.isArray(value) && value.every((one) => (DIALECT_NAMES as readonly unknown[]).includes(one));
  if (!isList) throw badOption(owner, 'dialects', `an array of ${DIALECT_NAMES.join(', ')}`, value);
  return DIALECT_NAMES.filter((name) => (value as readonly unknown[]).includes(name));
}
