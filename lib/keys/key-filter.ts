import type { Owner } from './api-key.ts';

/** Which keys to list; conditions are and-ed. */
export interface KeyFilter {
  readonly organizationId?: string | undefined;
  readonly ownerId?: string | undefined;
  readonly ownerType?: Owner['type'] | undefined;
  readonly enabled?: boolean | undefined;
  readonly revoked?: boolean | undefined;
  /** Only keys whose end lies in the past or within this time from now. */
  readonly expiringWithinMs?: number | undefined;
  /** Only keys not used for this long; one that was never used counts from its creation. */
  readonly unusedForMs?: number | undefined;
  /** @default 'newest' */
  readonly order?: 'newest' | 'oldest' | undefined;
  /** 1 to 500. @default 50 */
  readonly limit?: number | undefined;
  /** The id after which to go on, from `nextCursor`. */
  readonly cursor?: string | undefined;
}
