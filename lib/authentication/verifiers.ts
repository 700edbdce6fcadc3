import type { Environment } from '../keys/api-key.ts';
import { makeKeyText, parseKeyText } from '../keys/key-text.ts';
import { badOption, describe } from '../options.ts';
import type { KeyVerifier } from './key-verifier.ts';

/** Texts of more characters are not read, let alone hashed. */
const MAX_TEXT_LENGTH = 512;

/** What a text is, as its shape tells. */
export type Shape = KeyVerifier | 'malformed' | 'wrong_environment';

export interface Verifiers {
  /** Whether a text is short enough to be looked at. */
  isReadable(text: string): boolean;
  /** The one verifier whose shape a text has, or why it is refused with no look-up. */
  shapeOf(text: string): Shape;
  /** Visible ASCII characters, beyond those of token68, that a text may hold. */
  readonly characters: string;
}

/**
 * All kinds of credential of one instance: the keys that it makes itself, and those of its plug-ins. No text has
 * two: a weak kind must not get a try at what a strong kind refused.
 *
 * @throws TypeError when two verifiers match one text of their examples
 */
export function createVerifiers(
  prefix: string,
  environments: readonly Environment[],
  plugIns: readonly KeyVerifier[],
): Verifiers {
  const own = ownKeys(prefix);
  const all = [own, ...plugIns];
  refuseOverlaps(all);
  return {
    characters: plugIns.map((verifier) => verifier.characters ?? '').join(''),
    isReadable: (text) => text.length <= MAX_TEXT_LENGTH,
    shapeOf(text) {
      const parsed = parseKeyText(text);
      if (parsed?.prefix === prefix) {
        if (!parsed.intact) return 'malformed';
        return environments.includes(parsed.environment) ? own : 'wrong_environment';
      }
      return plugIns.find((verifier) => verifier.matches(text)) ?? 'malformed';
    },
  };
}

/** Keys that `create()` makes. */
function ownKeys(prefix: string): KeyVerifier {
  return {
    name: 'keystile',
    examples: [makeKeyText(prefix, 'live'), makeKeyText(prefix, 'test')],
    matches: (text) => parseKeyText(text)?.prefix === prefix,
    async find(text, lookup) {
      const digests = lookup.digests(text);
      const record = await lookup.byDigest(digests);
      const [newest] = digests;
      return record && (newest === undefined ? { record } : { record, rehash: newest });
    },
  };
}

/** @throws TypeError unless the option is a list of whole verifiers */
export function checkVerifiers(owner: string, value: unknown): readonly KeyVerifier[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw badOption(owner, 'verifiers', 'an array of verifiers', value);
  for (const [index, verifier] of value.entries()) {
    const option = `verifiers[${index}]`;
    const { name, matches, find, examples, characters } = (verifier ?? {}) as Partial<KeyVerifier>;
    if (typeof name !== 'string' || typeof matches !== 'function' || typeof find !== 'function') {
      throw badOption(owner, option, 'an object with name, matches() and find()', verifier);
    }
    if (!Array.isArray(examples) || examples.length === 0) {
      throw badOption(owner, `${option}.examples`, 'an array of at least one text', examples);
    }
    if (characters !== undefined && !/^[\x21-\x7E]*$/.test(characters)) {
      throw badOption(owner, `${option}.characters`, 'visible ASCII characters', characters);
    }
  }
  return value as readonly KeyVerifier[];
}

function refuseOverlaps(verifiers: readonly KeyVerifier[]): void {
  for (const verifier of verifiers) {
    for (const example of verifier.examples) {
      const names = verifiers.filter((one) => one.matches(example)).map(({ name }) => name);
      if (names.length === 1 && names[0] === verifier.name) continue;
      const rule = `verifier "${verifier.name}": its example must match it and no other verifier`;
      throw new TypeError(
        `createApiKeys: ${rule}, but ${describe(example)} matches ${names.join(', ') || 'none'}`,
      );
    }
  }
}
