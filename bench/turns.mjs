// Measures several ways of doing one thing beside each other: in turns, in an order that changes, so that whatever
// the machine does meanwhile meets all of them.
import { setImmediate } from 'node:timers/promises';

/**
 * @param ways - `{ name, prepare(), run(input) }`: `prepare` makes the input of one turn and is not timed
 * @param calls - how many calls one `run` makes
 * @returns for each name the nanoseconds of one call in each turn
 */
export async function timeInTurns(ways, { turns, warmUp, calls }) {
  const times = new Map(ways.map(({ name }) => [name, []]));
  for (let turn = -warmUp; turn < turns; turn += 1) {
    // A process in which no timer fires would take its watch for lost, and its cache for old.
    await setImmediate();
    for (let i = 0; i < ways.length; i += 1) {
      // Each begins a turn as often as any other, and follows on each other.
      const { name, prepare, run } = ways[(i * stepOf(turn, ways.length) + Math.abs(turn)) % ways.length];
      const input = prepare();
      const start = performance.now();
      run(input);
      const nanoseconds = ((performance.now() - start) * 1e6) / calls;
      if (turn >= 0) times.get(name).push(nanoseconds);
    }
  }
  return times;
}

/** A step that reaches every place once; it differs from turn to turn. */
function stepOf(turn, places) {
  const steps = Array.from({ length: places }, (_, i) => i + 1).filter((step) => divisor(step, places) === 1);
  return steps[Math.abs(turn) % steps.length];
}

function divisor(a, b) {
  return b === 0 ? a : divisor(b, a % b);
}

export function quantile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

export function median(numbers) {
  return quantile(numbers, 0.5);
}
