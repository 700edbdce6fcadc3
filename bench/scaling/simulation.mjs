// How many look-ups a store gets, and how long a revoked key is taken, of a number of processes that each have a cache.
//
// Processes are alike and know nothing of each other, so a few of them stand for all in the count of look-ups: each gets
// requests at random moments (Poisson) and for a key by rank (Zipf), and holds what it has read for the TTL, at most
// `maxEntries` keys, the one used last the longest. For the delay all of them count, as the last one decides.

import { seededRandom } from '../contest/rounds.mjs';
import { quantile } from '../turns.mjs';
import { zipfRanks, zipfShares } from './zipf.mjs';

const SAMPLED = 4;
const REVOCATIONS = 200;

/**
 * How long after a revocation a process hears of it: what bench/revocation.mjs measured over PostgreSQL (p50 6 ms, p99
 * 26 ms until the last of four has heard) is met by an exponential of this mean in each.
 */
const BELL_MS = 4;

/**
 * @param plan - `processes`, `keys`, `skew`, `perSecond` (requests to each process), `ttlMs`, `maxEntries`, `watch`
 *   ('none', 'poll' or 'bell'), `pollMs`, `seconds` to simulate after the caches have filled, `seed`
 * @returns for all processes together `lookUps` and `looks` (of the watch) a second, the `hits` as a share of requests, and
 *   `delayMs`, from the revocation of a key to its last acceptance anywhere
 */
export function simulate(plan) {
  const random = seededRandom(plan.seed ?? 1);
  const sampled = Math.min(SAMPLED, plan.processes);
  let requests = 0;
  let misses = 0;
  for (let process = 0; process < sampled; process += 1) {
    const counted = runProcess(plan, random);
    requests += counted.requests;
    misses += counted.misses;
  }
  return {
    lookUps: (misses / plan.seconds / sampled) * plan.processes,
    looks: plan.watch === 'none' ? 0 : plan.processes / (plan.pollMs / 1_000),
    hits: 1 - misses / requests,
    delayMs: delays(plan, random),
  };
}

/** @returns the requests and misses of the time after the cache has filled */
function runProcess({ keys, skew, perSecond, ttlMs, maxEntries, seconds }, random) {
  const nextRank = zipfRanks(keys, skew, random);
  const entries = new Map();
  const from = 2 * ttlMs;
  const until = from + seconds * 1_000;
  const counted = { requests: 0, misses: 0 };
  for (let now = pause(perSecond, random); now < until; now += pause(perSecond, random)) {
    const rank = nextRank();
    const isHit = (entries.get(rank) ?? Number.NEGATIVE_INFINITY) > now;
    touch(entries, rank, isHit ? entries.get(rank) : now + ttlMs, maxEntries);
    if (now < from) continue;
    counted.requests += 1;
    if (!isHit) counted.misses += 1;
  }
  return counted;
}

/** A Map keeps its entries in the order in which they were set, so the first is the one used longest ago. */
function touch(entries, rank, expiresAt, maxEntries) {
  entries.delete(rank);
  entries.set(rank, expiresAt);
  if (entries.size > maxEntries) entries.delete(entries.keys().next().value);
}

function delays({ processes, keys, skew, perSecond, ttlMs, watch, pollMs }, random) {
  const nextRank = zipfRanks(keys, skew, random);
  const shareOf = zipfShares(keys, skew);
  const hear = { none: () => ttlMs, poll: () => random() * pollMs, bell: () => exponential(BELL_MS, random) };
  const all = Array.from({ length: REVOCATIONS }, () => {
    const perMs = (shareOf(nextRank()) * perSecond) / 1_000;
    let latest = 0;
    for (let process = 0; process < processes; process += 1) {
      latest = Math.max(latest, lastAcceptance(perMs, ttlMs, hear[watch], random));
    }
    return latest;
  });
  return { p50: quantile(all, 0.5), p99: quantile(all, 0.99), max: Math.max(...all) };
}

/** In one process, after a revocation elsewhere: an entry it may hold is as old as any up to the TTL. */
function lastAcceptance(perMs, ttlMs, hear, random) {
  const isHeld = random() < (perMs * ttlMs) / (1 + perMs * ttlMs);
  if (!isHeld) return 0;
  const end = Math.min(random() * ttlMs, hear());
  return Math.max(0, end - exponential(1 / perMs, random));
}

function pause(perSecond, random) {
  return exponential(1_000 / perSecond, random);
}

/** A time until something that happens at any moment alike. */
export function exponential(mean, random) {
  return -mean * Math.log(1 - random());
}
