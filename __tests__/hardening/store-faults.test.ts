import { describe, expect, jest, test } from '@jest/globals';
import { run } from '../../hardening/network/store-faults.mjs';

// Hundreds of requests for each fault, on a machine that may be busy.
jest.setTimeout(180_000);

const SEED = 20_261_120;

const plans = [
  { stores: ['memory'], faults: undefined, rows: 15 },
  {
    stores: ['libsql-file'],
    faults: ['rejects', "answers another key's record", 'acts, and fails'],
    rows: 5,
  },
];

describe.each(plans)('a store that fails: $stores', ({ stores, faults, rows: wanted }) => {
  test('lets nobody in who ought not to be, refuses no good key, and says nothing that is not so', async () => {
    const plan = { seed: SEED, scale: 0.006, say: () => undefined, stores };
    const rows = await run(faults === undefined ? plan : { ...plan, faults });
    expect(rows.flatMap(({ problems }) => problems)).toEqual([]);
    expect(rows).toHaveLength(wanted);
    const judged = rows.filter(({ name }) => name !== 'unhandled rejections');
    for (const { iterations, falseAccepts, falseRefusals } of judged) {
      expect(iterations).toBeGreaterThan(150);
      expect([falseAccepts, falseRefusals]).toEqual([0, 0]);
    }
  });
});
