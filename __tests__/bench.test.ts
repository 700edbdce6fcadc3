import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { chartOf } from '../bench/contest/chart.mjs';
import { CONTENDERS } from '../bench/contest/contenders.mjs';
import { Field } from '../bench/contest/field.mjs';
import { seededRandom, shuffler } from '../bench/contest/rounds.mjs';
import { asMarkdown } from '../bench/contest/tables.mjs';
import { simulate } from '../bench/scaling/simulation.mjs';
import { zipfRanks, zipfShares } from '../bench/scaling/zipf.mjs';
import { ensureBuilt, root } from './support/built-package.ts';

// Processes are started here, and on a busy machine each of them takes seconds.
jest.setTimeout(120_000);

interface Contender {
  readonly id: string;
  readonly inProcess: { readonly cpu: { readonly median: number } };
  readonly loopback: { readonly requests: number };
  readonly burst?: { readonly count: number; readonly storeCalls: number };
}

test('a contender that fails is out of the contest with its reason, and the others go on', async () => {
  const worker = { close: jest.fn() };
  const members = ['first', 'second'].map((id) => ({ id, name: `The ${id}`, worker }));
  const field = new Field(members, []);
  const all = new Map(members.map(({ id }) => [id, 1]));
  await field.each(members, ({ id }: { id: string }) => {
    if (id === 'first') throw new Error('its process is gone\n    at worker.mjs');
  });

  expect([...field.figures(all, (figure: number) => figure + 1)]).toEqual([['second', 2]]);
  expect(field.leftOut).toEqual([{ name: 'The first', why: 'its process is gone' }]);
  expect(worker.close).toHaveBeenCalledTimes(1);
});

