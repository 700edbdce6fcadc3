// The parts of `npm run test:hardening`, in the order in which they run. Each module has `run(plan)`, which answers rows.

/**
 * What a part is told.
 *
 * @typedef {object} Plan
 * @property {number} seed - every random choice comes from it, so that a run can be had again
 * @property {number} scale - 1 is the long run; iterations and times are multiplied by it, and never fall below what shows anything
 * @property {(text: string) => void} say - tells how far it is; one line each time
 *
 * What a part answers, one for each thing that it tried.
 *
 * @typedef {object} Row
 * @property {string} name
 * @property {number} iterations - requests, inputs or interleavings: whatever it counts
 * @property {number} [falseAccepts] - answers that let somebody in who ought not to be
 * @property {number} [falseRefusals] - refusals of a good key
 * @property {number} [loopDelayMs] - the longest time for which the event loop stood still
 * @property {number} [rssGrowthMb] - of the process, once its garbage is collected
 * @property {number[]} [t] - Welch's |t| of each run
 * @property {number} [score] - per cent of the mutants that tests noticed
 * @property {string} [details]
 * @property {string[]} problems - what is not as it should be, with what is needed to have it again; empty where all is well
 */

/** By name: where it is, what it shows, and about how long it takes at full scale on two cores. */
export const PARTS = {
  fuzz: {
    file: './fuzz/fuzz.mjs',
    minutes: 75,
    shows: 'hostile bytes in headers, keys, JWTs, bodies, records, messages',
  },
  network: {
    file: './network/network.mjs',
    minutes: 22,
    shows: 'connections to each store cut, half open, slow, truncated',
  },
  'store-faults': {
    file: './network/store-faults.mjs',
    minutes: 30,
    shows: 'every fault of a method, in front of each store',
  },
  floods: {
    file: './load/floods.mjs',
    minutes: 5,
    shows: 'a million random strings, well-formed unknown keys, half-open connections',
  },
  clock: {
    file: './load/clock.mjs',
    minutes: 3,
    shows: 'clocks that jump an hour, a process that was frozen',
  },
  soak: {
    file: './load/soak.mjs',
    minutes: 60,
    shows: 'an hour of requests, with a rotation and a revocation each second',
  },
  timing: {
    file: './timing/timing.mjs',
    minutes: 25,
    shows: 'whether the time of an answer tells what a refusal does not',
  },
  interleavings: {
    file: './commands/interleavings.mjs',
    minutes: 15,
    shows: 'a million orders of look-ups, changes and messages',
  },
  outage: {
    file: './commands/outage.mjs',
    minutes: 4,
    shows: 'database servers stopped and killed under load',
  },
  durability: {
    file: './commands/durability.mjs',
    minutes: 5,
    shows: 'acknowledged revocations after kill -9 of the database',
  },
  faults: {
    file: './commands/faults.mjs',
    minutes: 4,
    shows: 'faults planted in the code, each caught by a test',
  },
  mutation: {
    file: './commands/mutation.mjs',
    minutes: 90,
    shows: 'mutants of keys/, authentication/ and middleware/',
  },
};
