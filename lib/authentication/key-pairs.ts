import type { MadeKey } from '../keys/key-maker.ts';
import { randomBase62 } from '../keys/key-text.ts';
import { checkOptionNames, oneOf } from '../options.ts';
import type { BuiltInVerifier, Found, KeyVerifier, Lookup } from './key-verifier.ts';

/** 256 bits. */
const SECRET_LENGTH = 43;

const ID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SECRET_FORM = /^[0-9A-Za-z]{43}$/;

/** Where pairs are read from, beside headers that carry one as a single text. */
export interface KeyPairsOptions {
  /** Reads pairs from `Authorization: Basic` (RFC 7617) too, where the user-id has the shape of a key id. @default false */
  basic?: boolean;
}

/**
 * Keys of two parts: an id that may be known, and a secret. `create({ kind: 'pair' })` makes them; they come by
 * `verifyPair()`, as one text `<id>.<secret>` in any header that is read, or by Basic.
 *
 * The digest is that of `<id>:<secret>`, so an unknown id and a wrong secret are one and the same look-up that finds
 * nothing.
 */
export function keyPairs(options: KeyPairsOptions = {}): KeyVerifier {
  checkOptionNames('keyPairs', options, ['basic']);
  const basic = oneOf('keyPairs', 'basic', options.basic, false, [true, false]);
  const verifier: BuiltInVerifier = {
    name: 'pairs',
    examples: [`01890a5d-ac96-774b-bcce-b302099a8057.${'0'.repeat(SECRET_LENGTH)}`],
    matches(text) {
      const [id, secret] = splitPair(text);
      return ID_FORM.test(id) && SECRET_FORM.test(secret);
    },
    find(text, lookup) {
      const [id, secret] = splitPair(text);
      return findPair(id, secret, lookup);
    },
    pairs: { basic, matches: (id, secret) => isPair(id, secret), find: findPair },
    maker: {
      kind: 'pair',
      make({ id, digester }): MadeKey {
        const secret = randomBase62(SECRET_LENGTH);
        const digest = digester.newestOf(pairText(id, secret));
        return { key: id, secret, kept: { digest, start: secret.slice(0, 4), end: secret.slice(-4) } };
      },
    },
  };
  return verifier;
}

/** The two parts of a pair that was sent as one text. */
export function splitPair(text: string): [id: string, secret: string] {
  const dot = text.lastIndexOf('.');
  return dot === -1 ? ['', ''] : [text.slice(0, dot), text.slice(dot + 1)];
}

/** What a pair's digest is taken of. */
export function pairText(id: string, secret: string): string {
  return `${id}:${secret}`;
}

/** Whether a user-id of Basic, or the first part of a text, is an id that is made here. */
export function isMadeId(id: string): boolean {
  return ID_FORM.test(id);
}

/** Both parts of visible ASCII; those that were imported may have any other shape. */
function isPair(id: string, secret: string): boolean {
  return /^[\x21-\x7E]{1,255}$/.test(id) && /^[\x21-\x7E]{1,255}$/.test(secret);
}

async function findPair(id: string, secret: string, lookup: Lookup): Promise<Found | undefined> {
  const digests = lookup.digests(pairText(id, secret));
  const record = await lookup.byDigest(digests);
  // `a:b` with `c` and `a` with `b:c` are of one digest: the id tells them apart.
  if (record === undefined || record.id !== id || record.kind !== 'pair') return undefined;
  return { record, rehash: digests[0] as string };
}
