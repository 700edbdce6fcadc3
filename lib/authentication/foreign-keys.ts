import { canonicalDigest } from '../keys/digest.ts';
import { badOption, checkOptionNames } from '../options.ts';
import type { KeyVerifier } from './key-verifier.ts';

/** What keys of another system look like, and under which digests they were imported. */
export interface ForeignKeysOptions {
  /** For messages: the system that issued the keys. */
  name: string;
  /** The shape of its keys; the whole text has to match. */
  matches: RegExp;
  /** Keys of that shape; not real ones. */
  examples: readonly string[];
  /** Visible ASCII characters in its keys beyond letters, digits and `-._~+/=`, such as `|`. @default '' */
  characters?: string;
  /**
   * The digests that a key may have been imported under: `sha256:` or `sha512:` of the whole text or of a part, with
   * the hash in hex, base64 or base64url. A key that is accepted moves to a digest of ours.
   */
  digests: (text: string) => readonly string[];
}

const OPTIONS: { readonly [Name in keyof Required<ForeignKeysOptions>]: true } = {
  name: true,
  matches: true,
  examples: true,
  characters: true,
  digests: true,
};

/**
 * Keys that another system issued, and that `import()` brought here with their hashes: their holders go on using
 * them and notice nothing.
 *
 * @throws TypeError for an option that is wrong
 */
export function foreignKeys(options: ForeignKeysOptions): KeyVerifier {
  checkOptionNames('foreignKeys', options, Object.keys(OPTIONS));
  const { name, matches, examples, characters = '', digests } = options;
  if (typeof name !== 'string' || name === '') throw badOption('foreignKeys', 'name', 'a text', name);
  if (typeof digests !== 'function')
    throw badOption('foreignKeys', 'digests', 'a function of the key', digests);
  const shape = wholeTextPattern('foreignKeys', 'matches', matches);
  return {
    name,
    examples,
    characters,
    matches: (text) => shape.test(text),
    async find(text, lookup) {
      const ours = lookup.digests(text);
      const record = await lookup.byDigest([...ours, ...digests(text).map(canonicalDigest)]);
      return record?.kind === 'opaque' ? { record, rehash: ours[0] as string } : undefined;
    },
  };
}

/**
 * A copy of a pattern that decides by the whole text, whatever anchors it has, and remembers nothing between two.
 *
 * @throws TypeError for anything but a regular expression
 */
export function wholeTextPattern(owner: string, option: string, value: unknown): RegExp {
  if (!(value instanceof RegExp)) throw badOption(owner, option, 'a regular expression', value);
  return new RegExp(`^(?:${value.source})$`, value.flags.replace(/[gmy]/g, ''));
}
