import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import { foreignKeys, type KeyVerifier, keyPairs } from '../../lib/index.ts';
import { jwtKeys } from '../../lib/jwt.ts';
import { ID, openBcrypt, SECRET } from '../support/bcrypt-bench.ts';
import { detail, hitches } from '../support/explained.ts';
import { keyOption, optionsWith } from '../support/jwt-options.ts';
import { openBench } from '../support/key-bench.ts';
import { buildRecord } from '../support/records.ts';

test('a pair, right and wrong', async () => {
  const { apiKeys } = await openBench({ verifiers: [keyPairs()] });
  const input = { name: 'CI', organization: { id: 'org_1' }, kind: 'pair' } as const;
  const { key, secret } = await apiKeys.create(input);
  const good = await apiKeys.explain(`${key}.${secret}`);
  const wrong = await apiKeys.explain(`${key}.${'x'.repeat(43)}`);

  expect(good.verdict).toBe('accepted');
  expect(detail(good, 'shape')).toBe('It has the shape of "pairs".');
  expect(wrong.reason).toBe('unknown');
  expect(hitches(wrong)).toEqual(['cache: info', 'store: fail']);
});

test('a secret under bcrypt, right and wrong', async () => {
  const { apiKeys, record } = openBcrypt();
  const [good, wrong] = [await apiKeys.explain(`${ID}.${SECRET}`), await apiKeys.explain(`${ID}.wrong`)];

  expect(good.verdict).toBe('accepted');
  expect((await record()).digest).toMatch(/^bcrypt:/);
  expect(wrong).toMatchObject({ verdict: 'refused', reason: 'unknown' });
  expect(detail(wrong, 'store')).toMatch(/^findById\(\) found a record/);
  expect(detail(wrong, 'verifier')).toContain(
    '"bcrypt" did not take the record that was found: a wrong secret',
  );
});

test('a JWT, right, and with another signature', async () => {
  const { apiKeys } = await openBench({ verifiers: [jwtKeys(optionsWith([keyOption('k1', 'current')]))] });
  const { key } = await apiKeys.create({ name: 'CI', organization: { id: 'org_1' }, kind: 'jwt' });
  const good = await apiKeys.explain(key);
  const wrong = await apiKeys.explain(key.replace(/[^.]+$/, (signature) => 'A'.repeat(signature.length)));

  expect(good.verdict).toBe('accepted');
  expect(detail(good, 'expired')).toMatch(/^It ends at /);
  expect(wrong.reason).toBe('unknown');
  expect(detail(wrong, 'verifier')).toContain('"jwt" refused it without asking the store');
});

test('a text that two verifiers take', async () => {
  const options = { name: 'old', matches: /^old-\d+$|^x-1$/, examples: ['old-1'], digests: () => [] };
  const older = { ...options, name: 'older', matches: /^older-\d+$|^x-1$/, examples: ['older-1'] };
  const { apiKeys } = await openBench({ verifiers: [foreignKeys(options), foreignKeys(older)] });

  expect(detail(await apiKeys.explain('x-1'), 'shape')).toBe(
    'Several verifiers take its shape: "old", "older".',
  );
});

test.each<[string, KeyVerifier['find']]>([
  ['that throws', () => Promise.reject(new Error('the key is plain-1'))],
  ['that answers with a record of its own', async () => ({ record: buildRecord(1) })],
])('a verifier %s is a fault, which holds nothing of the text', async (_, find) => {
  const matches = (text: string) => text.startsWith('plain-');
  const { apiKeys } = await openBench({
    verifiers: [{ name: 'plain', matches, examples: ['plain-0'], find }],
  });
  const explanation = await apiKeys.explain('plain-1');

  expect(explanation.verdict).toBe('unavailable');
  expect(explanation.steps.at(-1)).toMatchObject({ step: 'verifier', outcome: 'fail' });
  expect(inspect(explanation)).not.toContain('plain-1');
});
