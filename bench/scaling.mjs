// node bench/scaling.mjs: look-ups a second on the store, and the delay of a revocation, of many processes and keys. By
// simulation, the same in each run; bench/scaling-check.mjs holds it against four real processes.
import { asMarkdown } from './contest/tables.mjs';
import { simulate } from './scaling/simulation.mjs';

const BASE = {
  processes: 1_000,
  keys: 1_000_000,
  skew: 1,
  perSecond: 500,
  ttlMs: 10_000,
  maxEntries: 10_000,
  watch: 'bell',
  pollMs: 1_000,
  seconds: 60,
};

/** What varies in each table, the rest as in BASE. */
const TABLES = {
  'Processes and keys': [10, 1_000, 100_000].flatMap((processes) =>
    [10_000, 1_000_000, 100_000_000].map((keys) => ({ processes, keys })),
  ),
  Skew: [0, 0.6, 0.8, 1, 1.2].map((skew) => ({ skew })),
  'Time to live': [1_000, 5_000, 10_000, 60_000, 600_000].map((ttlMs) => ({ ttlMs })),
  'Entries of a cache': [1_000, 10_000, 100_000].map((maxEntries) => ({ maxEntries, ttlMs: 60_000 })),
  'Requests to a process': [10, 100, 500, 2_000].map((perSecond) => ({ perSecond })),
  Watch: ['bell', 'poll', 'none'].flatMap((watch) =>
    [10, 1_000, 100_000].map((processes) => ({ watch, processes })),
  ),
};

for (const [title, variants] of Object.entries(TABLES)) {
  const varied = Object.keys(variants[0]);
  const head = [
    ...varied,
    'look-ups/s',
    'for one process',
    'hits',
    'looks/s',
    'delay p50, ms',
    'delay p99, ms',
  ];
  const rows = variants.map((variant) => {
    const plan = { ...BASE, ...variant };
    const { lookUps, hits, looks, delayMs } = simulate(plan);
    return [
      ...varied.map((name) => whole(plan[name])),
      ...[whole(lookUps), whole(lookUps / plan.processes), `${(hits * 100).toFixed(1)} %`, whole(looks)],
      ...[whole(delayMs.p50), whole(delayMs.p99)],
    ];
  });
  console.log(asMarkdown({ title, head, rows }));
}

function whole(value) {
  if (typeof value !== 'number') return value;
  return value >= 10 || Number.isInteger(value) ? Math.round(value).toLocaleString('en') : value.toFixed(1);
}
