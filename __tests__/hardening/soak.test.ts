import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { jwtOptions } from '../../bench/jwt-options.mjs';
import { soak, trafficRow } from '../../hardening/load/soak.mjs';
import { openKeys, serveApi } from '../../hardening/load/soak-api.mjs';
import { grown, slopeOf } from '../../hardening/load/soak-trend.mjs';
import { type ApiKeys, MemoryKeyStore } from '../../lib/index.ts';

// Some thousand answers, for which a busy machine takes its time.
jest.setTimeout(120_000);

/** Moves as soon as all that was sent before is answered. */
class Ticks {
  #ms = Date.UTC(2026, 0, 1);

  readonly now = (): number => this.#ms;

  async next(pending: Set<unknown>): Promise<void> {
    await Promise.all(pending);
    this.#ms += 20;
  }
}

describe('keys that are rotated and revoked each second, under load', () => {
  const ticks = new Ticks();
  const store = new MemoryKeyStore();
  const jwt = jwtOptions();
  let here: ApiKeys;
  let asked: ApiKeys;
  let server: Server;

  beforeAll(async () => {
    here = openKeys(store, jwt, ticks.now);
    asked = openKeys(store, jwt, ticks.now);
    server = await serveApi(asked);
  });

  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    await Promise.all([here.close(), asked.close()]);
  });

  test('nobody gets in who ought not to, and nobody is kept out, in a process that hears of it by its watch', async () => {
    const load = { keys: 60, seconds: 14, perSecond: 100 };
    const { port } = server.address() as AddressInfo;
    const sample = async () => ({ heapUsed: 0, rss: 0 });
    const how = { seed: 1, say: () => undefined, ticks };
    const { requests, counts, answers } = await soak({ apiKeys: here, port, sample }, load, how);
    const row = trafficRow(requests, counts, answers, load);
    expect(row.problems).toEqual([]);
    expect(row).toMatchObject({ falseAccepts: 0, falseRefusals: 0, iterations: 1_910 });
    expect(counts).toEqual({ made: 116, rotated: 14, revoked: 14 });
    expect(answers.accepted).toBeGreaterThan(1_200);
    expect(answers.refused).toBeGreaterThan(300);
  });
});

describe('what the samples of a long run say', () => {
  test('the slope of a line, and how sure it is', () => {
    const xs = [0, 1, 2, 3];
    expect(slopeOf(xs.map((x) => ({ x, y: 5 + 2 * x })))).toEqual({ slope: 2, standardError: 0 });
    const { slope, standardError } = slopeOf(xs.map((x) => ({ x, y: x % 2 })));
    expect(slope).toBeCloseTo(0.2);
    expect(standardError).toBeCloseTo(0.283);
    expect(slopeOf([{ x: 0, y: 1 }])).toEqual({ slope: Number.NaN, standardError: Number.NaN });
  });

  test('what is never down again has grown, and what comes and goes has not', () => {
    const samples = Array.from({ length: 20 }, (_, turn) => ({
      leaked: 3 + Math.floor(turn / 4),
      busy: turn % 3,
      same: 7,
      ...(turn > 10 ? { late: 1 } : {}),
    }));
    expect(grown(samples)).toEqual(['leaked', 'late']);
  });
});
