import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Explanation, foreignKeys, keyPairs } from '../../lib/index.ts';
import { detail } from '../support/explained.ts';
import { advance, holdClocks, openBench, openWatching, UNKNOWN_KEY } from '../support/key-bench.ts';
import { START_MS } from '../support/open-keys.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

const START = new Date(START_MS).toISOString();

/** Every step as one line. */
function linesOf({ steps }: Explanation): string[] {
  return steps.map((one) => `${one.step} ${one.outcome}: ${one.detail}`);
}

describe('every step is told in full', () => {
  test('of a good key', async () => {
    const { apiKeys, key, apiKey } = await openBench();

    expect(linesOf(await apiKeys.explain(key))).toEqual([
      `shape pass: It has the shape of a key made here, "${apiKey.start}...${apiKey.end}".`,
      'checksum pass: Its checksum is right.',
      'environment pass: It is for live; accepted here: live.',
      'cache info: It is not held, so the store decides.',
      'store pass: findByDigest() found a record, of version 1, in 0.0 ms.',
      'version pass: No newer version is known here.',
      'revoked pass: It is not revoked.',
      'disabled pass: It is enabled.',
      'owner_inactive pass: The option ownerStatus is not set, so nobody was asked.',
      'rotated pass: It is the current key of its record.',
      'expired pass: It has no end.',
      'not_yet_valid pass: It has no beginning.',
      'wrong_environment pass: Its record is for live; accepted here: live.',
    ]);
  });

  test('of a key that everything speaks against', async () => {
    const { apiKeys, key, apiKey, otherProcess } = await openBench({
      environments: ['live', 'test'],
      input: { expiresAt: new Date(START_MS + 1_000), notBefore: new Date(START_MS + 500) },
      ownerStatus: () => 'inactive',
    });
    await apiKeys.rotate(apiKey.id, { gracePeriodMs: 0 });
    await apiKeys.disable(apiKey.id);
    const { steps, reason } = await otherProcess().explain(key);
    const told = linesOf({ verdict: 'refused', steps: steps.slice(4) });

    expect(reason).toBe('unknown');
    expect(told).toEqual(['store fail: findByDigest() found no record in 0.0 ms.']);
    expect(detail({ verdict: 'refused', steps }, 'environment')).toBe(
      'It is for live; accepted here: live, test.',
    );
  });

  test('of a record for another environment than is accepted', async () => {
    const options = { name: 'old', matches: /^old-\d+$/, examples: ['old-1'] };
    const digest = `sha256:${'A'.repeat(43)}`;
    const { apiKeys, memory, record, otherProcess } = await openBench({
      verifiers: [foreignKeys({ ...options, digests: () => [digest] })],
    });
    const kept = await record();
    await memory.delete(kept.id);
    await memory.insert({ ...kept, digest, environment: 'test' });
    const explanation = await apiKeys.explain('old-1');

    expect(explanation).toMatchObject({ verdict: 'refused', reason: 'wrong_environment' });
    expect(linesOf(explanation).at(-1)).toBe(
      'wrong_environment fail: Its record is for test; accepted here: live.',
    );
    const accepting = otherProcess({ environments: ['live', 'test'] });
    expect((await accepting.explain('old-1')).verdict).toBe('accepted');
  });

  test('of a text that is mistyped', async () => {
    const { apiKeys } = await openBench();

    expect(linesOf(await apiKeys.explain(`${UNKNOWN_KEY.slice(0, -1)}X`))).toEqual([
      'shape pass: It has the shape of a key made here, "acme_live_0000...GKJX".',
      'checksum fail: Its checksum is wrong: it was mistyped, or cut and mended.',
      'environment pass: It is for live; accepted here: live.',
    ]);
  });

  test.each([
    ['no verifier but our own', [], ''],
    ['one', [keyPairs()], ', nor that of "pairs"'],
    [
      'two',
      [keyPairs(), foreignKeys({ name: 'old', matches: /^old$/, examples: ['old'], digests: () => [] })],
      ', nor that of "pairs", "old"',
    ],
  ])("of a text that is nobody's, where there is %s", async (_, verifiers, others) => {
    const { apiKeys } = await openBench({ verifiers });

    expect(linesOf(await apiKeys.explain('x'))).toEqual([
      `shape fail: It has not the shape of a key made here${others}: it does not begin with "acme_".`,
    ]);
    expect(linesOf(await apiKeys.explain('x\0y'))).toEqual([
      `shape fail: It has not the shape of a key made here${others}: ` +
        'it holds a character that no header field may carry in a key.',
    ]);
  });

  test('of a text that begins with NUL, which no key does', async () => {
    const { apiKeys } = await openBench();

    expect(linesOf(await apiKeys.explain('\0'))).toEqual([
      'shape fail: It has 1 characters, and is longer than any key or begins with NUL.',
    ]);
  });
});

describe('what is held is told with', () => {
  test('that it is too old, and what it is good for until when', async () => {
    const { apiKeys, key } = await openBench();
    await apiKeys.verify(key);
    const told: (string | undefined)[] = [];
    for (const ms of [9_999, 1, 29_999, 1]) {
      await advance(ms);
      told.push(detail(await apiKeys.explain(key), 'cache'));
    }

    expect(told).toEqual([
      'It is held with version 1, read 9999 ms ago: this decides for up to 1 ms more.',
      'It is held with version 1, read 10000 ms ago, which is too long ago, so the store decides, unless it fails.',
      'It is held with version 1, read 39999 ms ago, which is too long ago, so the store decides, unless it fails.',
      'It is held with version 1, read 40000 ms ago, which is too long ago, so the store decides.',
    ]);
  });

  test('that its key may have changed', async () => {
    const { apiKeys, store, key } = await openWatching();
    store.tell({ type: 'lost' });

    expect(detail(await apiKeys.explain(key), 'cache')).toBe(
      'It is held with version 1, read 0 ms ago, and may have changed since, so the store decides.',
    );
  });

  test('how long it is unknown', async () => {
    const { apiKeys } = await openBench();
    await apiKeys.verify(UNKNOWN_KEY);
    const told: (string | undefined)[] = [];
    for (const ms of [4_999, 1]) {
      await advance(ms);
      const explanation = await apiKeys.explain(UNKNOWN_KEY);
      told.push(linesOf(explanation)[3]);
    }

    expect(told).toEqual([
      'cache fail: It is held as unknown since 4999 ms, and decided so for 1 ms more.',
      'cache info: It is not held, so the store decides.',
    ]);
  });
});

test('a clock that tells no time gets no time into an explanation', async () => {
  const clock = { ms: START_MS };
  const { apiKeys, key } = await openBench({
    now: () => clock.ms,
    input: { notBefore: new Date(START_MS) },
  });
  clock.ms = Number.NaN;

  expect(detail(await apiKeys.explain(key), 'not_yet_valid')).toBe(`It works from ${START}; it is no time.`);
});

test('an explanation is frozen to the bottom', async () => {
  const { apiKeys, key } = await openBench();
  const explanation = await apiKeys.explain(key);

  expect(Object.isFrozen(explanation)).toBe(true);
  expect(Object.isFrozen(explanation.steps)).toBe(true);
  expect(explanation.steps.every((one) => Object.isFrozen(one))).toBe(true);
});
