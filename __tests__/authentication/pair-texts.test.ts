import { describe, expect, test } from '@jest/globals';
import { bcryptSecrets } from '../../lib/authentication/bcrypt-secrets.ts';
import { splitPair } from '../../lib/authentication/key-pairs.ts';
import type { BuiltInVerifier } from '../../lib/authentication/key-verifier.ts';
import { createApiKeys, type KeyRecord, keyPairs, keyRecord, MemoryKeyStore } from '../../lib/index.ts';
import { outcomeOf } from '../support/key-bench.ts';
import { digestOf } from '../support/records.ts';

const ID = '01890a5d-ac96-774b-bcce-b302099a8057';
const SECRET = 's'.repeat(43);

describe('a pair as one text', () => {
  test.each([
    ['abc', ['', '']],
    ['', ['', '']],
    ['.', ['', '']],
    ['a.b', ['a', 'b']],
    ['.b', ['', 'b']],
    ['a.', ['a', '']],
    ['a.b.c', ['a.b', 'c']],
  ])('%j is parted at its last dot', (text, parts) => {
    expect(splitPair(text)).toEqual(parts);
  });

  test('is one of ours where both parts are', () => {
    const { matches } = keyPairs();
    const texts = [
      `${ID}.${SECRET}`,
      `${ID}.${SECRET}s`,
      `${ID}x.${SECRET}`,
      `x.${SECRET}`,
      `${ID}.`,
      `.${SECRET}`,
      ID,
      SECRET,
    ];
    expect(texts.map((text) => matches(text))).toEqual([true, ...texts.slice(1).map(() => false)]);
  });

  test('is one under bcrypt where its id is, and not without a dot', () => {
    const { matches } = bcryptSecrets({ ids: /^\w+$/ });
    expect(['a.b', 'abc', 'a.', '.b', '.'].map((text) => matches(text))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('keyPairs()', () => {
  test.each([
    [undefined, false],
    [{}, false],
    [{ basic: false }, false],
    [{ basic: true }, true],
  ])('with %j reads Basic: %j', (options, basic) => {
    expect((keyPairs(options) as BuiltInVerifier).pairs?.basic).toBe(basic);
  });

  test.each([
    [{ basics: true }, 'keyPairs: unknown option "basics"; did you mean "basic"? (known: basic)'],
    [{ basic: 'yes' }, 'keyPairs: basic must be true or false, but got "yes"'],
  ])('refuses %j', (options, message) => {
    expect(() => keyPairs(options as never)).toThrow(new TypeError(message));
  });

  test('takes no record but that of the pair itself', async () => {
    const outcomes: string[] = [];
    const fields: Partial<KeyRecord>[] = [{}, { kind: 'opaque' }, { kind: 'jwt' }, { id: 'another' }];
    for (const members of fields) {
      const digest = digestOf(`${ID}:${SECRET}`);
      const record = keyRecord({ id: ID, kind: 'pair', digest, organization: { id: 'org_1' }, ...members });
      const store = new MemoryKeyStore([record]);
      const apiKeys = createApiKeys({ store, verifiers: [keyPairs()] });
      outcomes.push(await outcomeOf(apiKeys.verifyPair(ID, SECRET)));
    }
    expect(outcomes).toEqual(['accepted', 'unknown', 'unknown', 'unknown']);
  });
});
