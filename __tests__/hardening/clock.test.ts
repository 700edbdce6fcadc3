import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { run } from '../../hardening/load/clock.mjs';
import { ensureBuilt } from '../support/built-package.ts';

// A process is started here, and on a busy machine that takes seconds.
jest.setTimeout(120_000);

/** The process that is stopped runs the package as it is published. */
beforeAll(ensureBuilt);

describe('clocks that jump, and a process that was stopped', () => {
  test('keep no key alive beyond its end and its bound, and shut out no good one', async () => {
    const rows = await run({ seed: 1, scale: 0.01, say: () => undefined });

    expect(rows.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`))).toEqual(
      [],
    );
    expect(rows.map(({ name, iterations }) => [name, iterations])).toEqual([
      ['clocks that jump', 60],
      ['a JWT under a clock that jumps', 7],
      ['stopped for 1.5 s, sqlite, ttlMs 1000', 45],
    ]);
    expect(
      rows.filter(({ falseAccepts = 0, falseRefusals = 0 }) => falseAccepts + falseRefusals > 0),
    ).toEqual([]);
  });
});