describe('npm run bench, with what needs no other package', () => {
  const ids = ['empty', 'opaque', 'pair', 'jwt', 'malformed'];
  const folder = mkdtempSync(join(tmpdir(), 'keystile-bench-'));
  let printed = '';
  let contenders: readonly Contender[] = [];

  beforeAll(async () => {
    await ensureBuilt();
    const args = ['--smoke', '--out', folder, '--only', ids.join(), '--parts', 'in-process,burst,loopback'];
    const { stdout, stderr } = spawnSync(process.execPath, ['bench/contest/main.mjs', ...args], {
      cwd: root,
      encoding: 'utf8',
    });
    printed = stdout + stderr;
    const [json = ''] = readdirSync(folder).filter((name) => name.endsWith('.json'));
    ({ contenders } = JSON.parse(readFileSync(join(folder, json), 'utf8')) as { contenders: Contender[] });
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('measures each of them in process and over loopback', () => {
    expect(contenders.map(({ id }) => id)).toEqual(ids);
    expect(contenders.filter(({ inProcess }) => !Number.isFinite(inProcess.cpu.median))).toEqual([]);
    expect(contenders.filter(({ loopback }) => !(loopback.requests > 0))).toEqual([]);
  });

  test('counts one store call for a burst of each kind of key', () => {
    const bursts = contenders.flatMap(({ id, burst }) => (burst === undefined ? [] : [{ id, ...burst }]));

    expect(bursts.map(({ id, count, storeCalls }) => ({ id, count, storeCalls }))).toEqual(
      ['opaque', 'pair', 'jwt'].map((id) => ({ id, count: 200, storeCalls: 1 })),
    );
  });

  test('prints the tables, what was left out and where the files are', () => {
    for (const title of ['Added to a request, in process', 'Over loopback', 'One cold key']) {
      expect(printed).toContain(title);
    }
    expect(printed).toContain('Left out: keypal');
    expect(printed).toMatch(/Written: \S+\.json, \S+\.svg/);
  });
});

describe('the chart', () => {
  const contender = (name: string, kind: string, cpu: number) => ({
    name,
    kind,
    inProcess: { cpu: { median: cpu } },
  });

  test('has a bar for each contender, the shortest first, and takes names as they are', () => {
    const contenders = [contender('slow & <old>', 'peer', 500), contender('quick', 'keystile', 2)];
    const svg = String(chartOf({ machine: { node: 'v24.0.0' }, contenders }));
    const bars = Array.from(svg.matchAll(/<rect class="(\w+)" [^>]*width="([\d.]+)"/g), (found) => ({
      kind: found[1],
      width: Number(found[2]),
    }));

    expect(bars.map(({ kind }) => kind)).toEqual(['keystile', 'peer']);
    expect(bars[0]?.width).toBeLessThan(bars[1]?.width ?? 0);
    expect(svg).toContain('slow &amp; &lt;old&gt;');
    expect(svg).toContain('prefers-color-scheme: dark');
  });

  test('is left out where nothing was measured that it shows', () => {
    expect(chartOf({ machine: { node: 'v24.0.0' }, contenders: [] })).toBeUndefined();
  });
});

test('a table is Markdown with figures on the right', () => {
  expect(asMarkdown({ title: 'T', head: ['', 'a'], rows: [['x', '1']] })).toBe(
    '**T**\n\n|  | a |\n| --- | ---: |\n| x | 1 |\n',
  );
});

test('each contender has a name and an id of its own', () => {
  for (const member of ['id', 'name'] as const) {
    expect(new Set(CONTENDERS.map((one) => one[member])).size).toBe(CONTENDERS.length);
  }
});

test('an order is another one each time, has all things, and is the same in each run', () => {
  const things = [1, 2, 3, 4, 5, 6, 7, 8];
  const [shuffle, again] = [shuffler(7), shuffler(7)];
  const orders = [shuffle(things), shuffle(things)];

  expect(orders.map((order) => order.toSorted((a, b) => a - b))).toEqual([things, things]);
  expect(orders[0]).not.toEqual(orders[1]);
  expect([again(things), again(things)]).toEqual(orders);
});

describe('the simulation of many processes', () => {
  const plan = {
    processes: 4,
    keys: 500,
    skew: 1,
    perSecond: 200,
    ttlMs: 2_000,
    maxEntries: 10_000,
    watch: 'none',
    pollMs: 1_000,
    seconds: 50,
  };

  test.each([0, 0.6, 1, 1.4])('draws ranks by their shares, at a skew of %p', (skew) => {
    const next = zipfRanks(50, skew, seededRandom(3));
    const shareOf = zipfShares(50, skew);
    const counts = new Map<number, number>();
    for (let i = 0; i < 40_000; i += 1) {
      const rank = next();
      counts.set(rank, (counts.get(rank) ?? 0) + 1);
    }
    const ranks = Array.from({ length: 50 }, (_, i) => i + 1);
    const off = ranks.map((rank) => Math.abs((counts.get(rank) ?? 0) / 40_000 - shareOf(rank)));

    expect([...counts.keys()].filter((rank) => rank < 1 || rank > 50)).toEqual([]);
    expect(ranks.reduce((sum, rank) => sum + shareOf(rank), 0)).toBeCloseTo(1, 9);
    expect(Math.max(...off)).toBeLessThan(0.01);
  });

  test.each([0, 1])('counts the look-ups that a sum over all keys gives, at a skew of %p', (skew) => {
    const shareOf = zipfShares(plan.keys, skew);
    let expected = 0;
    for (let rank = 1; rank <= plan.keys; rank += 1) {
      const perSecond = shareOf(rank) * plan.perSecond;
      expected += (plan.processes * perSecond) / (1 + (perSecond * plan.ttlMs) / 1_000);
    }

    expect(simulate({ ...plan, skew }).lookUps / expected).toBeCloseTo(1, 1);
  });

  test('counts more look-ups where the cache is too small', () => {
    expect(simulate({ ...plan, maxEntries: 20 }).lookUps).toBeGreaterThan(1.2 * simulate(plan).lookUps);
  });

  test('takes a revoked key no longer than the TTL, the interval of looks, or the bell', () => {
    const longest = (watch: string) => simulate({ ...plan, seconds: 1, watch }).delayMs.max;
    const [none, poll, bell] = [longest('none'), longest('poll'), longest('bell')];

    expect(none).toBeLessThanOrEqual(plan.ttlMs);
    expect(none).toBeGreaterThan(plan.pollMs);
    expect(poll).toBeLessThanOrEqual(plan.pollMs);
    expect(bell).toBeLessThan(poll);
  });

  test('is the same in each run', () => {
    const short = { ...plan, seconds: 5 };

    expect(simulate(short)).toEqual(simulate(short));
  });
});
