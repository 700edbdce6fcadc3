import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Explanation, KeyVerifier } from '../../lib/index.ts';
import { lagsBehind, rejects } from '../support/fault-store.ts';
import { advance, holdClocks, openBench, outcomeOf, UNKNOWN_KEY } from '../support/key-bench.ts';
import { buildRecord, digestOf } from '../support/records.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

/** The outcome of every step before the checks of a record. */
function beginningOf({ steps }: Explanation): string[] {
  const end = steps.findIndex(({ step }) => step === 'revoked');
  return steps.slice(0, end === -1 ? undefined : end).map(({ step, outcome }) => `${step}: ${outcome}`);
}

const OWN_SHAPE = ['shape: pass', 'checksum: pass', 'environment: pass'];

describe('the steps to a record are told', () => {
  test('where a fresh entry decides', async () => {
    const { apiKeys, key } = await openBench();
    await apiKeys.verify(key);
    const told = beginningOf(await apiKeys.explain(key));
    expect(told).toEqual([...OWN_SHAPE, 'cache: pass', 'store: pass', 'version: pass']);
  });

  test.each([
    ['that is too old', 10_000],
    ['that is too old for anything', 40_000],
  ])('where there is one %s', async (_case, ageMs) => {
    const { apiKeys, key } = await openBench();
    await apiKeys.verify(key);
    await advance(ageMs);
    const told = beginningOf(await apiKeys.explain(key));
    expect(told).toEqual([...OWN_SHAPE, 'cache: info', 'store: pass', 'version: pass']);
  });

  test('where one was changed here since', async () => {
    const { apiKeys, key, apiKey } = await openBench();
    await apiKeys.verify(key);
    await apiKeys.disable(apiKey.id);
    const told = beginningOf(await apiKeys.explain(key));
    expect(told).toEqual([...OWN_SHAPE, 'cache: info', 'store: pass', 'version: pass']);
  });

  test('where it is known to be unknown', async () => {
    const { apiKeys } = await openBench();
    await apiKeys.verify(UNKNOWN_KEY);
    const told = beginningOf(await apiKeys.explain(UNKNOWN_KEY));
    expect(told).toEqual([...OWN_SHAPE, 'cache: fail', 'store: fail']);
  });

  test('where the store answers with an older version than is known', async () => {
    const { apiKeys, store, key, apiKey, record } = await openBench();
    const before = await record();
    await apiKeys.update(apiKey.id, { name: 'renamed', scopes: [] });
    store.always('findByDigest', lagsBehind(before));
    const explanation = await apiKeys.explain(key);
    expect(explanation.verdict).toBe('unavailable');
    expect(beginningOf(explanation)).toEqual([...OWN_SHAPE, 'cache: info', 'store: pass', 'version: fail']);
    expect(explanation.steps.at(-1)?.detail).toBe(
      'A newer version is known here than the store answers with.',
    );
  });

  test('where the store fails, once', async () => {
    const { apiKeys, store, key } = await openBench();
    await advance(5_000);
    store.always('findByDigest', rejects(new Error('down')));
    const explanation = await apiKeys.explain(key);
    expect(beginningOf(explanation)).toEqual([...OWN_SHAPE, 'cache: info', 'store: fail']);
    expect(explanation.steps.at(-1)?.detail).toBe('No answer in 0.0 ms: findByDigest() failed.');
  });

  test('with how long the store took', async () => {
    const { apiKeys, store, key } = await openBench();
    await advance(5_000);
    store.next('findByDigest', async (real) => {
      await advance(12);
      return real();
    });
    const { steps } = await apiKeys.explain(key);
    expect(steps[4]?.detail).toBe('findByDigest() found a record, of version 1, in 12.0 ms.');
  });
});

describe('what a verifier of somebody else did is told', () => {
  const RECORD = buildRecord(1, { digest: digestOf('theirs-1') });

  async function explained(find: KeyVerifier['find']): Promise<Explanation> {
    const matches = (text: string) => text.startsWith('theirs-');
    const bench = await openBench({ verifiers: [{ name: 'theirs', matches, examples: ['theirs-1'], find }] });
    await bench.memory.insert(RECORD);
    const explanation = await bench.apiKeys.explain('theirs-1');
    const { verdict, reason, error } = explanation;
    const outcome = verdict === 'refused' ? reason : (error?.code ?? verdict);
    expect(await outcomeOf(bench.apiKeys.verify('theirs-1'))).toBe(outcome);
    return explanation;
  }

  test('a record that is not from its lookup', async () => {
    const explanation = await explained(async () => ({ record: buildRecord(1) }));
    expect(beginningOf(explanation)).toEqual(['shape: pass', 'cache: info', 'verifier: fail']);
    expect(explanation.steps.at(-1)?.detail).toBe(
      'A verifier must answer with a record that its lookup gave it.',
    );
  });

  test('nothing, without a question', async () => {
    const explanation = await explained(async () => undefined);
    expect(beginningOf(explanation)).toEqual(['shape: pass', 'cache: info', 'verifier: fail']);
  });

  test('nothing, after a record and another question in vain', async () => {
    const explanation = await explained(async (text, lookup) => {
      await lookup.byDigest(lookup.digests(text));
      await lookup.byDigest(lookup.digests(`not ${text}`));
      return undefined;
    });
    const asked = ['store: pass', 'store: fail', 'verifier: fail'];
    expect(beginningOf(explanation)).toEqual(['shape: pass', 'cache: info', ...asked]);
    expect(explanation.steps.at(-1)?.detail).toMatch(/^"theirs" did not take the record that was found: /);
  });

  test('nothing, after questions in vain', async () => {
    const explanation = await explained(async (text, lookup) => {
      const record = await lookup.byDigest(lookup.digests(`not ${text}`));
      return record && { record };
    });
    expect(beginningOf(explanation)).toEqual(['shape: pass', 'cache: info', 'store: fail']);
  });

  test('a fault of its own, after a record', async () => {
    const explanation = await explained(async (text, lookup) => {
      await lookup.byDigest(lookup.digests(text));
      throw new Error('out of order');
    });
    expect(beginningOf(explanation)).toEqual(['shape: pass', 'cache: info', 'store: pass', 'verifier: fail']);
  });
});
