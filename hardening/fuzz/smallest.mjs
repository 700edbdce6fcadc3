// Makes an input that fails smaller, for as long as it still fails. Inputs are JSON, whatever they describe.

const MOST_TRIES = 400;

/**
 * @template T
 * @param {T} input
 * @param {(smaller: T) => Promise<boolean>} fails
 * @returns {Promise<T>}
 */
export async function smallest(input, fails) {
  let best = input;
  let tries = 0;
  for (let isSmaller = true; isSmaller && tries < MOST_TRIES; ) {
    isSmaller = false;
    for (const candidate of smaller(best)) {
      tries += 1;
      if (tries > MOST_TRIES) break;
      if (!(await fails(/** @type {T} */ (candidate)))) continue;
      best = /** @type {T} */ (candidate);
      isSmaller = true;
      break;
    }
  }
  return best;
}

/** @param {unknown} value @returns {Generator<unknown>} */
function* smaller(value) {
  if (typeof value === 'string') yield* shorter(value, (from, to) => value.slice(0, from) + value.slice(to));
  if (Array.isArray(value))
    yield* shorter(value, (from, to) => [...value.slice(0, from), ...value.slice(to)]);
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    for (const one of smaller(member)) yield replaced(value, name, one);
  }
}

/**
 * Without its halves, then its quarters, and so on down to single items.
 *
 * @template T
 * @param {{ readonly length: number }} whole
 * @param {(from: number, to: number) => T} without
 * @returns {Generator<T>}
 */
function* shorter({ length }, without) {
  for (let size = Math.ceil(length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < length; from += size) yield without(from, Math.min(length, from + size));
  }
}

/** @param {object} value @param {string} name @param {unknown} member */
function replaced(value, name, member) {
  if (!Array.isArray(value)) return { ...value, [name]: member };
  return value.map((one, index) => (String(index) === name ? member : one));
}
