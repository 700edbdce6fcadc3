import type { Environment, KeyKind } from './api-key.ts';
import type { Digester } from './digest.ts';

/** What is known of a record for which a key is to be made. */
export interface KeyOrder {
  readonly id: string;
  readonly prefix: string;
  readonly environment: Environment;
  readonly digester: Digester;
  /** Wall time, milliseconds. */
  readonly now: number;
  readonly expiresAt: number | undefined;
  readonly notBefore: number | undefined;
  /** The digest of the key that the new one takes the place of. */
  readonly replaces: string | undefined;
}

/** A new key: what its holder gets, once, and what its record keeps of it. */
export interface MadeKey {
  readonly key: string;
  /** The second part of a pair, of which `key` is the id. */
  readonly secret?: string;
  readonly kept: { readonly digest: string; readonly start: string; readonly end: string };
}

/** Makes the keys of one kind. */
export interface KeyMaker {
  readonly kind: KeyKind;
  make(order: KeyOrder): MadeKey | Promise<MadeKey>;
}
