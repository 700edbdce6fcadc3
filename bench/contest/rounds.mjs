// Order and sums of repeated measurements.
import { median, quantile } from '../turns.mjs';

/** The same things in another order each time, by a fixed seed, so that a run can be repeated. */
export function shuffler(seed = 1) {
  const random = seededRandom(seed);
  return (things) => {
    const shuffled = [...things];
    for (let i = shuffled.length - 1; i > 0; i -= 1) {
      const j = Math.floor(random() * (i + 1));
      [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
    }
    return shuffled;
  };
}

/** mulberry32: numbers from 0 to 1. */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Median and the range that eight in ten lie in. */
export function spread(numbers) {
  return {
    median: short(median(numbers)),
    low: short(quantile(numbers, 0.1)),
    high: short(quantile(numbers, 0.9)),
  };
}

/** Three digits: what lies behind them is noise. */
export function short(number) {
  return Number(number.toPrecision(3));
}
