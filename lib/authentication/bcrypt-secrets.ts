import { sameDigest } from '../keys/digest.ts';
import { idProblem } from '../keys/fields.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import { checkOptionNames, wholeNumber } from '../options.ts';
import { BcryptComparer } from './bcrypt-comparer.ts';
import { wholeTextPattern } from './foreign-keys.ts';
import { pairText, splitPair } from './key-pairs.ts';
import type { BuiltInVerifier, Found, KeyVerifier, Lookup } from './key-verifier.ts';

/** Whose secrets are under bcrypt, and how much work they may make. */
export interface BcryptSecretsOptions {
  /** The ids whose secrets may be under bcrypt, from `^` to `$`; no other verifier is asked about them. */
  ids: RegExp;
  /** Secrets that may wait for the one thread that compares; whoever comes on top gets a 503. @default 64 */
  maxQueue?: number;
  /** Wrong secrets for one id from one address within a minute, until the answer is 429. @default 20 */
  triesPerMinute?: number;
}

const OWNER = 'bcryptSecrets';

const OPTIONS: { readonly [Name in keyof Required<BcryptSecretsOptions>]: true } = {
  ids: true,
  maxQueue: true,
  triesPerMinute: true,
};

/** bcrypt reads no more: all secrets that begin with the same 72 bytes would be one. */
const MAX_SECRET_BYTES = 72;

const DIGEST_START = 'bcrypt:';
const COMMON_COST = 10;

/**
 * Pairs of an id and a secret that another system keeps under bcrypt, and whose hashes were imported. They come as the
 * pairs of `keyPairs()` do. Their records are found by id; a secret that was right moves its record to a digest of ours,
 * so each is slow once.
 *
 * @throws TypeError for an option that is wrong
 */
export function bcryptSecrets(options: BcryptSecretsOptions): KeyVerifier {
  checkOptionNames(OWNER, options, Object.keys(OPTIONS));
  const ids = readIds(options.ids);
  const maxQueue = wholeNumber(OWNER, 'maxQueue', options.maxQueue, 64, { min: 1, max: 10_000 });
  const limits = { min: 1, max: 10_000 };
  const triesPerMinute = wholeNumber(OWNER, 'triesPerMinute', options.triesPerMinute, 20, limits);
  const search = new SecretSearch(new BcryptComparer(maxQueue));

  const ownsId = (id: string): boolean => idProblem(id) === undefined && ids.test(id);
  const matches = (id: string, secret: string): boolean => ownsId(id) && isSecret(secret);
  const find = async (id: string, secret: string, lookup: Lookup): Promise<Found | undefined> => {
    const record = await lookup.byId(id);
    const ours = lookup.digests(pairText(id, secret));
    const found = await search.find(record, secret, ours);
    return found && { ...found, rehash: ours[0] as string };
  };
  const verifier: BuiltInVerifier = {
    name: 'bcrypt',
    // Nobody can make one of a regular expression; those of the other verifiers are tried against it.
    examples: [],
    matches: (text) => matches(...splitPair(text)),
    find: (text, lookup) => find(...splitPair(text), lookup),
    pairs: { basic: false, ownsId, matches, find, triesPerMinute },
  };
  return verifier;
}

/**
 * Whether a secret is that of a record. Who asks must not learn from the time whether there is a record at all, so
 * every refusal has cost a comparison, of a hash that is nobody's where there is no other.
 */
class SecretSearch {
  readonly #comparer: BcryptComparer;
  /** The highest cost met so far: nobody's hash has that of the others. */
  #cost: number | undefined;

  constructor(comparer: BcryptComparer) {
    this.#comparer = comparer;
  }

  /** Tries the current key first, then the one in grace: after a rotation either may be under bcrypt or not. */
  async find(
    record: KeyRecord | undefined,
    secret: string,
    ours: readonly string[],
  ): Promise<Found | undefined> {
    const slots = record === undefined ? [] : slotsOf(record);
    for (const { digest, ...found } of slots) {
      const isRight = isBcrypt(digest)
        ? await this.#compare(secret, digest)
        : ours.some((own) => sameDigest(own, digest));
      if (isRight) return found;
    }
    if (slots.some(({ digest }) => isBcrypt(digest))) return undefined;
    await this.#comparer.compare(secret, nobodysHash(this.#cost ?? COMMON_COST));
    return undefined;
  }

  #compare(secret: string, digest: string): Promise<boolean> {
    const hash = digest.slice(DIGEST_START.length);
    this.#cost = Math.max(this.#cost ?? 0, costOf(hash));
    return this.#comparer.compare(secret, hash);
  }
}

interface Slot {
  readonly record: KeyRecord;
  readonly previous: boolean;
  readonly digest: string;
}

function slotsOf(record: KeyRecord): readonly Slot[] {
  const { kind, digest, previous } = record;
  if (kind === 'jwt') return [];
  const current: Slot = { record, previous: false, digest };
  return previous === undefined
    ? [current]
    : [current, { ...current, previous: true, digest: previous.digest }];
}

function isBcrypt(digest: string): boolean {
  return digest.startsWith(DIGEST_START);
}

/** `$2b$12$...` is of cost 12. */
function costOf(hash: string): number {
  return Number(hash.slice(4, 6));
}

function nobodysHash(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;
}

/**
 * What bcrypt tells apart: it stops after 72 bytes, and an implementation in C at the first NUL; bcryptjs repeats a
 * short secret with a NUL behind it, so that `abc` passes for `abc<NUL>abc`. Halves of surrogate pairs have no bytes.
 */
function isSecret(secret: string): boolean {
  if (secret === '' || secret.length > MAX_SECRET_BYTES || /[\0\p{Surrogate}]/u.test(secret)) return false;
  return Buffer.byteLength(secret) <= MAX_SECRET_BYTES;
}

/** Without anchors, or with a memory of where it stopped, it would take more ids than it seems to. */
function readIds(value: unknown): RegExp {
  const pattern = wholeTextPattern(OWNER, 'ids', value);
  const { source, flags } = value as RegExp;
  const isAnchored = /^\^.*(?<!\\)(?:\\\\)*\$$/s.test(source) && !/[gmy]/.test(flags);
  if (isAnchored) return pattern;
  const demand = 'must be a regular expression from ^ to $ without the flags g, m and y';
  throw new TypeError(`${OWNER}: ids ${demand}, but got ${value}`);
}
