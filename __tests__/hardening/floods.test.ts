import { describe, expect, jest, test } from '@jest/globals';
import { run } from '../../hardening/load/floods.mjs';

// Many thousand requests, on a machine that may be busy.
jest.setTimeout(120_000);

/** What each row has to have tried at the least, so that it shows anything. */
const LEAST_ITERATIONS = [
  ['texts that are no keys, in process', 10_000],
  ['texts that are no keys, over HTTP', 200],
  ['unknown keys beside good ones', 10_000],
  ['requests that never end', 60],
  ['one cold and one unknown key at once: opaque', 1_000],
  ['one cold and one unknown key at once: pair', 1_000],
  ['one cold and one unknown key at once: foreign', 1_000],
  ['one cold and one unknown key at once: jwt', 1_000],
  ['wrong secrets for one id', 1_000],
  ['the right secret after wrong ones', 40],
] as const;

describe('floods', () => {
  test('cost no store calls that they need not, shut nobody out and let nobody in', async () => {
    const rows = await run({ seed: 20_261_120, scale: 0.01, say: () => undefined });

    expect(rows.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`))).toEqual(
      [],
    );
    expect(rows.map(({ name }) => name)).toEqual(LEAST_ITERATIONS.map(([name]) => name));
    for (const [index, [, least]] of LEAST_ITERATIONS.entries()) {
      expect(rows[index]?.iterations).toBeGreaterThanOrEqual(least);
    }
    expect(
      rows.filter(({ falseAccepts = 0, falseRefusals = 0 }) => falseAccepts + falseRefusals > 0),
    ).toEqual([]);
  });
});
