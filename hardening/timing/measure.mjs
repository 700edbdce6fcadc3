// Asks about two classes of inputs in random order, and takes the time of each. What is compared has to be made in one way,
// or it differs by how it was made: every text is copied out of a buffer just before it is used.
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

const MOST_WARM_UP = 5_000;

/**
 * Two classes of inputs, all of one length, what they must lead to, and how to ask.
 *
 * @typedef {object} Comparison
 * @property {readonly (readonly string[][])[]} classes
 * @property {readonly string[]} expected the reason for which each class is refused
 * @property {(...input: string[]) => any} ask
 */

/**
 * @param {Comparison} comparison
 * @param {number} count samples of each class
 * @param {() => number} random numbers from 0 to 1
 * @returns milliseconds of each sample, by class
 */
export async function measure({ ask, classes, expected }, count, random) {
  const inputs = classes.map(packed);
  for (const [index, take] of inputs.entries()) {
    const verdict = await ask(...take());
    if (verdict?.reason !== expected[index])
      throw new Error(`expected ${expected[index]}, got ${verdict?.reason}`);
  }
  const times = inputs.map(() => new Float64Array(count));
  for (let i = -Math.min(MOST_WARM_UP, count); i < count; i += 1) {
    // Timers and the threads of others get their turn, but not while a sample is taken.
    if (i % 32 === 0) await setImmediate();
    for (const one of random() < 0.5 ? [1, 0] : [0, 1]) {
      const [first, second] = inputs[one]();
      const start = performance.now();
      await ask(first, second);
      const ms = performance.now() - start;
      if (i >= 0) times[one][i] = ms;
    }
  }
  return times;
}

/** Answers the inputs in turn, each as new texts of one and the same kind. */
function packed(inputs) {
  const lengths = inputs[0].map((text) => text.length);
  const bytes = Buffer.from(inputs.flat().join(''), 'latin1');
  const width = lengths[0] + (lengths[1] ?? 0);
  if (bytes.length !== width * inputs.length) throw new Error('the inputs differ in length');
  let next = 0;
  return () => {
    const at = (next++ % inputs.length) * width;
    return [bytes.latin1Slice(at, at + lengths[0]), bytes.latin1Slice(at + lengths[0], at + width)];
  };
}
