// Random schedules: a clock that is set, a machine that sleeps, a process that stops, a store that fails, a watch that says
// nothing and keys that change, in any order. By number: each schedule comes from the seed and its own number alone.
import { seededRandom } from '../../bench/contest/rounds.mjs';
import { ClockWorld } from './clock-world.mjs';
import { below } from './key-texts.mjs';
import { settled, VirtualTime } from './virtual-time.mjs';

const MOST_SCHEDULES = 5_000;
const LEAST_SCHEDULES = 60;
const STEPS = 50;
const START_MS = Date.UTC(2026, 10, 20);
const HOUR_MS = 3_600_000;
const SPANS_MS = [1, 150, 999, 1_000, 2_001, 4_999, 5_000, 6_500, 9_999, 10_000, 25_000, 39_999, 40_000];
/** Until a watch has begun anew, a store has been tried again and all that was told is forgotten. */
const CALM_MS = 70_000;

/** @param {import('../parts.mjs').Plan} plan */
export async function clockSchedules({ seed, scale, say }) {
  const count = Math.max(LEAST_SCHEDULES, Math.round(MOST_SCHEDULES * scale));
  const sums = { accepted: 0, refused: 0, unavailable: 0, hits: 0, falseAccepts: 0, falseRefusals: 0 };
  const problems = [];
  say(`${count} schedules`);
  for (let number = 0; number < count; number += 1) {
    const { counts, problems: found } = await runSchedule(seed, number);
    for (const name of Object.keys(sums)) sums[name] += counts[name];
    if (found.length > 0 && problems.length < 10)
      problems.push(`seed ${seed}, schedule ${number}: ${found[0]}`);
  }
  const { accepted, refused, unavailable, hits, falseAccepts, falseRefusals } = sums;
  return {
    name: 'clocks that jump',
    iterations: count,
    falseAccepts,
    falseRefusals,
    details: `${accepted} accepted, ${refused} refused, ${unavailable} faults; ${hits} at once`,
    problems,
  };
}

async function runSchedule(seed, number) {
  const random = seededRandom(seed * 1_000_003 + number);
  const time = new VirtualTime(START_MS);
  try {
    const world = new ClockWorld(time);
    const schedule = { world, time, random, offsetMs: 0, pending: [] };
    await addKeys(schedule);
    for (let step = 0; step < STEPS; step += 1) await takeStep(schedule);
    await endWell(schedule);
    return world;
  } finally {
    time.release();
  }
}

async function addKeys({ world, time, random }) {
  const soon = () => new Date(time.wall + 1_000 + below(random, 60_000));
  await world.addKey({});
  await world.addKey({ expiresAt: soon() });
  await world.addKey({ notBefore: new Date(time.wall - below(random, 2) * HOUR_MS) });
  await world.addKey({ expiresAt: soon() });
  await time.advance(10);
}

/** What may happen, the more often the more times it stands here. */
const STEPS_OF = [
  ...Array(12).fill(ask),
  ...Array(5).fill(advance),
  ...Array(3).fill(setClock),
  ...Array(2).fill(freeze),
  sleep,
  deliver,
  deliver,
  breakStore,
  silenceWatch,
  slowStore,
  revoke,
  rotate,
  expireSooner,
];

async function takeStep(schedule) {
  const step = STEPS_OF[below(schedule.random, STEPS_OF.length)];
  await step(schedule);
  await settled();
}

function ask(schedule) {
  const { world } = schedule;
  schedule.pending.push(world.ask(anyKey(schedule)));
}

function advance({ time, random }) {
  return time.advance(anySpan(random));
}

/** Back to the right time as often as away from it. */
function setClock(schedule) {
  const { time, random, offsetMs } = schedule;
  const stepMs = offsetMs === 0 ? [HOUR_MS, -HOUR_MS, 1_500, -1_500][below(random, 4)] : -offsetMs;
  schedule.offsetMs += stepMs;
  time.stepWall(stepMs);
  ask(schedule);
}

function freeze(schedule) {
  const { time, random } = schedule;
  time.freeze(anySpan(random));
  // The first that is asked is asked before any timer.
  for (const key of schedule.world.keys) schedule.pending.push(schedule.world.ask(key));
  return time.advance(0);
}

function sleep(schedule) {
  schedule.time.stepWall(anySpan(schedule.random));
  ask(schedule);
}

function deliver({ world }) {
  world.deliver();
}

function breakStore({ world }) {
  world.isDown = !world.isDown;
}

function silenceWatch({ world }) {
  world.isSilent = !world.isSilent;
}

function slowStore({ world, random }) {
  world.latencyMs = [0, 0, 300, 900][below(random, 4)];
}

function revoke(schedule) {
  if (below(schedule.random, 4) > 0) return undefined;
  return change(schedule, (apiKeys, id) => apiKeys.revoke(id));
}

function rotate(schedule) {
  const gracePeriodMs = [0, 2_000, 20_000][below(schedule.random, 3)];
  return change(schedule, async (apiKeys, id) => {
    const { key } = await apiKeys.rotate(id, { gracePeriodMs });
    schedule.world.keys.push({ text: key, id });
  });
}

function expireSooner(schedule) {
  return change(schedule, async (apiKeys, id) => {
    const { expiresAt } = (await apiKeys.get(id)) ?? {};
    const end = new Date(
      Math.min(schedule.time.wall + 8_000, expiresAt?.getTime() ?? Number.POSITIVE_INFINITY),
    );
    await apiKeys.update(id, { expiresAt: end });
  });
}

async function change(schedule, act) {
  const { world, random } = schedule;
  const { id } = anyKey(schedule);
  const where = below(random, 2) === 0 && !world.isDown ? 'changeHere' : 'changeElsewhere';
  // A key that has ended cannot be rotated, and one that ends now takes no earlier end.
  await world[where](id, act).catch((error) => {
    if (error.code !== 'conflict' && error.code !== 'invalid_request') throw error;
  });
}

/** The clock is right again and everything works: what is good is accepted, and what has ended is not. */
async function endWell(schedule) {
  const { world, time, offsetMs } = schedule;
  time.stepWall(-offsetMs);
  Object.assign(world, { isDown: false, isSilent: false, latencyMs: 0 });
  await time.advance(CALM_MS);
  world.deliver();
  for (const key of world.keys) schedule.pending.push(world.ask(key));
  await time.advance(1_000);
  const closed = world.close();
  await time.advance(1_000);
  await Promise.all([...schedule.pending, closed]);
}

function anyKey({ world, random }) {
  return world.keys[below(random, world.keys.length)];
}

function anySpan(random) {
  return SPANS_MS[below(random, SPANS_MS.length)];
}
