import type { ApiKey } from '../keys/api-key.ts';
import { WrongAnswerError } from '../stores/fault.ts';
import type { StoreCaller } from '../stores/guarded-store.ts';
import type { MaybePromise } from '../stores/key-store.ts';

/** Whether the owner of a key may still act: `'inactive'` refuses the key. */
export type OwnerStatus = (apiKey: ApiKey) => MaybePromise<'active' | 'inactive'>;

/** Whether a key's owner is active. A callback that fails is a fault like a store that fails. */
export type OwnerCheck = (apiKey: ApiKey) => Promise<boolean>;

export function createOwnerCheck(ownerStatus: OwnerStatus, caller: StoreCaller): OwnerCheck {
  return async (apiKey) => {
    const status = await caller.call({ operation: 'ownerStatus', run: () => ownerStatus(apiKey) });
    if (status === 'active' || status === 'inactive') return status === 'active';
    throw new WrongAnswerError('ownerStatus() must answer "active" or "inactive".');
  };
}
