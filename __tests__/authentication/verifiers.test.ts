import { describe, expect, test } from '@jest/globals';
import { bcryptSecrets } from '../../lib/authentication/bcrypt-secrets.ts';
import type { BuiltInVerifier } from '../../lib/authentication/key-verifier.ts';
import { checkVerifiers, createVerifiers, type Verifiers } from '../../lib/authentication/verifiers.ts';
import { createApiKeys, foreignKeys, keyPairs, MemoryKeyStore } from '../../lib/index.ts';
import type { KeyMaker } from '../../lib/keys/key-maker.ts';

/** Takes texts that begin with its name and `-`. */
function named(name: string, more: Partial<BuiltInVerifier> = {}): BuiltInVerifier {
  return {
    name,
    examples: [`${name}-1`],
    matches: (text) => text.startsWith(`${name}-`),
    find: async () => undefined,
    ...more,
  };
}

const withThese = (...plugIns: BuiltInVerifier[]): Verifiers => createVerifiers('acme', ['live'], plugIns);
const texts = (lengths: readonly number[], end = '') =>
  lengths.map((length) => 'a'.repeat(length - end.length) + end);

describe('a text is read', () => {
  test('up to 512 characters', () => {
    const { isReadable } = withThese();
    expect(texts([1, 512, 513]).map(isReadable)).toEqual([true, true, false]);
  });

  test('up to what the most patient verifier reads, where it has three parts as a JWT has', () => {
    const { isReadable } = withThese(named('long', { maxLength: 1_000 }), named('short'));
    expect(texts([513, 1_000, 1_001], '.b.c').map(isReadable)).toEqual([true, true, false]);
    expect(['', '.b', '.b.c.d'].flatMap((end) => texts([513], end)).map(isReadable)).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('unless it begins with NUL', () => {
    const { isReadable } = withThese();
    expect(['\0a', 'a\0'].map(isReadable)).toEqual([false, true]);
  });
});

describe('what the verifiers of one application have together', () => {
  test('is the characters of all', () => {
    expect(withThese().characters).toBe('');
    const some = [named('a', { characters: '|' }), named('b'), named('c', { characters: '#!' })];
    expect(withThese(...some).characters).toBe('|#!');
  });

  test('is who makes keys of each kind', () => {
    const kinds = (of: Verifiers) => of.makers.map(({ kind }) => kind);
    expect(kinds(withThese(named('a')))).toEqual(['opaque']);
    expect(kinds(withThese(named('a'), keyPairs()))).toEqual(['opaque', 'pair']);
  });

  test('is whether there are pairs, and whether Basic is read', () => {
    const pairs = keyPairs();
    const id = '01890a5d-ac96-774b-bcce-b302099a8057';
    expect(withThese(named('a'))).toMatchObject({ hasPairs: false, basicIds: undefined });
    expect(withThese(named('a'), pairs)).toMatchObject({ hasPairs: true, basicIds: undefined });
    const both = withThese(bcryptSecrets({ ids: /^acct_\d+$/ }), keyPairs({ basic: true }));
    expect([id, 'acct_1', `${id}x`].map((one) => both.basicIds?.(one))).toEqual([true, false, false]);
  });

  test('is one verifier for each text, or none', () => {
    const [one, other] = [named('a'), named('b', { matches: (text) => /^b-|^a-2$/.test(text) })];
    const { shapeOf } = withThese(one, other);
    expect(['a-1', 'b-1', 'a-2', 'c-1'].map(shapeOf)).toEqual([one, other, 'malformed', 'malformed']);
  });

  test('is one verifier for each id of a pair: who owns it, else who takes all that nobody owns', () => {
    const owning = bcryptSecrets({ ids: /^acct_\d+$/ }) as BuiltInVerifier;
    const general = keyPairs() as BuiltInVerifier;
    const { pairVerifierOf } = withThese(owning, general);
    expect(pairVerifierOf('acct_1', 's')).toBe(owning.pairs);
    expect(pairVerifierOf('acct_1', 's'.repeat(73))).toBeUndefined();
    expect(pairVerifierOf('other', 's'.repeat(73))).toBe(general.pairs);
    expect(pairVerifierOf('other', '')).toBeUndefined();
    expect(withThese(owning).pairVerifierOf('other', 's')).toBeUndefined();
  });
});

test('keys of another system are no pairs', async () => {
  const old = foreignKeys({ name: 'old', matches: /^old-\d+$/, examples: ['old-1'], digests: () => [] });
  const apiKeys = createApiKeys({ store: new MemoryKeyStore(), verifiers: [old] });
  await expect(apiKeys.verifyPair('a', 'b')).rejects.toThrow(
    'verifyPair: pairs need keyPairs() or bcryptSecrets() in createApiKeys({ verifiers: [...] })',
  );
});

describe('verifiers that do not go together are refused', () => {
  test('where two make keys of one kind', () => {
    expect(() =>
      withThese(keyPairs(), named('b', { maker: (keyPairs() as BuiltInVerifier).maker as KeyMaker })),
    ).toThrow(new TypeError('createApiKeys: verifiers: two of them make keys of kind "pair"'));
  });

  test('where an example is that of two, and both are named', () => {
    const greedy = named('greedy', { matches: (text) => /^(?:greedy|a)-/.test(text) });
    expect(() => withThese(named('a'), greedy)).toThrow(
      new TypeError(
        'createApiKeys: verifier "a": its example must match it and no other verifier, but "a-1" matches a, greedy',
      ),
    );
  });

  test('where an example is that of another one alone', () => {
    expect(() => withThese(named('a'), named('b', { examples: ['a-5'] }))).toThrow(
      new TypeError(
        'createApiKeys: verifier "b": its example must match it and no other verifier, but "a-5" matches a',
      ),
    );
  });
});

describe('the option', () => {
  const whole = named('a');
  const rule = 'verifiers[1] must be an object with name, matches() and find(), but got';
  const exampleRule = 'verifiers[1].examples must be an array of at least one text, but got';
  const characterRule = 'verifiers[1].characters must be visible ASCII characters, but got';

  test.each<[string, unknown, string]>([
    ['no array', whole, 'verifiers must be an array of verifiers, but got an object'],
    ['undefined in it', [whole, undefined], `${rule} undefined`],
    ['a verifier without name', [whole, { ...whole, name: undefined }], `${rule} an object`],
    ['a verifier without matches()', [whole, { ...whole, matches: undefined }], `${rule} an object`],
    ['a verifier without find()', [whole, { ...whole, find: 1 }], `${rule} an object`],
    ['a verifier with a text as examples', [whole, { ...whole, examples: 'a-1' }], `${exampleRule} "a-1"`],
    ['a verifier without examples', [whole, { ...whole, examples: [] }], `${exampleRule} an array of 0`],
    [
      'a verifier of any pairs without examples',
      [whole, { ...keyPairs(), examples: [] }],
      `${exampleRule} an array of 0`,
    ],
    ['a space among the characters', [whole, { ...whole, characters: '| #' }], `${characterRule} "| #"`],
    ['a character beyond ASCII first', [whole, { ...whole, characters: 'é|' }], `${characterRule} "é|"`],
    ['one last', [whole, { ...whole, characters: '|é' }], `${characterRule} "|é"`],
  ])('is refused with %s', (_, given, message) => {
    expect(() => checkVerifiers('createApiKeys', given)).toThrow(new TypeError(`createApiKeys: ${message}`));
  });

  test('is taken with whole verifiers, with and without further characters, and none', () => {
    const given = [whole, { ...whole, characters: '|' }, bcryptSecrets({ ids: /^x$/ })];
    expect(checkVerifiers('createApiKeys', given)).toBe(given);
    expect(checkVerifiers('createApiKeys', undefined)).toEqual([]);
  });
});
