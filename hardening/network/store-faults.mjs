// Every fault of every method, in front of each kind of store, under requests and management calls.
import { seededRandom } from '../../bench/contest/rounds.mjs';
import { startGauges } from '../gauges.mjs';
import { Episode } from './episode.mjs';
import { FAULTED_KINDS } from './fault-stores.mjs';
import { Judge } from './judge.mjs';
import { STORE_FAULTS } from './store-calls.mjs';
import { swappedRecordsRow } from './swapped-records.mjs';

/** In this order; a short run has the first ones. */
const METHODS = [
  'findByDigest',
  'update',
  'findById',
  'insert',
  'list',
  'delete',
  'recordUse',
  'watch',
  'close',
];

const SWEEPS = 12;
const FEWEST_EPISODES = 3;

/**
 * @typedef {import('../parts.mjs').Plan & { stores?: readonly string[], faults?: readonly string[] }} FullPlan
 *
 * @param {FullPlan} plan - stores, faults: names; absent: all
 * @returns {Promise<import('../parts.mjs').Row[]>}
 */
export async function run(plan) {
  const unhandled = [];
  const note = (reason) => unhandled.push(String(reason));
  process.on('unhandledRejection', note);
  const rows = [];
  try {
    for (const kind of FAULTED_KINDS) {
      if (plan.stores !== undefined && !plan.stores.includes(kind.name)) continue;
      const opened = await kind.open();
      try {
        rows.push(await swappedRecordsRow(plan, kind, opened.store));
        const isAsked = ({ name }) => plan.faults?.includes(name) ?? true;
        for (const fault of STORE_FAULTS.filter(isAsked))
          rows.push(await faultRow(plan, kind, opened.store, fault));
      } finally {
        await opened.end();
      }
    }
  } finally {
    process.off('unhandledRejection', note);
  }
  const problems = unhandled.map((reason) => `unhandled rejection: ${reason} (--seed ${plan.seed})`);
  return [...rows, { name: 'unhandled rejections', iterations: rows.length, problems }];
}

/** One fault, in each method that can have it. */
async function faultRow({ seed, scale, say }, kind, store, fault) {
  const name = `${kind.name}: ${fault.name}`;
  const judge = new Judge(`--seed ${seed} --scale ${scale}, ${name}`);
  const random = seededRandom(seed);
  const gauges = startGauges();
  const methods = fault.methods ?? METHODS;
  const episodes = Math.max(FEWEST_EPISODES, Math.round(SWEEPS * methods.length * scale));
  let faulted = 0;
  for (let number = 0; number < episodes; number += 1) {
    const method = methods[number % methods.length];
    const episode = await Episode.begin({ kind, store, fault, method, judge, random });
    faulted += await episode.run();
  }
  if (faulted === 0) judge.problem('the fault never showed');
  for (const status of [200, 401]) {
    if (judge.statuses[status] === undefined) judge.problem(`nothing was answered ${status}`);
  }
  const row = judge.row(name, gauges.read(), [`${faulted} faulty calls`]);
  say(`${row.name}: ${row.details}`);
  return row;
}
