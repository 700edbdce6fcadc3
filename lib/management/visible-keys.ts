import { ConflictError, KeyNotFoundError, StoreUnavailableError } from '../errors.ts';
import type { ApiKey } from '../keys/api-key.ts';
import type { KeyFilter } from '../keys/key-filter.ts';
import { coversScope } from '../keys/scopes.ts';
import type { Caller } from './caller.ts';
import { DeniedError } from './denied-error.ts';
import { checkIfMatch, type IfMatch } from './if-match.ts';

export interface Change<T> {
  readonly id: string;
  readonly ifMatch: IfMatch;
  /** Whether it can give power, so that all that the key may do must be the caller's to grant. */
  readonly gives: boolean;
  make(id: string, condition: { readonly ifVersion: number }): Promise<T>;
}

/** How often a change is tried when somebody keeps coming in between the check and the change. */
const MAX_TRIES = 10;

/** The keys that exist for a caller. An id of another key is answered like one of none, after the same store call. */
export class VisibleKeys {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** @throws KeyNotFoundError */
  async find(id: string): Promise<ApiKey> {
    const apiKey = await this.#caller.keys.get(id);
    if (apiKey === undefined || !this.#sees(apiKey)) throw new KeyNotFoundError(id);
    return apiKey;
  }

  /** What is asked for of other organizations or owners is an empty page, with no store call. */
  async list(filter: KeyFilter): Promise<{ apiKeys: readonly ApiKey[]; nextCursor?: string }> {
    const { organization, owner, isUser, keys } = this.#caller;
    const own = {
      organizationId: organization.id,
      ...(isUser ? { ownerType: owner.type, ownerId: owner.id } : undefined),
    };
    for (const [name, value] of Object.entries(own)) {
      const asked = filter[name as keyof typeof own];
      if (asked !== undefined && asked !== value) return { apiKeys: [] };
    }
    const page = await keys.list({ ...filter, ...own });
    if (page.apiKeys.every((apiKey) => this.#sees(apiKey))) return page;
    throw new StoreUnavailableError('list() answered with a key that was not asked for.');
  }

  /**
   * Changes a key on condition that it still is what was checked: in between, somebody could give it a scope that is
   * not the caller's to grant. Begins again where somebody did come in between, unless `If-Match` forbids it.
   */
  async change<T>({ id, ifMatch, gives, make }: Change<T>): Promise<T> {
    let lost: { readonly version: number; readonly error: ConflictError } | undefined;
    for (let tries = 1; ; tries += 1) {
      const apiKey = await this.find(id);
      checkIfMatch(ifMatch, apiKey.version);
      if (gives) this.requireGrantable(apiKey.scopes, '');
      // Nobody came in between: it is the key's state that does not allow the change.
      if (lost?.version === apiKey.version) throw lost.error;
      try {
        return await make(id, { ifVersion: apiKey.version });
      } catch (error) {
        if (!(error instanceof ConflictError) || tries === MAX_TRIES) throw error;
        lost = { version: apiKey.version, error };
      }
    }
  }

  /** @throws DeniedError for the first scope that is not the caller's to grant */
  requireGrantable(scopes: readonly string[], at: string): void {
    const { grantableScopes } = this.#caller;
    const index = scopes.findIndex((scope) => !coversScope(grantableScopes, scope));
    if (index === -1) return;
    if (at === '') throw new DeniedError('', 'The key has a scope that you may not grant.');
    throw new DeniedError(`${at}/${index}`, 'You may not grant this scope.');
  }

  #sees({ organization, owner }: ApiKey): boolean {
    const { organization: own, owner: ownOwner, isUser } = this.#caller;
    if (organization.id !== own.id) return false;
    return !isUser || (owner.type === ownOwner.type && owner.id === ownOwner.id);
  }
}
