import type { Json } from './metadata.ts';

/** `live` and `test` keys never open each other's doors. */
export type Environment = 'live' | 'test';

/** `opaque`: our own text, or one that another system issued; `pair`: id and secret; `jwt`: a signed token. */
export type KeyKind = 'opaque' | 'pair' | 'jwt';

/** The tenant that a key belongs to. `id` is 1 to 255 visible ASCII characters, compared as it stands. */
export interface Organization {
  readonly id: string;
  readonly slug?: string;
}

/** Whose key it is inside the organization. */
export interface Owner {
  readonly type: 'organization' | 'user' | 'service';
  readonly id: string;
}

/**
 * A key as the application sees it: on `req.apiKey`, and what management returns. Frozen to the bottom and free of
 * secrets: neither the key nor its digest can be had from it. A `Date` in it can still be changed by whoever holds
 * it; no decision reads one.
 */
export interface ApiKey {
  readonly id: string;
  readonly kind: KeyKind;
  readonly name: string;
  readonly environment: Environment;
  /** The leading characters, safe to show: `prefix_environment_` and 4 more; `''` where unknown. */
  readonly start: string;
  /** The last 4 characters (they are the checksum's); `''` where unknown. */
  readonly end: string;
  readonly organization: Organization;
  readonly owner: Owner;
  /** What the key may do; `[]` is nothing. One that ends in `:*` covers all below it. */
  readonly scopes: readonly string[];
  readonly enabled: boolean;
  /** Rises by one with every change, but not with use. */
  readonly version: number;
  readonly createdAt: Date;
  readonly createdBy?: string;
  readonly updatedAt: Date;
  /** Last use, to the minute; while an old key is in its grace, that one's uses are in `grace` instead. */
  readonly lastUsedAt?: Date;
  /** The first moment at which the key is refused. */
  readonly expiresAt?: Date;
  readonly notBefore?: Date;
  readonly revokedAt?: Date;
  readonly revocationReason?: string;
  /** When the current key replaced an older one. */
  readonly rotatedAt?: Date;
  /** The older key, while it still works: until when, and when it was last seen. */
  readonly grace?: { readonly expiresAt: Date; readonly lastUsedAt?: Date };
  readonly metadata: Readonly<Record<string, Json>>;
}
