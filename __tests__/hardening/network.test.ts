import { expect, jest, test } from '@jest/globals';
import { run } from '../../hardening/network/network.mjs';
import { createDatabase, describeWithServers, SERVER_TIMEOUT_MS, serverUrl } from '../support/servers.ts';

// Faults last for a while, and recoveries too, on a machine that may be busy.
jest.setTimeout(SERVER_TIMEOUT_MS);

const SEED = 20_261_120;

/** They take a while, and little of the machine: at the same time. */
const plans = [
  { store: 'pg-pool', faults: ['cut', 'half open, then reset'] },
  { store: 'pg-pool', faults: ['answers that stop half-way', 'watch, its listener half open'] },
  { store: 'ioredis', faults: ['half open for answers, then reset', 'answers cut off by FIN'] },
  { store: 'libsql-file', faults: ['locked against writers', 'locked against all'] },
];

/** Whether it is quick is for the long run to say. */
const PACE = { perSecond: 40, slack: 12 };

describeWithServers('connections that break', () => {
  test('let nobody in who ought not to be, and refuse no good key', async () => {
    const databases = await Promise.all(plans.map(() => createDatabase('postgres')));
    const redis = await serverUrl('redis');
    const results = await Promise.all(
      plans.map(async ({ store, faults }, index) => {
        const urls = { postgres: databases[index]?.url as string, redis };
        const say = () => undefined;
        return run({ seed: SEED + index, scale: 0.05, say, stores: [store], faults, urls, ...PACE });
      }),
    );
    await Promise.all(databases.map((database) => database.drop()));
    const rows = results.flat();
    expect(rows.flatMap(({ problems }) => problems)).toEqual([]);
    const judged = rows.filter(({ name }) => name !== 'unhandled rejections');
    expect(judged).toHaveLength(plans.flatMap(({ faults }) => faults).length);
    for (const { iterations, falseAccepts, falseRefusals } of judged) {
      expect(iterations).toBeGreaterThan(20);
      expect([falseAccepts, falseRefusals]).toEqual([0, 0]);
    }
  });
});
