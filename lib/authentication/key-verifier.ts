import type { KeyMaker } from '../keys/key-maker.ts';
import type { KeyRecord } from '../keys/key-record.ts';

/**
 * How one kind of credential finds its record; a plug-in. It knows a shape and a way to look up, and gives no
 * verdict: the checks run later, on every request, also on what the cache holds.
 */
export interface KeyVerifier {
  readonly name: string;
  /** Visible ASCII characters, beyond those of token68, that its texts hold: `'|'`. */
  readonly characters?: string;
  /** Whether a text has its shape. No I/O, no clock, never throws: exactly one verifier may match a text. */
  matches(text: string): boolean;
  /** Texts that it matches; used to refuse verifiers whose shapes overlap. */
  readonly examples: readonly string[];
  /** The record that the text proves, `undefined` where there is none. What it throws becomes a 503. */
  find(text: string, lookup: Lookup): Promise<Found | undefined>;
}

/** What a verifier found: the record, and what only the text itself could tell. */
export interface Found {
  /** As `lookup` answered it. */
  readonly record: KeyRecord;
  /** The text's own end, where it has one, such as a JWT's `exp`. */
  readonly expiresAt?: Date;
  /** The digest under which the text should be kept from now on. */
  readonly rehash?: string;
  /** Whether the text is the record's old key, whose grace counts. @default as the look-up by digest matched */
  readonly previous?: boolean;
}

/** The store, as a verifier may ask it: with deadline, breaker and a check of each record. */
export interface Lookup {
  /** The record that has one of these digests, by one call of the store. */
  byDigest(digests: readonly string[]): Promise<KeyRecord | undefined>;
  /** The record with this id; the store needs `findById()`. */
  byId(id: string): Promise<KeyRecord | undefined>;
  /** Every digest of ours that the text can have, the one for new keys first. */
  digests(text: string): readonly string[];
  /** Wall clock, milliseconds since 1970. */
  now(): number;
}

/** What the verifiers of this package have beside the face of a plug-in. */
export interface BuiltInVerifier extends KeyVerifier {
  /** Makes keys of its kind, for `create()` and `rotate()`. */
  readonly maker?: KeyMaker;
  /** The longest text that it reads. @default 512 */
  readonly maxLength?: number;
  readonly pairs?: PairVerifier;
}

/** For a credential of two parts. Its one-text form is `<id>.<secret>`, parted at the last dot. */
export interface PairVerifier {
  /** Whether it is also read from `Authorization: Basic`. */
  readonly basic: boolean;
  /** The ids that are its alone, whatever is sent with them. @default all that no other verifier owns */
  ownsId?(id: string): boolean;
  /** Wrong secrets for one id from one address within a minute, until the answer is 429. @default 20 */
  readonly triesPerMinute?: number;
  /** Whether the two parts have its shape. As strict as `matches` where they came in one text or by Basic. */
  matches(id: string, secret: string): boolean;
  find(id: string, secret: string, lookup: Lookup): Promise<Found | undefined>;
}
