import type { Environment } from '../keys/api-key.ts';
import type { KeyMaker } from '../keys/key-maker.ts';
import { exampleKeyTexts, makeKeyText, parseKeyText, shownParts } from '../keys/key-text.ts';
import { badOption, describe } from '../options.ts';
import { isMadeId } from './key-pairs.ts';
import type { BuiltInVerifier, KeyVerifier, PairVerifier } from './key-verifier.ts';

/** Texts of more characters are not read, let alone hashed. */
const MAX_TEXT_LENGTH = 512;

/** What a text is, as its shape tells. */
export type Shape = BuiltInVerifier | 'malformed' | 'wrong_environment';

export interface Verifiers {
  /** Whether a text is short enough to be looked at, and does not begin with NUL, as the cache's names of pairs do. */
  isReadable(text: string): boolean;
  /** The one verifier whose shape a text has, or why it is refused with no look-up. */
  shapeOf(text: string): Shape;
  /** The one verifier for an id and its secret, by the shape of both. */
  pairVerifierOf(id: string, secret: string): PairVerifier | undefined;
  readonly hasPairs: boolean;
  /** Who makes the keys of each kind. */
  readonly makers: readonly KeyMaker[];
  /** Visible ASCII characters, beyond those of token68, that a text may hold. */
  readonly characters: string;
  /** Which user-ids of `Authorization: Basic` are ids of pairs; `undefined` where Basic is not read. */
  readonly basicIds: ((id: string) => boolean) | undefined;
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
  const others: readonly BuiltInVerifier[] = plugIns;
  const all: readonly BuiltInVerifier[] = [own, ...others];
  refuseOverlaps(all);
  refuseTwoOfAKind(all);
  const pairs = others.flatMap((verifier) => verifier.pairs ?? []);
  const longest = Math.max(...all.map(({ maxLength = MAX_TEXT_LENGTH }) => maxLength));
  return {
    characters: all.map((verifier) => verifier.characters ?? '').join(''),
    basicIds: pairs.some(({ basic }) => basic) ? isMadeId : undefined,
    hasPairs: pairs.length > 0,
    makers: all.flatMap(({ maker }) => maker ?? []),
    isReadable(text) {
      const isShort = text.length <= MAX_TEXT_LENGTH || (text.length <= longest && hasThreeParts(text));
      return isShort && text.charCodeAt(0) !== 0;
    },
    shapeOf(text) {
      const parsed = parseKeyText(text);
      if (parsed?.prefix === prefix) {
        if (!parsed.intact) return 'malformed';
        return environments.includes(parsed.environment) ? own : 'wrong_environment';
      }
      const [verifier, another] = others.filter((one) => one.matches(text));
      return another === undefined ? (verifier ?? 'malformed') : 'malformed';
    },
    pairVerifierOf(id, secret) {
      const owner = pairs.find((one) => one.ownsId?.(id)) ?? pairs.find((one) => one.ownsId === undefined);
      return owner?.matches(id, secret) ? owner : undefined;
    },
  };
}

/** A JWT has three parts and is longer than any key. */
function hasThreeParts(text: string): boolean {
  return text.split('.', 4).length === 3;
}

/** Keys of our own text. */
function ownKeys(prefix: string): BuiltInVerifier {
  return {
    name: 'keystile',
    maker: {
      kind: 'opaque',
      make(order) {
        const key = makeKeyText(order.prefix, order.environment);
        return { key, kept: { digest: order.digester.newestOf(key), ...shownParts(key) } };
      },
    },
    examples: exampleKeyTexts(prefix),
    matches: (text) => parseKeyText(text)?.prefix === prefix,
    async find(text, lookup) {
      const digests = lookup.digests(text);
      const record = await lookup.byDigest(digests);
      return record?.kind === 'opaque' ? { record, rehash: digests[0] as string } : undefined;
    },
  };
}

/** @throws TypeError unless the option is a list of whole verifiers */
export function checkVerifiers(owner: string, value: unknown): readonly KeyVerifier[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw badOption(owner, 'verifiers', 'an array of verifiers', value);
  for (const [index, verifier] of value.entries()) {
    const option = `verifiers[${index}]`;
    const { name, matches, find, examples, characters, pairs } = (verifier ?? {}) as Partial<BuiltInVerifier>;
    if (typeof name !== 'string' || typeof matches !== 'function' || typeof find !== 'function') {
      throw badOption(owner, option, 'an object with name, matches() and find()', verifier);
    }
    const needsExample = pairs?.ownsId === undefined;
    if (!Array.isArray(examples) || (needsExample && examples.length === 0)) {
      throw badOption(owner, `${option}.examples`, 'an array of at least one text', examples);
    }
    if (!/^[\x21-\x7E]*$/.test(characters ?? '')) {
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

function refuseTwoOfAKind(verifiers: readonly BuiltInVerifier[]): void {
  const kinds = verifiers.flatMap(({ maker }) => maker?.kind ?? []);
  const twice = kinds.find((kind, index) => kinds.indexOf(kind) !== index);
  if (twice !== undefined)
    throw new TypeError(`createApiKeys: verifiers: two of them make keys of kind "${twice}"`);
}
