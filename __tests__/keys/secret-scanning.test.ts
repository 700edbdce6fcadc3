import { describe, expect, test } from '@jest/globals';
import {
  createApiKeys,
  MemoryKeyStore,
  type SecretScanningOptions,
  secretScanningPattern,
} from '../../lib/index.ts';
import { KEY_INPUT } from '../support/open-keys.ts';

const RANDOM = `${'aB3'.repeat(12)}xY`;

async function makeKeys(prefix: string, environment: 'live' | 'test', count: number): Promise<string[]> {
  const apiKeys = createApiKeys({ store: new MemoryKeyStore(), prefix, environment });
  const made = Array.from({ length: count }, () => apiKeys.create(KEY_INPUT));
  return (await Promise.all(made)).map(({ key }) => key);
}

describe.each(['sk', 'acme', 'a_b_c1', `z${'9'.repeat(31)}`])('the pattern of prefix %s', (prefix) => {
  const { regex } = secretScanningPattern({ prefix });

  test('finds every key that is made with it, and the whole of it', async () => {
    for (const environment of ['live', 'test'] as const) {
      for (const key of await makeKeys(prefix, environment, 200))
        expect(regex.exec(`a "${key}".`)?.[1]).toBe(key);
    }
  });
});

describe('the pattern of acme', () => {
  const { regex } = secretScanningPattern({ prefix: 'acme' });
  const key = `acme_live_${RANDOM}`;

  test.each<[string, string]>([
    ['in an assignment', `KEY=${key}`],
    ['in JSON', `{"key":"${key}"}`],
    ['in a header', `Authorization: Bearer ${key}`],
    ['in an address', `https://api.test/?key=${key}&a=1`],
    ['at the end of a sentence', `It is ${key}.`],
    ['alone', key],
  ])('finds a key %s', (_, text) => {
    expect(text.match(new RegExp(regex, 'g'))).toEqual([key]);
  });

  test.each<[string, string]>([
    ['of another prefix', `acne_live_${RANDOM}`],
    ['of a longer prefix', `my_acme_live_${RANDOM}`],
    ['of another environment', `acme_prod_${RANDOM}`],
    ['a character short', key.slice(0, -1)],
    ['a character long', `${key}x`],
    ['with another character in it', key.replace('B', '-')],
    ['in upper case', key.toUpperCase()],
    ['that is only shown', `acme_live_${RANDOM.slice(0, 4)}...${RANDOM.slice(-4)}`],
  ])('does not find one %s', (_, text) => {
    expect(regex.test(text)).toBe(false);
  });

  test('remembers nothing from one use to the next', () => {
    expect([regex.test(key), regex.test(key)]).toEqual([true, true]);
  });
});

test('the environments may be fewer', () => {
  const { regex, gitleaks } = secretScanningPattern({ prefix: 'acme', environments: ['live'] });

  expect(regex.test(`acme_live_${RANDOM}`)).toBe(true);
  expect(regex.test(`acme_test_${RANDOM}`)).toBe(false);
  expect(gitleaks).not.toContain('acme_test_');
});

describe('the rule for gitleaks', () => {
  // In each test anew: what is made while a file is loaded, no mutant has part in.
  const make = () => secretScanningPattern({ prefix: 'acme_co' });

  test('is TOML, with the members that such a rule has', () => {
    const { gitleaks, regex } = make();
    expect(gitleaks.endsWith(']\n')).toBe(true);
    expect(readToml(gitleaks)).toEqual({
      id: 'acme-co-api-key',
      description: 'An API key that begins with acme_co_live_ or acme_co_test_',
      regex: regex.source,
      secretGroup: 1,
      entropy: 3,
      keywords: ['acme_co_live_', 'acme_co_test_'],
    });
  });

  test('needs nothing that RE2 does not have', () => {
    expect(make().regex.source).not.toMatch(/\(\?(?!:)|\\[1-9kpPuc]/);
  });

  test('has keywords that stand in every key, in lower case', async () => {
    const { keywords } = readToml(make().gitleaks) as { keywords: string[] };
    for (const key of await makeKeys('acme_co', 'test', 20)) {
      expect(keywords.filter((word) => key.toLowerCase().includes(word))).toHaveLength(1);
    }
  });

  test('asks for less entropy than any key has, and for more than a placeholder', async () => {
    const { entropy } = readToml(make().gitleaks) as { entropy: number };
    const least = Math.min(...(await makeKeys('acme_co', 'live', 500)).map(entropyOf));

    expect(least).toBeGreaterThan(entropy + 0.5);
    expect(entropyOf(`acme_co_live_${'x'.repeat(38)}`)).toBeLessThan(entropy);
  });
});

test.each<[unknown, string]>([
  [
    { prefix: 'Acme' },
    'prefix must be a lower-case letter and then up to 31 of a-z, 0-9 and _, but got "Acme"',
  ],
  [{ prefix: '.*' }, 'prefix must be a lower-case letter and then up to 31 of a-z, 0-9 and _, but got ".*"'],
  [{ environments: [] }, 'environments must be an array of "live" and "test", but got an array of 0'],
  [{ environments: ['prod'] }, 'environments must be an array of "live" and "test", but got an array of 1'],
  [{ prefixes: 'acme' }, 'unknown option "prefixes"; did you mean "prefix"? (known: prefix, environments)'],
])('options of %j are refused', (options, message) => {
  expect(() => secretScanningPattern(options as SecretScanningOptions)).toThrow(
    new TypeError(`secretScanningPattern: ${message}`),
  );
});

/** Bits for each character, as gitleaks counts them. */
function entropyOf(text: string): number {
  const counts = [...new Set(text)].map((one) => text.split(one).length - 1);
  return counts.reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
}

/** One table of an array of tables, in the part of TOML 1.0 that the rule is written in. */
function readToml(text: string): Record<string, unknown> {
  const [head, ...lines] = text.trimEnd().split('\n');
  expect(head).toBe('[[rules]]');
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', value = ''] = /^([A-Za-z]+) = (.+)$/.exec(line) ?? [];
      return [name, readTomlValue(value)];
    }),
  );
}

function readTomlValue(value: string): unknown {
  const literal = /^'''(?!\n)((?:(?!''')[^\n])*)'''$|^'([^'\n]*)'$/.exec(value);
  if (literal !== null) return literal[1] ?? literal[2];
  if (/^\d+$/.test(value)) return Number(value);
  const [, list] = /^\[(.*)\]$/.exec(value) ?? [];
  if (list === undefined) throw new Error(`no value of TOML: ${value}`);
  return list.split(', ').map(readTomlValue);
}
