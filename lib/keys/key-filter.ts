import type { Owner } from './api-key.ts';

/** Which keys to list; conditions are and-ed. */
export interface KeyFilter {
  readonly organizationId?: string;
  readonly ownerId?: string;
  readonly ownerType?: Owner['type'];
  readonly enabled?: boolean;
  readonly revoked?: boolean;
  /** Only keys whose end lies in the past or within this time from now. */
  readonly expiringWithinMs?: number;
  /** Only keys not used for this long; one that was never used counts from its creation. */
  readonly unusedForMs?: number;
  /** @default 'newest' */
  readonly order?: 'newest' | 'oldest';
  /** 1 to 500. @default 50 */
  readonly limit?: number;
  /** The id after which to go on, from `nextCursor`. */
  readonly cursor?: string;
}
